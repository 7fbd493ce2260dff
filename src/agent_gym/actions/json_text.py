"""JSON that a model wrote, read without trusting it.

Stricter than `json.loads` where a value would mean two things or could not be sent on: keys that stand twice, NaN, numbers
beyond 64 bits, halves of surrogate pairs, more than 64 levels. Laxer in one point, because models write files: line ends and
tabs may stand in a string as they are.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

from agent_gym.errors import ArgumentsError

DEEPEST = 64
"""Levels of nesting that an action may have, as for any tool call (`ToolCall.parsed`)."""
LEAST, MOST = -(2**63), 2**64 - 1
"""Integers that every JSON reader of this package can hold."""


@dataclass(frozen=True)
class Unreadable:
    """Stands in a value that was read for what is not JSON, or fits no number."""

    text: str


class Object(dict[str, Any]):
    """A JSON object that remembers a key standing twice, and the values that the last one hides."""

    twice: str | None = None
    hidden: tuple[Any, ...] = ()

    @classmethod
    def of(cls, pairs: list[tuple[str, Any]]) -> "Object":
        """The object of some pairs, the last of each key counting."""
        found = cls(pairs)
        if len(found) < len(pairs):
            seen = dict[str, Any]()
            hidden: list[Any] = []
            for key, value in pairs:
                if key in seen:
                    found.twice = key
                    hidden.append(seen[key])
                seen[key] = value
            found.hidden = tuple(hidden)
        return found


def _integer(text: str) -> int | Unreadable:
    # Python refuses to read integers of thousands of digits, and takes quadratic time for those it reads.
    value = int(text) if len(text) <= 20 else None
    return value if value is not None and LEAST <= value <= MOST else Unreadable(text[:20])


def _float(text: str) -> float | Unreadable:
    value = float(text)
    return Unreadable(text[:20]) if value in (float("inf"), float("-inf")) else value


_DECODER = json.JSONDecoder(
    object_pairs_hook=Object.of, parse_int=_integer, parse_float=_float, parse_constant=Unreadable, strict=False
)


def decoded(text: str) -> Any:
    """The value of one JSON text; what is wrong inside it stays inside, for `fault_of` to name.

    Raises:
        ArgumentsError: when it is no JSON, or nested too deep to be read at all.
    """
    try:
        return _DECODER.decode(text)
    except ValueError as error:
        raise ArgumentsError(f"not JSON ({error}): {text[:200]!a}") from error
    except RecursionError as error:
        raise ArgumentsError(f"nested deeper than {DEEPEST} levels: {text[:200]!a}") from error


def fault_of(value: Any) -> str | None:
    """What keeps a value from being sent as JSON and read again as the same; None when nothing does."""
    level: list[Any] = [value]
    for _ in range(DEEPEST + 1):
        inside: list[Any] = []
        for one in level:
            if fault := _fault(one):
                return fault
            inside += children(one)
        if not inside:
            return None
        level = inside
    return f"nested deeper than {DEEPEST} levels"


def children(value: Any) -> Iterable[Any]:
    """The values right inside an object or a list, those hidden by a later key too."""
    match value:
        case Object():
            return [*value.values(), *value.hidden]
        case dict():
            return list(cast(dict[Any, Any], value).values())
        case list():
            return cast(list[Any], value)
        case _:
            return []


def _fault(value: Any) -> str | None:
    match value:
        case None | bool() | list():
            return None
        case str():
            return None if _is_text(value) else "half of a surrogate pair stands in a text"
        case int():
            return None if LEAST <= value <= MOST else "an integer is beyond 64 bits"
        case float():
            return None if abs(value) < float("inf") else f"{value} is not JSON"
        case Object() if value.twice is not None:
            return f"key {value.twice[:50]!a} stands twice"
        case dict():
            keys = cast(dict[Any, Any], value).keys()
            return None if all(isinstance(key, str) and _is_text(key) for key in keys) else "a key is no text"
        case Unreadable(text):
            return f"{text} is not JSON, or no number that can be held"
        case _:
            return f"{type(value).__name__} is no JSON value"


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
