"""What the embedded engine does in a conversation about tables."""

import asyncio

import pytest

from agent_gym.lm.offline import OfflineModel
from agent_gym.lm.prompt import parse_action, render_action
from agent_gym.messages import Assistant, Message, Tool, ToolCall, User
from table_service import BOOK, FIND, PLAIN, ROWS, prompt

FOUND = (
    User("I want to eat Thai food in Oakland"),
    Assistant("", (ToolCall(FIND.name, '{"cuisine": "Thai", "city": "Oakland"}'),)),
    Tool(FIND.name, ROWS),
    Assistant("I found 2 places. How about Blue Heron in Oakland?"),
)
ORDER = User("Great, book it for 3 people next Friday at half past 7 in the evening")
READBACK = Assistant("Please confirm: Blue Heron on March 8th at 7:30 pm for 3 people.")
BOOKING = {"place_name": "Blue Heron", "date": "2019-03-08", "time": "19:30", "party_size": "3"}
CAREFUL = PLAIN + " Before you book, ask the user to confirm."


def act(*messages: Message, instruction: str = PLAIN, demos: list[dict[str, object]] | None = None) -> Assistant:
    request = prompt(*messages, instruction=instruction, demos=demos)
    return parse_action(asyncio.run(OfflineModel().complete(request)).text)


def called(action: Assistant) -> tuple[str, dict[str, str]]:
    (call,) = action.tool_calls
    return call.name, call.parsed()


def test_a_search_is_made_as_soon_as_it_can_be() -> None:
    assert called(act(User("I want to eat Thai food in Oakland"))) == (FIND.name, {"cuisine": "Thai", "city": "Oakland"})


def test_what_is_missing_is_asked_for() -> None:
    action = act(User("Find me a table in Oakland"))
    assert not action.tool_calls
    assert "cuisine" in action.content


def test_an_answer_to_a_question_fills_what_was_asked() -> None:
    action = act(User("Find me a table in Oakland"), Assistant("What kind of food?"), User("Thai please."))
    assert called(action) == (FIND.name, {"cuisine": "Thai", "city": "Oakland"})


def test_a_result_is_told_and_not_asked_for_again() -> None:
    action = act(*FOUND[:3])
    assert not action.tool_calls
    assert "Blue Heron" in action.content


def test_a_question_about_the_option_in_view_is_answered_from_the_result() -> None:
    assert "555-0101" in act(*FOUND, User("What is their phone number?")).content


def test_another_option_is_offered_without_another_call() -> None:
    action = act(*FOUND, User("Is there anything else?"))
    assert not action.tool_calls
    assert "Lotus Root" in action.content


def test_a_new_wish_is_searched_for() -> None:
    action = act(*FOUND, User("I would prefer one with outdoor seating"))
    assert called(action) == (FIND.name, {"cuisine": "Thai", "city": "Oakland", "outdoor_seating": "True"})


def test_without_a_word_about_it_a_booking_is_made_at_once() -> None:
    assert called(act(*FOUND, ORDER)) == (BOOK.name, BOOKING)


def test_an_instruction_to_confirm_is_followed() -> None:
    action = act(*FOUND, ORDER, instruction=CAREFUL)
    assert not action.tool_calls
    assert all(word in action.content for word in ("confirm", "Blue Heron", "March 8th", "7:30 pm"))


def test_the_booking_is_made_when_the_user_agrees() -> None:
    assert called(act(*FOUND, ORDER, READBACK, User("Yes, that's right."), instruction=CAREFUL)) == (BOOK.name, BOOKING)


def test_a_correction_is_not_an_agreement() -> None:
    action = act(*FOUND, ORDER, READBACK, User("No, make it for 4 people"), instruction=CAREFUL)
    assert not action.tool_calls
    assert "4" in action.content


def worked(*before: Message, action: Assistant) -> dict[str, object]:
    return {
        "conversation": [{"role": turn.role, "content": turn.content} for turn in prompt(*before).turns[1:]],
        "action": render_action(action),
    }


def test_a_worked_example_teaches_to_confirm_first() -> None:
    booked = Assistant("", (ToolCall("Cars_3-ReserveCar", '{"car": "Beetle", "day": "2019-03-05"}'),))
    asked = Assistant("Please confirm: a Beetle on March 5th. Is that right?")
    demo = worked(User("Reserve the Beetle on March 5th"), asked, User("Yes"), action=booked)
    action = act(*FOUND, ORDER, demos=[demo])
    assert not action.tool_calls
    assert "confirm" in action.content


def test_a_worked_example_teaches_to_send_defaults() -> None:
    order = User("Book Blue Heron next Friday at 7 pm")
    booked = Assistant("", (ToolCall("Cars_3-ReserveCar", '{"car": "Beetle", "seats": "4"}'),))
    demo = worked(User("Reserve the Beetle"), action=booked)
    assert "party_size" not in called(act(*FOUND, order))[1]
    assert called(act(*FOUND, order, demos=[demo]))[1]["party_size"] == "2"


def test_thanks_end_the_conversation() -> None:
    action = act(*FOUND, User("No thanks, that's all. Bye"))
    assert not action.tool_calls
    assert "day" in action.content


def test_equal_requests_have_equal_answers() -> None:
    request = prompt(*FOUND, ORDER)
    first, second = (asyncio.run(OfflineModel().complete(request)) for _ in range(2))
    assert first == second
    assert first.prompt_tokens == sum(len(turn.content) for turn in request.turns) // 4
    assert first.completion_tokens == len(first.text) // 4


@pytest.mark.parametrize("words", ["", "🙂", '{"tool_calls": [', "Result of nothing", "a" * 5000, "12 12 12", "?!"])
def test_strange_words_get_an_answer(words: str) -> None:
    assert act(User(words)).content or act(User(words)).tool_calls
