"""Our statistics and SciPy's on the same numbers and the same draws: how far apart, and how long each takes.

    python scripts/bench/statistics_against_scipy.py [--examples 1000] [--strategies 10]

Ours: every strategy against the baseline with 10,000 resamples, and each agreement with its interval from 2,000. SciPy's: the
same means and intervals from `scipy.stats.bootstrap` at the same level with the same seed, and the agreements themselves (its
bootstrap of a rank correlation takes minutes, so those intervals are compared on 100 examples and 200 resamples).
"""
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportAttributeAccessIssue=false

import argparse
import json
import random
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy
from scipy import stats

from agent_gym.evaluation.agreement import auc, kendall, spearman
from agent_gym.evaluation.paired import against_baseline, expanded_tail
from agent_gym.evaluation.resampling import Estimate
from agent_gym.evaluation.student import t_below

RUNS = 5


def theirs_paired(baseline: Sequence[float], others: dict[str, list[float]]) -> list[tuple[float, float, float]]:
    """Mean difference and interval of each strategy."""
    found: list[tuple[float, float, float]] = []
    for scores in others.values():
        gaps = numpy.subtract(scores, baseline)
        low, high = scipy_interval(numpy.mean, (gaps,), 10_000, 1 - 2 * expanded_tail(len(gaps), 0.95), vectorized=True)
        found.append((float(gaps.mean()), low, high))
    return found


def scipy_interval(
    statistic: Callable[..., Any], samples: Sequence[Any], resamples: int, level: float, *, vectorized: bool = False
) -> tuple[float, float]:
    """The percentile interval, drawn as ours is."""
    found = stats.bootstrap(
        samples,
        statistic,
        paired=len(samples) > 1,
        vectorized=vectorized,
        batch=200,
        method="percentile",
        n_resamples=resamples,
        confidence_level=level,
        rng=numpy.random.default_rng(0),
    ).confidence_interval
    return float(found.low), float(found.high)


def their_auc(scores: Sequence[float], passed: Sequence[bool]) -> float:
    """From SciPy's U."""
    values, truth = numpy.asarray(scores), numpy.asarray(passed, dtype=bool)
    pairs = int(truth.sum()) * int((~truth).sum())
    return float(stats.mannwhitneyu(values[truth], values[~truth]).statistic) / pairs


def their_spearman(one: Sequence[float], other: Sequence[float]) -> float:
    """The figure alone."""
    return float(stats.spearmanr(one, other).statistic)


def their_kendall(one: Sequence[float], other: Sequence[float]) -> float:
    """The figure alone."""
    return float(stats.kendalltau(one, other).statistic)


def seconds(work: Callable[[], object]) -> float:
    """The median of five runs."""
    walls: list[float] = []
    for _ in range(RUNS):
        started = time.perf_counter()
        work()
        walls.append(time.perf_counter() - started)
    return round(float(numpy.median(walls)), 4)


def apart(ours: Estimate, value: float, ends: tuple[float, float] | None = None) -> float:
    """The largest difference between two estimates."""
    assert ours.value is not None
    found = abs(ours.value - value)
    if ends is not None:
        assert ours.interval is not None
        found = max(found, *(abs(one - other) for one, other in zip(ours.interval, ends, strict=True)))
    return found


def main() -> None:
    """Measure and print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, default=1000)
    parser.add_argument("--strategies", type=int, default=10)
    options = parser.parse_args()
    rng = random.Random(0)
    truth = [rng.random() for _ in range(options.examples)]
    judge = [round(10 * score + rng.gauss(0, 2)) / 10 for score in truth]
    passed = [score > 0.5 for score in truth]
    others = {
        f"strategy {number}": [score + number / 100 + rng.gauss(0, 0.2) for score in truth]
        for number in range(options.strategies)
    }

    ours = against_baseline(truth, others)
    differences = [
        abs(one - other)
        for found, expected in zip(ours.values(), theirs_paired(truth, others), strict=True)
        for one, other in zip((found.difference, *found.interval), expected, strict=True)
    ]
    measures: list[tuple[Callable[..., Estimate], Callable[..., float], Sequence[float]]] = [
        (spearman, their_spearman, truth),
        (kendall, their_kendall, truth),
        (auc, their_auc, passed),
    ]
    for mine, reference, other in measures:
        few = judge[:100], other[:100]
        differences += [
            apart(mine(judge, other), reference(judge, other)),
            apart(mine(*few, resamples=200), reference(*few), scipy_interval(reference, few, 200, 0.95)),
        ]
    differences += [abs(t_below(t, freedom) - float(stats.t.cdf(t, freedom))) for t in (-3, -1, 2) for freedom in (1, 9, 999)]
    print(
        json.dumps(
            {
                "bench": "statistics_against_scipy",
                "examples": options.examples,
                "strategies": options.strategies,
                "max_abs_difference": max(differences),
                "paired_s": seconds(lambda: against_baseline(truth, others)),
                "paired_scipy_s": seconds(lambda: theirs_paired(truth, others)),
                "spearman_s": seconds(lambda: spearman(judge, truth)),
                "kendall_s": seconds(lambda: kendall(judge, truth)),
                "auc_s": seconds(lambda: auc(judge, passed)),
            }
        )
    )


if __name__ == "__main__":
    main()
