"""Strategy against baseline: SciPy's figures, few false alarms, and no proof from four wins."""

import itertools
import random
import tracemalloc

import numpy
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import scipy_reference
from agent_gym.errors import UsageError
from agent_gym.evaluation.paired import against_baseline, examples_needed, expanded_tail, holm, paired_bootstrap

scores = st.floats(0, 1).map(lambda value: round(value, 3))
pairs = st.lists(st.tuples(scores, scores), min_size=1, max_size=40)
ps = st.lists(st.floats(0, 1), max_size=8)


def drawn(n: int, shift: float = 0.0, seed: int = 0) -> tuple[list[float], list[float]]:
    rng = random.Random(seed)
    baseline = [rng.random() for _ in range(n)]
    return [score + shift + rng.gauss(0, 0.2) for score in baseline], baseline


@pytest.mark.parametrize("n", [8, 50, 300])
def test_the_interval_is_scipys_at_the_expanded_level(n: int) -> None:
    one, other = drawn(n, 0.2)
    gaps = [left - right for left, right in zip(one, other, strict=True)]
    level = 1 - 2 * expanded_tail(n, 0.95)
    expected = scipy_reference.percentile_bootstrap(numpy.mean, gaps, resamples=2000, level=level, seed=5)
    interval, _ = paired_bootstrap(one, other, resamples=2000, seed=5)
    assert interval == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("n", [2, 5, 10, 100])
def test_the_tail_is_students_by_hesterbergs_formula(n: int) -> None:
    edge = scipy_reference.t_quantile(0.025, n - 1) * (n / (n - 1)) ** 0.5
    assert expanded_tail(n, 0.95) == pytest.approx(scipy_reference.t_below(edge, 10**9), abs=1e-8)


def test_the_p_value_is_the_share_of_resamples_widened_as_the_interval_is() -> None:
    gaps = numpy.array([0.4, -0.1, 0.3, 0.2, -0.2, 0.5, 0.1, -0.05])
    means = gaps[numpy.random.default_rng(7).integers(0, 8, (999, 8))].mean(axis=1)
    crossed = (1 + int((means <= 0).sum())) / 1000
    edge = scipy_reference.t_quantile(crossed, 10**9) * (7 / 8) ** 0.5
    _, p = paired_bootstrap([*gaps], [0.0] * 8, resamples=999, seed=7)
    assert p == pytest.approx(2 * scipy_reference.t_below(edge, 7), abs=1e-7)


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=12))
def test_means_that_are_zero_but_for_rounding_are_zero(gaps: list[int]) -> None:
    nothing = [0.0] * len(gaps)
    _, whole = paired_bootstrap(gaps, nothing, resamples=200)
    _, tenths = paired_bootstrap([gap / 10 for gap in gaps], nothing, resamples=200)
    assert tenths == whole


def test_the_p_value_is_near_that_of_the_t_test() -> None:
    one, other = drawn(100, 0.04, seed=2)
    gaps = numpy.subtract(one, other)
    t = float(gaps.mean() / gaps.std(ddof=1)) * 10
    assert paired_bootstrap(one, other)[1] == pytest.approx(2 * scipy_reference.t_below(-abs(t), 99), abs=0.01)


@given(pairs, st.integers(0, 9))
@example([(1.0, 0.0)] * 6 + [(0.0, 0.0)] * 20, 0)
def test_the_interval_excludes_no_difference_exactly_when_p_is_small(found: list[tuple[float, float]], seed: int) -> None:
    one, other = [left for left, _ in found], [right for _, right in found]
    (low, high), p = paired_bootstrap(one, other, resamples=199, seed=seed)
    assert 0 < p <= 1
    assert low <= high
    assert (low > 0 or high < 0) == (p <= 0.05)


@given(pairs)
def test_exchanging_the_two_turns_the_sign_and_nothing_else(found: list[tuple[float, float]]) -> None:
    one, other = [left for left, _ in found], [right for _, right in found]
    (low, high), p = paired_bootstrap(one, other, resamples=99)
    (back_low, back_high), back_p = paired_bootstrap(other, one, resamples=99)
    assert (-back_high, -back_low) == pytest.approx((low, high), abs=1e-9)
    assert back_p == p


@given(st.lists(scores, min_size=1, max_size=30))
def test_equal_scores_differ_by_nothing(values: list[float]) -> None:
    assert paired_bootstrap(values, values, resamples=50) == ((0.0, 0.0), 1.0)


def test_four_wins_and_no_loss_prove_nothing_and_six_do() -> None:
    baseline = [0.0] * 50
    (low, _), p = paired_bootstrap([1.0] * 4 + [0.0] * 46, baseline)
    assert (low, p) == (0.0, 0.125)
    (low, _), p = paired_bootstrap([1.0] * 6 + [0.0] * 44, baseline)
    assert low > 0
    assert p == pytest.approx(2**-5)


def test_one_example_tells_nothing() -> None:
    found = against_baseline([0.2], {"mipro": [0.9]})["mipro"]
    assert (found.n, found.p, found.interval, found.needed) == (1, 1.0, (0.0, pytest.approx(0.7)), None)


