"""Whether the user got what it wanted: of any episode, and of the recorded conversation itself.

A goal has two kinds of pieces:

    a call    every transactional call of the record, made with right arguments and not answered with an error
    a field   every field that the recorded user asked for and some recorded result held, told in the agent's words

Of a tool whose recorded calls failed first and succeeded later, those that succeeded are wanted; when none did, the last. A
goal that holds neither kind wants what it looked for: the last recorded call of each tool. A conversation without any calls
wants nothing, and is a success. An argument is right when it means the recorded value or a known variant of it; leaving out an
argument says its default.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple, cast

from agent_gym.environment.goals.achievement import Achievement
from agent_gym.environment.goals.told import is_told
from agent_gym.errors import ArgumentsError
from agent_gym.messages import Assistant, Tool, ToolCall, ToolSpec, User
from agent_gym.tools.catalog import shapes_of
from agent_gym.tools.recordings import DONTCARE, answered_calls, rows_of
from agent_gym.traces import Trace
from agent_gym.traces.task import service_of
from agent_gym.values import canonical, matches

LONG_AGO = date(2000, 1, 3)
"""What relative days count from in a conversation without a date."""


class CallPiece(NamedTuple):
    """A call to be made, and what the record answered it."""

    call: ToolCall
    answer: Tool


class FieldPiece(NamedTuple):
    """A field to be told."""

    service: str
    field: str


class Pieces(NamedTuple):
    """What a goal is made of."""

    calls: tuple[CallPiece, ...]
    fields: tuple[FieldPiece, ...]


def achieved(task: Trace, episode: Trace) -> Achievement:
    """How much of the goal of a recorded conversation an episode brought about.

    Args:
        task: the recorded conversation.
        episode: what happened this time; the record itself is one such episode.
    """
    wanted = pieces_of(task)
    unmade = missing_calls(task, episode, wanted.calls)
    missing = [f"{piece.call.name} was not called with {piece.call.arguments}" for piece in unmade]
    said = told_fields(task, episode, wanted.fields)
    missing += [f"{piece.service} {piece.field} was not told" for piece in wanted.fields if piece not in said]
    total = len(wanted.calls) + len(wanted.fields)
    return Achievement(total, total - len(missing), tuple(missing))


def pieces_of(task: Trace) -> Pieces:
    """The pieces of the goal of a recorded conversation."""
    recorded = [CallPiece(call, answer) for call, answer in answered_calls(task)]
    deeds = {spec.name for spec in task.tools if spec.transactional}
    specs = {spec.name: spec for spec in task.tools}
    calls: list[CallPiece] = []
    for name in dict.fromkeys(piece.call.name for piece in recorded if piece.call.name in deeds):
        tries = [piece for piece in recorded if piece.call.name == name]
        calls += [piece for piece in tries if is_done(piece.call, piece.answer)] or tries[-1:]
    intents = task.goal.intents if task.goal is not None else ()
    asked = dict.fromkeys(FieldPiece(service_of(intent.tool), field) for intent in intents for field in intent.requested)
    shown = _shown(task) if asked else {}
    fields = tuple(piece for piece in asked if shown.get(piece.service, {}).get(piece.field))
    if not calls and not fields:
        calls = list({piece.call.name: piece for piece in recorded}.values())
    return Pieces(tuple(_distinct(calls, specs)), fields)


def is_done(call: ToolCall, answer: Tool) -> bool:
    """Whether a transactional call succeeded: answered without an error, and with what was asked for.

    A service that cannot do what it is asked answers nothing, or a row that holds something else (another hour).
    """
    rows = rows_of(answer.result)
    if answer.error is not None or not answer.result:
        return False
    try:
        asked = call.parsed()
    except ArgumentsError:
        return False
    return not rows or any(
        all(matches(row[slot], value, call.accepted.get(slot, ())) for slot, value in asked.items() if slot in row)
        for row in rows
    )


def is_right(piece: ToolCall, made: ToolCall, spec: ToolSpec | None) -> bool:
    """Whether a call asks what a recorded one asked; an argument that is left out says its default."""
    if piece.name != made.name:
        return False
    try:
        wanted, given = _said(piece, spec), _said(made, spec)
    except ArgumentsError:
        return False
    return wanted.keys() == given.keys() and all(
        matches(given[slot], value, piece.accepted.get(slot, ())) for slot, value in wanted.items()
    )


def _said(call: ToolCall, spec: ToolSpec | None) -> Mapping[str, Any]:
    """The arguments that say more than leaving them out does."""
    shapes = shapes_of(spec) if spec is not None else dict[str, Mapping[str, Any]]()
    return {slot: value for slot, value in call.parsed().items() if not _is_default(shapes.get(slot), value)}


def _is_default(shape: Mapping[str, Any] | None, value: Any) -> bool:
    default = shape.get("default") if shape is not None else None
    if default is None:
        return False
    return canonical(value) == canonical(default) or value == DONTCARE


def _distinct(pieces: Sequence[CallPiece], specs: Mapping[str, ToolSpec]) -> Iterator[CallPiece]:
    """A call that was recorded twice in the same words is wanted once: nobody books twice."""
    kept: list[CallPiece] = []
    for piece in pieces:
        if not any(is_right(other.call, piece.call, specs.get(piece.call.name)) for other in kept):
            kept.append(piece)
            yield piece


def missing_calls(task: Trace, episode: Trace, wanted: Sequence[CallPiece]) -> list[CallPiece]:
    """Of some calls, those that were not made rightly, or were answered with an error that is not in the record."""
    specs = {spec.name: spec for spec in task.tools}
    made = answered_calls(episode)
    return [
        piece
        for piece in wanted
        if not any(
            is_right(piece.call, call, specs.get(call.name)) and (answer.error is None or piece.answer.error is not None)
            for call, answer in made
        )
    ]


def told_fields(task: Trace, episode: Trace, fields: Sequence[FieldPiece]) -> set[FieldPiece]:
    """Of some fields, those that the agent's words told, with a value that a tool showed in this episode or in the record."""
    if not fields:
        return set()
    today = day_of(task)
    values = _shown(task)
    for service, shown in _shown(episode).items():
        for field, seen in shown.items():
            mine = values.setdefault(service, {}).setdefault(field, [])
            mine += [value for value in seen if value not in mine]
    words = spoken(episode)
    return {
        piece
        for piece in fields
        if any(
            is_told(piece.field, value, text, today, question)
            for value in values.get(piece.service, {}).get(piece.field, ())
            for question, text in words
        )
    }


