"""What a small model is shown: one system message, the conversation, and beside them the tools; no instruction, no examples.

Both sides of a training pair and the trained model later see the same rows. Calls are numbered by where they stand, so that no
side can be told by the ids it brought along.
"""

from collections.abc import Sequence
from typing import Any

from agent_gym.errors import ArgumentsError
from agent_gym.messages import Assistant, Message, System, Tool, User
from agent_gym.traces.chat import chat_call, chat_result

SYSTEM = "You help your user with tools."
"""Always there: some chat templates (Qwen2.5's) would otherwise put their maker's own words in its place."""

Row = dict[str, Any]


def chat_rows(messages: Sequence[Message]) -> list[Row]:
    """A conversation in OpenAI's chat format, arguments as objects; what the agent was told beside it (the date) stands in the
    one system message, first.

    Raises:
        ArgumentsError: when the arguments of a call are no JSON object.
    """
    told = [message.content for message in messages if isinstance(message, System)]
    rows: list[Row] = [{"role": "system", "content": " ".join([SYSTEM, *told])}]
    called = 0
    open_calls: list[str] = []
    for message in messages:
        match message:
            case System():
                pass
            case User(content):
                rows.append({"role": "user", "content": content})
            case Assistant(tool_calls=calls):
                rows.append(_action(message, called))
                open_calls = [_id(called + index) for index in range(len(calls))]
                called += len(calls)
            case Tool():
                rows.append(chat_result(message, open_calls.pop(0) if open_calls else ""))
    return rows


def chat_action(action: Assistant, state: Sequence[Message]) -> Row:
    """What an agent does in a state, as the message that follows.

    Raises:
        ArgumentsError: when the arguments of a call are no JSON object.
    """
    return _action(action, sum(len(message.tool_calls) for message in state if isinstance(message, Assistant)))


def readable(action: Assistant) -> bool:
    """Whether all calls have arguments that are a JSON object."""
    try:
        for call in action.tool_calls:
            call.parsed()
    except ArgumentsError:
        return False
    return True


def _action(action: Assistant, called: int) -> Row:
    calls = [chat_call(call, _id(called + index)) for index, call in enumerate(action.tool_calls)]
    return {"role": "assistant", "content": action.content, **({"tool_calls": calls} if calls else {})}


def _id(number: int) -> str:
    return f"call_{number}"
