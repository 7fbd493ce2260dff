"""The recorded turns nearest to a conversation: by their words, by the question they answer, one of each conversation."""

import math
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_gym.messages import Assistant, Message, User
from agent_gym.traces import SGDLoader, Trace
from agent_gym.traces.retrieval import K1, B, TurnIndex
from agent_gym.traces.task import tasks_of

SAID = {
    "cancel": ("I was cancelling my plan", "Shall I cancel it?", "Yes", "It is cancelled."),
    "refund": ("My parcel is lost", "Shall I refund it?", "Yes", "The money is sent."),
    "order": ("Where is order A-1042?", "On its way.", "Fine", "Bye."),
}


def talk(name: str, *words: str) -> Trace:
    """A conversation in which user and assistant take turns."""
    return Trace(conversation_id=name, messages=messages(*words))


def messages(*words: str) -> tuple[Message, ...]:
    return tuple(Assistant(text) if at % 2 else User(text) for at, text in enumerate(words))


def found(index: TurnIndex, *words: str, k: int = 4) -> list[str]:
    return [neighbour.task.id for neighbour in index.nearest(messages(*words), k)]


@pytest.fixture(scope="module")
def index() -> TurnIndex:
    return TurnIndex([talk(name, *words) for name, words in SAID.items()])


def test_forms_of_a_word_are_one_word(index: TurnIndex) -> None:
    assert found(index, "Please CANCEL everything") == ["cancel#0"]


def test_yes_means_what_was_asked_before_it(index: TurnIndex) -> None:
    assert found(index, "Hello", "Shall I refund it?", "yes", k=1) == ["refund#2"]
    assert found(index, "Hello", "Shall I cancel it?", "yes", k=1) == ["cancel#2"]


def test_an_order_number_is_compared_whole(index: TurnIndex) -> None:
    assert found(index, "1042") == ["order#0"]
    assert found(index, "10427") == []


def test_a_conversation_is_found_once_with_its_nearest_turn(index: TurnIndex) -> None:
    assert found(index, "My parcel was lost", "Shall I refund it?", "Yes", k=2) == ["refund#2", "cancel#2"]


def test_what_shares_no_word_is_not_found(index: TurnIndex) -> None:
    assert found(index, "Guten Tag") == []
    assert found(index, "") == []


def test_no_more_are_found_than_asked_for(index: TurnIndex) -> None:
    assert len(found(index, "Is it my parcel or my plan?", k=1)) == 1
    assert found(index, "my plan", k=0) == []


def test_equally_near_turns_come_as_they_were_recorded() -> None:
    index = TurnIndex([talk(name, "The same", "Yes.") for name in "bcad"])
    assert found(index, "same", k=3) == ["b#0", "c#0", "a#0"]


def test_a_turn_that_nobody_answered_is_not_found() -> None:
    index = TurnIndex([talk("a", "Nobody answers this")])
    assert len(index) == 0
    assert found(index, "Nobody") == []


def test_an_index_of_nothing_finds_nothing() -> None:
    assert found(TurnIndex([]), "Anything") == []


WORDS = st.lists(st.sampled_from(["red", "green", "blue", "grey"]), min_size=1, max_size=4).map(" ".join)


@given(st.lists(WORDS, min_size=1, max_size=6), WORDS)
def test_the_score_is_bm25(texts: list[str], question: str) -> None:
    index = TurnIndex([talk(str(number), text, "Yes.") for number, text in enumerate(texts)])
    scores = {one.task.trace.conversation_id: one.score for one in index.nearest(messages(question), len(texts))}
    bags = [Counter(text.split() * 2) for text in texts]
    mean = sum(bag.total() for bag in bags) / len(bags)
    for number, bag in enumerate(bags):
        expected = sum(
            2 * times * rarity(term, bags) * bag[term] * (K1 + 1) / (bag[term] + K1 * (1 - B + B * bag.total() / mean))
            for term, times in Counter(question.split()).items()
        )
        assert scores.get(str(number), 0.0) == pytest.approx(expected, rel=1e-5)


def rarity(term: str, bags: list[Counter[str]]) -> float:
    holding = sum(term in bag for bag in bags)
    return math.log(1 + (len(bags) - holding + 0.5) / (holding + 0.5))


@given(
    st.lists(st.lists(WORDS, min_size=2, max_size=5), max_size=5), st.lists(WORDS, min_size=1, max_size=3), st.integers(0, 5)
)
def test_fewer_neighbours_are_the_first_of_more(talks: list[list[str]], question: list[str], k: int) -> None:
    index = TurnIndex([talk(str(number), *words) for number, words in enumerate(talks)])
    more = index.nearest(messages(*question), k + 1)
    assert index.nearest(messages(*question), k) == more[:k]
    assert [one.score for one in more] == sorted((one.score for one in more), reverse=True)


def test_neighbours_are_mostly_about_the_same_of_eight_services(sample: Path) -> None:
    index = TurnIndex(SGDLoader(sample).load("train"))
    known = {task.service for task in index.turns}
    asked = [task for trace in SGDLoader(sample).load("dev") for task in tasks_of(trace) if task.service in known]
    near = [one.task.service == task.service for task in asked for one in index.nearest(task.prompt, 4)]
    assert len(near) > 100
    assert sum(near) / len(near) > 0.6
