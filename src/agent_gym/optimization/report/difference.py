"""Two prompts side by side, word by word: what was taken away on the left, what was put in on the right."""

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

from agent_gym.optimization.comparison import Comparison, Contender
from agent_gym.optimization.report.markup import Html, clipped, element, joined

LONGEST_PROMPT = 30_000
"""Characters of a prompt that are compared and shown."""
ISLAND = 3
"""Fewer equal words than this between two changes are shown as changed: single words that happen to recur help nobody."""
_WORD = re.compile(r"\S+\s*|\s+")


def prompts(comparison: Comparison) -> Html | None:
    """Every contender's prompt beside the baseline's; None when no prompt is known."""
    if not any(one.prompt for one in comparison.contenders):
        return None
    base = next((one for one in comparison.contenders if one.name == comparison.baseline), comparison.contenders[0])
    others = [one for one in comparison.contenders if one is not base]
    alone = [_alone(base)] if all(one.prompt == base.prompt for one in others) else []
    return joined([*alone, *(_pair(base, one) for one in others)])


def marked(before: str, after: str) -> tuple[Html, Html]:
    """Both texts, with what is only in the first marked as deleted and what is only in the second as inserted."""
    old, new = (_WORD.findall(text) for text in (before, after))
    left: list[Html] = []
    right: list[Html] = []
    for changed, a, b in _stretches([word.strip() for word in old], [word.strip() for word in new]):
        was, now = "".join(old[slice(*a)]), "".join(new[slice(*b)])
        left.append(_marked("del", was) if changed else joined([was]))
        right.append(_marked("ins", now) if changed else joined([now]))
    return joined(left), joined(right)


class Stretch(NamedTuple):
    """Words that follow each other, as ranges of both texts."""

    changed: bool
    old: tuple[int, int]
    new: tuple[int, int]


def _stretches(old: Sequence[str], new: Sequence[str]) -> list[Stretch]:
    """What is equal and what is not, in turns, from the first word to the last."""
    opcodes = SequenceMatcher(None, old, new).get_opcodes()
    merged: list[Stretch] = []
    for index, (kind, i1, i2, j1, j2) in enumerate(opcodes):
        island = kind == "equal" and i2 - i1 < ISLAND and 0 < index < len(opcodes) - 1
        changed = kind != "equal" or island
        if merged and merged[-1][0] and changed:
            _, (i1, _), (j1, _) = merged.pop()
        merged.append(Stretch(changed, (i1, i2), (j1, j2)))
    return merged


def _marked(name: str, text: str) -> Html:
    # White space at the end belongs to the line, not to the mark.
    words = text.rstrip()
    return joined([element(name, words) if words else None, text[len(words) :]])


def _pair(base: Contender, one: Contender) -> Html:
    if base.prompt == one.prompt:
        return _folded(one, element("p", f"The same instruction as {base.name}."))
    left, right = marked(clipped(base.prompt, LONGEST_PROMPT), clipped(one.prompt, LONGEST_PROMPT))
    return _folded(one, element("div", _column(base.name, left), _column(one.name, right), class_="pair"))


def _alone(one: Contender) -> Html:
    return _folded(one, _column(one.name, joined([clipped(one.prompt, LONGEST_PROMPT)])))


def _folded(one: Contender, inside: Html) -> Html:
    demos = "1 worked example" if one.demos == 1 else f"{one.demos:,} worked examples" if one.demos else "no worked examples"
    head = element("summary", element("h3", one.name), element("span", f" with {demos}", class_="aside"))
    return element("details", head, inside, open="")


def _column(name: str, text: Html) -> Html:
    shown = text or element("span", "no instruction", class_="unknown")
    return element("div", element("h4", name), element("div", shown, class_="said prompt"))
