"""OpenAI's chat messages, one conversation a row, as in its fine-tuning files:

    {"messages": [{"role": "user", "content": "Where are my two orders?"},
                  {"role": "assistant", "content": null, "tool_calls": [
                      {"id": "c1", "type": "function", "function": {"name": "lookup", "arguments": "{\\"id\\": 7}"}},
                      {"id": "c2", "type": "function", "function": {"name": "lookup", "arguments": "{\\"id\\": 8}"}}]},
                  {"role": "tool", "tool_call_id": "c2", "content": "{\\"status\\": \\"sent\\"}"},
                  {"role": "tool", "tool_call_id": "c1", "content": "not found"}],
     "tools": [{"type": "function", "function": {"name": "lookup", "parameters": {...}}}]}

Arguments stay the text that the model emitted. A result is named after the call with its id; its text is read as JSON when it
is an object or an array, and stays text otherwise. `developer` is a system message; `function_call`, `functions` and the role
`function` are the older spelling of calls, tools and results. Lists of content parts are joined; a part that is no text (an
image) leaves its type in square brackets.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Generic, TypeVar, cast

import msgspec

from agent_gym.messages import Assistant, Message, System, Tool, ToolCall, User
from agent_gym.traces.line import BROKEN
from agent_gym.traces.parsers.row import Problem, Row, Unreadable, one_by_one, problems_of
from agent_gym.traces.parsers.tools import read_tools
from agent_gym.traces.trace import Trace


class Called(msgspec.Struct, gc=False):
    """A call's name and arguments: text as emitted, or an object where a program has parsed them."""

    name: str
    arguments: str | dict[str, Any] | list[Any] | None = None


class Call(msgspec.Struct, gc=False):
    """A call."""

    function: Called
    id: str | None = None


class Reply(msgspec.Struct, gc=False, tag_field="role", tag="assistant"):
    """What the agent said and called."""

    content: str | None = None
    tool_calls: list[Call] | None = None
    function_call: Called | None = None
    refusal: str | None = None
    weight: float | None = None


class Answer(msgspec.Struct, gc=False, tag_field="role", tag="tool"):
    """What a tool answered."""

    content: Any = None
    tool_call_id: str | None = None
    name: str | None = None


Spoken = System | User | Reply | Answer


class Said(msgspec.Struct, gc=False):
    """A message of any role, in any of its spellings."""

    role: str
    content: str | list[Any] | dict[str, Any] | None = None
    tool_calls: list[Call] | None = None
    tool_call_id: str | None = None
    name: str | None = None
    function_call: Called | None = None
    refusal: str | None = None
    weight: float | None = None


_Item = TypeVar("_Item")


class _Log(msgspec.Struct, Generic[_Item], gc=False):
    messages: list[_Item]
    tools: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    functions: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    conversation_id: str | int | None = None
    id: str | int | None = None
    outcome: str | None = None
    satisfaction_score: float | None = None
    metadata: dict[str, Any] | None = None


_PLAIN = msgspec.json.Decoder(_Log[Spoken])
_ANY = msgspec.json.Decoder(_Log[Said])
_ENCODE = msgspec.json.Encoder().encode
_NESTED = msgspec.json.Decoder[list[Any] | dict[str, Any]](list[Any] | dict[str, Any])


def parse_openai(row: Row) -> Trace:
    """One row. The indices of messages with weight 0 (not to be learnt from) go to the trace's metadata.

    Raises:
        Unreadable: when it is no conversation.
    """
    log: _Log[Spoken] | _Log[Said]
    try:
        # Most rows are of the plain kind, whose messages need next to no conversion.
        log = _PLAIN.decode(row.data)
        spoken = log.messages
    except BROKEN:
        try:
            log = _ANY.decode(row.data)
        except BROKEN as error:
            raise Unreadable(problems_of(row.data, error, "messages", Said)) from error
        spoken = to_spoken(log.messages)
    field, raw = ("tools", log.tools) if log.tools is not msgspec.UNSET else ("functions", log.functions)
    return Trace(
        conversation_id=given_id(log.conversation_id, log.id) or row.place.conversation_id,
        messages=to_messages(spoken),
        tools=() if raw is msgspec.UNSET else read_tools(bytes(raw), f"$.{field}"),
        outcome=log.outcome,
        satisfaction_score=log.satisfaction_score,
        metadata=_metadata(log.metadata, spoken),
    )


