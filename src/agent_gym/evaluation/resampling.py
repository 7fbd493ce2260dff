"""How far a statistic would move if other examples had been drawn: the one bootstrap of this room (Efron 1979).

A resample is a row of counts: how often each example was drawn. A statistic takes many such rows at once and gives one value
a row, so the figure itself (every example counted once) and its resamples come from one formula, and thousands of resamples
are a few array operations. They are made in blocks, so memory stays at a few megabytes however many there are.

What the data leave undefined (a correlation with a constant) is NaN inside, None outside, and never a zero.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec

from agent_gym.errors import UsageError

if TYPE_CHECKING:
    from numpy import float64, int64
    from numpy.typing import NDArray

    Floats = NDArray[float64]
    Picks = NDArray[int64]

LEVEL = 0.95
RESAMPLES = 2000
BLOCK = 1 << 18
"""Numbers in one block of resamples: 2 MB."""

Statistic = Callable[["Floats"], "Floats"]
"""Counts of shape (rows, examples) in; values of shape (rows,) or (rows, k) out, NaN where undefined."""


class Estimate(msgspec.Struct, frozen=True):
    """A figure and how sure it is."""

    value: float | None
    """None when the data leave it undefined."""
    interval: tuple[float, float] | None = None
    """Percentile bootstrap interval; None when the figure is undefined in half of the resamples or more."""


def estimate(statistic: Statistic, n: int, *, resamples: int = RESAMPLES, seed: int = 0, level: float = LEVEL) -> Estimate:
    """A statistic of `n` examples with its percentile interval.

    Args:
        statistic: gives one value a row of counts.
        level: the share of the resampled values inside the interval, in (0, 1).

    Raises:
        UsageError: when there are no examples, no resamples, or the level is no share.
    """
    import numpy

    value = float(statistic(numpy.ones((1, n)))[0]) if n else numpy.nan
    found = resampled(statistic, n, resamples=resamples, seed=seed)
    return Estimate(None if numpy.isnan(value) else value, None if numpy.isnan(value) else interval(found, level=level))


def resampled(statistic: Statistic, n: int, *, resamples: int = RESAMPLES, seed: int = 0) -> "Floats":
    """The statistic of each resample: shape (resamples,) or (resamples, k).

    Raises:
        UsageError: when there are no examples or no resamples.
    """
    import numpy

    return numpy.concatenate([statistic(counts(picks, n)) for picks in draws(n, resamples, seed)])


def interval(values: "Floats", *, level: float = LEVEL) -> tuple[float, float] | None:
    """The percentile interval of resampled values, NaN left out; None when half of them or more are NaN.

    Raises:
        UsageError: when the level is no share.
    """
    import numpy

    tail = (1 - share("level", level)) / 2
    known = values[~numpy.isnan(values)]
    if 2 * len(known) <= len(values):
        return None
    low, high = numpy.quantile(known, [tail, 1 - tail])
    return float(low), float(high)


def draws(n: int, resamples: int, seed: int) -> Iterator["Picks"]:
    """Blocks of resamples of `n` examples: the drawn positions, shape (rows, n).

    The same seed gives the same draws as SciPy's `bootstrap`, whatever the size of a block.

    Raises:
        UsageError: when there are no examples or no resamples.
    """
    import numpy

    if n < 1:
        raise UsageError("there are no examples to resample: give at least 1")
    if resamples < 1:
        raise UsageError(f"resamples must be 1 or more, got {resamples}")
    rng = numpy.random.default_rng(seed)
    rows = max(1, BLOCK // n)
    for start in range(0, resamples, rows):
        yield rng.integers(0, n, size=(min(rows, resamples - start), n))


def counts(picks: "Picks", n: int) -> "Floats":
    """How often each example was drawn: shape (rows, n)."""
    import numpy

    rows = len(picks)
    places = picks + n * numpy.arange(rows)[:, None]
    return numpy.bincount(places.ravel(), minlength=rows * n).reshape(rows, n).astype(float)


def numbers(name: str, values: Sequence[float], *, least: int = 1) -> "Floats":
    """The values as an array.

    Raises:
        UsageError: when there are too few, or one is not a finite number.
    """
    import numpy

    if len(values) < least:
        raise UsageError(f"{name} holds {len(values)} values: give at least {least}")
    try:
        found = numpy.asarray(values, dtype=float)
    except (TypeError, ValueError):
        raise UsageError(f"{name} holds what is no number: give numbers") from None
    if found.ndim != 1:
        raise UsageError(f"{name} holds lists: give one number an example")
    for index in numpy.flatnonzero(~numpy.isfinite(found))[:1]:
        raise UsageError(f"{name}[{index}] is {values[index]!r}: give finite numbers, and leave out what was not scored")
    return found


def columns(**named: Sequence[float]) -> tuple["Floats", ...]:
    """Several figures of the same examples, as arrays of one length.

    Raises:
        UsageError: when their lengths differ, there are none, or one is not a finite number.
    """
    lengths = {name: len(values) for name, values in named.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise UsageError(f"the figures are not of the same examples, their numbers differ: {told}; give one of each an example")
    return tuple(numbers(name, values) for name, values in named.items())


def share(name: str, value: float) -> float:
    """The value, if it lies strictly between 0 and 1.

    Raises:
        UsageError: when it does not.
    """
    if not 0 < value < 1:
        raise UsageError(f"{name} must lie between 0 and 1, got {value!r}")
    return value
