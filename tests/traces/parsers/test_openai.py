"""OpenAI's chat messages: what is kept, what is read how, and that a trace which is written reads back."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_gym.messages import Assistant, Message, System, Tool, ToolCall, ToolSpec, User
from agent_gym.traces import Entry, Fault, Trace, import_traces, read_logs, to_openai
from strategies import json_objects, json_values, raw_arguments, specs, texts


def row(*messages: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"messages": list(messages), **fields}


def read(*messages: dict[str, Any], **fields: Any) -> Trace:
    (trace,) = import_traces([row(*messages, **fields)], "openai")
    return trace


def faults(*messages: Any, **fields: Any) -> list[tuple[str, str]]:
    found = list(read_logs([row(*messages, **fields)], "openai"))
    assert all(isinstance(one, Fault) for one in found)
    return [(one.path, one.reason) for one in found if isinstance(one, Fault)]


def called(name: str, arguments: Any, identity: str = "c1") -> dict[str, Any]:
    return {"id": identity, "type": "function", "function": {"name": name, "arguments": arguments}}


def test_parallel_calls_keep_their_ids_and_results_find_their_names() -> None:
    trace = read(
        {"role": "user", "content": "Where are my two orders?"},
        {"role": "assistant", "content": None, "tool_calls": [called("a", '{"id": 7}'), called("b", '{"id": 8}', "c2")]},
        {"role": "tool", "tool_call_id": "c2", "content": '{"status": "sent"}'},
        {"role": "tool", "tool_call_id": "c1", "content": "not found"},
        {"role": "assistant", "content": "One was sent."},
    )
    assert trace.messages == (
        User("Where are my two orders?"),
        Assistant("", (ToolCall("a", '{"id": 7}', "c1"), ToolCall("b", '{"id": 8}', "c2"))),
        Tool("b", {"status": "sent"}, call_id="c2"),
        Tool("a", "not found", call_id="c1"),
        Assistant("One was sent."),
    )


@pytest.mark.parametrize("arguments", ['{"a": 1', "", "null", '{"a": 1.50}', '{"a":1}{', "hello", '"\\u00e9"'])
def test_arguments_are_kept_as_they_were_emitted(arguments: str) -> None:
    trace = read({"role": "assistant", "content": "", "tool_calls": [called("x", arguments)]})
    assert trace.calls[0].arguments == arguments


def test_arguments_that_a_program_has_parsed_become_text() -> None:
    made = read({"role": "assistant", "tool_calls": [called("x", {"a": [1]}), called("x", None)]}).calls
    assert [call.arguments for call in made] == ['{"a":[1]}', "{}"]


def test_system_and_developer_messages_are_kept() -> None:
    trace = read({"role": "system", "content": "s"}, {"role": "developer", "content": "d"}, {"role": "user", "content": "u"})
    assert trace.messages == (System("s"), System("d"), User("u"))


def test_parts_are_joined_and_what_is_no_text_leaves_its_type() -> None:
    parts = [{"type": "text", "text": "Look:"}, {"type": "image_url", "image_url": {"url": "x"}}, {"text": "broken?"}]
    trace = read(
        {"role": "user", "content": parts},
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
        {"role": "assistant", "content": None, "refusal": "Never."},
    )
    assert trace.messages == (User("Look:\n[image_url]\nbroken?"), Assistant("No."), Assistant("Never."))


def test_the_older_spelling_of_calls_tools_and_results_is_read() -> None:
    trace = read(
        {"role": "user", "content": "u"},
        {"role": "assistant", "content": None, "function_call": {"name": "find", "arguments": "{}"}},
        {"role": "function", "name": "find", "content": "[1]"},
        functions=[{"name": "find", "description": "Finds.", "parameters": {"type": "object"}}],
    )
    assert trace.messages == (User("u"), Assistant("", (ToolCall("find", "{}"),)), Tool("find", [1]))
    assert trace.tools == (ToolSpec("find", "Finds.", {"type": "object"}),)


def test_results_without_an_id_answer_the_calls_in_order() -> None:
    trace = read(
        {"role": "assistant", "tool_calls": [called("a", "{}"), called("b", "{}", "c2")]},
        {"role": "tool", "content": "1"},
        {"role": "tool", "content": "2"},
    )
    assert [message.name for message in trace.messages if isinstance(message, Tool)] == ["a", "b"]


@pytest.mark.parametrize(
    ("content", "result"),
    [
        ('{"a": 1}', {"a": 1}),
        (" [1, 2]", [1, 2]),
        ("42", "42"),
        ("{oops", "{oops"),
        ("", ""),
        (None, None),
        ({"a": 1}, {"a": 1}),
        ([{"type": "text", "text": '{"a":'}, {"type": "text", "text": "1}"}], {"a": 1}),
        ([{"name": "Sino"}], [{"name": "Sino"}]),
    ],
)
def test_a_result_is_json_when_it_is_an_object_or_an_array(content: Any, result: Any) -> None:
    answered = read({"role": "tool", "name": "x", "content": content}).messages
    assert answered == (Tool("x", result),)


def test_tools_beside_functions_are_left_out_and_other_fields_do_not_matter() -> None:
    trace = read(
        {"role": "user", "content": "u", "name": "Ann", "x": 1},
        tools=[{"type": "web_search"}, {"type": "function", "name": "flat", "strict": True}],
        parallel_tool_calls=True,
    )
    assert trace.tools == (ToolSpec("flat"),)


def test_what_says_how_it_went_is_kept() -> None:
    weighed = {"role": "assistant", "content": "bad", "weight": 0}
    trace = read(
        {"role": "user", "content": "u"}, weighed, id=7, outcome="resolved", satisfaction_score=4, metadata={"shop": "x"}
    )
    assert (trace.conversation_id, trace.outcome, trace.satisfaction_score) == ("7", "resolved", 4.0)
    assert trace.metadata == {"shop": "x", "weight_0": [1]}


def test_everything_wrong_with_a_row_is_named_with_its_path() -> None:
    assert faults({"role": "user", "content": 3}, {"content": "x"}, {"role": "user", "content": "fine"}, tools=3) == [
        ("$.messages[0].content", "Expected `str | object | array | null`, got `int`"),
        ("$.messages[1]", "Object missing required field `role`"),
    ]
    call = {"id": "c1", "function": {"name": "x", "arguments": 3}}
    assert faults({"role": "assistant", "tool_calls": [call]})[0][0] == "$.messages[0].tool_calls[0].function.arguments"


@pytest.mark.parametrize(
    ("log", "path", "reason"),
    [
        (row(), "$.messages", "without messages"),
        (row({"role": "robot", "content": "x"}), "$.messages[0].role", "'robot' is no role"),
        (row({"role": "user", "content": {"a": 1}}), "$.messages[0].content", "got an object"),
        (row({"role": "tool", "tool_call_id": "c9", "content": ""}), "$.messages[0].tool_call_id", "'c9' is the id of no call"),
        (row({"role": "tool", "content": ""}), "$.messages[0]", "neither name nor tool_call_id"),
        (row({"role": "user", "content": "u"}, tools=[{"function": {}}]), "$.tools[0].function", "`name`"),
        (row({"role": "user", "content": "u"}, tools=[{}]), "$.tools[0]", "without a name"),
        (row({"role": "user", "content": "u"}, tools={}), "$.tools", "Expected `array`"),
        (
            row({"role": "user", "content": "u"}, tools=[{"name": "x", "parameters": {"required": 1}}]),
            "$.tools",
            "parameters of tool 'x'",
        ),
        (row({"role": "user", "content": "u"}, outcome=3), "$.outcome", "Expected `str | null`"),
        ({}, "$", "`messages`"),
        ([], "$", "Expected `object`, got `array`"),
    ],
)
def test_a_row_that_is_no_conversation_is_a_fault(log: Any, path: str, reason: str) -> None:
    (fault,) = read_logs([log], "openai")
    assert isinstance(fault, Fault)
    assert fault.path == path
    assert reason in fault.reason


plain_results = (
    st.none() | texts.filter(lambda text: text.lstrip()[:1] not in ("{", "[")) | json_objects | st.lists(json_values)
)
tools = st.lists(specs, max_size=2).map(
    lambda drawn: tuple(msgspec.structs.replace(spec, transactional=False, results=()) for spec in drawn)
)


@st.composite
def conversations(draw: st.DrawFn) -> tuple[Message, ...]:
    """Messages as the format holds them: every result has the id of a call before it, and no text result is empty."""
    messages: list[Message] = []
    for turn in range(draw(st.integers(1, 4))):
        messages.append(draw(st.one_of(st.builds(User, texts), st.builds(System, texts))))
        names = draw(st.lists(texts.filter(bool), max_size=3))
        calls = [ToolCall(name, draw(raw_arguments), f"{turn}-{index}") for index, name in enumerate(names)]
        messages.append(Assistant(draw(texts), tuple(calls)))
        for call in draw(st.permutations(calls)):
            result = draw(plain_results)
            messages.append(Tool(call.name, result if result is not None else "", call_id=call.id))
    return tuple(messages)


@given(conversations(), tools, json_objects, st.none() | texts, st.none() | st.floats(allow_nan=False, allow_infinity=False))
def test_a_trace_written_in_the_format_reads_back_as_it_was(
    messages: tuple[Message, ...],
    tools: tuple[ToolSpec, ...],
    metadata: dict[str, Any],
    outcome: str | None,
    satisfaction: float | None,
) -> None:
    trace = Trace(
        conversation_id="c1",
        messages=messages,
        tools=tools,
        metadata=metadata,
        outcome=outcome,
        satisfaction_score=satisfaction,
    )
    assert [*import_traces([json.loads(json.dumps(to_openai(trace)))], "openai")] == [trace]


def test_calls_without_ids_are_given_some_and_their_results_the_same() -> None:
    call = ToolCall("x", "{}")
    trace = Trace(conversation_id="c1", messages=(Assistant("", (call, call)), Tool("x", 1), Tool("x", error="gone")))
    assert to_openai(trace)["messages"] == [
        {"role": "assistant", "content": "", "tool_calls": [called("x", "{}", "call_0"), called("x", "{}", "call_1")]},
        {"role": "tool", "name": "x", "content": "1", "tool_call_id": "call_0"},
        {"role": "tool", "name": "x", "content": "gone", "tool_call_id": "call_1"},
    ]


def test_the_plain_and_the_other_path_agree() -> None:
    plain = row({"role": "user", "content": "u"}, {"role": "assistant", "content": "a", "weight": 1})
    other = row({"role": "user", "content": ["u"]}, {"role": "assistant", "content": ["a"], "weight": 1})
    one, two = import_traces([plain], "openai"), import_traces([other], "openai")
    assert [*one] == [*two]
    assert all(isinstance(entry, Entry) for entry in read_logs([plain, other], "openai"))
