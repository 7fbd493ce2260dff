"""Distances of samples and distributions, held against SciPy's."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

import scipy_reference
from agent_gym.evaluation.distances import jensen_shannon, kolmogorov_smirnov, wasserstein

SAMPLE = st.lists(st.integers(0, 20).map(float), min_size=1, max_size=12)
COUNTS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=6).filter(
    lambda pairs: any(one for one, _ in pairs) and any(other for _, other in pairs)
)


@given(one=SAMPLE, other=SAMPLE)
def test_the_distances_of_samples_are_scipys(one: list[float], other: list[float]) -> None:
    assert kolmogorov_smirnov(one, other) == pytest.approx(scipy_reference.kolmogorov_smirnov(one, other))
    assert wasserstein(one, other) == pytest.approx(scipy_reference.wasserstein(one, other))


@given(pairs=COUNTS)
def test_the_divergence_of_distributions_is_scipys(pairs: list[tuple[int, int]]) -> None:
    one = {at: float(pair[0]) for at, pair in enumerate(pairs)}
    other = {at: float(pair[1]) for at, pair in enumerate(pairs)}
    found = jensen_shannon(one, other)
    assert found == pytest.approx(scipy_reference.jensen_shannon(list(one.values()), list(other.values())), abs=1e-9)
    assert 0 <= found <= 1 + 1e-12
    assert found == pytest.approx(jensen_shannon(other, one))


def test_what_shares_nothing_is_one_bit_away() -> None:
    assert jensen_shannon({"a": 3}, {"b": 5}) == 1.0
    assert jensen_shannon({"a": 3, "b": 6}, {"a": 1, "b": 2}) == 0.0


def test_nothing_is_no_distance() -> None:
    assert all(map(math.isnan, (jensen_shannon({}, {"a": 1}), kolmogorov_smirnov([], [1]), wasserstein([1], []))))