def spoken(trace: Trace) -> list[tuple[str, str]]:
    """The agent's words, each behind the user's words that it answers, and what these meant where the user says so."""
    pairs: list[tuple[str, str]] = []
    question = ""
    acts = iter(cast(Sequence[Sequence[str]], trace.metadata.get("acts") or ()))
    for message in trace.messages:
        if isinstance(message, User):
            # "Can I bring my dog?" does not name `pets_allowed`, its act does.
            question = " ".join((message.content, *next(acts, ())))
        elif isinstance(message, Assistant) and message.content:
            pairs.append((question, message.content))
    return pairs


def _shown(trace: Trace) -> dict[str, dict[str, list[Any]]]:
    """Service to field to the values that its results showed."""
    shown: dict[str, dict[str, list[Any]]] = {}
    for message in trace.messages:
        if isinstance(message, Tool) and message.error is None:
            fields = shown.setdefault(service_of(message.name), {})
            for row in rows_of(message.result):
                for field, value in row.items():
                    seen = fields.setdefault(field, [])
                    if value not in seen:
                        seen.append(value)
    return shown


def day_of(trace: Trace) -> date:
    """The day on which a conversation takes place."""
    return _day(str(trace.metadata.get("date", "")))


@lru_cache(maxsize=1024)
def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return LONG_AGO