def given_id(*ids: str | int | None) -> str:
    """The first id that is one, as text."""
    for one in ids:
        if one is not None and one != "":
            return str(one)
    return ""


def _metadata(metadata: dict[str, Any] | None, spoken: Sequence[Spoken]) -> dict[str, Any]:
    unweighted = [index for index, one in enumerate(spoken) if type(one) is Reply and one.weight == 0]
    return {**(metadata or {}), "weight_0": unweighted} if unweighted else metadata or {}


def to_spoken(conversation: Sequence[Said], path: str = "$.messages") -> list[Spoken]:
    """Messages in any spelling as messages of the plain kind; `path` is where they stand in the row.

    Raises:
        Unreadable: names every message of an unknown role, and every content that is none.
    """
    spoken: list[Spoken] = []
    problems: list[Problem] = []
    for index, said in enumerate(conversation):
        match said.role:
            case "tool" | "function":
                spoken.append(Answer(said.content, said.tool_call_id, said.name))
            case "user" | "assistant" | "system" | "developer":
                text = _text(said.content)
                if text is None:
                    problems.append(Problem(f"{path}[{index}].content", "expected text or a list of parts, got an object"))
                elif said.role == "user":
                    spoken.append(User(text))
                elif said.role == "assistant":
                    spoken.append(Reply(text, said.tool_calls, said.function_call, said.refusal, said.weight))
                else:
                    spoken.append(System(text))
            case unknown:
                reason = f"{unknown!r} is no role: system, developer, user, assistant, tool or function"
                problems.append(Problem(f"{path}[{index}].role", reason))
    if problems:
        raise Unreadable(problems)
    return spoken


def _text(content: str | list[Any] | dict[str, Any] | None) -> str | None:
    """The words of a content, None when it is none."""
    if isinstance(content, dict):
        return None
    return "\n".join(_part(part) for part in content) if isinstance(content, list) else content or ""


def _part(part: Any) -> str:
    if isinstance(part, str):
        return part
    fields = cast(dict[str, Any], part) if isinstance(part, dict) else {}
    kind = fields.get("type", "text")
    text = fields.get("refusal" if kind == "refusal" else "text")
    return text if isinstance(text, str) else f"[{kind}]"


def _joined(parts: list[Any]) -> Any:
    """A result's parts as one text; a list of anything else is the result itself."""
    if parts and all(_is_text(part) for part in parts):
        return "\n".join(_part(part) for part in parts)
    return parts


def _is_text(part: Any) -> bool:
    fields = cast(dict[str, Any], part) if isinstance(part, dict) else {}
    return fields.get("type") in ("text", "input_text", "output_text") and isinstance(fields.get("text"), str)


def to_messages(spoken: Sequence[Spoken], path: str = "$.messages") -> tuple[Message, ...]:
    """The messages of a conversation, every result named after its call; `path` is where they stand in the row.

    Raises:
        Unreadable: when there are none, or a result belongs to no call.
    """
    messages: list[Message] = []
    problems: list[Problem] = []
    names: dict[str, str] = {}
    for one in spoken:
        if isinstance(one, Reply):
            calls = _calls(one, names) if one.tool_calls or one.function_call else ()
            messages.append(Assistant(one.content or one.refusal or "", calls))
        elif isinstance(one, Answer):
            identity = one.tool_call_id or ""
            name = one.name or (names.get(identity) if identity else _waiting(messages))
            if name is None:
                problems.append(_unnamed(f"{path}[{len(messages) + len(problems)}]", identity))
            else:
                messages.append(Tool(name, _result(one.content), None, identity))
        else:
            messages.append(one)
    if not messages and not problems:
        problems.append(Problem(path, "a conversation without messages"))
    if problems:
        raise Unreadable(problems)
    return tuple(messages)


