"""A prompt is read back as it was written; another prompt is not taken for ours."""

from datetime import date

from agent_gym.lm.base import Turn
from agent_gym.lm.offline.reading import Called, Example, Got, Said, read, read_examples
from agent_gym.lm.prompt import render_action, render_examples
from agent_gym.messages import Assistant, Tool, ToolCall, User
from table_service import BOOK, FIND, PLAIN, ROWS, prompt

CALL = ToolCall(FIND.name, '{"cuisine": "Thai", "city": "Oakland"}')


def test_every_part_of_a_prompt_is_found() -> None:
    reading = read(prompt(User("Thai in Oakland"), Assistant("", (CALL,)), Tool(FIND.name, ROWS[:1])).turns)
    assert reading is not None
    assert reading.static.instruction == PLAIN
    assert reading.static.today == date(2019, 3, 1)
    assert [(tool.name, tool.transactional) for tool in reading.static.tools] == [(FIND.name, False), (BOOK.name, True)]
    assert reading.events == (
        Said("user", "Thai in Oakland"),
        Called(FIND.name, {"cuisine": "Thai", "city": "Oakland"}),
        Got(FIND.name, (ROWS[0],), "", (("Blue Heron", "Oakland", "Thai", "555-0101"),), 1),
    )


def test_an_option_that_means_any_is_no_option() -> None:
    reading = read(prompt(User("Hi")).turns)
    assert reading is not None
    assert reading.static.tools[0].params["outdoor_seating"].kind == "bool"


def test_an_error_of_a_tool_is_read_as_one() -> None:
    reading = read(prompt(User("Hi"), Assistant("", (CALL,)), Tool(FIND.name, error="closed")).turns)
    assert reading is not None
    assert reading.events[-1] == Got(FIND.name, (), "closed")


def test_worked_examples_are_read_with_their_calls() -> None:
    demo = {"conversation": [{"role": "user", "content": "Thai in Oakland"}], "action": render_action(Assistant("", (CALL,)))}
    assert read_examples(render_examples([demo])) == (
        Example((Said("user", "Thai in Oakland"),), (Called(FIND.name, {"cuisine": "Thai", "city": "Oakland"}),)),
    )


def test_the_rows_that_a_worked_example_leaves_out_are_counted() -> None:
    conversation = [{"role": turn.role, "content": turn.content} for turn in prompt(Tool(FIND.name, ROWS * 3)).turns[1:]]
    (example,) = read_examples(render_examples([{"conversation": conversation, "action": "Blue Heron is nice."}]))
    (got,) = example.events
    assert isinstance(got, Got)
    assert (len(got.rows), got.total) == (2, 6)


def test_a_worked_example_may_be_written_as_lines() -> None:
    text = '<example>\n{"conversation": "User: Hi\\nAssistant: Hello", "action": "Bye"}\n</example>'
    assert read_examples(text) == (Example((Said("user", "Hi"), Said("assistant", "Hello")), (Said("assistant", "Bye"),)),)


def test_a_prompt_that_is_not_ours_is_left_alone() -> None:
    assert read((Turn("system", "Your output fields are:\n1. `answer` (str):"), Turn("user", "Hi"))) is None
    assert read(()) is None
