"""ShareGPT: speakers under their many names, calls and tools that are JSON inside text."""

import json
from typing import Any

import pytest

from agent_gym.messages import Assistant, System, Tool, ToolCall, ToolSpec, User
from agent_gym.traces import Fault, Trace, import_traces, read_logs

LOOKUP = {"name": "lookup", "description": "Finds.", "parameters": {"type": "object"}}


def said(*turns: tuple[str, Any], **fields: Any) -> dict[str, Any]:
    return {"conversations": [{"from": speaker, "value": value} for speaker, value in turns], **fields}


def read(*turns: tuple[str, Any], **fields: Any) -> Trace:
    (trace,) = import_traces([said(*turns, **fields)])
    return trace


def test_a_conversation_with_a_call() -> None:
    trace = read(
        ("human", "Where is my order?"),
        ("function_call", '{"name": "lookup", "arguments": {"id": 7}}'),
        ("observation", '{"status": "sent"}'),
        ("gpt", "It was sent."),
        system="You are a clerk.",
        tools=json.dumps([LOOKUP]),
        id="c1",
    )
    assert trace == Trace(
        conversation_id="c1",
        messages=(
            System("You are a clerk."),
            User("Where is my order?"),
            Assistant("", (ToolCall("lookup", '{"id":7}'),)),
            Tool("lookup", {"status": "sent"}),
            Assistant("It was sent."),
        ),
        tools=(ToolSpec("lookup", "Finds.", {"type": "object"}),),
    )


def test_other_names_of_the_speakers_and_their_words() -> None:
    turns = [("system", "s"), ("user", "u"), ("assistant", "a"), ("Human", "u"), ("chatgpt", "a"), ("tool_call", {"name": "x"})]
    variant = {"conversations": [{"role": role, "content": text} for role, text in (*turns, ("tool", "t"))]}
    (trace,) = import_traces([variant])
    assert trace.messages == (
        System("s"),
        User("u"),
        Assistant("a"),
        User("u"),
        Assistant("a"),
        Assistant("", (ToolCall("x", "{}"),)),
        Tool("x", "t"),
    )


def test_several_calls_in_one_turn_are_answered_in_order() -> None:
    made = json.dumps([{"name": "a", "arguments": '{"broken'}, {"name": "b", "arguments": {}}])
    trace = read(("human", "u"), ("function_call", made), ("observation", "1"), ("observation", "2"))
    assert trace.messages[1:] == (
        Assistant("", (ToolCall("a", '{"broken'), ToolCall("b", "{}"))),
        Tool("a", "1"),
        Tool("b", "2"),
    )


@pytest.mark.parametrize("tools", ["", "[]", [], None, json.dumps([{"type": "function", "function": LOOKUP}]), [LOOKUP]])
def test_tools_are_text_or_a_list_or_absent(tools: Any) -> None:
    offered = read(("human", "u"), tools=tools).tools
    assert [spec.name for spec in offered] == (["lookup"] if tools and tools != "[]" else [])


@pytest.mark.parametrize(
    ("row", "path", "reason"),
    [
        (said(("ghost", "boo")), "$.conversations[0].from", "'ghost' is no speaker"),
        ({"conversations": [{"role": "ghost", "content": ""}]}, "$.conversations[0].role", "'ghost' is no speaker"),
        ({"conversations": [{"value": "x"}]}, "$.conversations[0].from", "None is no speaker"),
        (said(("human", 3)), "$.conversations[0].value", "got `int`"),
        (said(("human", "u"), ("function_call", "call it")), "$.conversations[1].value", "no call of the form"),
        (said(("function_call", '{"arguments": {}}')), "$.conversations[0].value", "`name`"),
        (said(("observation", "x")), "$.conversations[0]", "no call before it"),
        (said(("human", "u"), tools="[oops"), "$.tools", "not JSON"),
        (said(("human", "u"), tools='[{"name": 3}]'), "$.tools[0].name", "got `int`"),
        (said(), "$.conversations", "without messages"),
    ],
)
def test_a_row_that_is_no_conversation_is_a_fault(row: dict[str, Any], path: str, reason: str) -> None:
    (fault,) = read_logs([row], "sharegpt")
    assert isinstance(fault, Fault)
    assert fault.path == path
    assert reason in fault.reason