def _unnamed(path: str, identity: str) -> Problem:
    if identity:
        return Problem(f"{path}.tool_call_id", f"{identity!r} is the id of no call before it, and the result names no tool")
    return Problem(path, "a result with neither name nor tool_call_id, and no call before it waits for one")


def _calls(reply: Reply, names: dict[str, str]) -> tuple[ToolCall, ...]:
    calls: list[ToolCall] = []
    older = [Call(reply.function_call)] if reply.function_call else []
    for call in reply.tool_calls or older:
        made, identity = call.function, call.id or ""
        names[identity] = name = made.name
        arguments = made.arguments
        calls.append(ToolCall(name, arguments if isinstance(arguments, str) else raw_arguments(arguments), identity))
    return tuple(calls)


def raw_arguments(arguments: Any) -> str:
    """Arguments as text: what was text stays as it is."""
    if isinstance(arguments, str):
        return arguments
    return "{}" if arguments is None else _ENCODE(arguments).decode()


def _waiting(messages: Sequence[Message]) -> str | None:
    """The tool of the first call that has no answer yet."""
    calls: list[ToolCall] = []
    for message in messages:
        if isinstance(message, Assistant):
            calls += message.tool_calls
        elif isinstance(message, Tool):
            fitting = (at for at, call in enumerate(calls) if (message.call_id or call.name) in (call.id, message.name))
            if (answered := next(fitting, None)) is not None:
                del calls[answered]
    return calls[0].name if calls else None


def _result(content: Any) -> Any:
    if isinstance(content, list):
        content = _joined(cast(list[Any], content))
    if isinstance(content, str) and content and content[0] in "{[ \t\r\n":
        try:
            return _NESTED.decode(content)
        except BROKEN:
            return content
    return content


openai = one_by_one(parse_openai)


def to_openai(trace: Trace) -> dict[str, Any]:
    """A trace as a row of an OpenAI fine-tuning file.

    What the row holds: messages, tools, outcome, satisfaction score and metadata. A result that is no text becomes its JSON
    text, an error its words; a call without id is given one, because the format asks for it.
    """
    ids = iter(f"call_{number}" for number in range(len(trace.calls)))
    open_calls: list[tuple[str, str]] = []
    messages = [message for one in trace.messages for message in _said(one, open_calls, ids)]
    row: dict[str, Any] = {"conversation_id": trace.conversation_id, "messages": messages}
    if trace.tools:
        row["tools"] = [
            {
                "type": "function",
                "function": {"name": spec.name, "description": spec.description, "parameters": spec.parameters},
            }
            for spec in trace.tools
        ]
    rest = {"outcome": trace.outcome, "satisfaction_score": trace.satisfaction_score, "metadata": dict(trace.metadata) or None}
    return {**row, **{name: value for name, value in rest.items() if value is not None}}


def _said(message: Message, open_calls: list[tuple[str, str]], ids: Iterable[str]) -> Iterable[dict[str, Any]]:
    match message:
        case System():
            yield {"role": "system", "content": message.content}
        case User():
            yield {"role": "user", "content": message.content}
        case Assistant():
            calls = [(call, call.id or next(iter(ids))) for call in message.tool_calls]
            open_calls += [(call.name, identity) for call, identity in calls]
            made = [
                {"id": identity, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
                for call, identity in calls
            ]
            yield {"role": "assistant", "content": message.content, **({"tool_calls": made} if made else {})}
        case Tool():
            waiting = (
                one for one in open_calls if one[1] == message.call_id or (not message.call_id and one[0] == message.name)
            )
            answered = next(waiting, None)
            if answered is not None:
                open_calls.remove(answered)
            result = message.error if message.error is not None else message.result
            content = result if isinstance(result, str) else "" if result is None else _ENCODE(result).decode()
            identity = message.call_id or (answered[1] if answered else "")
            yield {"role": "tool", "name": message.name, "content": content, **({"tool_call_id": identity} if identity else {})}
