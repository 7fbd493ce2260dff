"""Whether a strategy differs from the baseline, judged on the same examples.

The examples differ far more among themselves than two strategies do, so each is compared with itself: the mean of the
differences is bootstrapped, percentile method. Where nothing differs, BCa calls more false winners than the percentile method
as soon as examples are few or most of them tie, which is how prompts compare (`scripts/bench/false_alarms.py`). Two
corrections hold false alarms near the promised 5 %:

- the tails are widened as Student's t widens the normal distribution (the expanded percentile interval, Hesterberg 2015):
  ten examples would otherwise raise 9 % instead of 5 %;
- no p-value is smaller than turning the signs of the differences could give (Fisher 1935): with k examples that differ,
  2^(1-k). Four wins and no loss among fifty examples prove nothing, though hardly a resample misses all four.

The interval excludes 0 exactly when p is at most 1 - level. Not covered, by any test on few examples: losses so rare and large
that the examples at hand may not show one.
"""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from agent_gym.errors import UsageError
from agent_gym.evaluation.resampling import LEVEL, columns, draws, numbers, share
from agent_gym.evaluation.student import NORMAL, t_below, t_quantile

if TYPE_CHECKING:
    from agent_gym.evaluation.resampling import Floats

RESAMPLES = 10_000
NOTHING = 1e-12
"""Differences below it are rounding."""


class Paired(msgspec.Struct, frozen=True, kw_only=True):
    """A strategy against the baseline, over the examples that both were scored on."""

    n: int
    difference: float
    """Mean of strategy minus baseline; above 0 the strategy is better."""
    interval: tuple[float, float]
    """95 % interval of the difference."""
    p: float
    """Two-sided, in (0, 1]: how well no difference at all would explain this."""
    p_adjusted: float
    """The same after Holm's correction for the number of strategies compared: this one decides."""
    needed: int | None
    """About how many examples would be needed to tell the difference; None when there is none to tell."""


def against_baseline(
    baseline: Sequence[float | None],
    others: Mapping[str, Sequence[float | None]],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
    level: float = LEVEL,
) -> dict[str, Paired]:
    """Every strategy against the baseline, corrected for their number.

    Args:
        baseline: one score an example; None where the endpoint failed.
        others: per strategy, the scores of the same examples in the same order.

    Raises:
        UsageError: when a strategy has another number of examples, or none was scored in both.
    """
    gaps: dict[str, list[float]] = {}
    for name, scores in others.items():
        if len(scores) != len(baseline):
            raise UsageError(
                f"{name!r} has {len(scores)} scores and the baseline {len(baseline)}: compare results of the same examples"
            )
        gaps[name] = [one - other for one, other in zip(scores, baseline, strict=True) if one is not None and other is not None]
        if not gaps[name]:
            raise UsageError(f"no example was scored for both {name!r} and the baseline: run the one that failed again")
    found = _bootstrap(gaps, resamples, seed, level)
    adjusted = holm([p for _, p in found.values()])
    return {
        name: Paired(
            n=len(gaps[name]),
            difference=math.fsum(gaps[name]) / len(gaps[name]),
            interval=interval,
            p=p,
            p_adjusted=corrected,
            # At the strictest of Holm's levels, so that so many examples suffice whatever the other strategies do.
            needed=examples_needed(gaps[name], alpha=(1 - level) / len(gaps)),
        )
        for (name, (interval, p)), corrected in zip(found.items(), adjusted, strict=True)
    }


def paired_bootstrap(
    scores: Sequence[float],
    baseline: Sequence[float],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
    level: float = LEVEL,
) -> tuple[tuple[float, float], float]:
    """The interval of the mean difference and its two-sided p-value, in (0, 1].

    Args:
        scores: one an example.
        baseline: of the same examples, in the same order.
        level: the share of resampled differences inside the interval, in (0, 1).

    Raises:
        UsageError: when the lengths differ, there are no examples, or a score is not a finite number.
    """
    one, other = columns(scores=scores, baseline=baseline)
    return _bootstrap({"": one - other}, resamples, seed, level)[""]


