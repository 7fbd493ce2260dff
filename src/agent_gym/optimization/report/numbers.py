"""Figures as they stand in the report: few digits, a real minus sign, and "unknown" for what nobody knows (never 0)."""

import math
from collections.abc import Callable, Iterable

from agent_gym.optimization.report.markup import Html, element

UNKNOWN = element("span", "unknown", class_="unknown")
UNMEASURED = element("span", "not measured", class_="unknown")
MINUS = "\u2212"


def known(value: float | None) -> bool:
    """Whether there is a number."""
    return value is not None and math.isfinite(value)


def decimal(value: float | None, digits: int = 3) -> str:
    """0.714, −0.052."""
    return f"{_positive_zero(value, digits):,.{digits}f}".replace("-", MINUS) if value is not None and known(value) else UNKNOWN


def signed(value: float | None, digits: int = 3) -> str:
    """+0.061, −0.052, 0.000."""
    text = decimal(value, digits)
    return f"+{text}" if value is not None and known(value) and _positive_zero(value, digits) > 0 else text


def interval(pair: tuple[float, float] | None, digits: int = 3, write: Callable[[float, int], str] = decimal) -> str:
    """0.652 to 0.771."""
    if pair is None or not (known(pair[0]) and known(pair[1])):
        return UNKNOWN
    return f"{write(pair[0], digits)} to {write(pair[1], digits)}"


def count(value: float) -> str:
    """12,408."""
    return decimal(value, 0)


def chance(value: float | None) -> str:
    """A p value: 0.021, or < 0.001."""
    return "< 0.001" if value is not None and 0 <= value < 0.0005 else decimal(value)


def money(values: Iterable[float | None]) -> Callable[[float | None], str]:
    """How to write US dollars so that a column of these lines up: two digits of the smallest are seen, and always the cents."""
    paid = [value for value in values if value is not None and known(value) and value > 0]
    digits = min(6, max(2, 1 - math.floor(math.log10(min(paid))))) if paid else 2

    def write(value: float | None) -> str:
        if value == 0:
            return "$0"
        text = decimal(value, digits)
        return text if isinstance(text, Html) else f"${text}"

    return write


def milliseconds(seconds: float | None) -> str:
    """1,840 or 0.3, for a column whose head names the unit."""
    if seconds is None or not known(seconds):
        return UNKNOWN
    return decimal(seconds * 1000, 0 if seconds >= 0.01 else 1)


def duration(seconds: float) -> str:
    """0.8 s, 42 s, 4 min 05 s, 1 h 12 min."""
    if not known(seconds):
        return UNKNOWN
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600:,} h {whole % 3600 // 60:02d} min"


def listed(names: Iterable[str]) -> str:
    """a, b and c."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def _positive_zero(value: float | None, digits: int) -> float:
    # What rounds to nothing has no sign.
    rounded = round(value or 0.0, digits)
    return rounded if rounded else 0.0
