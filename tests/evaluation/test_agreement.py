"""Agreement of a judge with the truth: SciPy's figures, in the sample and in every resample."""

import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

import scipy_reference
from agent_gym.errors import UsageError
from agent_gym.evaluation import agreement
from agent_gym.evaluation.agreement import auc, kendall, spearman
from agent_gym.evaluation.resampling import Estimate

# Few values, so that ties are everywhere.
figures = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=25)
Measure = Callable[..., Estimate]
CORRELATIONS = {"spearman": (spearman, scipy_reference.spearman), "kendall": (kendall, scipy_reference.kendall)}


def judged(n: int, seed: int = 0) -> tuple[list[float], list[float]]:
    """Truth on a fine scale, a judge on a coarse one."""
    rng = random.Random(seed)
    truth = [rng.random() for _ in range(n)]
    return [round(10 * score + rng.gauss(0, 2)) / 10 for score in truth], truth


@pytest.mark.parametrize("name", CORRELATIONS)
@given(figures)
def test_a_rank_correlation_is_scipys(name: str, pairs: list[tuple[int, int]]) -> None:
    ours, theirs = CORRELATIONS[name]
    one, other = [left for left, _ in pairs], [right for _, right in pairs]
    found = ours(one, other, resamples=10).value
    if len({*one}) == 1 or len({*other}) == 1:
        assert found is None
    else:
        assert found == pytest.approx(theirs(one, other), abs=1e-12)


@pytest.mark.parametrize("name", CORRELATIONS)
def test_the_interval_of_a_rank_correlation_is_scipys(name: str) -> None:
    ours, theirs = CORRELATIONS[name]
    one, other = judged(40)
    expected = scipy_reference.percentile_bootstrap(theirs, one, other, resamples=300, seed=2)
    assert ours(one, other, resamples=300, seed=2).interval == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("measure", [spearman, kendall])
@given(figures)
def test_only_the_order_counts(measure: Measure, pairs: list[tuple[int, int]]) -> None:
    one, other = [left for left, _ in pairs], [right for _, right in pairs]
    found = measure(one, other, resamples=20)
    assert measure([3.0**value for value in one], other, resamples=20) == found
    assert measure(other, one, resamples=20).value == pytest.approx(found.value)


@pytest.mark.parametrize("measure", [spearman, kendall])
def test_a_judge_that_orders_as_the_truth_agrees_wholly(measure: Measure) -> None:
    truth = [0.1, 0.4, 0.4, 0.9]
    assert measure([score**3 for score in truth], truth).value == pytest.approx(1)
    assert measure([-score for score in truth], truth).value == pytest.approx(-1)


def test_kendall_made_in_stripes_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = judged(60)
    whole = kendall(one, other, resamples=50)
    monkeypatch.setattr(agreement, "BLOCK", 30)
    assert kendall(one, other, resamples=50) == whole


@given(figures)
def test_the_auc_is_that_of_mann_and_whitney(pairs: list[tuple[int, int]]) -> None:
    scores, passed = [left for left, _ in pairs], [right > 2 for _, right in pairs]
    found = auc(scores, passed, resamples=10).value
    if found is None:
        assert len({*passed}) == 1
    else:
        assert found == pytest.approx(scipy_reference.auc(scores, passed), abs=1e-12)
        assert auc([-score for score in scores], passed, resamples=10).value == pytest.approx(1 - found)


def test_the_interval_of_the_auc_is_scipys() -> None:
    scores, truth = judged(40)
    passed = [score > 0.5 for score in truth]
    expected = scipy_reference.percentile_bootstrap(scipy_reference.auc, scores, passed, resamples=300, seed=2)
    assert auc(scores, passed, resamples=300, seed=2).interval == pytest.approx(expected, abs=1e-12)


def test_a_score_that_separates_has_an_auc_of_one_in_every_resample() -> None:
    assert auc([0.1, 0.2, 0.8, 0.9], [False, False, True, True]) == Estimate(1.0, (1.0, 1.0))


def test_a_verdict_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match=r"passed\[1\] is 0.7, neither pass nor fail: give True or False"):
        auc([0.1, 0.2], [True, 0.7])  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("measure", [spearman, kendall, auc])
def test_figures_of_different_examples_are_refused(measure: Measure) -> None:
    with pytest.raises(UsageError, match="not of the same examples"):
        measure([0.1, 0.2], [True])
    with pytest.raises(UsageError, match="give at least 1"):
        measure([], [])
