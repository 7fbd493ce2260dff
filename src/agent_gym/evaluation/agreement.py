"""How far two figures of the same examples agree: a judge's score and the truth.

Spearman and Kendall ask whether both put the examples in the same order, the AUC whether passed examples come out above failed
ones. Each is given with its bootstrap interval over examples. Whether a judge's score is *right*, and not merely in order, is
`corrected.py`'s question; where to cut it into pass and fail `cutoff.py`'s.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from agent_gym.errors import UsageError
from agent_gym.evaluation.ranks import Levels, rank_correlation, ratio
from agent_gym.evaluation.resampling import BLOCK, LEVEL, RESAMPLES, Estimate, columns, estimate

if TYPE_CHECKING:
    from agent_gym.evaluation.resampling import Floats


def spearman(
    one: Sequence[float], other: Sequence[float], *, resamples: int = RESAMPLES, seed: int = 0, level: float = LEVEL
) -> Estimate:
    """Spearman's (1904) rank correlation, in [-1, 1]; equal values share their middle rank. None when a figure is constant.

    Args:
        one: a number an example.
        other: of the same examples, in the same order.

    Raises:
        UsageError: when the lengths differ, there are no examples, or a value is not a finite number.
    """
    left, right = (Levels(values) for values in columns(one=one, other=other))
    return estimate(lambda counts: rank_correlation(left, right, counts), len(one), resamples=resamples, seed=seed, level=level)


def kendall(
    one: Sequence[float], other: Sequence[float], *, resamples: int = RESAMPLES, seed: int = 0, level: float = LEVEL
) -> Estimate:
    """Kendall's (1945) tau-b, in [-1, 1]: pairs in the same order less pairs in opposite order, ties accounted for.

    None when a figure is constant. The work grows with the square of the distinct (one, other) pairs: one second at 2,000.

    Args:
        one: a number an example.
        other: of the same examples, in the same order.

    Raises:
        UsageError: when the lengths differ, there are no examples, or a value is not a finite number.
    """
    left, right = (Levels(values) for values in columns(one=one, other=other))
    return estimate(_TauB(left, right), len(one), resamples=resamples, seed=seed, level=level)


def auc(
    scores: Sequence[float], passed: Sequence[bool], *, resamples: int = RESAMPLES, seed: int = 0, level: float = LEVEL
) -> Estimate:
    """The area under the ROC curve, in [0, 1]: how often a passed example scores above a failed one, ties counted half.

    Mann and Whitney's (1947) U over the pairs of both kinds (Hanley and McNeil 1982). None when all passed or all failed.

    Args:
        scores: a number an example.
        passed: of the same examples, in the same order: True or 1, False or 0.

    Raises:
        UsageError: when the lengths differ, there are no examples, or a value is impossible.
    """
    values, truth = columns(scores=scores, passed=passed)
    require_verdicts("passed", truth)
    levels = Levels(values)

    def area(counts: "Floats") -> "Floats":
        good, bad = levels.total(counts * truth), levels.total(counts * (1 - truth))
        below = bad.cumsum(axis=1) - bad / 2
        return ratio((good * below).sum(axis=1), good.sum(axis=1) * bad.sum(axis=1))

    return estimate(area, len(scores), resamples=resamples, seed=seed, level=level)


def require_verdicts(name: str, values: "Floats") -> None:
    """Nothing, if all values are 0 or 1.

    Raises:
        UsageError: when one is not.
    """
    for index, value in enumerate(values):
        if value not in (0, 1):
            raise UsageError(f"{name}[{index}] is {float(value)!r}, neither pass nor fail: give True or False")


class _TauB:
    """The weighted form: with c_i draws of example i, the pairs in order less those in opposite order are c' S c / 2."""

    def __init__(self, one: Levels, other: Levels) -> None:
        import numpy

        self._one, self._other = one, other
        # Examples that agree in both figures are tied with each other and alike to all the rest: they are one.
        width = len(other.values)
        self._cells = Levels((one.of * width + other.of).astype(float))
        cells = self._cells.values.astype(numpy.int64)
        # Exact in single precision: they are small whole numbers.
        self._left, self._right = (cells // width).astype(numpy.float32), (cells % width).astype(numpy.float32)

    def __call__(self, counts: "Floats") -> "Floats":
        import numpy

        drawn = self._cells.total(counts)
        single = drawn.astype(numpy.float32)
        balance = numpy.zeros(len(counts))
        # The matrix of signs is made in stripes, so that it need not fit into memory; broad ones, since a product of matrices
        # is slow to start where other programs hold the cores.
        width = max(1, 16 * BLOCK // len(self._left))
        for start in range(0, len(self._left), width):
            part = slice(start, start + width)
            signs = numpy.sign(self._left[:, None] - self._left[part]) * numpy.sign(self._right[:, None] - self._right[part])
            balance += (drawn[:, part] * (single @ signs)).sum(axis=1)
        total = counts.sum(axis=1)
        untied = [total**2 - (levels.total(counts) ** 2).sum(axis=1) for levels in (self._one, self._other)]
        return ratio(balance, numpy.sqrt(untied[0] * untied[1])).clip(-1, 1)
