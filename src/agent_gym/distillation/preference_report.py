"""What became of the decisions in a file of rollouts: which gave a pair, why the others did not, and what the pairs are like.

Whoever trains on pairs whose chosen side is mostly the longer one teaches length (Park et al. 2024, "Disentangling Length from
Quality in Direct Preference Optimization"): that is counted and said.
"""

import math
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from agent_gym.distillation.preferences import NoPair, Pair
from agent_gym.distillation.prompt import Row

Z = 1.959964
"""Of the normal distribution, 95 % lie within so many standard deviations."""


class Spread(msgspec.Struct, frozen=True):
    """How numbers are distributed."""

    low: float
    quarter: float
    median: float
    three_quarters: float
    high: float


class PreferenceReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a file of rollouts gave."""

    rollouts: int
    unscored: int
    """Rollouts without a reward; nothing is known of what they decided."""
    tasks: int
    decisions: int
    """States in which something was decided; samples that came to the same state count once."""
    pairs: int
    sources: Mapping[str, int]
    """Pairs by where they come from."""
    without: Mapping[str, int]
    """Decisions that gave no pair, by the reason; the most frequent one first."""
    margin: Spread | None
    """Of the pairs; None when there are none, and so for the lengths."""
    chosen: Spread | None
    """Characters that the model must write, of the chosen sides; a call counts with its name and arguments."""
    rejected: Spread | None
    longer: float | None
    """Of the pairs whose sides differ in length, the share whose chosen side is the longer one, in [0, 1]."""
    longer_interval: tuple[float, float] | None
    """Its 95 % interval (Wilson 1927)."""

    @property
    def length_bias(self) -> str | None:
        """Which side is the longer one more often than chance explains: "chosen" or "rejected"."""
        if self.longer_interval is None:
            return None
        low, high = self.longer_interval
        return "chosen" if low > 0.5 else "rejected" if high < 0.5 else None


class PreferenceCounts:
    """A running `PreferenceReport`; of a pair three numbers are kept."""

    def __init__(self) -> None:
        self.rollouts = self.unscored = self.tasks = 0
        self._sources: Counter[str] = Counter()
        self._without: Counter[str] = Counter()
        self._margins, self._chosen, self._rejected = array("d"), array("l"), array("l")

    def add(self, found: Pair | NoPair) -> None:
        """Count what a decision gave."""
        if isinstance(found, NoPair):
            self._without[found.reason] += 1
            return
        self._sources[found.source] += 1
        self._margins.append(found.margin)
        self._chosen.append(length(found.chosen))
        self._rejected.append(length(found.rejected))

    def report(self) -> PreferenceReport:
        """The counts so far."""
        pairs = len(self._margins)
        sides = list(zip(self._chosen, self._rejected, strict=True))
        differing = sum(one != other for one, other in sides)
        longer = sum(one > other for one, other in sides)
        return PreferenceReport(
            rollouts=self.rollouts,
            unscored=self.unscored,
            tasks=self.tasks,
            decisions=pairs + self._without.total(),
            pairs=pairs,
            sources=dict(self._sources),
            without=dict(self._without.most_common()),
            margin=spread(self._margins),
            chosen=spread(self._chosen),
            rejected=spread(self._rejected),
            longer=longer / differing if differing else None,
            longer_interval=wilson(longer, differing) if differing else None,
        )


def length(action: Row) -> int:
    """Characters that a model must write for a message, its calls as compact JSON."""
    calls = [call["function"] for call in action.get("tool_calls", ())]
    return len(action["content"]) + sum(len(msgspec.json.encode(call).decode()) for call in calls)


def spread(values: Sequence[float]) -> Spread | None:
    """Least, quartiles and greatest of some numbers (the nearest rank); None when there are none."""
    if not values:
        return None
    ordered = sorted(values)
    ranks = (max(math.ceil(share * len(ordered)), 1) - 1 for share in (0.0, 0.25, 0.5, 0.75, 1.0))
    return Spread(*(float(ordered[rank]) for rank in ranks))


def wilson(hits: int, n: int) -> tuple[float, float]:
    """The 95 % score interval of a share (Wilson 1927), in [0, 1]; `n` is 1 or more."""
    share, z2 = hits / n, Z * Z
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return max(middle - half, 0.0), min(middle + half, 1.0)
