"""Where to cut a judge's score into pass and fail, and how far the two verdicts then agree.

Cohen's kappa is the agreement beyond what chance would give. The threshold is the cut with the best kappa, and a best of many
is flattered by having been picked: in simulated splits of 50 examples by 0.06 to 0.15. The bootstrap measures that (a
threshold picked on a resample, tried on the sample) and it is taken off (Efron and Gong 1983); a resample, picked from once
more, is flattered twice, so its values are lowered by as much again before the interval is read off them.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from agent_gym.evaluation.agreement import require_verdicts
from agent_gym.evaluation.ranks import Levels, ratio
from agent_gym.evaluation.resampling import LEVEL, RESAMPLES, Estimate, columns, estimate, interval, resampled

if TYPE_CHECKING:
    from numpy import intp
    from numpy.typing import NDArray

    from agent_gym.evaluation.resampling import Floats

EVEN = 1e-9
"""Kappas closer than this are equal."""


class Cutoff(msgspec.Struct, frozen=True, kw_only=True):
    """A threshold and what it is worth. All None when the scores are all alike, or all examples passed, or none did."""

    threshold: Estimate
    """An example passes when its score is at least this; it lies halfway between two scores that occur."""
    kappa: Estimate
    """To be expected of new examples, in [-1, 1]."""
    apparent: float | None
    """Kappa on the examples that the threshold was picked on: flattered."""


def kappa(
    one: Sequence[bool], other: Sequence[bool], *, resamples: int = RESAMPLES, seed: int = 0, level: float = LEVEL
) -> Estimate:
    """Cohen's (1960) kappa of two verdicts, in [-1, 1]; None when both always say the same one thing.

    Args:
        one: True or 1, False or 0, one an example.
        other: of the same examples, in the same order.

    Raises:
        UsageError: when the lengths differ, there are no examples, or a value is impossible.
    """
    first, second = columns(one=one, other=other)
    require_verdicts("one", first)
    require_verdicts("other", second)

    def beyond_chance(counts: "Floats") -> "Floats":
        both, left, right = counts @ (first * second), counts @ first, counts @ second
        return _kappa(both, left - both, right, counts.sum(axis=1))

    return estimate(beyond_chance, len(one), resamples=resamples, seed=seed, level=level)


def best_threshold(
    scores: Sequence[float], passed: Sequence[bool], *, resamples: int = RESAMPLES, seed: int = 0, level: float = LEVEL
) -> Cutoff:
    """The threshold whose verdicts agree best with the truth, by kappa; of several equally good ones the middle one.

    Args:
        scores: a number an example.
        passed: of the same examples, in the same order: True or 1, False or 0.

    Raises:
        UsageError: when the lengths differ, there are no examples, or a value is impossible.
    """
    import numpy

    values, truth = columns(scores=scores, passed=passed)
    require_verdicts("passed", truth)
    levels = Levels(values)
    nothing = Estimate(None)
    if len(levels.values) < 2 or truth.min() == truth.max():
        return Cutoff(threshold=nothing, kappa=nothing, apparent=None)

    cuts = _between(levels.values)
    here = _of_cuts(levels, truth, numpy.ones((1, len(values))))[0]

    def picked(counts: "Floats") -> "Floats":
        """Per resample: the threshold picked on it, its kappa there, its kappa in the sample."""
        kappas = _of_cuts(levels, truth, counts)
        pick = _middle_best(kappas)
        return numpy.column_stack([cuts[pick], kappas[numpy.arange(len(pick)), pick], here[pick]])

    best = int(_middle_best(here[None])[0])
    found = resampled(picked, len(values), resamples=resamples, seed=seed)
    thresholds, there, tried = found[:, 0], found[:, 1], found[:, 2]
    # A resample of one class only has nothing to pick from.
    thresholds[numpy.isnan(there)] = numpy.nan
    flattered = 0.0 if numpy.isnan(there).all() else float(numpy.nanmean(there - tried))
    return Cutoff(
        threshold=Estimate(float(cuts[best]), interval(thresholds, level=level)),
        kappa=Estimate(max(-1.0, float(here[best]) - flattered), interval((there - 2 * flattered).clip(-1, 1), level=level)),
        apparent=float(here[best]),
    )


def _of_cuts(levels: Levels, truth: "Floats", counts: "Floats") -> "Floats":
    """Kappa of each cut between two levels: shape (rows, levels - 1), NaN for rows in which all passed or all failed."""
    import numpy

    good, bad = levels.total(counts * truth), levels.total(counts * (1 - truth))
    passed, failed = good.sum(axis=1, keepdims=True), bad.sum(axis=1, keepdims=True)
    right = passed - good.cumsum(axis=1)[:, :-1]
    wrong = failed - bad.cumsum(axis=1)[:, :-1]
    return numpy.where(passed * failed > 0, _kappa(right, wrong, passed, passed + failed), numpy.nan)


def _kappa(right: "Floats", wrong: "Floats", passed: "Floats", n: "Floats") -> "Floats":
    """From the passes that are right, those that are wrong, what truly passed, and all."""
    called = right + wrong
    agreed = right + (n - passed - wrong)
    chance = (called * passed + (n - called) * (n - passed)) / n
    return ratio(agreed - chance, n - chance)


def _middle_best(kappas: "Floats") -> "NDArray[intp]":
    """The position of the best in each row, the middle one of several (the left one of the middle two)."""
    import numpy

    known = numpy.nan_to_num(kappas, nan=-2.0)
    best = known >= known.max(axis=1, keepdims=True) - EVEN
    rank = best.cumsum(axis=1)
    return ((rank == (rank[:, -1:] + 1) // 2) & best).argmax(axis=1)


def _between(values: "Floats") -> "Floats":
    """Halfway between neighbours; the upper one where no number lies between them."""
    import numpy

    low, high = values[:-1], values[1:]
    middle = low / 2 + high / 2
    return numpy.where(middle > low, middle, high)
