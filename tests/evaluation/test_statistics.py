"""Laws of the bootstrap interval."""

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_gym.evaluation import bootstrap_interval

scores = st.lists(st.floats(0, 1), min_size=1, max_size=40)


@given(scores)
def test_the_interval_lies_within_the_scores(values: list[float]) -> None:
    low, high = bootstrap_interval(values)
    assert min(values) - 1e-12 <= low <= high <= max(values) + 1e-12


@given(scores)
def test_equal_scores_give_equal_intervals(values: list[float]) -> None:
    assert bootstrap_interval(values) == bootstrap_interval([*values])


@given(scores, st.floats(-3, 3), st.floats(0.1, 3))
def test_the_interval_moves_and_stretches_with_the_scores(values: list[float], shift: float, scale: float) -> None:
    expected = tuple(shift + scale * end for end in bootstrap_interval(values))
    assert bootstrap_interval([shift + scale * value for value in values]) == pytest.approx(expected, abs=1e-9)


@given(scores, st.floats(0.5, 0.9))
def test_a_higher_level_gives_a_wider_interval(values: list[float], level: float) -> None:
    low, high = bootstrap_interval(values, level=level)
    wide_low, wide_high = bootstrap_interval(values, level=level + 0.09)
    assert wide_low <= low <= high <= wide_high


@given(st.floats(0, 1), st.integers(1, 50))
def test_a_score_that_never_varies_is_sure(value: float, times: int) -> None:
    assert bootstrap_interval([value] * times) == pytest.approx((value, value))


def test_more_of_the_same_scores_make_the_interval_narrower() -> None:
    few, many = bootstrap_interval([0.0, 1.0] * 10), bootstrap_interval([0.0, 1.0] * 200)
    assert many[1] - many[0] < few[1] - few[0]


def test_it_agrees_with_the_normal_interval_where_that_holds() -> None:
    values = [((7 * number) % 101) / 101 for number in range(400)]
    mean, margin = statistics.fmean(values), 1.96 * statistics.stdev(values) / len(values) ** 0.5
    assert bootstrap_interval(values) == pytest.approx((mean - margin, mean + margin), abs=0.004)


def test_no_scores_give_nothing() -> None:
    assert bootstrap_interval([]) == (0.0, 0.0)
