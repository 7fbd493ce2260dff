"""Tasks: each user turn of a conversation and what the recorded system then did."""

import copy

from hypothesis import given

from agent_gym.messages import Assistant, Message, Tool, ToolCall, User
from agent_gym.traces import Trace
from agent_gym.traces.task import reply_of, tasks_of
from strategies import traces

FIND, BOOK = ToolCall("Hotels_1-Find", '{"city":"Oslo"}'), ToolCall("Buses_2-Book")
HOTELS, DONE = Tool("Hotels_1-Find", [{"name": "Astoria"}]), Tool("Buses_2-Book", [])
MESSAGES: tuple[Message, ...] = (
    User("Hello"),
    Assistant("Which city?"),
    User("Oslo"),
    Assistant("", (FIND,)),
    HOTELS,
    Assistant("There is the Astoria."),
    User("Get me a bus."),
    Assistant("", (BOOK,)),
    DONE,
    Assistant("Done."),
    User("Thanks"),
    Assistant("Bye"),
    User("..."),
)
TRACE = Trace(conversation_id="dev/7", messages=MESSAGES, metadata={"date": "2019-03-01"})


def test_every_answered_turn_is_a_task() -> None:
    assert [task.id for task in tasks_of(TRACE)] == ["dev/7#0", "dev/7#2", "dev/7#6", "dev/7#10"]


def test_a_task_holds_what_was_said_and_what_the_system_then_did() -> None:
    task = list(tasks_of(TRACE))[1]
    assert task.prompt == MESSAGES[:3]
    assert task.expected == MESSAGES[3:6]
    assert (task.expected_calls, task.expected_reply) == ([FIND], "There is the Astoria.")
    assert task.today == "2019-03-01"


def test_a_turn_is_about_the_service_called_next_else_last() -> None:
    assert [task.service for task in tasks_of(TRACE)] == ["Hotels_1", "Hotels_1", "Buses_2", "Buses_2"]


def test_a_tool_outside_sgd_is_its_own_service() -> None:
    trace = Trace(conversation_id="c", messages=(User("Hi"), Assistant("", (ToolCall("lookup_order"),)), Assistant("Sent.")))
    assert [task.service for task in tasks_of(trace)] == ["lookup_order"]


def test_the_reply_is_the_last_that_was_said() -> None:
    assert reply_of((Assistant("Let me look.", (FIND,)), HOTELS, Assistant("One."), Assistant("", (BOOK,)))) == "One."
    assert reply_of(()) == ""


def test_a_task_is_shown_without_its_conversation_and_never_copied() -> None:
    task = next(tasks_of(TRACE))
    assert repr(task) == "Task('dev/7#0')"
    assert copy.deepcopy(task) is task


@given(traces)
def test_tasks_part_a_conversation_without_loss(trace: Trace) -> None:
    tasks = list(tasks_of(trace))
    for task in tasks:
        assert isinstance(task.prompt[-1], User)
        assert task.expected
        assert not any(isinstance(message, User) for message in task.expected)
        assert task.prompt + task.expected == trace.messages[: task.end]
    behind = [message for task in tasks for message in task.expected]
    first = next((index for index, message in enumerate(trace.messages) if isinstance(message, User)), len(trace.messages))
    assert behind == [message for message in trace.messages[first:] if not isinstance(message, User)]
