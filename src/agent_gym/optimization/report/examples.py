"""The examples that changed most, turn by turn: what was asked and expected, what each contender did and why it scored so."""

import re
from collections.abc import Sequence

from agent_gym.optimization.comparison import Comparison, Turns
from agent_gym.optimization.report.markup import Html, clipped, element, joined
from agent_gym.optimization.report.numbers import decimal, known

SHOWN = 10
TURNS = 20
"""Turns of one contender that are shown."""
_CALL = re.compile(r"\s*[{\[]|[\w.-]+\(\{")
"""How a tool call begins, as a model writes it or as a reason names it."""


def examples(comparison: Comparison) -> Html | None:
    """The changed examples, the first unfolded; None when there are none."""
    names = [one.name for one in comparison.contenders]
    shown = comparison.changed[:SHOWN]
    return joined(_example(turns, names, first=index == 0) for index, turns in enumerate(shown)) if shown else None


def _example(turns: Turns, names: Sequence[str], *, first: bool) -> Html:
    about = element("span", f" {turns.service}" if turns.service else "", class_="aside")
    head = element(
        "summary", element("h3", clipped(turns.id, 200)), about, element("span", _spread(turns), class_="aside range")
    )
    asked = element("div", element("dt", "User"), element("dd", clipped(turns.user), class_="said"))
    wanted = element("div", element("dt", "Expected"), element("dd", _turns(turns.expected)))
    known_names = [*names, *(name for name in turns.played if name not in names)]
    played = [_played(turns, name) for name in known_names if name in turns.played or name in turns.scores]
    inside = joined([element("dl", asked, wanted, class_="asked"), element("div", *played, class_="played")])
    return element("details", head, inside, open="" if first else None)


def _played(turns: Turns, name: str) -> Html:
    score = decimal(turns.scores.get(name)) if name in turns.scores else element("span", "not scored", class_="unknown")
    reason = turns.reasons.get(name)
    return element(
        "section",
        element("h4", clipped(name, 200), " ", element("span", score, class_="score")),
        _turns(turns.played.get(name, ())),
        element("p", clipped(reason), class_="reason said") if reason else None,
    )


def _turns(turns: Sequence[str]) -> Html:
    if not turns:
        return element("p", "nothing", class_="unknown")
    more = [f"… and {len(turns) - TURNS:,} more turns"] if len(turns) > TURNS else []
    lines = [element("li", clipped(turn), class_="said call" if _CALL.match(turn) else "said") for turn in turns[:TURNS]]
    return element("ol", *lines, *(element("li", line) for line in more))


def _spread(turns: Turns) -> str:
    found = {name: score for name, score in turns.scores.items() if known(score)}
    if len(found) < 2:
        return ""
    low, high = min(found, key=lambda name: found[name]), max(found, key=lambda name: found[name])
    if found[low] == found[high]:
        return f"all {decimal(found[high], 2)}"
    return f"{clipped(low, 40)} {decimal(found[low], 2)}, {clipped(high, 40)} {decimal(found[high], 2)}"
