"""A table that stays legible: a caption, heads for every row and column, figures that line up, its own scrolling on a phone."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from agent_gym.optimization.comparison import Comparison, Contender, Difference, Slice
from agent_gym.optimization.report.charts import bar
from agent_gym.optimization.report.markup import Html, clipped, element, joined
from agent_gym.optimization.report.numbers import (
    UNMEASURED,
    chance,
    count,
    decimal,
    duration,
    interval,
    milliseconds,
    money,
    signed,
)

ROWS = 60
"""Services that are listed one by one; those with the fewest examples are left out."""
LONGEST_NAME = 80


@dataclass(frozen=True)
class Column:
    """What a column shows of a row."""

    head: str
    cell: Callable[[Contender], str]
    group: str = ""
    """What stands over several columns."""


def scores(comparison: Comparison) -> Html:
    """Score, its interval, its parts, and what stands between each and the baseline."""
    parts = dict.fromkeys(name for one in comparison.contenders for name in one.parts)
    columns = [
        Column("score", lambda one: decimal(one.score)),
        Column("95 % interval", lambda one: interval(one.interval)),
        *(Column(words(name), lambda one, name=name: _part(one, name), "parts of the score") for name in parts),
    ]
    if any(one.difference for one in comparison.contenders):
        against = "against the baseline"
        columns += [
            Column("difference", lambda one: _compared(one, lambda found: signed(found.mean)), against),
            Column("95 % interval", lambda one: _compared(one, lambda found: interval(found.interval, write=signed)), against),
            Column("adjusted p", lambda one: _compared(one, lambda found: chance(found.adjusted_p)), against),
        ]
    return by_contender("scores", "Scores", columns, comparison)


def calls(comparison: Comparison) -> Html:
    """Tool calls, how steady they are from run to run, and what could not be played."""
    repeats = max((len(one.pass_k) for one in comparison.contenders), default=0)
    columns = [
        Column("precision", lambda one: decimal(one.call_precision), "tool calls"),
        Column("recall", lambda one: decimal(one.call_recall), "tool calls"),
        Column("F1", lambda one: decimal(one.call_f1), "tool calls"),
        *(Column(f"pass^{k + 1}", lambda one, k=k: _pass(one, k), "all of k runs pass") for k in range(repeats)),
        Column("scored", lambda one: count(one.n), "examples"),
        Column("agent broke off", lambda one: count(one.broken), "examples"),
        Column("endpoint failed", lambda one: count(one.failed), "examples"),
    ]
    if any(one.unjudged for one in comparison.contenders):
        columns.append(Column("not judged", lambda one: count(one.unjudged), "examples"))
    return by_contender("calls", "Tool calls and reliability", columns, comparison)


def effort(comparison: Comparison) -> Html:
    """What it took to find each agent, and what a turn of it takes."""
    dollars = money(one.cost for one in comparison.contenders)
    thousand = money(map(turns_cost, comparison.contenders))
    search, turn = "to optimize and measure", "a turn of the finished agent"
    columns = [
        Column("requests", lambda one: count(one.requests), search),
        Column("tokens in", lambda one: count(one.prompt_tokens), search),
        Column("tokens out", lambda one: count(one.completion_tokens), search),
        Column("cost", lambda one: dollars(one.cost), search),
        Column("time", lambda one: duration(one.seconds), search),
        Column("tokens", lambda one: count(one.turn_tokens), turn),
        Column("cost of 1,000", lambda one: thousand(turns_cost(one)), turn),
        Column("p50, ms", lambda one: milliseconds(one.latency_p50), turn),
        Column("p95, ms", lambda one: milliseconds(one.latency_p95), turn),
    ]
    return by_contender("effort", "Effort and speed", columns, comparison)


def slices(comparison: Comparison, key: str, noun: str, read: Callable[[Contender], Mapping[str, Slice]]) -> Html | None:
    """Scores over parts of the examples, a row a part and a column a contender; None when there are none."""
    sizes: dict[str, int] = {}
    for one in comparison.contenders:
        for name, part in read(one).items():
            sizes[name] = max(part.n, sizes.get(name, 0))
    if not sizes:
        return None
    kept = sorted(sorted(sizes, key=lambda name: -sizes[name])[:ROWS])
    heads = [element("th", title, scope="col") for title in (noun, "examples")]
    heads += [element("th", clipped(one.name, LONGEST_NAME), scope="col", class_="bars") for one in comparison.contenders]
    rows = [
        element(
            "tr",
            element("th", clipped(name, LONGEST_NAME), scope="row"),
            element("td", count(sizes[name])),
            *(_slice(read(one).get(name)) for one in comparison.contenders),
        )
        for name in kept
    ]
    left_out = f"; {len(sizes) - len(kept):,} with fewer examples are left out" if len(sizes) > len(kept) else ""
    return framed(key, f"Score by {noun}{left_out}", element("thead", element("tr", *heads)), element("tbody", *rows))


def by_contender(key: str, caption: str, columns: Sequence[Column], comparison: Comparison) -> Html:
    """A table with a row for every contender."""
    heads = element("tr", element("th", "strategy", scope="col"), *(element("th", one.head, scope="col") for one in columns))
    over = _groups(columns) if any(one.group for one in columns) else None
    rows = [
        element("tr", contender_head(one, comparison), *(element("td", column.cell(one)) for column in columns))
        for one in comparison.contenders
    ]
    return framed(key, caption, element("thead", over, heads), element("tbody", *rows))


def framed(key: str, caption: str, *inside: Html) -> Html:
    """A table in a box of its own that scrolls, and can be scrolled with the keyboard."""
    named = f"table-{key}"
    table = element("table", element("caption", element("span", caption, id=named)), *inside)
    return element("div", table, class_="scroll", role="region", tabindex=0, aria_labelledby=named)


def contender_head(one: Contender, comparison: Comparison) -> Html:
    """The head of a contender's row."""
    told = one.name == comparison.baseline and one.name != "baseline"
    mark = element("span", "baseline", class_="tag") if told else None
    return element("th", clipped(one.name, LONGEST_NAME), mark and joined([" ", mark]), scope="row")


def turns_cost(one: Contender) -> float | None:
    """US dollars for 1,000 turns of the finished agent: those for one are too small to read."""
    return None if one.turn_cost is None else 1000 * one.turn_cost


def words(name: str) -> str:
    """A field's name as words."""
    return clipped(name.replace("_", " "), LONGEST_NAME)


def _groups(columns: Sequence[Column]) -> Html:
    spans = [(group, len(list(found))) for group, found in groupby(columns, key=lambda one: one.group)]
    heads = [
        element("th", group, colspan=size, scope="colgroup") if group else element("td", colspan=size) for group, size in spans
    ]
    return element("tr", element("td"), *heads, class_="over")


def _slice(part: Slice | None) -> Html:
    if part is None:
        return element("td", UNMEASURED, class_="bars")
    return element("td", decimal(part.score), bar(part.score), class_="bars")


def _part(one: Contender, name: str) -> str:
    return decimal(one.parts[name]) if name in one.parts else UNMEASURED


def _pass(one: Contender, index: int) -> str:
    return decimal(one.pass_k[index]) if index < len(one.pass_k) else UNMEASURED


def _compared(one: Contender, write: Callable[[Difference], str]) -> str:
    return write(one.difference) if one.difference else element("span", "baseline", class_="unknown")
