"""Where a number lies on a chart, and which numbers stand beside the axis."""

import math
from collections.abc import Sequence
from typing import NamedTuple

STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
PERCEIVED = 20.0
"""Values that differ by more than this factor are drawn on a logarithmic axis."""
LEAST = 1e-9
"""Values that differ by less are drawn as one."""


class Axis(NamedTuple):
    """Maps [low, high] onto [start, end] of the drawing."""

    low: float
    high: float
    start: float
    end: float
    ticks: tuple[float, ...]
    logarithmic: bool = False

    def at(self, value: float) -> float:
        """The place of a value; values outside are drawn at the edge."""
        low, high = (math.log(self.low), math.log(self.high)) if self.logarithmic else (self.low, self.high)
        if self.logarithmic:
            value = math.log(max(value, self.low))
        share = min(max((value - low) / (high - low), 0.0), 1.0)
        return round(self.start + share * (self.end - self.start), 1)

    @property
    def digits(self) -> int:
        """Decimals that tell the ticks apart."""
        steps = [b - a for a, b in zip(self.ticks, self.ticks[1:], strict=False)]
        step = min([*steps, *(tick for tick in self.ticks if tick > 0)], default=1.0)
        return max(0, -math.floor(math.log10(step) + 1e-9)) + (not _is_round(step))


def linear(
    values: Sequence[float], start: float, end: float, *, floor: float | None = None, ceiling: float | None = None
) -> Axis:
    """An axis around some values, with a little air; the air does not pass floor and ceiling."""
    low, high = min(values), max(values)
    air = 0.06 * (high - low)
    if high - low < LEAST:
        air = 0.05 * abs(high) if abs(high) > 1000 * LEAST else 0.05
    low = low - air if floor is None else min(low, max(low - air, floor))
    high = high + air if ceiling is None else max(high, min(high + air, ceiling))
    step = _step((high - low) / 4)
    first = math.ceil(low / step - 1e-9)
    ticks = tuple(round(index * step, 12) for index in range(first, math.floor(high / step + 1e-9) + 1))
    return Axis(low, high, start, end, ticks)


def spread(values: Sequence[float], start: float, end: float) -> Axis:
    """An axis for amounts: from zero, or logarithmic where the smallest would vanish beside the greatest."""
    if min(values) <= 0 or max(values) <= PERCEIVED * min(values):
        return linear([0.0, *values], start, end, floor=0.0)
    low, high = min(values) / 1.4, max(values) * 1.4
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    fine = (1, 2, 5) if math.log10(high / low) < 2.5 else (1,)
    ticks = tuple(tick for power in decades for digit in fine if low <= (tick := float(f"{digit}e{power}")) <= high)
    return Axis(low, high, start, end, ticks, logarithmic=True)


def _step(about: float) -> float:
    power = 10.0 ** math.floor(math.log10(about))
    return next(step * power for step in STEPS if step * power >= about - 1e-12)


def _is_round(step: float) -> bool:
    """Whether one digit writes it (0.2 does, 0.25 does not)."""
    leading = step / 10.0 ** math.floor(math.log10(step) + 1e-9)
    return math.isclose(leading, round(leading), abs_tol=1e-6)
