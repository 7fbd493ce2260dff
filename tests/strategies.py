"""Calls, traces and tasks for property tests.

Two kinds: wild ones (any text, any JSON, broken arguments) for what must survive everything, and tame ones over a few words, so
that two calls often agree in part, for the laws of metrics and tools.
"""

import json
from collections.abc import Sequence
from typing import Any

import msgspec
from hypothesis import strategies as st

from agent_gym.messages import Assistant, Message, System, Tool, ToolCall, ToolSpec, User
from agent_gym.traces import Goal, IntentGoal, Trace
from agent_gym.traces.task import Task

texts = st.text(max_size=12)
json_leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
json_values = st.recursive(
    json_leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=6
)
json_objects = st.dictionaries(texts, json_values, max_size=4)

# Compact, as this package writes them; with blanks, as many models do; broken; and JSON that is no object.
raw_arguments = st.one_of(
    json_objects.map(lambda value: msgspec.json.encode(value).decode()),
    json_objects.map(json.dumps),
    texts,
    json_objects.map(lambda value: json.dumps(value)[:-1]),
    json_values.map(json.dumps),
)
accepted = st.dictionaries(texts, st.lists(texts, max_size=3).map(tuple), max_size=3)
wild_calls = st.builds(ToolCall, name=texts, arguments=raw_arguments, id=texts, accepted=accepted)
tool_messages = st.builds(Tool, name=texts, result=json_values, error=st.none() | texts, call_id=texts, source=texts)
messages: st.SearchStrategy[Message] = st.one_of(
    st.builds(System, texts),
    st.builds(User, texts),
    st.builds(Assistant, texts, st.lists(wild_calls, max_size=3).map(tuple)),
    tool_messages,
)
shapes = st.fixed_dictionaries(
    {}, optional={"type": texts, "enum": st.none() | st.lists(json_leaves, max_size=3), "default": json_leaves, "title": texts}
)
schemas = st.fixed_dictionaries(
    {},
    optional={
        "type": st.just("object"),
        "properties": st.none() | st.dictionaries(texts, st.booleans() | shapes, max_size=3),
        "required": st.none() | st.lists(texts, max_size=2),
        "additionalProperties": st.booleans(),
        "$defs": json_objects,
    },
)
specs = st.builds(
    ToolSpec,
    name=texts,
    description=texts,
    parameters=schemas,
    transactional=st.booleans(),
    results=st.lists(texts, max_size=3).map(tuple),
)
goals = st.builds(
    Goal,
    st.lists(
        st.builds(IntentGoal, tool=texts, slots=accepted, requested=st.lists(texts, max_size=3).map(tuple)), max_size=2
    ).map(tuple),
)
numbers = st.floats(allow_nan=False, allow_infinity=False)
traces = st.builds(
    Trace,
    conversation_id=texts,
    messages=st.lists(messages, max_size=6).map(tuple),
    tools=st.lists(specs, max_size=2).map(tuple),
    outcome=st.none() | texts,
    satisfaction_score=st.none() | numbers,
    goal=st.none() | goals,
    scores=st.dictionaries(texts, numbers, max_size=2),
    metadata=json_objects,
    error=st.none() | texts,
)

TOOLS = ("Hotels_1-Find", "Hotels_1-Book")
SLOTS = ("city", "day", "time", "beds")
SPELLINGS: dict[str, tuple[str, ...]] = {
    "19:00": ("7 pm", "7:00 PM", "19:00:00", " 7 p.m. "),
    "2019-03-08": ("March 8th, 2019", "2019/3/8", "the 8th of march 2019"),
    "2": ("2.0", "+2", "2.00"),
    "True": ("true", "TRUE "),
    "San Jose": ("san  jose", "SAN JOSE"),
}
"""Values, each with other notations of it."""

values = st.sampled_from(sorted(SPELLINGS))
arguments = st.dictionaries(st.sampled_from(SLOTS), values, max_size=4)


def call(name: str, accepted: dict[str, tuple[str, ...]] | None = None, /, **arguments: Any) -> ToolCall:
    """A call with its arguments written out."""
    return ToolCall(name, msgspec.json.encode(arguments).decode(), accepted=accepted or {})


tame_calls = st.tuples(st.sampled_from(TOOLS), arguments).map(lambda drawn: call(drawn[0], **drawn[1]))


def one_turn(expected: Sequence[ToolCall] = (), reply: str = "Here you are.", **fields: Any) -> Task:
    """A task whose recorded system makes some calls, in one message, and then says something."""
    answers = [Tool(one.name, result=[]) for one in expected]
    called = [Assistant("", tuple(expected)), *answers] if expected else []
    recorded: list[Message] = [User("I need a room."), *called, Assistant(reply)]
    return Task(Trace(conversation_id="c1", messages=tuple(recorded), **fields), 0, len(recorded))


def played(task: Task, made: Sequence[ToolCall] = (), reply: str = "Here you are.") -> Trace:
    """A rollout of a task: some calls, one a step, and then words."""
    steps = [message for one in made for message in (Assistant("", (one,)), Tool(one.name, result=[]))]
    return Trace(conversation_id=task.id, messages=(*task.prompt, *steps, Assistant(reply)))


tasks = st.builds(one_turn, st.lists(tame_calls, max_size=4), st.sampled_from(["Done.", "", "How many beds?"]))
