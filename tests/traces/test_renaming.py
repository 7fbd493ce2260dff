"""Names are exchanged in everything that carries one, and nothing else is touched."""

import json
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agent_gym.errors import DataError
from agent_gym.messages import Assistant, Message, System, Tool, ToolCall, ToolSpec, User
from agent_gym.traces import Goal, IntentGoal, Trace
from agent_gym.traces.renaming import Renaming
from strategies import json_values, raw_arguments, traces

FIND, SEEK = ToolSpec("Hotels_1-Find", "Find"), ToolSpec("Hotels_11-Seek", "Seek")
BOOK, TAKE = ToolSpec("Hotels_1-Book"), ToolSpec("Hotels_11-Take")
SLOTS = {"city": "town", "day": "night", "night": "evening", "beds": "beds"}
THERE = Renaming.of([(FIND, SEEK, SLOTS), (BOOK, TAKE, SLOTS)])
BACK = THERE.undone

tool_names = st.sampled_from([FIND.name, BOOK.name, SEEK.name, TAKE.name, "Hotels_1-Lose", ""])
slot_names = st.sampled_from([*SLOTS, *SLOTS.values(), "argument"])
values = st.sampled_from(["Oslo", "city", 'a "city": b', "}{", "\\", ""])
errors = st.lists(tool_names | slot_names | values, max_size=5).map(", ".join)
objects = st.dictionaries(slot_names, values | json_values | st.dictionaries(slot_names, values), max_size=4)
spellings: st.SearchStrategy[Callable[[str], str]] = st.sampled_from([str, lambda text: text[:-1], lambda text: text[:-3]])


def spelled(value: object, cut: Callable[[str], str], separators: tuple[str, str]) -> str:
    return cut(json.dumps(value, separators=separators))


