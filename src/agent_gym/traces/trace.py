"""A trace: everything that happened in one conversation, and what it was for.

An SGD dialogue, a rollout, a training sample and a database row are all traces. In memory a trace is frozen; on disk it is the
normalized JSON of `docs/trace_schema.md`, in which tool arguments are objects:

    {"conversation_id": "conv_001",
     "messages": [{"role": "user", "content": "Where is my order?"},
                  {"role": "assistant", "content": "", "tool_calls": [{"name": "lookup", "arguments": {"id": 7}}]},
                  {"role": "tool", "name": "lookup", "result": {"status": "sent"}}],
     "outcome": "resolved", "satisfaction_score": 4.5}
"""

from collections.abc import Mapping
from typing import Any, cast

import msgspec

from agent_gym.errors import DataError
from agent_gym.messages import Assistant, Message, ToolCall, ToolSpec

TRACE_VERSION = 1


class IntentGoal(msgspec.Struct, frozen=True, gc=False):
    """What the user wanted of one tool."""

    tool: str
    slots: Mapping[str, tuple[str, ...]] = {}
    """Argument name to the values the user gave for it; several are variants of one value."""
    requested: tuple[str, ...] = ()
    """Result fields the user asked to be told."""


class Goal(msgspec.Struct, frozen=True, gc=False):
    """What the user wanted, in the order it came up."""

    intents: tuple[IntentGoal, ...] = ()


class Trace(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One conversation."""

    conversation_id: str
    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()
    """What the agent was allowed to call."""
    outcome: str | None = None
    satisfaction_score: float | None = None
    goal: Goal | None = None
    scores: Mapping[str, float] = {}
    metadata: Mapping[str, Any] = {}
    error: str | None = None
    """Why a rollout broke off; None when it did not."""
    version: int = TRACE_VERSION

    @property
    def calls(self) -> list[ToolCall]:
        """All tool calls, in order."""
        return [call for message in self.messages if isinstance(message, Assistant) for call in message.tool_calls]


class _Shape(msgspec.Struct):
    enum: list[Any] | None = None


class _Parameters(msgspec.Struct):
    """What is read of a tool's JSON schema: looked at, never converted, so that a schema keeps all of its keywords."""

    properties: dict[str, _Shape | bool] | None = None
    required: list[str] | None = None


def dump_trace(trace: Trace) -> dict[str, Any]:
    """The trace as JSON values; empty fields are left out."""
    value = msgspec.json.decode(msgspec.json.encode(trace), type=dict[str, Any])
    for message in value["messages"]:
        if message["role"] == "assistant":
            message["tool_calls"] = [_dump_call(call) for call in message["tool_calls"]]
            if not message["tool_calls"]:
                del message["tool_calls"]
    return {name: item for name, item in value.items() if item not in (None, {}, []) or name == "messages"}


def _dump_call(call: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": call["name"],
        "arguments": _dump_arguments(call["arguments"]),
        **({"id": call["id"]} if call["id"] else {}),
        **({"accepted": call["accepted"]} if call["accepted"] else {}),
    }


def _dump_arguments(raw: str) -> Any:
    # As an object where that loses nothing. What is broken, or spelled in another way ({"a": 1.50}), travels as the text it is,
    # so that reading it back gives the very call that the model emitted.
    try:
        parsed: Any = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return raw
    return cast(Any, parsed) if isinstance(parsed, dict) and msgspec.json.encode(parsed).decode() == raw else raw


def load_trace(value: Any) -> Trace:
    """Read a trace from JSON values.

    Raises:
        DataError: when a field is missing or of the wrong type (named with its path), or the version is newer than this one.
    """
    if not isinstance(value, dict):
        raise DataError(f"a trace is a JSON object, this is {type(value).__name__}: {str(value)[:80]!r}")
    fields = cast(dict[str, Any], value)
    version = fields.get("version", TRACE_VERSION)
    if isinstance(version, int | float) and version > TRACE_VERSION:
        raise DataError(f"trace version {version!r} is newer than {TRACE_VERSION}, the newest known here: update agent-gym")
    messages = fields.get("messages")
    if isinstance(messages, list):
        fields = {**fields, "messages": [_with_raw_arguments(message) for message in cast(list[Any], messages)]}
    what = f"trace {fields.get('conversation_id', 'without conversation_id')!r}"
    try:
        trace = msgspec.convert(fields, Trace)
        for spec in trace.tools:
            what = f"trace {trace.conversation_id!r}, parameters of tool {spec.name!r}"
            msgspec.convert(spec.parameters, _Parameters)
    # Half of a surrogate pair is no text: msgspec finds that when it looks up a field's name.
    except (msgspec.ValidationError, UnicodeError) as error:
        raise DataError(f"{what}: {error}; the format is in docs/trace_schema.md") from error
    return trace


def _with_raw_arguments(message: Any) -> Any:
    if not isinstance(message, dict) or cast(Any, message).get("role") != "assistant":
        return cast(Any, message)
    fields = cast(dict[str, Any], message)
    calls = fields.get("tool_calls")
    if isinstance(calls, list):
        calls = [_raw_call(call) for call in cast(list[Any], calls)]
    # Other programs write null for "nothing was said" and for "nothing was called".
    return {**fields, "content": fields.get("content") or "", "tool_calls": calls or []}


def _raw_call(call: Any) -> Any:
    if not isinstance(call, dict):
        return call
    fields = cast(dict[str, Any], call)
    arguments = fields.get("arguments", {})
    return fields if isinstance(arguments, str) else {**fields, "arguments": msgspec.json.encode(arguments).decode()}
