"""Which tool the user's words are about.

Words of a tool's name and description count, the rarer among the tools at hand the more. Worked examples add words of their
own: what users said before a call of a like-named tool ("hungry" before a search for restaurants).
"""

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from agent_gym.lm.offline.schema import ToolView, stem, words

Lexicon = Mapping[str, Mapping[str, float]]
"""For a stem of a tool's name, the stems users said before it was called, with a weight."""

_ACT = frozenset(
    stem(word)
    for word in "book reserve reservation buy purchase schedule order play rent transfer add pay send set make call put".split()
)
_LOOK = frozenset(
    stem(word)
    for word in "find search look check browse show list see lookup discover suggest recommend explore get available".split()
)
VERBS = _ACT | _LOOK
_WANT = frozenset(
    "want need would like can could find search look book reserve buy get make schedule play help show check interested".split()
)


@lru_cache(maxsize=16384)
def _said(text: str) -> frozenset[str]:
    return frozenset(stem(word) for word in words(text))


def choose(
    text: str, tools: Sequence[ToolView], lexicon: Lexicon, current: ToolView | None = None, detail: float = 0.4
) -> tuple[ToolView | None, float]:
    """The tool that fits best, and how strongly the words say so; `detail` weighs words of its arguments."""
    if not tools:
        return None, 0.0
    said = _said(text)
    rare = _rarity(tuple(tools))
    scored = [(_score(said, tool, rare, lexicon, current, detail), -at) for at, tool in enumerate(tools)]
    score, at = max(scored)
    return tools[-at], score


class _Rarity(NamedTuple):
    """How telling a word is: between services, and between the tools of one."""

    between: Mapping[str, float]
    within: Mapping[tuple[str, str], float]
    things: frozenset[str]
    """What tools without a service act on: an order is no deed where one can `refund_order`."""


@lru_cache(maxsize=2048)
def _rarity(tools: tuple[ToolView, ...]) -> _Rarity:
    services: dict[str, set[str]] = {}
    within: dict[tuple[str, str], int] = {}
    size: dict[str, int] = {}
    for tool in tools:
        size[tool.service] = size.get(tool.service, 0) + 1
        for word in tool.intent | tool.about | tool.vocabulary:
            services.setdefault(word, set()).add(tool.service)
            within[tool.service, word] = within.get((tool.service, word), 0) + 1
    return _Rarity(
        {word: 0.4 + math.log(1 + len(size) / len(holders)) for word, holders in services.items()},
        {(service, word): math.log(1 + size[service] / count) for (service, word), count in within.items()},
        frozenset(stem(word) for tool in tools if tool.alone for word in words(tool.name)[1:]),
    )


def _score(
    said: frozenset[str], tool: ToolView, rare: _Rarity, lexicon: Lexicon, current: ToolView | None, detail: float
) -> float:
    score, verbs = 0.0, VERBS - rare.things
    for word in (tool.intent & said) - verbs:
        score += 0.9 * rare.between[word] + 0.7 * rare.within[tool.service, word]
    for word in (tool.about - tool.intent - verbs) & said:
        score += (0.9 if word in tool.domain else 0.5) * rare.between[word] + 0.25 * rare.within[tool.service, word]
    for word in (tool.vocabulary - tool.about - tool.intent) & said:
        score += detail * rare.between[word]
    for word in tool.intent:
        heard = lexicon.get(word)
        if heard:
            score += sum(heard[other] for other in said if other in heard)
    if tool.alone:
        # Examples of this very tool: what users said before it was called says more than its name.
        heard = lexicon.get(tool.name, {})
        score += sum(heard[word] for word in said if word in heard)
    if said & _ACT - rare.things:
        score += (0.9 + 0.6 * bool(tool.intent & said & _ACT)) if tool.transactional else -0.3
    if said & _LOOK:
        score += -0.3 if tool.transactional else 0.6 + 0.3 * bool(tool.intent & said & _LOOK)
    if current is not None and tool.service == current.service:
        score += 0.6 + 0.3 * (tool is current)
    elif not tool.transactional:
        score += 0.15
    return score
