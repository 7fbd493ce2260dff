"""pass^k and a judge's agreement with itself."""

import itertools
import random

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

import scipy_reference
from agent_gym.errors import UsageError
from agent_gym.evaluation.reliability import pass_hat_k, self_consistency
from agent_gym.evaluation.resampling import Estimate

runs = st.lists(st.lists(st.booleans(), min_size=4, max_size=7), min_size=1, max_size=8)
scores = st.integers(0, 10).map(lambda value: value / 10)
asked = st.lists(st.lists(scores, min_size=2, max_size=4), min_size=1, max_size=8)


@given(runs, st.integers(1, 4))
def test_pass_hat_k_is_the_share_of_choices_of_k_tries_that_all_succeed(tasks: list[list[bool]], k: int) -> None:
    shares = [numpy.mean([all(chosen) for chosen in itertools.combinations(tries, k)]) for tries in tasks]
    assert pass_hat_k(tasks, k, resamples=5).value == pytest.approx(numpy.mean(shares))


@given(runs)
def test_more_tries_in_a_row_never_succeed_more_often(tasks: list[list[bool]]) -> None:
    found = [pass_hat_k(tasks, k, resamples=5).value or 0.0 for k in (1, 2, 3, 4)]
    assert found == sorted(found, reverse=True)
    assert found[0] == pytest.approx(numpy.mean([sum(tries) / len(tries) for tries in tasks]))


def test_pass_hat_k_by_scipys_binomials_with_its_interval() -> None:
    rng = random.Random(2)
    tasks = [[rng.random() < 0.8 for _ in range(8)] for _ in range(30)]
    shares = [scipy_reference.choose(sum(tries), 3) / scipy_reference.choose(8, 3) for tries in tasks]
    expected = scipy_reference.percentile_bootstrap(numpy.mean, shares, resamples=400, seed=1)
    found = pass_hat_k(tasks, 3, resamples=400, seed=1)
    assert found.value == pytest.approx(numpy.mean(shares))
    assert found.interval == pytest.approx(expected, abs=1e-12)


def test_scores_pass_from_the_threshold_on() -> None:
    assert pass_hat_k([[0.5, 0.9], [0.4, 1.0]], 2, threshold=0.5).value == 0.5


def test_impossible_repeats_are_refused() -> None:
    with pytest.raises(UsageError, match=r"task 1 has 2 tries, too few for pass\^3: lower k, or repeat it 3 times"):
        pass_hat_k([[True] * 3, [True] * 2], 3)
    with pytest.raises(UsageError, match=r"task 0 has the score 0.7, neither pass nor fail: give a threshold"):
        pass_hat_k([[0.7]], 1)
    with pytest.raises(UsageError, match="k must be 1 or more, got 0"):
        pass_hat_k([[True]], 0)
    with pytest.raises(UsageError, match="give at least 1"):
        pass_hat_k([], 1)


def test_alpha_is_krippendorffs_on_his_own_example() -> None:
    """Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability", four observers and twelve units: 0.849."""
    units = [
        *([1, 1, 1], [2, 2, 3, 2], [3, 3, 3, 3], [3, 3, 3, 3], [2, 2, 2, 2], [1, 2, 3, 4]),
        *([4, 4, 4, 4], [1, 1, 2, 1], [2, 2, 2, 2], [5, 5, 5], [1, 1], [3]),
    ]
    found = self_consistency(units)
    assert found.alpha.value == pytest.approx(0.849, abs=0.0005)
    assert found.examples == 11


def by_definition(units: list[list[float]]) -> float | None:
    """Observed over expected disagreement, pair by pair."""
    pooled = [score for unit in units for score in unit]
    expected = sum((a - b) ** 2 for a, b in itertools.permutations(pooled, 2)) / (len(pooled) - 1)
    observed = sum(sum((a - b) ** 2 for a, b in itertools.permutations(unit, 2)) / (len(unit) - 1) for unit in units)
    return 1 - observed / expected if expected else None


@given(asked)
def test_alpha_compares_pairs_within_examples_with_all_pairs(units: list[list[float]]) -> None:
    assert self_consistency(units, resamples=10).alpha.value == pytest.approx(by_definition(units), abs=1e-9)


@given(asked, st.integers(-6, 6))
def test_alpha_has_no_unit_and_the_deviation_that_of_the_scores(units: list[list[float]], power: int) -> None:
    found = self_consistency(units, resamples=10)
    scaled = self_consistency([[score * 10**power for score in unit] for unit in units], resamples=10)
    assert scaled.alpha.value == pytest.approx(found.alpha.value, abs=1e-9)
    assert scaled.deviation.value == pytest.approx((found.deviation.value or 0.0) * 10**power)


def test_the_interval_of_alpha_holds_its_resamples() -> None:
    rng = random.Random(3)
    units = [[base + rng.gauss(0, 0.05) for _ in range(3)] for base in (rng.random() for _ in range(40))]
    found = self_consistency(units).alpha
    assert found.value is not None
    assert found.interval is not None
    picks = numpy.random.default_rng(0).integers(0, 40, (2000, 40))
    expected = numpy.quantile([by_definition([units[index] for index in row]) or 0.0 for row in picks[:100]], [0.025, 0.975])
    assert found.interval == pytest.approx(tuple(expected), abs=0.03)
    assert found.interval[0] < found.value < found.interval[1]


def test_a_judge_that_repeats_itself_does_not_deviate() -> None:
    found = self_consistency([[0.2, 0.2, 0.2], [0.7, 0.7], [0.9, 0.9]])
    assert found.deviation == Estimate(0.0, (0.0, 0.0))
    assert found.alpha.value == 1


def test_a_judge_that_says_one_thing_of_everything_has_no_alpha() -> None:
    assert self_consistency([[0.1, 0.1, 0.1], [0.1, 0.1]]).alpha == Estimate(None)


def test_the_deviation_is_the_mean_distance_from_each_examples_mean() -> None:
    assert self_consistency([[0.0, 1.0], [0.5, 0.5, 0.5, 0.5]]).deviation.value == pytest.approx(1 / 6)


def test_examples_that_were_judged_once_say_nothing() -> None:
    assert self_consistency([[0.1, 0.3], [0.9]]) == self_consistency([[0.1, 0.3]])
    with pytest.raises(UsageError, match="ask the judge at least 2 times"):
        self_consistency([[0.9], []])
