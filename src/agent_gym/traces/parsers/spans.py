"""One span of an OpenTelemetry export: what a model was told and said in it, or which tool was run.

    {"traceId": "5b8e", "spanId": "eee1", "name": "chat some-model", "startTimeUnixNano": "1544712660000000000", "attributes": [
        {"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}},
        {"key": "gen_ai.input.messages", "value": {"stringValue":
            "[{\\"role\\": \\"user\\", \\"parts\\": [{\\"type\\": \\"text\\", \\"content\\": \\"Where is my order?\\"}]}]"}},
        {"key": "gen_ai.output.messages", "value": {"stringValue":
            "[{\\"role\\": \\"assistant\\", \\"parts\\": [{\\"type\\": \\"tool_call\\", \\"name\\": \\"lookup\\", ...}]}]"}}]}

Attributes are read as a list of keys and typed values (OTLP) and as a plain object (console exporters); messages as JSON text
and as structured values. Until version 1.36 of the conventions the messages were events, on the span or as log records:
`gen_ai.user.message`, ..., `gen_ai.choice`. All of them are turned into OpenAI's messages and read by that parser.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, cast

import msgspec

from agent_gym.messages import Message, System, Tool, ToolSpec
from agent_gym.traces.line import BROKEN
from agent_gym.traces.parsers.openai import Call, Called, Said, raw_arguments, to_messages, to_spoken
from agent_gym.traces.parsers.row import Place, Unreadable, problem_of
from agent_gym.traces.parsers.tools import Definition, specs_of

DETAILS = "gen_ai.client.inference.operation.details"


class Chat(msgspec.Struct, frozen=True, gc=False):
    """One request to a model, with all that it was sent and its answer."""

    place: Place
    trace: str
    start: int
    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()
    conversation: str = ""


class Execution(msgspec.Struct, frozen=True, gc=False):
    """One run of a tool."""

    trace: str
    start: int
    id: str
    arguments: str
    answer: Tool


class Silent(msgspec.Struct, frozen=True, gc=False):
    """A request to a model whose messages were not recorded, or a span that says no more than which conversation it is in."""

    place: Place
    path: str
    trace: str
    conversation: str
    chat: bool


class _Part(msgspec.Struct, gc=False):
    type: str = "text"
    content: Any = None
    text: Any = None
    id: str | None = None
    name: str | None = None
    arguments: str | dict[str, Any] | list[Any] | None = None
    response: Any = None
    result: Any = None


class _Message(Said, gc=False):
    parts: list[_Part] | None = None


def read_span(span: Mapping[str, Any], place: Place, path: str) -> Iterator[Chat | Execution | Silent]:
    """What a span, or an event that stands for one, says.

    Raises:
        Unreadable: when what it holds under a GenAI name is not of the form that the conventions give it.
    """
    attributes = attributes_of(span)
    operation = attributes.get("gen_ai.operation.name")
    trace, start = trace_of(span), start_of(span)
    conversation = str(attributes.get("gen_ai.conversation.id") or attributes.get("session.id") or "")
    if operation == "execute_tool":
        yield _execution(span, attributes, trace, start)
        return
    said = [*_history(attributes, path), *_events(span, path)]
    if said:
        yield Chat(place, trace, start, messages_of(attributes, said, path), _tools(attributes, path), conversation)
    elif operation is not None or conversation:
        yield Silent(place, path, trace, conversation, operation in ("chat", "generate_content", "text_completion"))


def attributes_of(span: Mapping[str, Any]) -> dict[str, Any]:
    """Attribute name to plain value."""
    given = span.get("attributes")
    if isinstance(given, dict):
        return {str(key): plain(value) for key, value in cast(dict[str, Any], given).items()}
    pairs = (
        [cast(dict[str, Any], pair) for pair in cast(list[Any], given) if isinstance(pair, dict)]
        if isinstance(given, list)
        else []
    )
    return {str(pair.get("key")): plain(pair.get("value")) for pair in pairs}


def plain(value: Any) -> Any:
    """OTLP's typed value as a plain one; anything else as it is."""
    fields = cast(dict[str, Any], value) if isinstance(value, dict) else {}
    if len(fields) != 1:
        return cast(Any, value)
    ((kind, inner),) = fields.items()
    held = cast(dict[str, Any], inner).get("values", []) if isinstance(inner, dict) else None
    inner = cast(Any, inner)
    match kind:
        case "stringValue" | "boolValue" | "doubleValue" | "string_value" | "bool_value" | "double_value":
            return inner
        case "intValue" | "int_value":
            return int(inner) if isinstance(inner, str) and re.fullmatch(r"-?[0-9]{1,20}", inner) else inner
        case "arrayValue" | "array_value" if isinstance(held, list):
            return [plain(item) for item in cast(list[Any], held)]
        case "kvlistValue" | "kvlist_value" if isinstance(held, list):
            return attributes_of({"attributes": held})
        case _:
            return cast(Any, value)


