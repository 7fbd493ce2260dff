"""How far two samples or distributions lie apart."""

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TypeVar

T = TypeVar("T")


def jensen_shannon(one: Mapping[T, float], other: Mapping[T, float]) -> float:
    """Jensen-Shannon divergence of two distributions given as counts, in bits (Lin 1991).

    0 when they are equal, 1 when they share nothing; NaN when one is empty.
    """
    total, others = math.fsum(one.values()), math.fsum(other.values())
    if not total or not others:
        return math.nan
    parts: list[float] = []
    for key in {**one, **other}:
        p, q = one.get(key, 0) / total, other.get(key, 0) / others
        middle = (p + q) / 2
        parts += [share * math.log2(share / middle) / 2 for share in (p, q) if share]
    return max(0.0, math.fsum(parts))


def kolmogorov_smirnov(one: Sequence[float], other: Sequence[float]) -> float:
    """The largest difference between two empirical distribution functions, in [0, 1]; NaN when a sample is empty."""
    if not one or not other:
        return math.nan
    first, second = sorted(one), sorted(other)
    return max(abs(bisect_right(first, at) / len(first) - bisect_right(second, at) / len(second)) for at in {*first, *second})


def wasserstein(one: Sequence[float], other: Sequence[float]) -> float:
    """Earth mover's distance of two samples on a line, in their unit: the area between their distribution functions.

    NaN when a sample is empty.
    """
    if not one or not other:
        return math.nan
    first, second = sorted(one), sorted(other)
    points = sorted({*first, *second})
    return math.fsum(
        abs(bisect_right(first, at) / len(first) - bisect_right(second, at) / len(second)) * (following - at)
        for at, following in pairwise(points)
    )
