"""How often a strategy that does not differ is called better or worse, by method: the reason for ours.

    python scripts/bench/false_alarms.py [--runs 1000]

In every simulated comparison the true difference is 0 and 0.05 is promised. `ours` is `paired_bootstrap`, the others are
`scipy.stats.bootstrap` on the differences: an alarm is an interval without 0. Differences are normal, or a win or a loss
with the stated share of ties between.
"""
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

import argparse
import json
import warnings
from typing import TYPE_CHECKING, Any

import numpy
from scipy import stats

from agent_gym.evaluation.paired import paired_bootstrap

if TYPE_CHECKING:
    from numpy.typing import NDArray

RESAMPLES = 1000


def drawn(kind: str, n: int, runs: int) -> "NDArray[numpy.float64]":
    """Differences of mean 0, one row a comparison."""
    rng = numpy.random.default_rng(1)
    if kind == "normal":
        return rng.normal(size=(runs, n))
    ties = float(kind.removesuffix(" ties"))
    return rng.choice([-1.0, 0.0, 1.0], p=[(1 - ties) / 2, ties, (1 - ties) / 2], size=(runs, n))


def scipys(gaps: "NDArray[numpy.float64]", method: Any) -> float:
    """The share of comparisons whose interval has no 0 in it."""
    with warnings.catch_warnings():
        # BCa is undefined where all differences are equal: no alarm.
        warnings.simplefilter("ignore")
        found = stats.bootstrap(
            (gaps,),
            numpy.mean,
            axis=1,
            method=method,
            batch=50,
            n_resamples=RESAMPLES,
            rng=numpy.random.default_rng(0),
        ).confidence_interval
    return float(((found.low > 1e-12) | (found.high < -1e-12)).mean())


def main() -> None:
    """Measure and print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000, help="simulated comparisons of each kind")
    options = parser.parse_args()
    alarms: dict[str, dict[str, float]] = {}
    for kind in ("normal", "0.4 ties", "0.8 ties", "0.92 ties"):
        for n in (10, 20, 50, 200):
            gaps = drawn(kind, n, options.runs)
            ours = [paired_bootstrap([*row], [0.0] * n, resamples=RESAMPLES)[1] <= 0.05 for row in gaps]
            found = {"ours": float(numpy.mean(ours)), "percentile": scipys(gaps, "percentile"), "bca": scipys(gaps, "BCa")}
            alarms[f"{kind}, {n} examples"] = {method: round(rate, 3) for method, rate in found.items()}
    worst = {method: max(rates[method] for rates in alarms.values()) for method in ("ours", "percentile", "bca")}
    print(json.dumps({"bench": "false_alarms", "runs": options.runs, "promised": 0.05, "worst": worst, "alarms": alarms}))


if __name__ == "__main__":
    main()
