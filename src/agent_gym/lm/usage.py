"""How much of a model was used: counts that add up and can be subtracted.

A `Usage` is the same for two runs of the same work, one of them perhaps killed and continued, the other not. What differs
between them is kept apart in its `transport`: seconds, faults that passed, answers replayed from the run's own past.
Everything is counted in whole numbers (tokens, picodollars, nanoseconds): a total does not depend on the order in which
answers arrived, and a phase's share, the difference of two snapshots, is exact.
"""

from math import exp, floor, log
from typing import Any

import msgspec

PICO = 10**12
_STEP = log(1.02)


def latency_step(nanoseconds: int) -> int:
    """The histogram step of `Transport.latencies` that this time falls into."""
    return floor(log(max(nanoseconds, 1)) / _STEP)


def _counts() -> dict[Any, int]:
    return {}


class Transport(msgspec.Struct, frozen=True, kw_only=True):
    """What differs between two runs of the same work."""

    replayed: int = 0
    """Of the requests, those answered from what this run had paid for before it was interrupted."""
    retries: int = 0
    """Attempts beyond the first."""
    faults: dict[str, int] = msgspec.field(default_factory=_counts)
    """Attempts that failed, by kind (`faults.py`); their sum is `retries` plus the failures."""
    nanoseconds: int = 0
    """Time spent waiting for answers, summed over requests."""
    latencies: dict[int, int] = msgspec.field(default_factory=_counts)
    """How many answers took how long: a histogram with steps of 2 %."""

    @property
    def seconds(self) -> float:
        """Time spent waiting for answers, summed over requests, in seconds."""
        return self.nanoseconds / 1e9

    def latency(self, share: float) -> float | None:
        """Seconds within which this share (0 to 1) of the answers came, to 1 %; None when there was no answer."""
        total = sum(self.latencies.values())
        passed = 0
        for step in sorted(self.latencies):
            passed += self.latencies[step]
            if passed >= share * total:
                return exp((step + 0.5) * _STEP) / 1e9
        return None


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """What one role asked of its models."""

    requests: int = 0
    """Questions that were paid for, or failed for good; attempts at the same question count once."""
    cache_hits: int = 0
    """Questions that cost nothing: answered from the cache, or by the same question in flight."""
    failures: int = 0
    """Of the requests, those without an answer."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    """Tokens written, reasoning included."""
    reasoning_tokens: int = 0
    unpriced: int = 0
    """Requests whose price is not known."""
    picodollars: int = 0
    """What the others cost, in 10^-12 US dollars."""
    transport: Transport = Transport()

    @property
    def cost(self) -> float | None:
        """US dollars; None, never 0, when the price of a request is not known."""
        return None if self.unpriced else self.picodollars / PICO

    def __add__(self, other: "Usage") -> "Usage":
        return _combine(self, other, 1)

    def __sub__(self, other: "Usage") -> "Usage":
        return _combine(self, other, -1)


USAGE_COUNTS = tuple(name for name in Usage.__struct_fields__ if name != "transport")
TRANSPORT_COUNTS = tuple(name for name in Transport.__struct_fields__ if name not in ("faults", "latencies"))


def _combine(left: Usage, right: Usage, sign: int) -> Usage:
    def sums(names: tuple[str, ...], a: msgspec.Struct, b: msgspec.Struct) -> dict[str, Any]:
        return {name: getattr(a, name) + sign * getattr(b, name) for name in names}

    def merge(a: dict[Any, int], b: dict[Any, int]) -> dict[Any, int]:
        return {key: count for key in {**a, **b} if (count := a.get(key, 0) + sign * b.get(key, 0))}

    transport = Transport(
        **sums(TRANSPORT_COUNTS, left.transport, right.transport),
        faults=merge(left.transport.faults, right.transport.faults),
        latencies=merge(left.transport.latencies, right.transport.latencies),
    )
    return Usage(**sums(USAGE_COUNTS, left, right), transport=transport)
