"""The threshold between pass and fail, and a kappa that is not flattered."""

import random
import statistics
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

import scipy_reference
from agent_gym.errors import UsageError
from agent_gym.evaluation.cutoff import Cutoff, best_threshold, kappa
from agent_gym.evaluation.resampling import Estimate

verdicts = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=25)
scored = st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=1, max_size=25)


def by_definition(one: Sequence[float], other: Sequence[float]) -> float:
    n = len(one)
    agreed = sum(left == right for left, right in zip(one, other, strict=True)) / n
    chance = sum(one) / n * sum(other) / n + (1 - sum(one) / n) * (1 - sum(other) / n)
    return (agreed - chance) / (1 - chance)


@given(verdicts)
def test_kappa_is_the_agreement_beyond_chance(pairs: list[tuple[bool, bool]]) -> None:
    one, other = [left for left, _ in pairs], [right for _, right in pairs]
    found = kappa(one, other, resamples=10).value
    if len({*one, *other}) == 1:
        assert found is None
    else:
        assert found == pytest.approx(by_definition(one, other), abs=1e-12)


def test_the_interval_of_kappa_is_scipys() -> None:
    rng = random.Random(1)
    one = [rng.random() < 0.6 for _ in range(60)]
    other = [done if rng.random() < 0.8 else not done for done in one]
    expected = scipy_reference.percentile_bootstrap(by_definition, one, other, resamples=300, seed=4)
    assert kappa(one, other, resamples=300, seed=4).interval == pytest.approx(expected, abs=1e-12)


@given(scored)
def test_no_other_threshold_agrees_better(pairs: list[tuple[int, bool]]) -> None:
    scores, passed = [score for score, _ in pairs], [done for _, done in pairs]
    found = best_threshold(scores, passed, resamples=20)
    if len({*scores}) == 1 or len({*passed}) == 1:
        assert found == Cutoff(threshold=Estimate(None), kappa=Estimate(None), apparent=None)
        return
    cuts = [cut + 0.5 for cut in range(min(scores), max(scores))]
    best = max(by_definition([score >= cut for score in scores], passed) for cut in cuts)
    assert found.threshold.value is not None
    assert by_definition([score >= found.threshold.value for score in scores], passed) == pytest.approx(best)
    assert found.apparent == pytest.approx(best)


def test_the_threshold_lies_halfway_between_fail_and_pass() -> None:
    found = best_threshold([0.1, 0.2, 0.6, 0.9], [False, False, True, True])
    assert (found.threshold.value, found.apparent) == (pytest.approx(0.4), 1.0)


def test_resamples_in_which_none_failed_are_left_out() -> None:
    found = best_threshold([0.0, 1.0, 1.0], [False, True, True])
    assert (found.threshold, found.kappa) == (Estimate(0.5, (0.5, 0.5)), Estimate(1.0, (1.0, 1.0)))


def test_of_equally_good_thresholds_the_middle_one_is_taken() -> None:
    scores, passed = [1, 2, 3, 4, 5, 6], [False, True, False, True, False, True]
    kappas = {cut: by_definition([score >= cut for score in scores], passed) for cut in (1.5, 2.5, 3.5, 4.5, 5.5)}
    assert [cut for cut, value in kappas.items() if value == pytest.approx(max(kappas.values()))] == [1.5, 3.5, 5.5]
    assert best_threshold(scores, passed).threshold.value == 3.5


def test_neighbouring_floats_can_be_told_apart() -> None:
    low, high = 1.0, 1.0000000000000002
    assert best_threshold([low, high], [False, True]).threshold.value == high


def test_a_judge_that_guesses_is_not_flattered() -> None:
    rng = random.Random(0)
    found = [
        best_threshold([rng.gauss(0, 1) for _ in range(50)], [rng.random() < 0.6 for _ in range(50)], resamples=200)
        for _ in range(60)
    ]
    apparent = statistics.fmean(each.apparent or 0.0 for each in found)
    corrected = statistics.fmean(each.kappa.value or 0.0 for each in found)
    assert apparent > 0.15
    assert abs(corrected) < 0.6 * apparent
    holding = sum(each.kappa.interval is not None and each.kappa.interval[0] <= 0 <= each.kappa.interval[1] for each in found)
    assert holding / len(found) >= 0.85


def test_what_is_no_verdict_is_refused() -> None:
    with pytest.raises(UsageError, match=r"passed\[0\] is 0.5, neither pass nor fail"):
        best_threshold([0.1, 0.2], [0.5, True])  # pyright: ignore[reportArgumentType]
    with pytest.raises(UsageError, match=r"other\[0\] is 2.0, neither pass nor fail"):
        kappa([True], [2])  # pyright: ignore[reportArgumentType]
