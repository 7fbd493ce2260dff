"""What repeating the same thing shows: does an agent succeed every time, does a judge say the same twice."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from agent_gym.errors import UsageError
from agent_gym.evaluation.ranks import ratio
from agent_gym.evaluation.resampling import LEVEL, RESAMPLES, Estimate, estimate, numbers

if TYPE_CHECKING:
    from agent_gym.evaluation.resampling import Floats


SAME = 1e-12


class Consistency(msgspec.Struct, frozen=True, kw_only=True):
    """How far repeated scores of the same examples agree."""

    deviation: Estimate
    """Mean absolute distance of a score from its example's mean, in the unit of the scores: 0 when every repeat is the same."""
    alpha: Estimate
    """Krippendorff's alpha: 1 when every repeat is the same, 0 when repeats differ as much as examples do, negative beyond."""
    examples: int
    """Those with two scores or more."""


def pass_hat_k(
    repeats: Sequence[Sequence[float]],
    k: int,
    *,
    threshold: float | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
    level: float = LEVEL,
) -> Estimate:
    """pass^k: the chance that a task succeeds in all of k tries, in [0, 1] (tau-bench, Yao et al. 2024).

    Of a task with c successes in n tries the unbiased estimate is C(c, k) / C(n, k); the figure is the mean over tasks, its
    interval the bootstrap's over tasks.

    Args:
        repeats: per task its tries, k or more: True or False, or scores when a threshold is given.
        k: 1 or more.
        threshold: a try succeeds when its score is at least this.

    Raises:
        UsageError: when there are no tasks, k is below 1, a task has fewer tries than k, or a try is neither pass nor fail.
    """
    if k < 1:
        raise UsageError(f"k must be 1 or more, got {k}")
    chances: list[float] = []
    for index, tries in enumerate(repeats):
        if len(tries) < k:
            raise UsageError(f"task {index} has {len(tries)} tries, too few for pass^{k}: lower k, or repeat it {k} times")
        done = sum(_succeeded(score, index, threshold) for score in numbers(f"task {index}", tries))
        chances.append(math.comb(done, k) / math.comb(len(tries), k))
    values = numbers("repeats", chances)
    return estimate(
        lambda counts: counts @ values / counts.sum(axis=1), len(values), resamples=resamples, seed=seed, level=level
    )


def self_consistency(
    repeats: Sequence[Sequence[float]], *, resamples: int = RESAMPLES, seed: int = 0, level: float = LEVEL
) -> Consistency:
    """How far a judge agrees with itself when asked again.

    Alpha with interval distance (Krippendorff, "Content Analysis", 2004, chapter 11) and not an intraclass correlation: an
    answer that failed may be missing, and the repeats need not be told apart.

    Args:
        repeats: per example its scores, as many as came; examples with fewer than two say nothing and are left out.

    Raises:
        UsageError: when no example has two scores, or a score is not a finite number.
    """
    import numpy

    kept = [numbers(f"example {index}", scores, least=0) for index, scores in enumerate(repeats)]
    kept = [scores for scores in kept if len(scores) > 1]
    if not kept:
        raise UsageError("no example was scored twice: ask the judge at least 2 times for each")
    # Alpha does not change with place and scale; around 0 the sums of squares lose no digits.
    pooled = numpy.concatenate(kept)
    middle, scale = float(pooled.mean()), float(pooled.std())
    alike = scale <= SAME * max(1.0, abs(middle))
    units = [(scores - middle) / (1.0 if alike else scale) for scores in kept]
    sizes = numpy.array([float(len(scores)) for scores in kept])
    sums = numpy.array([float(unit.sum()) for unit in units])
    squares = numpy.array([float((unit**2).sum()) for unit in units])
    within = numpy.array([float(((unit - unit.mean()) ** 2).sum()) for unit in units]) * sizes / (sizes - 1)
    # The mean of equal scores may be off by a rounding.
    apart = numpy.array([float(abs(scores - scores.mean()).sum()) if numpy.ptp(scores) else 0.0 for scores in kept])

    def alpha(counts: "Floats") -> "Floats":
        scores = counts @ sizes
        expected = scores * (counts @ squares) - (counts @ sums) ** 2
        # Where all scores are alike nothing could have differed.
        expected[expected <= SAME * scores**2] = 0.0
        return 1 - ratio((scores - 1) * (counts @ within), expected)

    def deviation(counts: "Floats") -> "Floats":
        return counts @ apart / (counts @ sizes)

    return Consistency(
        deviation=estimate(deviation, len(kept), resamples=resamples, seed=seed, level=level),
        alpha=estimate(alpha, len(kept), resamples=resamples, seed=seed, level=level),
        examples=len(kept),
    )


def _succeeded(score: float, task: int, threshold: float | None) -> bool:
    if threshold is not None:
        return score >= threshold
    if score not in (0, 1):
        raise UsageError(f"task {task} has the score {float(score)!r}, neither pass nor fail: give a threshold")
    return score == 1
