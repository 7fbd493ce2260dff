"""When two values mean the same.

A model writes "7 pm", the record says "19:00"; a model writes the number 2, the record says "2.0". `canonical` folds what is
only notation: case, white space, numbers, booleans, clock times, full dates. It never guesses what a word means in a
conversation ("next Friday"): such variants come with the data, on `ToolCall.accepted`. Digits behind a leading zero are a code
(a postcode, an order), not a number: "0042" is not 42.
"""

import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any, cast

import msgspec

_NUMBER = re.compile(r"[-+]?(?!0[\d,])(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?")
_CLOCK = re.compile(r"(\d{1,2})(?:[:.](\d{2}))?(?::00)?\s*(a\.?m\.?|p\.?m\.?)?")
_ISO_DATE = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})")
_DAY = r"(?:the\s+)?(\d{1,2})(?:st|nd|rd|th)?"
_MONTH = r"([a-z]{3,9})"
_WORDY_DATE = re.compile(rf"(?:[a-z]+day,?\s+)?(?:{_DAY}(?:\s+of)?\s+{_MONTH}|{_MONTH}\s+{_DAY}),?\s+(\d{{4}})")
_MONTHS = {
    name: number
    for number, names in enumerate(
        "january jan|february feb|march mar|april apr|may|june jun|july jul|august aug|september sep sept|october oct|"
        "november nov|december dec".split("|"),
        start=1,
    )
    for name in names.split()
}


def same(one: Any, other: Any) -> bool:
    """Whether two values differ in notation at most."""
    return canonical(one) == canonical(other)


def matches(value: Any, expected: Any, accepted: Iterable[str] = ()) -> bool:
    """Whether `value` means `expected` or any of its known variants."""
    found = canonical(value)
    return found == canonical(expected) or any(found == canonical(variant) for variant in accepted)


def canonical(value: Any) -> str:
    """One spelling for all notations of a value: "True" and true, 2 and "2.0", "7 pm" and "19:00" each fold into one text."""
    if isinstance(value, str):
        return _canonical_text(value)
    if isinstance(value, dict | list | tuple):
        # Folded once more as text, so that folding what is folded already changes nothing.
        return _canonical_text(msgspec.json.encode(_folded(cast(Any, value))).decode())
    return _folded(value)


def _folded(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _folded(item) for name, item in sorted(cast(dict[str, Any], value).items())}
    if isinstance(value, list | tuple):
        return [_folded(item) for item in cast(list[Any], value)]
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        # Without an exponent: 0.00001 and "0.00001" are one number.
        return _canonical_text(format(Decimal(repr(float(value))), "f"))
    return _canonical_text("" if value is None else str(value))


@lru_cache(maxsize=65536)
def _canonical_text(text: str) -> str:
    folded = " ".join(text.casefold().split())
    if not folded or not any(character.isdigit() for character in folded):
        return folded
    if _NUMBER.fullmatch(folded):
        return _number(folded)
    return _clock(folded) or _date(folded) or folded


def _number(text: str) -> str:
    # Exact: two order numbers of twenty digits are not one because a float cannot tell them apart.
    number = format(Decimal(text.replace(",", "")), "f")
    if "." in number:
        number = number.rstrip("0").rstrip(".")
    return "0" if number == "-0" else number


def _clock(text: str) -> str | None:
    found = _CLOCK.fullmatch(text)
    if found is None or (found[2] is None and found[3] is None):
        return None
    hour, minute, half = int(found[1]), int(found[2] or 0), (found[3] or "")[:1]
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "p" else 0)
    return f"{hour:02}:{minute:02}" if hour < 24 and minute < 60 else None


def _date(text: str) -> str | None:
    if found := _ISO_DATE.fullmatch(text):
        year, month, day = int(found[1]), int(found[2]), int(found[3])
    elif found := _WORDY_DATE.fullmatch(text):
        year, month, day = int(found[5]), _MONTHS.get(found[2] or found[3], 0), int(found[1] or found[4])
    else:
        return None
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return None
