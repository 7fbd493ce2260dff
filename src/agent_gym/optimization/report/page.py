"""The page: its head, its sections in order, its foot.

One file that asks the network for nothing, and is told so: its own policy forbids everything but its style sheet.
"""

from collections.abc import Callable, Sequence
from importlib.resources import files
from typing import NamedTuple

from agent_gym.optimization.comparison import Comparison, Contender
from agent_gym.optimization.report import difference, examples, facts, summary, tables
from agent_gym.optimization.report.agreement import agreement_table, measured, score_charts
from agent_gym.optimization.report.charts import Mark, intervals, scatter
from agent_gym.optimization.report.markup import Html, clipped, element, joined
from agent_gym.optimization.report.numbers import known, listed

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
NOTES = 100


class Section(NamedTuple):
    """A part of the page with a heading and a place in the table of contents."""

    key: str
    title: str
    draw: Callable[[Comparison], Html | None]
    """None when there is nothing to show."""
    lead: str = ""


class Part(NamedTuple):
    """A section as it is drawn."""

    key: str
    title: str
    inside: Html
    lead: str = ""


def page(comparison: Comparison) -> Html:
    """The whole document."""
    drawn = [(section, inside) for section in SECTIONS if (inside := section.draw(comparison))]
    return document(summary.title(comparison), [Part(one.key, one.title, inside, one.lead) for one, inside in drawn])


def document(name: str, parts: Sequence[Part]) -> Html:
    """A whole document of some parts, with a table of contents."""
    links = [element("li", element("a", part.title, href=f"#{part.key}")) for part in parts]
    contents = element("nav", element("ul", *links), aria_label="Contents")
    header = element("header", element("p", "Agent Gym", class_="house"), element("h1", name), contents)
    body = element("body", header, element("main", *map(_section, parts)))
    return joined([Html("<!doctype html>\n"), element("html", _head(name), body, lang="en"), "\n"])


def _head(name: str) -> Html:
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        # Without an icon of its own a browser asks the server for one.
        element("link", rel="icon", href="data:,"),
        element("title", f"{name} – Agent Gym"),
        element("style", Html(_text("style.css"))),
    )


def _section(part: Part) -> Html:
    lead = element("p", part.lead, class_="lead") if part.lead else None
    return element("section", element("h2", part.title), lead, part.inside, id=part.key)


def _scores(comparison: Comparison) -> Html | None:
    return joined(draw(comparison) for draw in (tables.scores, tables.calls, tables.effort)) if comparison.contenders else None


def _charts(comparison: Comparison) -> Html | None:
    marks = [_mark(one, comparison) for one in comparison.contenders if _drawable(one)]
    if not marks:
        return None
    chart = intervals(marks, key="interval-chart", title="Scores with their 95 % intervals")
    told = "Dot: score. Line: its 95 % interval. Hollow and dotted: the baseline. The axis need not begin at 0."
    figures = [
        element("figure", element("h3", "Scores and intervals"), chart, element("figcaption", told)),
        _against(
            "cost-chart", "Score against what it took to find", "cost to optimize and measure", comparison, lambda one: one.cost
        ),
        _against("turn-chart", "Score against what a turn costs", "cost of 1,000 turns", comparison, tables.turns_cost),
    ]
    return element("div", *figures, class_="figures")


def _against(
    key: str, title: str, below: str, comparison: Comparison, read: Callable[[Contender], float | None]
) -> Html | None:
    """A scatter plot of score against cost; who has no known cost is named beside it."""
    costs = {
        one.name: cost for one in comparison.contenders if (cost := read(one)) is not None and known(cost) and _drawable(one)
    }
    unknown = [clipped(one.name, 200) for one in comparison.contenders if one.name not in costs]
    marks = [_mark(one, comparison, costs[one.name]) for one in comparison.contenders if one.name in costs]
    chart = scatter(marks, key=key, title=title, below=below) if marks else None
    missing = f"Not drawn, since the {below} is unknown: {listed(unknown)}." if unknown else None
    told = element("figcaption", missing) if missing else None
    return element("figure", element("h3", title), chart, told)


def _mark(one: Contender, comparison: Comparison, x: float = 0.0) -> Mark:
    return Mark(one.name, one.score, one.interval, x, one.name == comparison.baseline)


def _drawable(one: Contender) -> bool:
    return all(map(known, (one.score, *one.interval)))


def _slices(comparison: Comparison) -> Html | None:
    found = [
        tables.slices(comparison, "services", "service", lambda one: one.by_service),
        tables.slices(comparison, "domains", "domain", lambda one: one.by_domain),
    ]
    return joined(found) if any(found) else None


def _trust(comparison: Comparison) -> Html | None:
    found = comparison.calibration
    return joined([measured(found), score_charts(found), agreement_table(found)]) if found else None


def _notes(comparison: Comparison) -> Html | None:
    own = [*comparison.notes, *([spent] if (spent := summary.times(comparison)) else [])]
    theirs = [f"{one.name}: {note}" for one in comparison.contenders for note in one.notes]
    lines = [element("li", clipped(note, 1000)) for note in [*own, *theirs][:NOTES]]
    return element("ul", *lines) if lines else None


def _definitions(comparison: Comparison) -> Html:
    terms = [line.split(": ", 1) for line in _text("definitions.txt").splitlines() if line]
    return element("dl", *(element("div", element("dt", term), element("dd", said)) for term, said in terms), class_="defined")


def _text(name: str) -> str:
    return files("agent_gym.optimization.report").joinpath(name).read_text("utf-8")


SECTIONS: Sequence[Section] = (
    Section("compared", "What was compared", summary.compared),
    Section("said", "What can be said", summary.verdicts),
    Section("scores", "Scores, calls and effort", _scores),
    Section("charts", "Charts", _charts),
    Section("slices", "By service and domain", _slices, "Few examples make a rough score: look at their number first."),
    Section("prompts", "Prompts", difference.prompts, "Struck out: only in the baseline. Underlined: only in the other."),
    Section("examples", "The examples that changed most", examples.examples),
    Section("robustness", "Robustness", facts.robustness),
    Section("judge", "Judge", facts.judge),
    Section("trust", "How far the judge is right", _trust, "Measured on rollouts whose truth is known."),
    Section("notes", "Notes", _notes),
    Section("numbers", "How each number is computed", _definitions),
)
