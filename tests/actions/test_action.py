"""One action: its JSON, its tool call, and when two are the same."""

import subprocess
import sys
from contextlib import suppress
from dataclasses import FrozenInstanceError
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from action_strategies import actions
from agent_gym.actions import ActionFactory, ActionType, StructuredAction
from agent_gym.errors import ArgumentsError
from agent_gym.messages import ToolCall
from strategies import raw_arguments, texts

READ = ActionFactory.read_file("notes.md")

WRONG: dict[str, tuple[str, str]] = {
    "no JSON": ("create the file", "not JSON"),
    "JSON that goes on": (READ.to_json() + "!", "not JSON"),
    "a list": (f"[{READ.to_json()}]", "not an action"),
    "no type": ('{"parameters": {}}', "not an action"),
    "a type that is no text": ('{"action_type": 5, "parameters": {}}', "not an action"),
    "an unknown type": ('{"action_type": "rm", "parameters": {}}', "there is no action 'rm'; there are: create_file"),
    "no parameters": ('{"action_type": "read_file"}', "read_file: its parameters are missing"),
    "parameters that are a list": ('{"action_type": "read_file", "parameters": []}', "no JSON object"),
    "a missing parameter": ('{"action_type": "read_file", "parameters": {}}', "read_file: path: Field required"),
    "a parameter too many": ('{"action_type": "read_file", "parameters": {"path": "a", "mode": "w"}}', "mode: Extra inputs"),
    "a number for a text": ('{"action_type": "read_file", "parameters": {"path": 5}}', "path: Input should be a valid string"),
    "a key twice": ('{"action_type": "read_file", "parameters": {"path": "a", "path": "b"}}', "key 'path' stands twice"),
    "not a number": ('{"action_type": "api_call", "parameters": {"method": "GET", "url": "", "body": NaN}}', "NaN is not JSON"),
    "a number beyond floats": ('{"name": "api_call", "arguments": {"body": 1e999}}', "1e999 is not JSON"),
    "a number beyond 64 bits": ('{"name": "api_call", "arguments": {"body": 99999999999999999999}}', "is not JSON"),
    "half a surrogate pair": ('{"action_type": "read_file", "parameters": {"path": "\\udc00"}}', "surrogate"),
    "half a pair in a key": ('{"action_type": "read_file", "parameters": {"\\udc00": "a"}}', "a key is no text"),
    "seventy levels": ('{"name": "api_call", "arguments": {"body": ' + "[" * 70 + "]" * 70 + "}}", "nested deeper than 64"),
    "a million levels": ('{"name": "api_call", "arguments": {"body": ' + "[" * 10**6, "nested deeper than 64|not JSON"),
}


@given(actions)
def test_an_action_read_from_its_json_is_the_same(action: StructuredAction) -> None:
    again = StructuredAction.from_json(action.to_json())
    assert again == action
    assert hash(again) == hash(action)
    assert again.to_json() == action.to_json()


@given(actions, texts)
def test_an_action_read_from_its_tool_call_is_the_same(action: StructuredAction, name: str) -> None:
    call = action.to_tool_call(name)
    assert (call.name, call.id) == (action.type, name)
    assert StructuredAction.from_tool_call(call) == action


@given(texts | st.sampled_from(ActionType), raw_arguments)
def test_any_tool_call_is_an_action_or_an_arguments_error(name: str, arguments: str) -> None:
    with suppress(ArgumentsError):
        assert StructuredAction.from_tool_call(ToolCall(name, arguments)).type == name


def test_the_json_of_an_action_is_its_type_and_its_parameters() -> None:
    action = ActionFactory.create_file("a.json", "{}")
    assert action.to_json() == '{"action_type": "create_file", "parameters": {"path":"a.json","content":"{}"}}'
    assert action.to_tool_call() == ToolCall("create_file", '{"path":"a.json","content":"{}"}')


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "read_file", "arguments": {"path": "notes.md"}}',
        '{"name": "read_file", "arguments": "{\\"path\\": \\"notes.md\\"}"}',
        '{"tool": "read_file", "args": {"path": "notes.md"}}',
        '{"action": "read_file", "parameters": {"path": "notes.md"}}',
        '{"type": "read_file", "thought": "look first", "parameters": {"path": "notes.md"}}',
    ],
)
def test_plain_tool_calls_are_actions_too(text: str) -> None:
    assert StructuredAction.from_json(text) == READ


@pytest.mark.parametrize(("text", "said"), WRONG.values(), ids=WRONG)
def test_what_is_no_action_is_an_arguments_error_that_says_why(text: str, said: str) -> None:
    with pytest.raises(ArgumentsError, match=said):
        StructuredAction.from_json(text)


def test_what_is_left_out_and_what_is_given_as_the_default_are_one_action() -> None:
    short = ActionFactory.api_call("GET", "https://example.com")
    long = '{"action_type": "api_call", "parameters": {"url": "https://example.com", "method": "GET", "headers": null}}'
    assert {short, StructuredAction.from_json(long)} == {short}
    assert StructuredAction.from_json(long).arguments == '{"method":"GET","url":"https://example.com"}'


def test_one_and_true_are_two_actions() -> None:
    one, true = (ActionFactory.api_call("POST", "https://example.com", body=body) for body in (1, True))
    assert one != true


def test_an_action_does_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        READ.type = "edit_file"  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(ValidationError):
        READ.parameters.path = "x"  # pyright: ignore[reportAttributeAccessIssue]


def test_headers_are_not_shown() -> None:
    assert "sesame" not in repr(ActionFactory.api_call("GET", "https://example.com", {"Authorization": "sesame"}))
    with pytest.raises(ArgumentsError) as caught:
        ActionFactory.api_call("GET", "https://example.com", {"Authorization": ["sesame"]})  # pyright: ignore[reportArgumentType]
    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize("body", [object(), float("nan"), 2**70, {1: 2}, (1,), "\ud800"], ids=repr)
def test_a_body_that_is_no_json_makes_no_action(body: Any) -> None:
    with pytest.raises(ArgumentsError, match="api_call"):
        ActionFactory.api_call("POST", "https://example.com", body=body)


def test_parameters_that_cannot_be_written_make_no_action() -> None:
    class Odd(BaseModel, arbitrary_types_allowed=True):
        thing: object = None

    with pytest.raises(ArgumentsError, match="cannot be written as JSON"):
        StructuredAction("odd", Odd(thing=object()))


def test_line_ends_in_a_text_are_read_as_models_write_them() -> None:
    text = '{"action_type": "create_file", "parameters": {"path": "a", "content": "one\n\ttwo"}}'
    assert StructuredAction.from_json(text) == ActionFactory.create_file("a", "one\n\ttwo")


def test_pydantic_comes_with_the_actions_and_not_before() -> None:
    code = "import sys, agent_gym, agent_gym.tools; print('pydantic' in sys.modules, end=' ')\n"
    code += "import agent_gym.actions; print('pydantic' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["False", "True"]