def holm(ps: Sequence[float]) -> list[float]:
    """Holm's (1979) step-down correction: adjusted p-values, in the order given.

    Rejecting what is at most alpha keeps the chance of any false alarm among all at alpha.

    Raises:
        UsageError: when a p-value is not in [0, 1].
    """
    for index, p in enumerate(ps):
        if not 0 <= p <= 1:
            raise UsageError(f"p-value {index} is {p!r}: give numbers from 0 to 1")
    adjusted, running = [0.0] * len(ps), 0.0
    for rank, index in enumerate(sorted(range(len(ps)), key=ps.__getitem__)):
        running = max(running, min(1.0, (len(ps) - rank) * ps[index]))
        adjusted[index] = running
    return adjusted


def examples_needed(differences: Sequence[float], *, alpha: float = 0.05, power: float = 0.8) -> int | None:
    """About how many examples would tell the mean of these differences from 0.

    Guenther's (1981) formula for the paired t test, with the mean and the spread seen so far; and never so few that the signs
    of those that differ could not prove it (`2^(1-k) <= alpha`).

    Args:
        differences: one an example.
        alpha: the two-sided p-value that counts as telling, in (0, 1).
        power: how often so many examples would tell it, in (0, 1).

    Returns:
        None when the mean is 0, or there is one example and so no spread.

    Raises:
        UsageError: when there are no differences, one is not a finite number, or alpha or power is no share.
    """
    gaps = numbers("differences", differences)
    wanted = NORMAL.inv_cdf(1 - share("alpha", alpha) / 2)
    reach = wanted + NORMAL.inv_cdf(share("power", power))
    mean = float(gaps.mean())
    if len(gaps) < 2 or abs(mean) < NOTHING:
        return None
    enough = (reach * float(gaps.std(ddof=1)) / mean) ** 2 + wanted**2 / 2
    unequal = int((abs(gaps) > NOTHING).sum())
    provable = math.ceil(1 + math.log2(1 / alpha))
    return max(math.ceil(enough), math.ceil(provable * len(gaps) / unequal))


def expanded_tail(n: int, level: float) -> float:
    """The share of resampled means to cut off at each end, so that the interval of `n` examples covers `level`.

    Hesterberg (2015), "What Teachers Should Know About the Bootstrap". Needs two examples.
    """
    return NORMAL.cdf(t_quantile((1 - level) / 2, n - 1) * math.sqrt(n / (n - 1)))


def _bootstrap(
    gaps: Mapping[str, "Sequence[float] | Floats"], resamples: int, seed: int, level: float
) -> dict[str, tuple[tuple[float, float], float]]:
    """Interval and p-value per name. Names with equally many examples share their draws: drawing is half of the work."""
    import numpy

    share("level", level)
    rows = {name: numpy.asarray(values, dtype=float) for name, values in gaps.items()}
    means: dict[str, list[Floats]] = {name: [] for name in rows}
    for n in {len(row) for row in rows.values()}:
        same = {name: row for name, row in rows.items() if len(row) == n}
        for picks in draws(n, resamples, seed):
            for name, row in same.items():
                means[name].append(row[picks].mean(axis=1))
    return {name: _told(row, numpy.concatenate(means[name]), level) for name, row in rows.items()}


def _told(gaps: "Floats", means: "Floats", level: float) -> tuple[tuple[float, float], float]:
    import numpy

    n = len(gaps)
    means[abs(means) < NOTHING] = 0.0
    # One is added because the sample itself is one of the possible draws: p is never 0 (Davison and Hinkley 1997, 4.2).
    p = 2 * (1 + min(int((means <= 0).sum()), int((means >= 0).sum()))) / (len(means) + 1)
    tail = 0.0
    if n > 1:
        p = 2 * t_below(NORMAL.inv_cdf(min(p, 1.0) / 2) * math.sqrt((n - 1) / n), n - 1)
        tail = expanded_tail(n, level)
    low, high = (float(end) for end in numpy.quantile(means, [tail, 1 - tail]))
    signs = int((abs(gaps) > NOTHING).sum())
    p = min(1.0, max(p, 2.0 ** (1 - signs)))
    return ((min(low, 0.0), max(high, 0.0)) if p > 1 - level else (low, high)), p