def trace_of(span: Mapping[str, Any]) -> str:
    """The id of the trace that a span belongs to."""
    return _identity(span, "traceId", "trace_id")


def span_of(span: Mapping[str, Any]) -> str:
    """The id of a span."""
    return _identity(span, "spanId", "span_id")


def _identity(span: Mapping[str, Any], *names: str) -> str:
    context = span.get("context")
    inside = cast(dict[str, Any], context) if isinstance(context, dict) else {}
    return next((str(value) for name in names for value in (span.get(name), inside.get(name)) if value), "")


def start_of(span: Mapping[str, Any]) -> int:
    """When a span began, as a number that orders the spans of one export."""
    names = (
        "startTimeUnixNano",
        "start_time_unix_nano",
        "start_time",
        "timeUnixNano",
        "time_unix_nano",
        "observedTimeUnixNano",
    )
    begun = next((span[name] for name in names if span.get(name)), 0)
    digits = "".join(character for character in str(begun)[:40] if character in "0123456789")
    # Nanoseconds are 19 digits; the digits of an ISO time, padded to as many, order as the times do.
    return int(digits[:19].ljust(19, "0")) if digits else 0


def json_of(value: Any, path: str) -> Any:
    """An attribute's value, decoded when it is JSON text.

    Raises:
        Unreadable: when it is text but no JSON.
    """
    if not isinstance(value, str):
        return value
    try:
        return msgspec.json.decode(value)
    except BROKEN as error:
        raise Unreadable([problem_of(error, path)]) from error


def _converted(value: Any, kind: Any, path: str) -> Any:
    try:
        return msgspec.convert(value, kind)
    except BROKEN as error:
        raise Unreadable([problem_of(error, path)]) from error


def _list_of(attributes: Mapping[str, Any], name: str, kind: Any, path: str) -> list[Any]:
    where = f"{path}.attributes['{name}']"
    value = json_of(attributes.get(name), where)
    return [] if value is None else _converted(value, list[kind], where)


def _history(attributes: Mapping[str, Any], path: str) -> Iterator[Said]:
    for message in _list_of(attributes, "gen_ai.input.messages", _Message, path):
        yield from _spoken(message)
    # Several outputs are alternatives: the first is taken.
    for message in _list_of(attributes, "gen_ai.output.messages", _Message, path)[:1]:
        yield from _spoken(message)


def _spoken(message: _Message) -> Iterator[Said]:
    """A message of parts as messages of the other kind: results first, each for itself, then words and calls together."""
    if message.parts is None:
        yield message
        return
    texts: list[str] = []
    calls: list[Call] = []
    answered = False
    for part in message.parts:
        match part.type:
            case "text":
                text = part.content if part.content is not None else part.text
                texts.append(text if isinstance(text, str) else "[text]")
            case "tool_call":
                calls.append(Call(Called(part.name or "", part.arguments), part.id))
            case "tool_call_response":
                answered = True
                content = part.response if part.response is not None else part.result
                yield Said("tool", content, tool_call_id=part.id, name=part.name)
            case "reasoning" | "thinking":
                pass
            case other:
                texts.append(f"[{other}]")
    if texts or calls or not answered:
        yield Said(message.role, "\n".join(texts), tool_calls=calls or None)


