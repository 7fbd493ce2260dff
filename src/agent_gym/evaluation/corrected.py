"""The rate a cheap judge gives, corrected by the few examples whose truth is known.

Prediction-powered inference (Angelopoulos, Bates, Fannjiang, Jordan and Zrnic 2023) with power tuning (PPI++, Angelopoulos,
Duchi and Zrnic 2023): the mean truth of the labelled examples, moved by lambda times the distance between the judge's mean
over all and over the labelled ones. Lambda is the one with the smallest variance, so a judge that says nothing of the truth
is not listened to, and one that always hits it counts as much as labels. A constant bias of the judge cancels.

`corrected_rate` holds for any judge, however wrong, when the labelled examples are drawn at random from the same runs as the
others. `transferred_rate` takes the judge's mean error from other runs (a calibration): right as far as the judge errs by as
much here as it did there, and no further.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from agent_gym.errors import UsageError
from agent_gym.evaluation.resampling import LEVEL, columns, numbers, share
from agent_gym.evaluation.student import t_quantile

if TYPE_CHECKING:
    from agent_gym.evaluation.resampling import Floats

LEAST = 3


class Corrected(msgspec.Struct, frozen=True, kw_only=True):
    """A judge's rate beside the corrected one. Rates are in [0, 1]."""

    judged: float
    """The judge's own mean over all examples, labelled ones included."""
    value: float
    """The corrected rate."""
    interval: tuple[float, float]
    """95 % interval of the corrected rate."""
    weight: float
    """PPI++'s lambda: 0 when the judge is not listened to."""
    n: int
    """All examples."""
    labelled: int


def corrected_rate(judged: Sequence[float], labelled: Sequence[tuple[float, float]], *, level: float = LEVEL) -> Corrected:
    """The mean truth of all examples, from a judge of all and the truth of some.

    Lambda comes from the labelled examples alone, which makes a perfect judge's corrected rate exactly its own mean. The
    interval is Student's, its degrees of freedom by Welch and Satterthwaite (1946); with 50 labels and a rate of 0.92 it
    holds the truth 9 times in 10 rather than 19 in 20. Labelled examples on which nothing is left to explain show no error,
    not that there is none: the interval then grows by what so many could have missed (Clopper and Pearson 1934; the rule of
    three).

    Args:
        judged: the judge's scores of the examples without truth, in [0, 1]; none when all are labelled.
        labelled: (judge's score, true score) of the others, in [0, 1].
        level: how often the interval holds the true rate, in (0, 1).

    Raises:
        UsageError: when fewer than 3 examples are labelled, or a score is not in [0, 1].
    """
    import numpy

    tail = (1 - share("level", level)) / 2
    unseen, seen, truth = _checked(judged, labelled, least=0)
    n, total = len(seen), len(seen) + len(unseen)
    everything = numpy.concatenate([seen, unseen])

    # Without others, and where it gives one score to all, the judge has nothing to add.
    heard = total > n and seen.min() < seen.max()
    slope = float(numpy.cov(seen, truth)[0, 1] / seen.var(ddof=1)) if heard else 0.0
    value = float(truth.mean() + slope * (everything.mean() - seen.mean()))
    # At this lambda PPI++'s variance is the sum of what the judge explains, averaged over all examples, and what it does not,
    # averaged over the labelled ones. The fitted slope costs a degree of freedom.
    left = truth - truth.mean() - slope * (seen - seen.mean())
    freedom = n - 2 if slope else n - 1
    unexplained = float((left**2).sum()) / freedom / n
    explained = slope**2 * float(everything.var(ddof=1)) / total
    missed = 0.0
    if unexplained < 1e-24:
        unexplained, missed = 0.0, 1 - tail ** (1 / n)
    variance = unexplained + explained
    reach = missed
    if variance > 0:
        merged = variance**2 / (unexplained**2 / freedom + explained**2 / (total - 1))
        reach += t_quantile(1 - tail, max(1, int(merged + 1e-9))) * variance**0.5
    return Corrected(
        judged=float(everything.mean()),
        value=min(1.0, max(0.0, value)),
        interval=(min(1.0, max(0.0, value - reach)), min(1.0, max(0.0, value + reach))),
        weight=slope * (total - n) / total,
        n=total,
        labelled=n,
    )


def transferred_rate(judged: Sequence[float], labelled: Sequence[tuple[float, float]], *, level: float = LEVEL) -> Corrected:
    """The mean truth of examples that only the judge saw, with its mean error measured on others.

    Prediction-powered inference as first published (lambda = 1): the judge's mean here, less the mean by which it was too high
    there. The interval is Student's over both means, its degrees of freedom by Welch and Satterthwaite (1946).

    Args:
        judged: the judge's scores of the examples in question, in [0, 1]; two or more.
        labelled: (judge's score, true score) of other examples, in [0, 1]; three or more.
        level: how often the interval holds the true rate, in (0, 1).

    Raises:
        UsageError: when there are fewer, or a score is not in [0, 1].
    """
    tail = (1 - share("level", level)) / 2
    unseen, seen, truth = _checked(judged, labelled, least=2)
    error = truth - seen
    value = float(unseen.mean() + error.mean())
    here, there = float(unseen.var(ddof=1)) / len(unseen), float(error.var(ddof=1)) / len(error)
    reach = 0.0
    # Less is rounding, whose square is no number any more.
    if here + there > 1e-24:
        merged = (here + there) ** 2 / (here**2 / (len(unseen) - 1) + there**2 / (len(error) - 1))
        reach = t_quantile(1 - tail, max(1, int(merged + 1e-9))) * (here + there) ** 0.5
    return Corrected(
        judged=float(unseen.mean()),
        value=min(1.0, max(0.0, value)),
        interval=(min(1.0, max(0.0, value - reach)), min(1.0, max(0.0, value + reach))),
        weight=1.0,
        n=len(unseen),
        labelled=len(seen),
    )


def _checked(
    judged: Sequence[float], labelled: Sequence[tuple[float, float]], *, least: int
) -> "tuple[Floats, Floats, Floats]":
    """The judge's scores alone, then its scores and the truth of the labelled examples.

    Raises:
        UsageError: when there are too few, or a score is not in [0, 1].
    """
    if len(labelled) < LEAST:
        raise UsageError(
            f"{len(labelled)} examples are labelled, too few to correct a judge: label at least {LEAST}, better 50"
        )
    seen, truth = columns(judge=[one for one, _ in labelled], truth=[other for _, other in labelled])
    unseen = numbers("judged", judged, least=least)
    for name, values in {"judge": seen, "truth": truth, "judged": unseen}.items():
        if outside := [float(value) for value in values if not 0 <= value <= 1]:
            raise UsageError(f"{name} holds {outside[0]!r}, not a score from 0 to 1: divide by the largest score of the scale")
    return unseen, seen, truth
