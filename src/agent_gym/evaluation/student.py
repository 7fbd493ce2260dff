"""Student's t distribution for whole degrees of freedom, so that small samples need no further library.

The distribution function is the finite series of Abramowitz and Stegun (1964), 26.7.3 and 26.7.4, exact to 13 digits; from
2,000 degrees of freedom on it is Wallace's (1959) approximation by the normal distribution, within 3e-9. The quantile is
found on the distribution function by bisection.
"""

import math
from functools import lru_cache
from statistics import NormalDist

from agent_gym.errors import UsageError

NORMAL = NormalDist()
MANY = 2000


def t_below(t: float, freedom: int) -> float:
    """The probability of a value below `t`, in [0, 1].

    Raises:
        UsageError: when `freedom` is below 1.
    """
    if freedom < 1:
        raise UsageError(f"degrees of freedom must be 1 or more, got {freedom}: give at least 2 examples")
    if freedom > MANY:
        size = math.sqrt(freedom * math.log1p(t * t / freedom)) * (8 * freedom + 1) / (8 * freedom + 3)
        return NORMAL.cdf(math.copysign(size, t))
    angle = math.atan(t / math.sqrt(freedom))
    square = math.cos(angle) ** 2
    odd = freedom % 2
    term = total = 0.0 if freedom == 1 else math.cos(angle) if odd else 1.0
    for step in range(3 if odd else 2, freedom - 1, 2):
        term *= square * (step - 1) / step
        total += term
    central = math.sin(angle) * total
    if odd:
        central = 2 / math.pi * (angle + central)
    return min(1.0, max(0.0, (1 + central) / 2))


@lru_cache(maxsize=256)
def t_quantile(probability: float, freedom: int) -> float:
    """The value that a share `probability` lies below; exact to 9 digits.

    Raises:
        UsageError: when the probability does not lie strictly between 0 and 1, or `freedom` is below 1.
    """
    if not 0 < probability < 1:
        raise UsageError(f"a probability must lie between 0 and 1, got {probability!r}")
    if probability < 0.5:
        return -t_quantile(1 - probability, freedom)
    low, high = 0.0, 1.0
    while t_below(high, freedom) < probability:
        low, high = high, 2 * high
    while high - low > 1e-10 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if t_below(middle, freedom) < probability else (low, middle)
    return (low + high) / 2
