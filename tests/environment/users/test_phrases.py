"""How people say what they mean, made from what others said."""

import random

import pytest

from agent_gym.environment.users.phrases import AGAIN, Meant, PhraseBook
from agent_gym.environment.users.plain import plain
from agent_gym.traces.sgd_acts import Act, ActedFrame, Span, SpokenTurn

BOOK = "Tables_1-BookTable"
TWO = Meant("INFORM", BOOK, "party_size", "two", "2")
SEVEN = Meant("INFORM", BOOK, "time", "7 pm", "19:00")


def turn(text: str, *acts: Act, service: str = "Tables_2", spans: tuple[tuple[str, str], ...] = ()) -> SpokenTurn:
    places = tuple(Span(slot, text.index(value), text.index(value) + len(value)) for slot, value in spans)
    return SpokenTurn(text, (ActedFrame(service, acts),), places)


AT_NOON = turn("Make it noon, please.", Act("INFORM", "time", ("noon",), ("12:00",)), spans=(("time", "noon"),))


def said(book: PhraseBook, *meant: Meant, seed: int = 0) -> str:
    return book.say(meant, random.Random(seed))


def test_a_value_takes_the_place_of_another() -> None:
    assert said(PhraseBook([AT_NOON]), SEVEN) == "Make it 7 pm, please."


def test_a_value_that_is_said_without_a_span_is_found_by_its_words() -> None:
    book = PhraseBook([turn("I need a Thai place.", Act("INFORM", "cuisine", ("Thai",), ("Thai",)))])
    assert said(book, Meant("INFORM", BOOK, "cuisine", "Greek", "Greek")) == "I need a Greek place."


def test_a_yes_is_not_said_like_a_no() -> None:
    book = PhraseBook([turn("It must be outdoors.", Act("INFORM", "outdoors", ("True",), ("True",)))])
    assert said(book, Meant("INFORM", BOOK, "outdoors", "True", "True")) == "It must be outdoors."
    assert said(book, Meant("INFORM", BOOK, "outdoors", "False", "False")) == plain("INFORM", BOOK, "outdoors", "False", "")


def test_what_nobody_said_at_once_is_said_in_parts() -> None:
    size = turn("We are four, so 4 seats.", Act("INFORM", "party_size", ("4",), ("4",)), spans=(("party_size", "4"),))
    book = PhraseBook([AT_NOON, size, turn("For us 3, then.", Act("INFORM", "party_size", ("3",), ("3",)))])
    assert said(book, SEVEN, TWO) == "Make it 7 pm, please. For us two, then."


def test_what_nobody_ever_said_is_put_plainly() -> None:
    assert said(PhraseBook(), Meant("INFORM_INTENT", BOOK), TWO) == "I would like to book table. The party size should be two."
    assert said(PhraseBook(), Meant("REQUEST", BOOK, "phone_number")) == "Can you tell me the phone number?"


def test_a_phrase_with_something_of_its_own_conversation_is_left_out() -> None:
    told = [
        turn("Noon at Sino, table 4.", Act("INFORM", "time", ("Noon",), ("12:00",)), spans=(("time", "Noon"),)),
        turn("Use {time}.", Act("INFORM", "time", ("x",), ("x",))),
    ]
    assert len(PhraseBook(told)) == 0


def test_a_wish_that_is_tried_again_is_said_so() -> None:
    first = turn("I want to book a table.", Act("INFORM_INTENT", "intent", ("BookTable",)))._replace(first=True)
    again = turn("Please try to book it again.", Act("INFORM_INTENT", "intent", ("BookTable",)))._replace(again=True)
    book = PhraseBook([first, again])
    assert said(book, Meant("INFORM_INTENT", BOOK)) == "I want to book a table."
    assert said(book, Meant("INFORM_INTENT", BOOK, meaning=AGAIN)) == "Please try to book it again."


def test_a_correction_does_not_turn_the_agent_down() -> None:
    book = PhraseBook([turn("No, thank you.", Act("NEGATE")), AT_NOON])
    assert said(book, Meant("NEGATE")) == "No, thank you."
    assert said(book, Meant("NEGATE"), SEVEN) == "No. Make it 7 pm, please."


def test_the_seed_decides() -> None:
    book = PhraseBook([turn(f"Make it {word} noon.", AT_NOON.frames[0].acts[0], spans=(("time", "noon"),)) for word in "ab"])
    assert {said(book, SEVEN, seed=seed) for seed in range(20)} == {"Make it a 7 pm.", "Make it b 7 pm."}
    assert said(book, SEVEN, seed=3) == said(book, SEVEN, seed=3)


@pytest.mark.parametrize(
    ("act", "slot", "value", "expected"),
    [
        ("REQUEST", "is_unisex", "", "Is it unisex?"),
        ("REQUEST", "has_wifi", "", "What about wifi?"),
        ("INFORM", "has_wifi", "False", "Wifi: no."),
        ("INFORM", "cuisine", "dontcare", "I don't care about the cuisine."),
        ("SELECT", "place_name", "Sino", "I would like Sino."),
        ("NEGATE_INTENT", "", "", "No, not now."),
        ("WAVE", "", "", "Okay."),
    ],
)
def test_plain_words(act: str, slot: str, value: str, expected: str) -> None:
    assert plain(act, BOOK, slot, value, value) == expected
