"""Calls and answers as training wants them: nothing is quoted twice, nothing unreadable passes for an object."""

import pytest
from hypothesis import given

from agent_gym.errors import ArgumentsError
from agent_gym.messages import Tool, ToolCall
from agent_gym.traces.chat import chat_call, chat_result
from strategies import wild_calls


@given(wild_calls)
def test_arguments_are_an_object_or_refused(call: ToolCall) -> None:
    try:
        parsed = call.parsed()
    except ArgumentsError:
        with pytest.raises(ArgumentsError):
            chat_call(call, "call_0")
        return
    row = chat_call(call, "call_0")
    assert (row["id"], row["function"]) == ("call_0", {"name": call.name, "arguments": parsed})


def test_what_a_tool_answered_is_text() -> None:
    assert chat_result(Tool("Find", [{"city": "Köln"}]), "c")["content"] == '[{"city": "Köln"}]'
    assert chat_result(Tool("Find", "two places"), "c")["content"] == "two places"
    assert chat_result(Tool("Find", error="no such city"), "c")["content"] == '{"error": "no such city"}'
    assert chat_result(Tool("Find", None), "c") == {"role": "tool", "tool_call_id": "c", "name": "Find", "content": "null"}
