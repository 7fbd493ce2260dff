"""SciPy's word on the same numbers, typed."""
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportAttributeAccessIssue=false, reportMissingTypeArgument=false

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy
from scipy import special, stats


def percentile_bootstrap(
    statistic: Callable[..., Any], *samples: Sequence[float], resamples: int, level: float = 0.95, seed: int = 0
) -> tuple[float, float]:
    """The paired percentile interval of a statistic that takes plain sequences."""
    found = stats.bootstrap(
        samples,
        statistic,
        paired=len(samples) > 1,
        vectorized=False,
        method="percentile",
        n_resamples=resamples,
        confidence_level=level,
        rng=numpy.random.default_rng(seed),
    ).confidence_interval
    return float(found.low), float(found.high)


def spearman(one: Sequence[float], other: Sequence[float]) -> float:
    return float(stats.spearmanr(one, other).statistic)


def kendall(one: Sequence[float], other: Sequence[float]) -> float:
    return float(stats.kendalltau(one, other).statistic)


def auc(scores: Sequence[float], passed: Sequence[bool]) -> float:
    good = [score for score, done in zip(scores, passed, strict=True) if done]
    bad = [score for score, done in zip(scores, passed, strict=True) if not done]
    return float(stats.mannwhitneyu(good, bad).statistic) / (len(good) * len(bad))


def partial_spearman(one: Sequence[float], other: Sequence[float], fixed: Sequence[float]) -> float:
    """By its definition: the correlation of what a line through the fixed ranks leaves of the other two."""
    base = numpy.column_stack([stats.rankdata(fixed), numpy.ones(len(fixed))])
    rest = [ranks - base @ numpy.linalg.lstsq(base, ranks)[0] for ranks in (stats.rankdata(one), stats.rankdata(other))]
    return float(numpy.corrcoef(*rest)[0, 1])


def t_below(t: float, freedom: int) -> float:
    return float(stats.t.cdf(t, freedom))


def t_quantile(probability: float, freedom: int) -> float:
    return float(stats.t.ppf(probability, freedom))


def t_interval(values: Sequence[float], level: float = 0.95) -> tuple[float, float]:
    """Of a mean."""
    low, high = stats.t.interval(level, len(values) - 1, loc=numpy.mean(values), scale=stats.sem(values))
    return float(low), float(high)


def t_test_power(effect: float, n: int, alpha: float) -> float:
    """Of the two-sided paired t test, for a mean of `effect` standard deviations."""
    edge, shift = stats.t.ppf(1 - alpha / 2, n - 1), effect * numpy.sqrt(n)
    return float(stats.nct.sf(edge, n - 1, shift) + stats.nct.cdf(-edge, n - 1, shift))


def choose(n: int, k: int) -> float:
    return float(special.comb(n, k))


def kolmogorov_smirnov(one: Sequence[float], other: Sequence[float]) -> float:
    with warnings.catch_warnings():
        # Its p-value is not asked for.
        warnings.simplefilter("ignore", RuntimeWarning)
        return float(stats.ks_2samp(one, other, method="asymp").statistic)


def wasserstein(one: Sequence[float], other: Sequence[float]) -> float:
    return float(stats.wasserstein_distance(one, other))


def jensen_shannon(one: Sequence[float], other: Sequence[float]) -> float:
    from scipy.spatial.distance import jensenshannon

    # SciPy's is the square root of the divergence.
    return float(jensenshannon(one, other, base=2)) ** 2
