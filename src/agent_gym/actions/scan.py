"""Where JSON objects stand in a text that may be anything: prose, code, fences, broken and cut-off JSON.

The scan is linear. An attempt to read an object begins at a `{` and ends where the grammar is broken. What it passed as the
beginning of an inner object needs no attempt of its own, which would break at the same place. What it passed inside a string
gets one, and that one takes for strings what the first took for structure: two attempts that are alive at one place are always
in opposite phase, or they would be one and the same. So no character is read by more than two of them.
"""

import re
from dataclasses import dataclass

_OPENING = re.compile(r'\{(?=[ \t\r\n]*+")')
"""Only an object with a first key is worth an attempt."""
_TOKEN = re.compile(
    r"""[ \t\r\n]*+(?:
        (?P<mark>[{}\[\]:,])
        |(?P<string>"[^"\\]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\]*+)*+")
        |(?P<plain>true|false|null|NaN|-?Infinity|-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][-+]?[0-9]++)?+)
    )""",
    re.VERBOSE,
)
_VALUE = {"{": "first key", "[": "first item", "string": "after", "plain": "after"}
_GRAMMAR: dict[str, dict[str, str]] = {
    "value": _VALUE,
    "first item": {**_VALUE, "]": "after"},
    "first key": {"string": "colon", "}": "after"},
    "key": {"string": "colon"},
    "colon": {":": "value"},
    "after": {",": "next", "}": "after", "]": "after"},
}
"""What is expected, to what may come, to what is expected then; after a comma the kind of the container decides."""
_ARRAY = -1

Span = tuple[int, int]


@dataclass(frozen=True)
class Scan:
    """The JSON objects of a text."""

    whole: list[Span]
    """Beginning and end of each object that no other holds, in order."""
    broken: dict[int, int]
    """Beginning of an object that breaks off, to where it does."""


def scan(text: str) -> Scan:
    """Find the objects of a text, in time linear in its length."""
    found: list[Span] = []
    broken: dict[int, int] = {}
    passed: set[int] = set()
    end = 0
    for opening in _OPENING.finditer(text):
        start = opening.start()
        if start >= end and start not in passed:
            read, open_at, stopped = _attempt(text, start, passed)
            found += read
            broken.update(dict.fromkeys(open_at, stopped))
            end = end if open_at else stopped
    found.sort()
    whole: list[Span] = []
    for span in found:
        # Two readings of one stretch of text: the one that begins first counts.
        if not whole or span[0] >= whole[-1][1]:
            whole.append(span)
    return Scan(whole, broken)


def _attempt(text: str, start: int, passed: set[int]) -> tuple[list[Span], list[int], int]:
    """Read an object: the whole objects found, the beginnings of those still open where the grammar breaks, and that place."""
    whole: list[Span] = []
    containers: list[int] = []
    expected, position = "value", start
    while token := _TOKEN.match(text, position):
        kind = token["mark"] or str(token.lastgroup)
        then = _GRAMMAR[expected].get(kind)
        if then is None or (kind in "}]" and (containers[-1] == _ARRAY) != (kind == "]")):
            break
        position = token.end()
        if kind in "{[":
            containers.append(position - 1 if kind == "{" else _ARRAY)
            passed.add(position - 1)
        elif kind in "}]":
            begun = containers.pop()
            if begun != _ARRAY:
                while whole and whole[-1][0] > begun:
                    whole.pop()
                whole.append((begun, position))
            if not containers:
                break
        expected = then if then != "next" else "value" if containers[-1] == _ARRAY else "key"
    return whole, [begun for begun in containers if begun != _ARRAY], position