def messages_of(attributes: Mapping[str, Any], said: list[Said], path: str) -> tuple[Message, ...]:
    """The messages of a request, the instructions that were sent beside them first.

    Raises:
        Unreadable: when they make no sense in their order.
    """
    messages = to_messages(to_spoken(said, path), path)
    given = attributes.get("gen_ai.system_instructions")
    if given is None:
        return messages
    try:
        parts = json_of(given, path)
    except Unreadable:
        parts = str(given)
    instructions = (
        parts
        if isinstance(parts, str)
        else _instructions(_converted(parts, list[_Part], f"{path}.attributes['gen_ai.system_instructions']"))
    )
    system = System(instructions)
    return messages if not instructions or system in messages else (system, *messages)


def _instructions(parts: list[_Part]) -> str:
    texts = (part.content if part.content is not None else part.text for part in parts)
    return "\n".join(text for text in texts if isinstance(text, str))


def _tools(attributes: Mapping[str, Any], path: str) -> tuple[ToolSpec, ...]:
    return specs_of(
        _list_of(attributes, "gen_ai.tool.definitions", Definition, path), f"{path}.attributes['gen_ai.tool.definitions']"
    )


def _execution(span: Mapping[str, Any], attributes: Mapping[str, Any], trace: str, start: int) -> Execution:
    name = str(attributes.get("gen_ai.tool.name") or "")
    identity = str(attributes.get("gen_ai.tool.call.id") or "")
    result = attributes.get("gen_ai.tool.call.result")
    if isinstance(result, str):
        with suppress(*BROKEN):
            result = msgspec.json.decode(result)
    status = span.get("status")
    outcome = cast(dict[str, Any], status) if isinstance(status, dict) else {}
    failed = outcome.get("code") in (2, "STATUS_CODE_ERROR") or outcome.get("status_code") == "ERROR"
    error = str(outcome.get("message") or outcome.get("description") or attributes.get("error.type") or "failed")
    answer = Tool(name, result, error if failed and result is None else None, identity)
    return Execution(trace, start, identity, raw_arguments(attributes.get("gen_ai.tool.call.arguments")), answer)


def _events(span: Mapping[str, Any], path: str) -> Iterator[Said]:
    events = span.get("events")
    for index, event in enumerate(cast(list[Any], events) if isinstance(events, list) else []):
        if not isinstance(event, dict):
            continue
        fields = cast(dict[str, Any], event)
        where = f"{path}.events[{index}]"
        attributes = attributes_of(fields)
        if fields.get("name") == DETAILS:
            yield from _history(attributes, where)
        else:
            yield from read_event(str(fields.get("name")), attributes, where)


def read_event(name: str, body: Mapping[str, Any], path: str) -> Iterator[Said]:
    """The message that an event of the older conventions carries; nothing for other events, and for all choices but the first.

    Raises:
        Unreadable: when it carries something else.
    """
    role = name.removeprefix("gen_ai.").removesuffix(".message")
    if name != "gen_ai.choice" and (role == name or role not in ("system", "user", "assistant", "tool")):
        return
    if (content := body.get("gen_ai.event.content")) is not None:
        body = _converted(json_of(content, path), dict[str, Any], path)
    fields: dict[str, Any] = {name: body[name] for name in ("content", "name") if body.get(name) is not None}
    if role == "tool":
        fields["tool_call_id"] = body.get("id")
    if name == "gen_ai.choice":
        if body.get("index") not in (None, 0, "0"):
            return
        role = "assistant"
        message = body.get("message")
        if isinstance(message, str) and message.lstrip()[:1] != "{":
            message = {"content": message}
        fields |= _converted(json_of(message, path) or {}, dict[str, Any], f"{path}.message")
    if (calls := body.get("tool_calls")) is not None:
        fields["tool_calls"] = calls
    fields["tool_calls"] = json_of(fields.get("tool_calls"), path)
    message = _converted({**fields, "role": role}, _Message, path)
    yield from _spoken(message)
