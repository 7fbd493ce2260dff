"""A judge's rate, corrected by a few labels: unbiased, as wide as it must be, and free when the judge is perfect."""

import random

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

import scipy_reference
from agent_gym.errors import UsageError
from agent_gym.evaluation.corrected import corrected_rate

shares = st.floats(0, 1).map(lambda value: round(value, 3))
labels = st.lists(st.tuples(shares, shares), min_size=3, max_size=30)


@given(st.lists(shares, min_size=3, max_size=30), st.lists(shares, max_size=30))
def test_a_perfect_judge_gives_the_plain_mean_of_all(truth: list[float], others: list[float]) -> None:
    found = corrected_rate(others, [(score, score) for score in truth])
    plain = numpy.mean(truth + others) if len({*truth}) > 1 else numpy.mean(truth)
    assert found.value == pytest.approx(plain, abs=1e-9)
    assert found.judged == pytest.approx(numpy.mean(truth + others))


@given(labels)
def test_without_other_examples_it_is_the_plain_mean_of_the_truth(pairs: list[tuple[float, float]]) -> None:
    found = corrected_rate([], pairs)
    truth = [true for _, true in pairs]
    assert found.value == pytest.approx(numpy.mean(truth))
    assert found.weight == 0
    if len({*truth}) > 1:
        low, high = scipy_reference.t_interval(truth)
        assert found.interval == pytest.approx((max(0.0, low), min(1.0, high)), abs=1e-8)


@given(labels, st.lists(shares, max_size=20))
def test_a_constant_judge_is_not_listened_to(pairs: list[tuple[float, float]], others: list[float]) -> None:
    found = corrected_rate([0.7] * len(others), [(0.7, true) for _, true in pairs])
    assert (found.weight, found.value) == (0, pytest.approx(numpy.mean([true for _, true in pairs])))


@given(labels, st.lists(shares, min_size=1, max_size=20))
def test_a_judge_that_is_always_half_as_generous_changes_nothing(pairs: list[tuple[float, float]], others: list[float]) -> None:
    found = corrected_rate(others, pairs)
    stern = corrected_rate([0.1 + score / 2 for score in others], [(0.1 + judge / 2, true) for judge, true in pairs])
    assert stern.value == pytest.approx(found.value, abs=1e-9)
    assert stern.interval == pytest.approx(found.interval, abs=1e-6)


@given(labels, st.lists(shares, max_size=20))
def test_the_rate_lies_in_its_interval_and_both_are_rates(pairs: list[tuple[float, float]], others: list[float]) -> None:
    found = corrected_rate(others, pairs)
    assert 0 <= found.interval[0] <= found.value <= found.interval[1] <= 1
    assert (found.n, found.labelled) == (len(pairs) + len(others), len(pairs))


def test_the_variance_is_that_of_power_tuned_inference() -> None:
    rng = numpy.random.default_rng(3)
    truth = rng.random(300)
    judge = numpy.clip(truth * 0.6 + rng.normal(0, 0.1, 300) + 0.2, 0, 1)
    others = numpy.clip(rng.random(900) * 0.6 + rng.normal(0, 0.1, 900) + 0.2, 0, 1)
    found = corrected_rate([*others], [*zip([*judge], [*truth], strict=True)])
    # Angelopoulos, Duchi and Zrnic (2023): the estimate and its variance at a given lambda.
    weight = found.weight
    value = truth.mean() + weight * (others.mean() - judge.mean())
    variance = (truth - weight * judge).var(ddof=1) / 300 + weight**2 * others.var(ddof=1) / 900
    assert found.value == pytest.approx(value)
    assert found.interval == pytest.approx((value - 1.96 * variance**0.5, value + 1.96 * variance**0.5), abs=1e-3)
    # No other lambda has a smaller one.
    spread, shared = judge.var(ddof=1), numpy.cov(judge, truth)[0, 1]
    assert weight == pytest.approx(shared / spread / (1 + 300 / 900))


@pytest.mark.parametrize(("labelled", "others", "right"), [(20, 200, 0.85), (50, 500, 0.85), (100, 300, 0.55), (60, 0, 0.9)])
def test_the_interval_holds_the_truth_about_19_times_in_20(labelled: int, others: int, right: float) -> None:
    rng = numpy.random.default_rng(5)
    held, runs = 0, 500
    for _ in range(runs):
        truth = rng.random(labelled + others) < 0.6
        # Generous: what failed is passed more often than the reverse.
        judge = numpy.where(rng.random(len(truth)) < right, truth, rng.random(len(truth)) < 0.9).astype(float)
        found = corrected_rate([*judge[labelled:]], [*zip([*judge[:labelled]], [*truth[:labelled].astype(float)], strict=True)])
        held += found.interval[0] <= 0.6 <= found.interval[1]
    assert 0.92 <= held / runs <= 0.98


def test_a_good_judge_is_worth_labels() -> None:
    rng = random.Random(1)
    truth = [float(rng.random() < 0.6) for _ in range(1000)]
    judge = [score if rng.random() < 0.95 else 1 - score for score in truth]
    pairs = [*zip(judge[:100], truth[:100], strict=True)]
    alone, helped = corrected_rate([], pairs).interval, corrected_rate(judge[100:], pairs).interval
    assert helped[1] - helped[0] < 0.7 * (alone[1] - alone[0])


def test_labels_without_an_error_do_not_prove_that_there_is_none() -> None:
    found = corrected_rate([1.0] * 100, [(1.0, 1.0)] * 20)
    assert found.value == 1
    assert found.interval == (pytest.approx(0.025 ** (1 / 20)), 1)


def test_too_few_labels_are_refused() -> None:
    with pytest.raises(UsageError, match="2 examples are labelled, too few to correct a judge: label at least 3"):
        corrected_rate([0.5], [(0.5, 1.0)] * 2)


@pytest.mark.parametrize("wrong", [7.0, -0.1])
def test_scores_of_another_scale_are_refused(wrong: float) -> None:
    with pytest.raises(UsageError, match=f"judged holds {wrong}, not a score from 0 to 1"):
        corrected_rate([wrong], [(0.5, 1.0)] * 3)
    with pytest.raises(UsageError, match=f"truth holds {wrong}, not a score from 0 to 1"):
        corrected_rate([], [(0.5, wrong)] * 3)
