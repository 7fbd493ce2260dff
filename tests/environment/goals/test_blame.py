"""Whose fault a failed episode was."""

from typing import Any

import msgspec

from agent_gym.environment.goals.blame import blame
from agent_gym.messages import Assistant, Message, Tool, User
from agent_gym.traces import Trace
from conversations import BOOKED, RIGHT, TASK
from table_service import BOOK

HELLO = User("I want Thai food in Oakland.")
WISH = User("Book Blue Heron for next Friday at 7 pm, please. What is their phone number?")


def episode(*messages: Message, error: str | None = None, **metadata: Any) -> Trace:
    return msgspec.structs.replace(TASK, messages=messages, metadata={**TASK.metadata, **metadata}, error=error)


def test_nobody_is_blamed_for_a_success() -> None:
    assert blame(TASK, TASK) == ""


def test_what_broke_is_known_already() -> None:
    assert blame(TASK, episode(HELLO, error="no answer", fault="endpoint")) == "endpoint"


def test_an_agent_that_does_nothing_is_at_fault() -> None:
    assert blame(TASK, episode(HELLO, Assistant("ok"), WISH, Assistant("ok"), ended="patience")) == "agent"


def test_a_right_call_without_an_answer_is_the_tools_fault() -> None:
    for answer in (Tool(BOOK.name, error="out of order", call_id="call_1"), Tool(BOOK.name, [], call_id="call_1")):
        tried = episode(*TASK.messages[:3], RIGHT[1], WISH, Assistant("", (BOOKED,)), answer, Assistant("Sorry."))
        assert blame(TASK, tried) == "tool"


def test_a_user_that_leaves_content_without_having_asked_is_at_fault() -> None:
    booked = episode(HELLO, Assistant("", (BOOKED,)), Tool(BOOK.name, [{}], call_id="call_1"), Assistant("Done."), ended="goal")
    assert blame(TASK, booked) == "user"
    asked = msgspec.structs.replace(booked, metadata={**booked.metadata, "acts": [["REQUEST Tables_1.phone_number"]]})
    assert blame(TASK, asked) == "agent"


def test_a_user_that_leaves_content_without_having_said_a_value_is_at_fault() -> None:
    silent = episode(HELLO, Assistant("Their phone number is 555-0101."), User("What is the phone number? Bye."), ended="goal")
    assert blame(TASK, silent) == "user"


def test_a_user_that_dodges_a_question_is_at_fault() -> None:
    dodged = episode(HELLO, Assistant("What time would you like?"), User("Thai food."), Assistant("ok"), ended="patience")
    assert blame(TASK, dodged) == "user"
    answered = episode(HELLO, Assistant("What time would you like?"), User("At 7 pm."), Assistant("ok"), ended="patience")
    assert blame(TASK, answered) == "agent"
