"""Actions in an agent's text: fenced or bare, one or many, words around them.

Fences mean nothing here: an action is a JSON object, wherever it stands. An object that is no action is looked into
(`{"actions": [...]}`, `{"tool_calls": [...]}`), an action is not: what a file holds or a request sends is never done. What was
clearly meant as an action and cannot be done comes back as a `BrokenAction`, with the reason.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from agent_gym.actions.action import NAMES, TYPE, StructuredAction, named_in
from agent_gym.actions.json_text import children, decoded, fault_of
from agent_gym.actions.registry import ACTIONS, ActionRegistry
from agent_gym.actions.scan import Scan, Span, scan
from agent_gym.errors import ArgumentsError

SHOWN = 200
"""Characters of a broken action that are kept."""
_FENCE = re.compile(r"```[\w+-]*\Z")


@dataclass(frozen=True)
class BrokenAction:
    """What was meant as an action and cannot be done: the agent's fault, data."""

    reason: str
    position: int
    """Index in the text of the outermost object that holds it."""
    text: str
    """How it begins there."""
    name: str = ""
    """The action it names, where that could be read."""


Found = StructuredAction | BrokenAction


class _Place(NamedTuple):
    span: Span
    found: list[Found]


def find_actions(text: str, registry: ActionRegistry = ACTIONS) -> list[Found]:
    """The actions of a text, broken ones among them, in the order in which they stand.

    No text makes it raise, and the time it takes is linear in the text.
    """
    return [one for place in _places(text, registry) for one in place.found]


def spoken(text: str, registry: ActionRegistry = ACTIONS) -> str:
    """An agent's words without the objects that hold its actions, and without the fences that these leave empty."""
    words: list[str] = []
    begin, fenced = 0, False
    for (start, end), _ in (place for place in _places(text, registry) if place.span[1]):
        fenced = _add_words(words, text[begin:start], closes=fenced, opens=True)
        begin = end
    _add_words(words, text[begin:], closes=fenced, opens=False)
    return "\n".join(words)


def _add_words(words: list[str], piece: str, *, closes: bool, opens: bool) -> bool:
    """Add what stands between two actions, less a fence that ends before or begins behind it; whether one is open then."""
    piece = piece.strip(" \t\r\n")
    if words or closes:
        piece = piece.lstrip(",;").lstrip()
    if closes and piece.lstrip("] \t\r\n,").startswith("```"):
        piece, closes = piece.lstrip("] \t\r\n,")[3:].lstrip(), False
    if opens:
        bare = piece.removesuffix("[").rstrip()
        if fence := _FENCE.search(bare, max(0, len(bare) - SHOWN)):
            piece, closes = bare[: fence.start()].rstrip(), True
    if piece.strip("[], \t\r\n"):
        words.append(piece)
    return closes


def _places(text: str, registry: ActionRegistry) -> list[_Place]:
    scanned = scan(text)
    meant = list(_meant(text, scanned, registry))
    places = [_Place((start, 0), [_broken_off(text, start, name, scanned)]) for start, name in meant]
    breaks = iter(sorted((start, scanned.broken.get(start, start)) for start, _ in meant))
    following = next(breaks, None)
    inside_until = 0
    for span in scanned.whole:
        while following is not None and following[0] < span[0]:
            inside_until = max(inside_until, following[1])
            following = next(breaks, None)
        # What stands inside a broken action is what it was to write or send.
        if span[0] >= inside_until and (found := list(_read(text, span, registry))):
            places.append(_Place(span, found))
    return sorted(places, key=lambda place: place.span[0])


def _read(text: str, span: Span, registry: ActionRegistry) -> Iterator[Found]:
    """The actions of one whole object."""
    start, end = span
    try:
        waiting: list[Any] = [decoded(text[start:end])]
    except ArgumentsError as error:
        # Only depth can keep a whole object from being read.
        if _mark(registry).search(text, start, end):
            yield BrokenAction(str(error), start, text[start : start + SHOWN])
        return
    while waiting:
        value = waiting.pop()
        if not isinstance(value, dict) or not _is_action(cast(dict[str, Any], value), registry):
            waiting += reversed([*children(value)])
            continue
        name, given = named_in(cast(dict[str, Any], value)) or ("", None)
        try:
            if fault := fault_of(cast(Any, value)):
                raise ArgumentsError(f"{name}: {fault}")
            yield StructuredAction.of(name, given, registry)
        except ArgumentsError as error:
            yield BrokenAction(str(error), start, text[start : start + SHOWN], name)


def _is_action(value: dict[str, Any], registry: ActionRegistry) -> bool:
    """Whether an object is meant as an action: by its own key, as a known tool's call, or as a call of an unknown tool."""
    if TYPE in value:
        return True
    named = named_in(value)
    return named is not None and (named[0] in registry or ("type" not in value and "parameters" not in value))


def _meant(text: str, scanned: Scan, registry: ActionRegistry) -> Iterator[tuple[int, str]]:
    """Where the objects begin that are no JSON and yet say which action they are, and which."""
    mark = re.compile(rf"(?P<brace>[{{}}])|{_mark(registry).pattern}")
    openings: list[int] = []
    reported: set[int] = set()
    begin = 0
    for start, end in [*scanned.whole, (len(text), len(text))]:
        for hit in mark.finditer(text, begin, start):
            match hit["brace"]:
                case "{":
                    openings.append(hit.start())
                case "}":
                    del openings[-1:]
                case _:
                    if openings and openings[-1] not in reported:
                        reported.add(openings[-1])
                        yield openings[-1], hit["named"] or hit["called"] or ""
        begin = end


def _mark(registry: ActionRegistry) -> re.Pattern[str]:
    """How an action says which one it is, also where it is not quite JSON."""
    known = "|".join(re.escape(name) for name in registry)
    named = rf"""{TYPE}["']?\s*+:(?:\s*+["'](?P<named>[\w-]{{1,64}})["'])?"""
    called = rf"""(?:{"|".join(NAMES)})["']?\s*+:\s*+["'](?P<called>{known})["']"""
    return re.compile(rf"\b(?:{named}|{called})")


def _broken_off(text: str, start: int, name: str, scanned: Scan) -> BrokenAction:
    stopped = scanned.broken.get(start, start + 1)
    rest = text[stopped : stopped + SHOWN].lstrip()
    if not rest:
        reason = "the JSON breaks off"
    elif rest[0] == '"':
        reason = f"not JSON from character {stopped}: a text that does not end, or a wrong escape in it: {rest[:40]!a}"
    else:
        reason = f"not JSON from character {stopped}: {rest[:40]!a}"
    return BrokenAction(reason, start, text[start : start + SHOWN], name)