arguments = raw_arguments | st.builds(spelled, objects, spellings, st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", " : ")]))
calls = st.builds(ToolCall, tool_names, arguments, st.just("call_0"), st.dictionaries(slot_names, st.just(("a", "city"))))
messages: st.SearchStrategy[Message] = st.one_of(
    st.builds(Assistant, values, st.lists(calls, max_size=2).map(tuple)),
    st.builds(Tool, tool_names, st.lists(objects | values) | objects | json_values, st.none() | errors),
)
goals = st.builds(
    Goal,
    st.lists(
        st.builds(
            IntentGoal,
            tool_names,
            st.dictionaries(slot_names, st.just(("Oslo",))),
            st.lists(slot_names).map(tuple),
        )
    ).map(tuple),
)
conversations = st.builds(
    Trace,
    conversation_id=st.just("c"),
    messages=st.lists(messages, max_size=5).map(tuple),
    tools=st.sampled_from([(), (FIND,), (BOOK, FIND)]),
    goal=st.none() | goals,
)


def test_a_call_gets_other_names_and_keeps_its_values() -> None:
    made = ToolCall(FIND.name, '{"city": "city", "stars": 1.50}', "call_7", {"city": ("the city",)})
    assert THERE.call(made) == ToolCall(SEEK.name, '{"town": "city", "stars": 1.50}', "call_7", {"town": ("the city",)})


def test_a_name_that_means_another_slot_there_is_not_taken_for_it() -> None:
    assert THERE.call(ToolCall(FIND.name, '{"day":"Monday","night":"1"}')).arguments == '{"night":"Monday","evening":"1"}'


def test_an_old_name_used_among_the_new_ones_stays_wrong_on_the_way_back() -> None:
    assert BACK.call(ToolCall(SEEK.name, '{"city": "Oslo"}')) == ToolCall(FIND.name, '{"town": "Oslo"}')
    assert BACK.call(ToolCall(FIND.name, '{"town": "Oslo"}')).name == SEEK.name


def test_names_that_neither_side_has_stay_as_they_are() -> None:
    invented = ToolCall("Hotels_9-Dream", '{"city": "Oslo", "mood": "good"}')
    assert THERE.call(invented) == BACK.call(invented) == invented


def test_only_members_of_the_arguments_are_renamed_not_what_lies_in_them() -> None:
    raw = '{"city": {"city": ["city", {"city": 1}]}, "beds": "\\"city\\": 2"}'
    assert THERE.call(ToolCall(FIND.name, raw)).arguments == raw.replace('{"city"', '{"town"', 1)


def test_arguments_that_are_broken_are_renamed_as_far_as_they_can_be_read() -> None:
    assert THERE.call(ToolCall(FIND.name, '{"city": "Oslo", "day": "Mon')).arguments == '{"town": "Oslo", "night": "Mon'
    assert THERE.call(ToolCall(FIND.name, '{"\\x": 1, "city')).arguments == '{"\\x": 1, "city'


def test_rows_of_a_result_get_other_fields_in_the_same_order() -> None:
    rows = [{"stars": "3", "city": "Oslo"}, "city", None]
    assert THERE.answer(Tool(FIND.name, rows)).result == [{"stars": "3", "town": "Oslo"}, "city", None]
    assert THERE.answer(Tool(FIND.name, {"day": "Monday"})).result == {"night": "Monday"}
    assert THERE.answer(Tool(FIND.name, "city")).result == "city"


def test_an_error_names_what_the_agent_knows() -> None:
    told = "Hotels_1-Find: there is no argument 'town'; there are: city, day"
    said = "Hotels_11-Seek: there is no argument 'city'; there are: town, night"
    assert THERE.answer(Tool(FIND.name, error=told)).error == said
    unknown = Tool("Hotels_11-Seek", error="there is no tool 'Hotels_11-Seek'")
    assert THERE.answer(unknown) == Tool("Hotels_1-Find", error="there is no tool 'Hotels_1-Find'")


def test_words_are_not_renamed() -> None:
    said: list[Message] = [System("city"), User("Which city?"), Assistant("Hotels_1-Find in the city")]
    assert [THERE.message(message) for message in said] == said


def test_a_goal_is_renamed() -> None:
    goal = Goal((IntentGoal(FIND.name, {"city": ("Oslo",)}, ("day", "stars")),))
    renamed = THERE.trace(Trace(conversation_id="c", messages=(), goal=goal)).goal
    assert renamed == Goal((IntentGoal(SEEK.name, {"town": ("Oslo",)}, ("night", "stars")),))


@pytest.mark.parametrize(
    ("tool", "fact"),
    [(ToolSpec("Taxis_1-Ride"), "is not in the schema"), (ToolSpec(FIND.name, "Lose"), "is not what the schema says it is")],
)
def test_a_tool_that_the_schema_does_not_have_is_named(tool: ToolSpec, fact: str) -> None:
    with pytest.raises(DataError, match=f"tool '{tool.name}' {fact}; .* the trace's own split"):
        THERE.tools([BOOK, tool])


@given(conversations)
@example(Trace(conversation_id="c", messages=(Tool(FIND.name, error="city town day night evening Hotels_11-Seek"),)))
def test_what_was_renamed_is_given_back_whatever_it_was(trace: Trace) -> None:
    renamed = THERE.trace(trace)
    assert BACK.trace(renamed) == trace
    assert len(renamed.tools) == len(trace.tools)
    assert THERE.trace(BACK.trace(renamed)) == renamed


@given(traces.map(lambda trace: Trace(conversation_id=trace.conversation_id, messages=trace.messages, goal=trace.goal)))
def test_a_conversation_about_other_tools_stays_as_it_is(trace: Trace) -> None:
    assert THERE.trace(trace) == trace


@pytest.mark.parametrize("raw", ['{"' + '\\"' * 200_000, '{"city": ' * 100_000, '"' * 300_001, "{" + '"city":1,' * 50_000])
def test_endless_arguments_are_read_once(raw: str) -> None:
    made = ToolCall(FIND.name, raw)
    assert BACK.call(THERE.call(made)) == made
