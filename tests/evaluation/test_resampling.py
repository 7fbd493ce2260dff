"""The one bootstrap: draws like SciPy's, honest about what is undefined."""

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import scipy_reference
from agent_gym.errors import UsageError
from agent_gym.evaluation import resampling
from agent_gym.evaluation.resampling import Estimate, columns, counts, draws, estimate, interval, numbers


def mean_of(values: list[float]) -> resampling.Statistic:
    sample = numpy.array(values)
    return lambda drawn: drawn @ sample / drawn.sum(axis=1)


def test_a_mean_and_its_interval_are_scipys() -> None:
    values = [0.1, 0.9, 0.4, 0.4, 0.7, 0.2, 1.0]
    found = estimate(mean_of(values), len(values), resamples=999, seed=3)
    low, high = scipy_reference.percentile_bootstrap(numpy.mean, values, resamples=999, seed=3)
    assert found.value == pytest.approx(numpy.mean(values), abs=1e-15)
    assert found.interval == pytest.approx((low, high), abs=1e-12)


@given(n=st.integers(1, 300), resamples=st.integers(1, 40), seed=st.integers(0, 99))
def test_each_resample_draws_as_many_as_there_are(n: int, resamples: int, seed: int) -> None:
    rows = numpy.concatenate([counts(picks, n) for picks in draws(n, resamples, seed)])
    assert rows.shape == (resamples, n)
    assert (rows.sum(axis=1) == n).all()


def test_the_size_of_a_block_changes_no_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = numpy.concatenate([*draws(7, 50, 1)])
    monkeypatch.setattr(resampling, "BLOCK", 20)
    assert (numpy.concatenate([*draws(7, 50, 1)]) == whole).all()


def test_counts_tell_how_often_each_was_drawn() -> None:
    assert counts(numpy.array([[0, 0, 2], [1, 2, 1]]), 3).tolist() == [[2, 0, 1], [0, 2, 1]]


def test_what_is_undefined_is_none() -> None:
    def nothing(drawn: NDArray[numpy.float64]) -> NDArray[numpy.float64]:
        return numpy.full(len(drawn), numpy.nan)

    assert estimate(nothing, 5) == Estimate(None, None)


def test_resamples_that_are_undefined_are_left_out_until_they_are_half() -> None:
    assert interval(numpy.array([1.0, 1.0, numpy.nan])) == (1.0, 1.0)
    assert interval(numpy.array([1.0, numpy.nan])) is None


@pytest.mark.parametrize("level", [0.0, 1.0, 95.0, float("nan")])
def test_a_level_that_is_no_share_is_refused(level: float) -> None:
    with pytest.raises(UsageError, match="level must lie between 0 and 1"):
        estimate(mean_of([1.0, 2.0]), 2, level=level)


def test_nothing_to_resample_is_refused() -> None:
    with pytest.raises(UsageError, match="no examples to resample: give at least 1"):
        estimate(mean_of([]), 0)
    with pytest.raises(UsageError, match="resamples must be 1 or more, got 0"):
        estimate(mean_of([1.0]), 1, resamples=0)


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), None, "good", [0.1]])
def test_what_is_no_finite_number_is_named_and_refused(wrong: object) -> None:
    values: list[float] = [0.5, wrong]  # pyright: ignore[reportAssignmentType]
    with pytest.raises(UsageError, match=r"scores(\[1\] is (nan|inf|None))? ?.*give .*number"):
        numbers("scores", values)


def test_figures_of_different_examples_are_refused() -> None:
    with pytest.raises(UsageError, match="judge 2, truth 1"):
        columns(judge=[0.1, 0.2], truth=[0.3])
