"""Student's t without SciPy, against SciPy."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import scipy_reference
from agent_gym.errors import UsageError
from agent_gym.evaluation.student import t_below, t_quantile

FREEDOMS = [1, 2, 3, 4, 5, 9, 10, 49, 100, 1999, 2000]


@pytest.mark.parametrize("freedom", FREEDOMS)
@pytest.mark.parametrize("t", [-40.0, -3.0, -0.5, 0.0, 0.1, 2.0, 12.0])
def test_the_distribution_is_scipys(t: float, freedom: int) -> None:
    assert t_below(t, freedom) == pytest.approx(scipy_reference.t_below(t, freedom), abs=1e-12)


@pytest.mark.parametrize("t", [-6.0, -1.96, 0.3, 4.0])
def test_for_many_degrees_of_freedom_it_is_within_3e_9(t: float) -> None:
    assert t_below(t, 2001) == pytest.approx(scipy_reference.t_below(t, 2001), abs=3e-9)


@pytest.mark.parametrize("freedom", FREEDOMS)
@pytest.mark.parametrize("probability", [0.001, 0.025, 0.5, 0.9, 0.9995])
def test_the_quantile_is_scipys(probability: float, freedom: int) -> None:
    assert t_quantile(probability, freedom) == pytest.approx(
        scipy_reference.t_quantile(probability, freedom), abs=1e-8, rel=1e-8
    )


@given(st.floats(0.001, 0.999), st.integers(1, 3000))
def test_the_quantile_undoes_the_distribution(probability: float, freedom: int) -> None:
    assert t_below(t_quantile(probability, freedom), freedom) == pytest.approx(probability, abs=1e-8)


def test_no_degree_of_freedom_is_refused() -> None:
    with pytest.raises(UsageError, match="give at least 2 examples"):
        t_below(1.0, 0)


@pytest.mark.parametrize("probability", [0.0, 1.0, -0.5])
def test_a_quantile_of_no_probability_is_refused(probability: float) -> None:
    with pytest.raises(UsageError, match="between 0 and 1"):
        t_quantile(probability, 5)
