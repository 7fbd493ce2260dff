"""The pairing of the greatest total, against trying all."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_gym.metrics.matching import best_pairs

shares = st.sampled_from([0.0, 0.25, 1 / 3, 0.5, 1.0]) | st.floats(0, 1)
tables = st.tuples(st.integers(0, 5), st.integers(0, 5)).flatmap(
    lambda size: st.lists(st.lists(shares, min_size=size[1], max_size=size[1]), min_size=size[0], max_size=size[0])
)


def greatest(values: list[list[float]]) -> float:
    rows, columns = range(len(values)), range(len(values[0]) if values else 0)
    if len(rows) <= len(columns):
        return max(
            sum(values[row][column] for row, column in zip(rows, chosen, strict=False))
            for chosen in permutations(columns, len(rows))
        )
    return max(
        sum(values[row][column] for row, column in zip(chosen, columns, strict=False))
        for chosen in permutations(rows, len(columns))
    )


@given(tables)
def test_no_other_pairing_is_worth_more(values: list[list[float]]) -> None:
    pairs = best_pairs(values)
    assert len({row for row, _ in pairs}) == len({column for _, column in pairs}) == len(pairs)
    assert sum(values[row][column] for row, column in pairs) == pytest.approx(greatest(values))


@pytest.mark.parametrize("values", [[], [[]], [[], []], [[0.0]], [[0.0, 0.0], [0.0, 0.0]]])
def test_pairs_worth_nothing_are_left_out(values: list[list[float]]) -> None:
    assert best_pairs(values) == []


def test_of_equals_the_earlier_are_paired() -> None:
    assert best_pairs([[1, 1, 1], [1, 1, 1]]) == [(0, 0), (1, 1)]


def test_two_good_pairs_are_better_than_the_best() -> None:
    assert best_pairs([[1.0, 0.9], [0.9, 0.0]]) == [(0, 1), (1, 0)]
