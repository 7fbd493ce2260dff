"""Ranks and their correlation in many resamples at once.

An example drawn three times is three examples with the same value: they share the middle of the ranks they take up, as equal
values do in the sample itself.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy import int64
    from numpy.typing import NDArray

    from agent_gym.evaluation.resampling import Floats


class Levels:
    """The distinct values of a figure, ascending, and which of them each example has."""

    def __init__(self, values: "Floats") -> None:
        import numpy

        found = numpy.unique(values, return_inverse=True)
        self.values: Floats = found[0]
        self.of: NDArray[int64] = found[1].reshape(-1)
        self._order = numpy.argsort(self.of, kind="stable")
        self._starts = numpy.searchsorted(self.of[self._order], numpy.arange(len(self.values)))

    def total(self, weights: "Floats") -> "Floats":
        """Weights of the examples, shape (rows, examples), summed by level: shape (rows, levels)."""
        import numpy

        ascending = weights[:, self._order]
        # No two examples alike is the common case, and reduceat is slow at it.
        return ascending if len(self.values) == len(self.of) else numpy.add.reduceat(ascending, self._starts, axis=1)

    def ranks(self, counts: "Floats") -> "Floats":
        """The middle rank of every level less the mean of all ranks: shape (rows, levels)."""
        drawn = self.total(counts)
        return drawn.cumsum(axis=1) - (drawn + drawn.sum(axis=1, keepdims=True)) / 2


def rank_correlation(one: Levels, other: Levels, counts: "Floats") -> "Floats":
    """Spearman's (1904) correlation of each row of counts, in [-1, 1]; NaN where a figure is constant."""
    import numpy

    first, second = one.ranks(counts), other.ranks(counts)
    shared = (counts * first[:, one.of] * second[:, other.of]).sum(axis=1)
    spread = (one.total(counts) * first**2).sum(axis=1) * (other.total(counts) * second**2).sum(axis=1)
    return ratio(shared, numpy.sqrt(spread)).clip(-1, 1)


def ratio(above: "Floats", below: "Floats") -> "Floats":
    """The quotient; NaN where the divisor is 0."""
    import numpy

    return numpy.divide(above, below, out=numpy.full(numpy.broadcast(above, below).shape, numpy.nan), where=below != 0)
