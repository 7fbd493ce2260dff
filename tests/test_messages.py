"""The words that pass between user, agent and tools: frozen, and arguments are read in a second step that may fail."""

from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_gym import errors
from agent_gym.errors import ArgumentsError
from agent_gym.messages import Assistant, Tool, ToolCall, ToolResult, ToolSpec, User, writable
from strategies import json_objects, raw_arguments

ANYTHING = st.text(st.characters())
"""Half surrogate pairs too, unlike `text()` by itself."""
BROKEN = {
    "nothing": "",
    "words": "city is San Jose",
    "cut off": '{"city": "San J',
    "a list": '["San Jose"]',
    "a text": '"San Jose"',
    "null": "null",
    "two objects": '{"city": "San Jose"} {}',
    "not a number": '{"beds": NaN}',
    "a number without end": '{"beds": 1e999}',
    "a whole number without end": '{"beds": ' + "1" * 5000 + "}",
    "half a character": '{"city": "\\ud800"}',
    "half a character as it is": '{"city": "\ud800"}',
    "nested too deep": '{"city": ' + "[" * 64 + "]" * 64 + "}",
    "nested without end": '{"city": ' + "[" * 100_000,
}


def nested(levels: int) -> str:
    return '{"x": ' * (levels - 1) + "{}" + "}" * (levels - 1)


@pytest.mark.parametrize("fault", BROKEN)
def test_broken_arguments_are_named(fault: str) -> None:
    with pytest.raises(ArgumentsError, match=r"^Hotels_1-Find: arguments are (not|nested)"):
        ToolCall("Hotels_1-Find", BROKEN[fault]).parsed()


def test_a_message_about_broken_arguments_is_short() -> None:
    with pytest.raises(ArgumentsError) as caught:
        ToolCall("Hotels_1-Find", "x" * 1_000_000).parsed()
    assert len(str(caught.value)) < 400


def test_arguments_may_be_nested_as_deep_as_any_schema_asks_for() -> None:
    assert ToolCall("plan", nested(64)).parsed()
    with pytest.raises(ArgumentsError, match="nested deeper than 64"):
        ToolCall("plan", nested(65)).parsed()


def test_brackets_in_a_text_are_no_nesting() -> None:
    assert ToolCall("draw", msgspec.json.encode({"text": "[{" * 500}).decode()).parsed() == {"text": "[{" * 500}


@given(json_objects)
def test_arguments_are_what_was_written(value: dict[str, Any]) -> None:
    assert ToolCall("x", msgspec.json.encode(value).decode()).parsed() == value


@given(raw_arguments)
def test_arguments_are_an_object_or_an_error(raw: str) -> None:
    with suppress(ArgumentsError):
        assert isinstance(ToolCall("x", raw).parsed(), dict)


def test_messages_are_frozen() -> None:
    with pytest.raises(AttributeError, match="immutable"):
        User("hi").content = "bye"  # pyright: ignore[reportAttributeAccessIssue]


def test_specs_are_told_apart_by_what_they_ask_for() -> None:
    one, other = ToolSpec("find", parameters={"type": "object"}), ToolSpec("find")
    assert len({one, other, ToolSpec("find")}) == 2


def test_a_result_becomes_the_message_that_answers_its_call() -> None:
    answer = ToolResult([{"city": "San Jose"}], source="echo", note="never shown").message(ToolCall("find", id="call_3"))
    assert answer == Tool("find", [{"city": "San Jose"}], None, "call_3", "echo")


def test_the_tree_of_errors_is_drawn_whole() -> None:
    tree = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    assert all(issubclass(kind, errors.AgentGymError) and kind.__name__ in (errors.__doc__ or "") for kind in tree)


@given(ANYTHING, ANYTHING, ANYTHING)
def test_a_writable_action_can_be_written_and_says_the_same(content: str, name: str, arguments: str) -> None:
    action = Assistant(content, (ToolCall(name, arguments),))
    written = msgspec.json.decode(msgspec.json.encode(writable(action)), type=Assistant)
    assert written == writable(action)
    if not any("\ud800" <= letter <= "\udfff" for letter in content + name + arguments):
        assert writable(action) is action


def test_half_of_a_surrogate_pair_becomes_a_question_mark() -> None:
    assert writable(Assistant("a\ud800b", (ToolCall("f\udc00", '"\ud800"'),))) == Assistant("a?b", (ToolCall("f?", '"?"'),))
