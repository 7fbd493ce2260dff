"""Traces as JSON: what is written reads back as it was, and what cannot be read is named."""

from typing import Any

import msgspec
import pytest
from hypothesis import given

from agent_gym.errors import DataError
from agent_gym.messages import Assistant, Tool, ToolCall, User
from agent_gym.traces import SGDLoader, Trace, dump_trace, load_trace
from strategies import raw_arguments, traces

DESIGN = """{"conversation_id": "conv_001",
 "messages": [{"role": "user", "content": "…"},
              {"role": "assistant", "content": "…", "tool_calls": [{"name": "…", "arguments": {…}}]},
              {"role": "tool", "name": "…", "result": {…}}],
 "outcome": "resolved", "satisfaction_score": 4.5}""".replace("{…}", '{"…": ["…"]}')


def conversation(*messages: Any, **fields: Any) -> dict[str, Any]:
    return {"conversation_id": "c1", "messages": list(messages), **fields}


def calling(**call: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": "", "tool_calls": [call]}


def tool(**parameters: Any) -> dict[str, Any]:
    return conversation(tools=[{"name": "find", "parameters": parameters}])


def test_the_json_of_the_design_loads_as_it_stands() -> None:
    assert load_trace(msgspec.json.decode(DESIGN)) == Trace(
        conversation_id="conv_001",
        messages=(User("…"), Assistant("…", (ToolCall("…", '{"…":["…"]}'),)), Tool("…", {"…": ["…"]})),
        outcome="resolved",
        satisfaction_score=4.5,
    )


@given(traces)
def test_a_trace_reads_back_as_it_was(trace: Trace) -> None:
    assert load_trace(dump_trace(trace)) == trace
    assert load_trace(msgspec.json.decode(msgspec.json.encode(dump_trace(trace)))) == trace


@given(traces)
def test_what_is_written_is_plain_json_and_stable(trace: Trace) -> None:
    written = dump_trace(trace)
    assert msgspec.json.decode(msgspec.json.encode(written)) == written == dump_trace(load_trace(written))


@given(raw_arguments)
def test_arguments_keep_every_character_that_the_model_emitted(raw: str) -> None:
    trace = Trace(conversation_id="c1", messages=(Assistant("", (ToolCall("x", raw),)),))
    assert load_trace(dump_trace(trace)).calls[0].arguments == raw


def test_arguments_are_written_as_an_object() -> None:
    trace = Trace(conversation_id="c1", messages=(Assistant("", (ToolCall("x", '{"a":1}'),)),))
    assert dump_trace(trace) == conversation(
        {"role": "assistant", "content": "", "tool_calls": [{"name": "x", "arguments": {"a": 1}}]}, version=1
    )


def test_every_dialogue_of_the_sample_reads_back_as_it_was(sample: Any) -> None:
    loader = SGDLoader(sample)
    assert all(load_trace(dump_trace(trace)) == trace for split in loader.splits() for trace in loader.load(split))


def test_a_schema_keeps_all_of_its_keywords() -> None:
    written = tool(
        type="object", properties={"city": {"type": "string", "minLength": 2}, "any": True}, additionalProperties=False
    )
    assert load_trace(written).tools[0].parameters == written["tools"][0]["parameters"]


def test_other_programs_leave_out_what_is_empty() -> None:
    said_nothing = {"role": "assistant", "content": None, "tool_calls": [{"name": "x"}]}
    called_nothing = {"role": "assistant", "content": "Hi", "tool_calls": None}
    trace = load_trace(conversation(said_nothing, called_nothing))
    assert trace.messages == (Assistant("", (ToolCall("x", "{}"),)), Assistant("Hi"))


@pytest.mark.parametrize("version", [2, 99, 1.5])
def test_a_newer_version_is_refused_by_name(version: float) -> None:
    with pytest.raises(DataError, match=rf"version {version} is newer than 1, .*update agent-gym"):
        load_trace(conversation(version=version))


FAULTS: dict[str, tuple[Any, str]] = {
    "no object": ([1], r"a trace is a JSON object, this is list: '\[1\]'"),
    "no name": ({"messages": []}, r"without conversation_id.*`conversation_id`"),
    "no messages": ({"conversation_id": "c1"}, r"'c1'.*`messages`"),
    "messages of another type": ({"conversation_id": "c1", "messages": {}}, r"`\$\.messages`"),
    "a message that is none": (conversation("hi"), r"`\$\.messages\[0\]`"),
    "no role": (conversation({"content": "hi"}), r"`role`.*`\$\.messages\[0\]`"),
    "an unknown role": (conversation({"role": "critic", "content": "hi"}), r"'critic'.*`\$\.messages\[0\]\.role`"),
    "a role that is no text": (conversation({"role": ["user"], "content": "hi"}), r"`\$\.messages\[0\]\.role`"),
    "words of another type": (conversation({"role": "user", "content": 7}), r"`\$\.messages\[0\]\.content`"),
    "a user without words": (conversation({"role": "user", "content": None}), r"`\$\.messages\[0\]\.content`"),
    "calls that are no list": (
        conversation({"role": "assistant", "tool_calls": {"name": "x"}}),
        r"`\$\.messages\[0\]\.tool_calls`",
    ),
    "a call without a name": (conversation(calling(arguments={})), r"`name`.*`\$\.messages\[0\]\.tool_calls\[0\]`"),
    "a call that is none": (conversation({"role": "assistant", "tool_calls": ["x"]}), r"tool_calls\[0\]`"),
    "a result without its tool": (conversation({"role": "tool", "result": 1}), r"`name`.*`\$\.messages\[0\]`"),
    "a score that is no number": (conversation(satisfaction_score="good"), r"`\$\.satisfaction_score`"),
    "a tool without a name": (conversation(tools=[{}]), r"`name`.*`\$\.tools\[0\]`"),
    "properties that are no object": (tool(properties=["city"]), r"'c1', parameters of tool 'find': .*`\$\.properties`"),
    "an argument that is no schema": (tool(properties={"city": "text"}), r"tool 'find': .*`\$\.properties\[...\]`"),
    "choices that are no list": (tool(properties={"city": {"enum": "Oslo"}}), r"tool 'find': .*\.enum`"),
    "required arguments that are no list": (tool(required=True), r"tool 'find': .*`\$\.required`"),
    "a version that is no number": (conversation(version="1"), r"`\$\.version`"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_cannot_be_read_is_named_with_its_path(fault: str) -> None:
    value, message = FAULTS[fault]
    with pytest.raises(DataError, match=message):
        load_trace(value)
