"""Words shared by words used."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_gym.messages import Assistant, ToolCall
from agent_gym.metrics import ResponseSimilarity
from agent_gym.metrics.similarity import jaccard
from agent_gym.traces import Trace
from agent_gym.traces.task import Task
from strategies import one_turn, played, tasks


@pytest.mark.parametrize(
    ("one", "other", "share"),
    [
        ("Here you are.", "here YOU are!", 1.0),
        ("a b c", "b c d", 2 / 4),
        ("a a a b", "a b b", 1.0),
        ("a", "b", 0.0),
        ("a", "", 0.0),
        ("", "", 1.0),
        ("?", "!", 1.0),
        ("Große Straße", "grosse strasse", 1.0),
    ],
)
def test_similarity_is_the_share_of_words_in_common(one: str, other: str, share: float) -> None:
    assert jaccard(one, other) == share


@given(st.text(), st.text())
def test_similarity_is_a_share_and_does_not_mind_the_order(one: str, other: str) -> None:
    assert 0.0 <= jaccard(one, other) == jaccard(other, one) <= 1.0
    assert jaccard(one, one) == 1.0


@given(tasks)
def test_what_was_recorded_is_alike(task: Task) -> None:
    assert ResponseSimilarity().score(task, task.trace).value == 1.0


def test_the_last_words_count() -> None:
    task = one_turn(reply="All booked.")
    trace = Trace(conversation_id="c", messages=(*task.prompt, Assistant("Wait.", (ToolCall("x"),)), Assistant("All booked.")))
    assert ResponseSimilarity().score(task, trace).value == 1.0


def test_the_reason_shows_both() -> None:
    task = one_turn(reply="All booked.")
    assert ResponseSimilarity().score(task, played(task, reply="No.")).reason == "Expected the reply 'All booked.', got 'No.'."
    assert ResponseSimilarity().score(task, played(task, reply="All booked.")).reason == ""
