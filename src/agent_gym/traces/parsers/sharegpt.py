"""ShareGPT, as instruction-tuning data sets use it:

    {"conversations": [{"from": "human", "value": "Where is my order?"},
                       {"from": "function_call", "value": "{\\"name\\": \\"lookup\\", \\"arguments\\": {\\"id\\": 7}}"},
                       {"from": "observation", "value": "{\\"status\\": \\"sent\\"}"},
                       {"from": "gpt", "value": "It was sent."}],
     "system": "You are a clerk.",
     "tools": "[{\\"name\\": \\"lookup\\", \\"parameters\\": {\\"type\\": \\"object\\"}}]"}

Speakers have many names (`_ROLES`), and `role` and `content` are read as `from` and `value` too. The format has no call ids: a
result belongs to the first call that waits for one. A `function_call` may hold a list of calls; `tools` is JSON text or a list.
"""

from typing import Any, cast

import msgspec

from agent_gym.messages import System
from agent_gym.traces.line import BROKEN
from agent_gym.traces.parsers.openai import Call, Called, Said, given_id, to_messages, to_spoken
from agent_gym.traces.parsers.row import Problem, Row, Unreadable, one_by_one, problem_of, problems_of
from agent_gym.traces.parsers.tools import read_tools
from agent_gym.traces.trace import Trace

_ROLES = {
    **dict.fromkeys(("human", "user"), "user"),
    **dict.fromkeys(("gpt", "assistant", "chatgpt", "model", "bot", "bing", "bard"), "assistant"),
    **dict.fromkeys(("function_call", "tool_call"), "call"),
    **dict.fromkeys(("observation", "tool", "function", "function_response", "tool_response"), "tool"),
    **dict.fromkeys(("system", "developer"), "system"),
}


class Turn(msgspec.Struct, gc=False):
    """One turn, under either pair of names."""

    from_: str | None = msgspec.field(default=None, name="from")
    value: str | list[Any] | dict[str, Any] | None = None
    role: str | None = None
    content: str | list[Any] | dict[str, Any] | None = None


class _Log(msgspec.Struct, gc=False):
    conversations: list[Turn]
    id: str | int | None = None
    conversation_id: str | int | None = None
    system: str | None = None
    tools: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    outcome: str | None = None
    satisfaction_score: float | None = None
    metadata: dict[str, Any] | None = None


_LOG = msgspec.json.Decoder(_Log)
_CallOrCalls = list[Called] | Called
_CALLS = msgspec.json.Decoder[list[Called] | Called](_CallOrCalls)


def parse_sharegpt(row: Row) -> Trace:
    """One row.

    Raises:
        Unreadable: when it is no conversation.
    """
    try:
        log = _LOG.decode(row.data)
    except BROKEN as error:
        raise Unreadable(problems_of(row.data, error, "conversations", Turn)) from error
    said: list[Said] = []
    problems: list[Problem] = []
    for index, turn in enumerate(log.conversations):
        try:
            said.append(_said(turn))
        except Unreadable as error:
            problems += [Problem(f"$.conversations[{index}]{one.path}", one.reason) for one in error.problems]
    if problems:
        raise Unreadable(problems)
    spoken = to_spoken(said, "$.conversations")
    messages = to_messages(spoken, "$.conversations")
    return Trace(
        conversation_id=given_id(log.conversation_id, log.id) or row.place.conversation_id,
        messages=(System(log.system), *messages) if log.system else messages,
        tools=() if log.tools is msgspec.UNSET else _tools(bytes(log.tools)),
        outcome=log.outcome,
        satisfaction_score=log.satisfaction_score,
        metadata=log.metadata or {},
    )


def _said(turn: Turn) -> Said:
    speaker = turn.from_ if turn.from_ is not None else turn.role
    value = turn.value if turn.value is not None else turn.content
    role = _ROLES.get((speaker or "").casefold())
    field = ".from" if turn.from_ is not None or turn.role is None else ".role"
    if role is None:
        raise Unreadable([Problem(field, f"{speaker!r} is no speaker: human, gpt, system, function_call or observation")])
    if role != "call":
        return Said(role, value)
    try:
        calls: list[Called] | Called = _CALLS.decode(value) if isinstance(value, str) else msgspec.convert(value, _CallOrCalls)
    except BROKEN as error:
        problem = problem_of(error, ".value")
        raise Unreadable([Problem(".value", f"no call of the form {{name, arguments}}: {problem.reason}")]) from error
    return Said("assistant", tool_calls=[Call(call) for call in (calls if isinstance(calls, list) else [calls])])


def _tools(raw: bytes) -> tuple[Any, ...]:
    if raw[:1] != b'"':
        return read_tools(raw, "$.tools")
    try:
        text = cast(str, msgspec.json.decode(raw))
    except BROKEN as error:
        raise Unreadable([problem_of(error, "$.tools")]) from error
    return read_tools(text.encode(), "$.tools") if text.strip() else ()


sharegpt = one_by_one(parse_sharegpt)