@pytest.mark.parametrize(("n", "ties"), [(10, 0.0), (20, 0.5), (50, 0.9), (100, 0.5)])
def test_where_nothing_differs_about_one_in_twenty_is_called(n: int, ties: float) -> None:
    rng = numpy.random.default_rng(11)
    alarms = 0
    for run in range(400):
        gaps = rng.normal(size=n) * (rng.random(n) >= ties)
        alarms += paired_bootstrap([*gaps], [0.0] * n, resamples=400, seed=run)[1] <= 0.05
    assert alarms / 400 <= 0.075


def test_ten_thousand_resamples_of_a_thousand_examples_stay_small() -> None:
    one, other = drawn(1000)
    paired_bootstrap(one, other, resamples=1)
    tracemalloc.start()
    try:
        paired_bootstrap(one, other)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 10 * 2**20


def test_each_strategy_gets_what_it_would_get_alone() -> None:
    one, other = drawn(40, 0.1)
    third, _ = drawn(40, 0.3, seed=1)
    found = against_baseline(other, {"one": one, "third": third}, resamples=500)
    assert (found["one"].interval, found["one"].p) == paired_bootstrap(one, other, resamples=500)
    assert [each.p_adjusted for each in found.values()] == holm([each.p for each in found.values()])
    assert found["one"].needed == examples_needed([*numpy.subtract(one, other)], alpha=0.025)


def test_only_examples_scored_in_both_are_compared() -> None:
    found = against_baseline([0.5, None, 0.0, 1.0], {"gepa": [1.0, 1.0, None, 0.75]}, resamples=50)["gepa"]
    assert (found.n, found.difference) == (2, 0.125)


def test_nothing_scored_in_both_is_refused_by_name() -> None:
    with pytest.raises(UsageError, match="for both 'gepa' and the baseline: run"):
        against_baseline([None], {"gepa": [1.0]})


def test_results_of_different_sizes_are_refused() -> None:
    with pytest.raises(UsageError, match="'gepa' has 1 scores and the baseline 2"):
        against_baseline([0.5, 0.5], {"gepa": [1.0]})
    with pytest.raises(UsageError, match="scores 1, baseline 2"):
        paired_bootstrap([0.5], [0.5, 0.5])


def test_no_strategies_give_no_comparisons() -> None:
    assert against_baseline([0.5], {}) == {}


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []


@given(ps)
def test_holm_rejects_what_the_step_down_procedure_rejects(values: list[float]) -> None:
    ordered = sorted(values)
    passed = itertools.takewhile(lambda step: (len(values) - step[0]) * step[1] <= 0.05, enumerate(ordered))
    assert sum(p <= 0.05 for p in holm(values)) == len([*passed])


@given(ps, st.randoms())
def test_holm_keeps_order_and_never_lowers_a_p_value(values: list[float], shuffler: random.Random) -> None:
    adjusted = holm(values)
    assert all(p <= q <= min(1.0, len(values) * p + 1e-12) for p, q in zip(values, adjusted, strict=True))
    order = shuffler.sample(range(len(values)), len(values))
    assert holm([values[index] for index in order]) == [adjusted[index] for index in order]


@pytest.mark.parametrize("wrong", [-0.1, 1.1, float("nan")])
def test_holm_refuses_what_is_no_p_value(wrong: float) -> None:
    with pytest.raises(UsageError, match="p-value 1 is"):
        holm([0.5, wrong])


@pytest.mark.parametrize("alpha", [0.05, 0.005])
@pytest.mark.parametrize("shift", [0.02, 0.05, 0.2])
def test_so_many_examples_would_be_told_four_times_in_five(shift: float, alpha: float) -> None:
    one, other = drawn(200, shift, seed=4)
    gaps = numpy.subtract(one, other)
    needed = examples_needed([*gaps], alpha=alpha)
    assert needed is not None
    assert 0.795 <= scipy_reference.t_test_power(float(gaps.mean() / gaps.std(ddof=1)), needed, alpha) <= 0.85


def test_no_number_of_examples_tells_a_difference_of_nothing() -> None:
    assert examples_needed([0.5, -0.5, 0.0]) is None
    assert examples_needed([0.0]) is None


def test_a_difference_without_spread_still_needs_as_many_as_can_prove_it() -> None:
    assert examples_needed([0.1, 0.1, 0.1]) == 6
    assert examples_needed([0.5, 0.0] * 10) == 12


@given(st.lists(st.integers(-100, 100).map(lambda cents: cents / 100), min_size=2, max_size=30), st.integers(-3, 3))
def test_the_unit_of_the_scores_does_not_matter(gaps: list[float], power: int) -> None:
    assert examples_needed(gaps) == examples_needed([gap * 2**power for gap in gaps])


@pytest.mark.parametrize("option", [{"alpha": 0.0}, {"power": 1.0}])
def test_an_impossible_demand_is_refused(option: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="must lie between 0 and 1"):
        examples_needed([0.1, 0.2], **option)
    with pytest.raises(UsageError, match="give at least 1"):
        examples_needed([])
