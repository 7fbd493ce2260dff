"""A trace as one line of JSON: the values of `dump_trace` and `load_trace`, several times as fast.

Logs are gigabytes. Between a trace and its bytes stand two structs and no tree of dictionaries; the tools, which most logs
repeat on every line, are read and written once as long as they stay the same. What this path cannot read is handed to
`load_trace`, which says what is wrong with it.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, cast

import msgspec

from agent_gym.errors import DataError
from agent_gym.messages import Assistant, Message, System, Tool, ToolCall, ToolSpec, User
from agent_gym.traces.trace import TRACE_VERSION, Goal, Trace, load_trace

BROKEN = (msgspec.DecodeError, UnicodeError, RecursionError)
"""What msgspec raises for bytes that are no JSON of the wanted type; the last when it is nested without end."""


class _Call(msgspec.Struct, gc=False, omit_defaults=True):
    name: str
    arguments: msgspec.Raw = msgspec.Raw(b"{}")
    id: str = ""
    accepted: Mapping[str, tuple[str, ...]] = {}


class _Assistant(msgspec.Struct, gc=False, omit_defaults=True, tag_field="role", tag="assistant"):
    content: str | None = None
    tool_calls: list[_Call] | None = None


class _CallWritten(msgspec.Struct, gc=False, omit_defaults=True):
    name: str
    arguments: msgspec.Raw | str
    id: str = ""
    accepted: Mapping[str, tuple[str, ...]] = {}


class _AssistantWritten(msgspec.Struct, gc=False, omit_defaults=True, tag_field="role", tag="assistant"):
    content: str
    tool_calls: list[_CallWritten] | None = None


class _Line(msgspec.Struct, gc=False, omit_defaults=True):
    conversation_id: str
    messages: list[System | User | _Assistant | Tool]
    tools: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    outcome: str | None = None
    satisfaction_score: float | None = None
    goal: Goal | None = None
    scores: Mapping[str, float] = {}
    metadata: Mapping[str, Any] = {}
    error: str | None = None
    version: int | msgspec.UnsetType = msgspec.UNSET


_ENCODE = msgspec.json.Encoder().encode
_LINE = msgspec.json.Decoder(_Line)
_VALUE = msgspec.json.Decoder()
_TEXT = msgspec.json.Decoder(str)
_SPACED = re.compile(r'\{"[^"\\\\]*": ')
"""A blank behind the first colon, as Python writes it and most models do: not compact, known without decoding."""


def encode_trace(trace: Trace) -> bytes:
    """The trace as compact JSON without a line end; empty fields are left out."""
    messages = [
        one if type(one) is not Assistant else _calling(one) if one.tool_calls else _AssistantWritten(one.content)
        for one in trace.messages
    ]
    return _ENCODE(
        _Line(
            trace.conversation_id,
            cast(list[System | User | _Assistant | Tool], messages),
            encode_tools(trace.tools) if trace.tools else msgspec.UNSET,
            trace.outcome,
            trace.satisfaction_score,
            trace.goal,
            trace.scores,
            trace.metadata,
            trace.error,
            trace.version,
        )
    )


def _calling(message: Assistant) -> _AssistantWritten:
    calls = [_CallWritten(call.name, _dumped(call.arguments), call.id, call.accepted) for call in message.tool_calls]
    return _AssistantWritten(message.content, calls)


def _dumped(raw: str) -> msgspec.Raw | str:
    # As an object where that loses nothing, else as the text it is: so reading it back gives what the model emitted.
    if raw[:1] != "{" or _SPACED.match(raw):
        return raw
    try:
        compact = _ENCODE(_VALUE.decode(raw))
        return msgspec.Raw(compact) if compact == raw.encode() else raw
    except BROKEN:
        return raw


class _LastTools:
    """The tools written last, and their JSON: logs repeat them on every line, and telling that they do must cost nothing."""

    def __init__(self) -> None:
        self._last: tuple[tuple[ToolSpec, ...], msgspec.Raw] = ((), msgspec.Raw(b"[]"))

    def encoded(self, tools: tuple[ToolSpec, ...]) -> msgspec.Raw:
        """The tools as a JSON list."""
        last = self._last
        if last[0] is not tools:
            self._last = last = (tools, msgspec.Raw(_ENCODE(tools)))
        return last[1]


encode_tools = _LastTools().encoded


def decode_trace(line: bytes) -> Trace:
    """The trace that is written in `line`.

    Raises:
        DataError: when it is no JSON, or no trace; says where.
    """
    try:
        read = _LINE.decode(line)
        version = TRACE_VERSION if read.version is msgspec.UNSET else read.version
        if version <= TRACE_VERSION:
            return Trace(
                conversation_id=read.conversation_id,
                messages=tuple([_read(message) if isinstance(message, _Assistant) else message for message in read.messages]),
                tools=() if read.tools is msgspec.UNSET else _read_tools(bytes(read.tools)),
                outcome=read.outcome,
                satisfaction_score=read.satisfaction_score,
                goal=read.goal,
                scores=read.scores,
                metadata=read.metadata,
                error=read.error,
                version=version,
            )
    except (*BROKEN, DataError):
        pass
    try:
        return load_trace(_VALUE.decode(line))
    except BROKEN as error:
        raise DataError(str(error)) from error


def _read(message: _Assistant) -> Message:
    calls = message.tool_calls
    if not calls:
        return Assistant(message.content or "")
    made = [ToolCall(call.name, _raw(bytes(call.arguments)), call.id, call.accepted) for call in calls]
    return Assistant(message.content or "", tuple(made))


def _raw(arguments: bytes) -> str:
    if arguments[:1] == b'"':
        return _TEXT.decode(arguments)
    return _ENCODE(_VALUE.decode(arguments)).decode()


@lru_cache(maxsize=64)
def _read_tools(raw: bytes) -> tuple[ToolSpec, ...]:
    return load_trace({"conversation_id": "", "messages": [], "tools": _VALUE.decode(raw)}).tools
