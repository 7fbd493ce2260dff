"""How sure a mean is."""

from collections.abc import Sequence

RESAMPLES = 2000


def bootstrap_interval(values: Sequence[float], *, seed: int = 0, level: float = 0.95) -> tuple[float, float]:
    """The percentile bootstrap interval of a mean (Efron 1979), from 2,000 resamples.

    Args:
        values: one score an example; none gives (0, 0).
        level: the share of resampled means inside the interval, in (0, 1).
    """
    if not values:
        return 0.0, 0.0
    import numpy

    sample = numpy.asarray(values, dtype=float)
    picks = numpy.random.default_rng(seed).integers(0, len(sample), size=(RESAMPLES, len(sample)))
    low, high = numpy.quantile(sample[picks].mean(axis=1), [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
