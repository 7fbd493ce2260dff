"""A prompt of ours, read back into its parts: the inverse of `lm/prompt.py`.

The engine knows nothing but this: instruction, worked examples, tools, day, and the conversation so far. What repeats between
requests (the system turn) is read once and kept.

    read(request.turns) -> Reading(instruction, examples, tools, today, events)   or None for a prompt that is not ours
"""

import re
from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple, cast

import msgspec

from agent_gym.errors import AnswerError
from agent_gym.lm.base import Turn
from agent_gym.lm.offline.schema import ToolView, view_tools
from agent_gym.lm.prompt import ANSWER, CONTEXT, ERROR_OF, EXAMPLE_CLOSE, EXAMPLE_OPEN, EXAMPLES, RESULT_OF, TOOLS, parse_action

_ANSWER_HEAD = "\n\n" + ANSWER.splitlines()[0] + "\n"
_TOOLS_HEAD, _CONTEXT_HEAD, _EXAMPLES_HEAD = f"\n\n{TOOLS}\n", f"\n\n{CONTEXT}\n", f"\n\n{EXAMPLES}\n"
_MORE = re.compile(r'"… (\d+) more"\]$')
LONG_AGO = date(2000, 1, 1)


class Said(NamedTuple):
    """Words of `user` or `assistant`."""

    role: str
    text: str


class Called(NamedTuple):
    """A tool call of the assistant."""

    name: str
    arguments: dict[str, str]


class Got(NamedTuple):
    """What came back: rows (one row for a lone object), or an error."""

    name: str
    rows: tuple[dict[str, str], ...]
    error: str = ""
    names: tuple[tuple[str, ...], ...] = ()
    """By row, the values that can be recognized when they are said."""
    total: int = 0
    """How many rows there were; a worked example shows only the first."""


Event = Said | Called | Got


class Example(NamedTuple):
    """A worked example: what happened, and the action that was right there."""

    events: tuple[Event, ...]
    action: tuple[Event, ...]


class Static(NamedTuple):
    """The parts of a system turn."""

    instruction: str
    examples: str
    """As written; `read_examples` reads them."""
    tools: tuple[ToolView, ...]
    today: date


class Reading(NamedTuple):
    """A whole prompt."""

    static: Static
    events: tuple[Event, ...]


def read(turns: Sequence[Turn]) -> Reading | None:
    """The parts of a prompt that `lm/prompt.py` made; None when it did not."""
    if not turns or turns[0].role != "system" or _TOOLS_HEAD not in turns[0].content:
        return None
    return Reading(_read_system(turns[0].content), read_events([(turn.role, turn.content) for turn in turns[1:]]))


@lru_cache(maxsize=512)
def _read_system(text: str) -> Static:
    head, _, day = text.rpartition(_CONTEXT_HEAD)
    if not head:
        head, day = text, ""
    head, _, tools = head.rpartition(_TOOLS_HEAD)
    instruction, _, rest = head.partition(_ANSWER_HEAD)
    _, _, examples = rest.partition(_EXAMPLES_HEAD)
    return Static(instruction, examples, view_tools(tools), _read_day(day))


def _read_day(text: str) -> date:
    """The ISO date in brackets; without a date, relative days count from a fixed one."""
    try:
        return date.fromisoformat(text[text.rfind("(") + 1 : text.rfind(")")])
    except ValueError:
        return LONG_AGO


@lru_cache(maxsize=512)
def read_examples(text: str) -> tuple[Example, ...]:
    """Worked examples; a block that is not JSON is passed over."""
    found: list[Example] = []
    for block in text.split(EXAMPLE_OPEN)[1:]:
        try:
            value = msgspec.json.decode(block.split(EXAMPLE_CLOSE)[0])
        except msgspec.DecodeError:
            continue
        if isinstance(value, dict):
            shown = cast(dict[str, Any], value)
            found.append(
                Example(read_events(_spoken(shown.get("conversation"))), _read_turn("assistant", str(shown.get("action"))))
            )
    return tuple(found)


def _spoken(conversation: Any) -> list[tuple[str, str]]:
    """(role, words) of a conversation written as a list of turns, or as one text with a speaker at the head of a line."""
    if isinstance(conversation, str):
        try:
            return _spoken(msgspec.json.decode(conversation))
        except msgspec.DecodeError:
            return _lines(conversation)
    if not isinstance(conversation, list):
        return []
    spoken: list[tuple[str, str]] = []
    for turn in cast(list[Any], conversation):
        if isinstance(turn, dict):
            shown = cast(dict[str, Any], turn)
            spoken.append((str(shown.get("role", "user")), str(shown.get("content", ""))))
        elif isinstance(turn, list) and len(pair := cast(list[Any], turn)) == 2:
            spoken.append((str(pair[0]), str(pair[1])))
        elif isinstance(turn, str):
            spoken.extend(_lines(turn))
    return spoken


def _lines(text: str) -> list[tuple[str, str]]:
    spoken: list[tuple[str, str]] = []
    for line in text.splitlines():
        head, colon, words = line.partition(":")
        role = head.strip().lower()
        if colon and role in ("user", "assistant", "agent", "system", "tool"):
            spoken.append(("assistant" if role in ("assistant", "agent") else "user", words.strip()))
        elif spoken:
            spoken[-1] = (spoken[-1][0], f"{spoken[-1][1]}\n{line}")
        elif line.strip():
            spoken.append(("user", line.strip()))
    return spoken


def read_events(spoken: Sequence[tuple[str, str]]) -> tuple[Event, ...]:
    """Turns as they were sent, read back into what happened."""
    events: list[Event] = []
    for role, content in spoken:
        events.extend(_read_turn(role, content))
    return tuple(events)


@lru_cache(maxsize=16384)
def _read_turn(role: str, content: str) -> tuple[Event, ...]:
    if role == "assistant":
        return _read_assistant(content)
    for head in (RESULT_OF, ERROR_OF):
        if content.startswith(head):
            name, _, value = content[len(head) :].partition(": ")
            if head == ERROR_OF:
                return (Got(name, (), value or "error"),)
            rows = _rows(value)
            more = _MORE.search(value)
            total = len(rows) + (int(more[1]) if more else 0)
            return (Got(name, rows, "", tuple(tuple(said for said in row.values() if _telling(said)) for row in rows), total),)
    return (Said("user", content),)


def _telling(value: str) -> bool:
    return len(value) > 2 and value not in ("True", "False") and not value.isdigit()


def _read_assistant(content: str) -> tuple[Event, ...]:
    if '"tool_calls"' not in content:
        return (Said("assistant", content),)
    try:
        action = parse_action(content)
    except AnswerError:
        return (Said("assistant", content),)
    words: tuple[Event, ...] = (Said("assistant", action.content),) if action.content else ()
    return (*words, *(Called(call.name, _texts(call.arguments)) for call in action.tool_calls))


def _texts(arguments: str) -> dict[str, str]:
    try:
        value = msgspec.json.decode(arguments)
    except msgspec.DecodeError:
        return {}
    return {str(name): _text(said) for name, said in cast(dict[Any, Any], value).items()} if isinstance(value, dict) else {}


def _rows(text: str) -> tuple[dict[str, str], ...]:
    try:
        value = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return ()
    rows = cast(list[Any], value) if isinstance(value, list) else [value]
    return tuple(
        {str(name): _text(said) for name, said in cast(dict[Any, Any], row).items()} for row in rows if isinstance(row, dict)
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
