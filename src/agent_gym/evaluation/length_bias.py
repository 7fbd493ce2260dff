"""Whether a judge rewards length: of its score, how much goes with the answer's length beyond what the truth explains.

Long answers may simply be better, so the correlation with length alone proves nothing. The partial correlation takes the
truth out of both first.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from agent_gym.evaluation.ranks import Levels, rank_correlation, ratio
from agent_gym.evaluation.resampling import LEVEL, RESAMPLES, Estimate, columns, estimate

if TYPE_CHECKING:
    from agent_gym.evaluation.resampling import Floats

SAME = 1e-9


def length_bias(
    judge: Sequence[float],
    truth: Sequence[float],
    lengths: Sequence[float],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
    level: float = LEVEL,
) -> Estimate:
    """Spearman's correlation of judge and length with the truth held fixed, in [-1, 1] (partial correlation, Kendall 1942).

    Above 0 the judge prefers long answers. A judge that orders exactly as the truth has no bias: 0. None when judge, truth or
    length is constant, or when length and truth give one order and cannot be told apart.

    Args:
        judge: the judge's score, one an example.
        truth: the true score of the same examples.
        lengths: the length of the judged answers, in any one unit.

    Raises:
        UsageError: when the numbers of values differ, there are none, or one is not a finite number.
    """
    import numpy

    scored, true, long = (Levels(values) for values in columns(judge=judge, truth=truth, lengths=lengths))

    def beyond_truth(counts: "Floats") -> "Floats":
        by_truth, by_length = rank_correlation(scored, true, counts), rank_correlation(scored, long, counts)
        shared = rank_correlation(long, true, counts)
        left, apart = 1 - by_truth**2, 1 - shared**2
        left[left < SAME], apart[apart < SAME] = 0.0, 0.0
        found = ratio(by_length - by_truth * shared, numpy.sqrt(left * apart)).clip(-1, 1)
        return numpy.where((left == 0) & (apart > 0), 0.0, found)

    return estimate(beyond_truth, len(judge), resamples=resamples, seed=seed, level=level)
