"""A judge's rate, corrected by its error on other runs."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_gym.errors import UsageError
from agent_gym.evaluation.corrected import transferred_rate

scores = st.lists(st.floats(0, 1), min_size=2, max_size=30)
BIASED = [(0.75, 0.5), (0.5, 0.25), (1.0, 0.75), (0.25, 0.0)]


@given(scores, st.lists(st.floats(0, 1), min_size=3, max_size=30))
def test_a_perfect_judge_is_believed(judged: list[float], truth: list[float]) -> None:
    found = transferred_rate(judged, [(one, one) for one in truth])
    assert found.value == pytest.approx(sum(judged) / len(judged))
    assert found.interval[0] <= found.value <= found.interval[1]


def test_a_constant_bias_is_taken_off_whatever_the_other_runs_were_worth() -> None:
    assert transferred_rate([0.75, 0.75, 0.75], BIASED).value == pytest.approx(0.5)
    assert transferred_rate([0.5, 0.5, 0.5], BIASED).value == pytest.approx(0.25)


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    rng = random.Random(1)

    def rollout(rate: float) -> tuple[float, float]:
        truth = float(rng.random() < rate)
        return min(1.0, max(0.0, 0.2 + 0.6 * truth + rng.uniform(-0.2, 0.2))), truth

    held = 0
    for _ in range(400):
        # The judge errs alike on both, and both pass alike often: what the method asks for.
        found = transferred_rate([rollout(0.6)[0] for _ in range(80)], [rollout(0.6) for _ in range(80)])
        held += found.interval[0] <= 0.6 <= found.interval[1]
    assert 0.92 <= held / 400 <= 0.98


@pytest.mark.parametrize(("judged", "labelled"), [([0.5], BIASED), ([0.5, 0.5], BIASED[:2]), ([0.5, 7.0], BIASED)])
def test_what_cannot_be_corrected_is_refused(judged: list[float], labelled: list[tuple[float, float]]) -> None:
    with pytest.raises(UsageError):
        transferred_rate(judged, labelled)
