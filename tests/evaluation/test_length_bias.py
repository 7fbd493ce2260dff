"""Does the judge reward length? The partial correlation, and where it says nothing."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

import scipy_reference
from agent_gym.errors import UsageError
from agent_gym.evaluation.length_bias import length_bias
from agent_gym.evaluation.resampling import Estimate


def answers(taste: float, n: int = 60, seed: int = 0) -> tuple[list[float], list[float], list[int]]:
    """Judge, truth and length; better answers are longer, and the judge likes length as much as `taste` says."""
    rng = random.Random(seed)
    truth = [rng.randrange(11) / 10 for _ in range(n)]
    lengths = [round(50 + 100 * score + rng.gauss(0, 40)) for score in truth]
    judge = [score + taste * length / 100 + rng.gauss(0, 0.1) for score, length in zip(truth, lengths, strict=True)]
    return judge, truth, lengths


@given(st.integers(0, 200), st.floats(-1, 1))
def test_it_is_the_correlation_of_what_the_truth_leaves_of_both(seed: int, taste: float) -> None:
    judge, truth, lengths = answers(taste, 20, seed)
    expected = scipy_reference.partial_spearman(judge, lengths, truth)
    assert length_bias(judge, truth, lengths, resamples=10).value == pytest.approx(expected, abs=1e-9)


def test_its_interval_is_that_of_scipys_bootstrap() -> None:
    judge, truth, lengths = answers(0.2)
    expected = scipy_reference.percentile_bootstrap(scipy_reference.partial_spearman, judge, lengths, truth, resamples=200)
    assert length_bias(judge, truth, lengths, resamples=200).interval == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("taste", "sign"), [(0.5, 1), (-0.5, -1)])
def test_a_taste_for_length_shows(taste: float, sign: int) -> None:
    interval = length_bias(*answers(taste)).interval
    assert interval is not None
    assert min(sign * end for end in interval) > 0.2


def test_that_better_answers_are_longer_is_no_bias() -> None:
    interval = length_bias(*answers(0.0)).interval
    assert interval is not None
    assert interval[0] < 0 < interval[1]


def test_a_judge_that_orders_as_the_truth_has_no_bias() -> None:
    _, truth, lengths = answers(0.0)
    assert length_bias([10 * score for score in truth], truth, lengths) == Estimate(0.0, (0.0, 0.0))


def test_where_nothing_can_be_told_it_is_none() -> None:
    judge, truth, lengths = answers(0.3)
    assert length_bias(judge, truth, truth).value is None
    assert length_bias([0.5] * 60, truth, lengths).value is None
    assert length_bias(judge, [0.5] * 60, lengths).value is None


def test_figures_of_different_examples_are_refused() -> None:
    with pytest.raises(UsageError, match="judge 2, truth 2, lengths 1"):
        length_bias([0.1, 0.2], [0.1, 0.2], [5])
