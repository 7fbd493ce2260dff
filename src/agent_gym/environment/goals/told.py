"""Whether somebody was told a value: a date, an hour, an amount, a name or a yes, in any form in which people say it.

    is_told("price", "20895.77", "There is $20,895.77 in it.", today)        True
    is_told("has_wifi", "True", "Yes, they offer free wifi.", today)         True
    is_told("time", "19:30", "The table is free at half past 7 in the evening.", today)   True

Read with the hours, days and numbers of the embedded model (`lm/offline/values.py`).
"""

import re
from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from typing import Any, cast

from agent_gym.lm.offline.mentions import find, lower
from agent_gym.lm.offline.schema import stem, words
from agent_gym.lm.offline.values import dates, money, numbers, times
from agent_gym.values import canonical

_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_CLOCK = re.compile(r"\d{2}:\d{2}")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_DIGITS = re.compile(r"(?<![\d.,:])\d[\d,]*(?:\.\d+)?(?![\d:]|(?:st|nd|rd|th)\b|\s?[ap]\.?m\b)", re.IGNORECASE)
_LETTERS = re.compile(r"[^\W_]+")
_ITEMS = re.compile(r",\s*|\s+and\s+")
_EMPTY_WORDS = frozenset("has have is are serves offers allows good number of in the a on street".split())
_FLAGS = ("true", "false")
_KEPT = 0.75
"""Of the words of a long text (an address, a list), those that must be said."""


def is_told(field: str, value: Any, text: str, today: date, question: str = "") -> bool:
    """Whether `text` says `value` of `field`.

    A yes or no counts as said when the field's own words are ("they do have vegetarian options"), or when a yes or no answers
    words of the user that name it or ask nothing else.

    Args:
        question: the user's words that `text` answers.
    """
    if isinstance(value, list):
        items = cast(list[Any], value)
        return bool(items) and all(is_told(field, item, text, today, question) for item in items)
    if isinstance(value, dict):
        return all(is_told(str(name), item, text, today) for name, item in cast(dict[str, Any], value).items())
    said = "" if value is None else value if isinstance(value, str) else canonical(value)
    return bool(said and text) and _is_said(field, said.strip(), text, today, question if said.casefold() in _FLAGS else "")


@lru_cache(maxsize=16384)
def _is_said(field: str, value: str, text: str, today: date, question: str) -> bool:
    if (number := _number(value)) is not None:
        return _says_number(number, _without_hours(text, today))
    if find(value, text) is not None:
        return True
    if value.casefold() in _FLAGS:
        return names(field, text) or bool(_YES_NO.search(text) and names(field, question))
    if _ISO_DATE.fullmatch(value):
        return any(found.value == value for found in dates(text, today))
    if _CLOCK.fullmatch(value):
        # A lone number is an hour only where no other is told.
        return any(_same_hour(found.value, value) for found in times(text) or times(text, True))
    return _says_words(value, text)


_YES_NO = re.compile(r"\b(?:yes|yeah|yep|sure|no|not|nope|don't|doesn't|isn't|aren't)\b", re.IGNORECASE)


def names(field: str, text: str) -> bool:
    """The text speaks of the field: one of its own words stands in it, in any form."""
    own = [word for word in words(field) if word not in _EMPTY_WORDS] or list(words(field))
    low = lower(text)
    said = {stem(word) for word in words(text)}
    return any(stem(word) in said or (len(word) > 3 and word[:5] in low) for word in own)


def _same_hour(found: str, wanted: str) -> bool:
    # "at 7" may be either half of the day.
    return found == wanted or (found[2:] == wanted[2:] and (int(found[:2]) + 12) % 24 == int(wanted[:2]))


def _number(value: str) -> str | None:
    """A value that is a number, in digits or in words."""
    if _NUMBER.fullmatch(value):
        return value
    found = numbers(value)
    return found[0].value if len(found) == 1 and found[0].end - found[0].start == len(value) else None


@lru_cache(maxsize=16384)
def _without_hours(text: str, today: date) -> str:
    """The text without its hours and days: "at 7 pm" does not say 7."""
    for found in sorted((*times(text), *dates(text, today)), key=lambda one: -one.start):
        # "4.30" may be an hour and may be a rating.
        if not _NUMBER.fullmatch(text[found.start : found.end]):
            text = f"{text[: found.start]};{text[found.end :]}"
    return text


def _says_number(value: str, text: str) -> bool:
    if find(value, text) is not None:
        return True
    wanted = canonical(value)
    amounts = {canonical(found.value) for found in (*money(text), *numbers(text))}
    return wanted in amounts or any(canonical(digits.rstrip(",.")) == wanted for digits in _DIGITS.findall(text))


@lru_cache(maxsize=16384)
def _letters(text: str) -> tuple[str, ...]:
    return tuple(_LETTERS.findall(text.casefold()))


def _says_words(value: str, text: str) -> bool:
    wanted, said = _letters(value), _letters(text)
    if not wanted:
        return False
    joined = "".join(said)
    if "".join(wanted) in joined:
        return True
    if len(wanted) < 3 and len(_ITEMS.split(value)) < 2:
        return all(_close(word, said) for word in wanted)
    return sum(_close(word, said) for word in wanted) >= _KEPT * len(wanted)


def _close(word: str, said: Sequence[str]) -> bool:
    """The word, or one that a slip of a finger makes of it."""
    if word in said:
        return True
    return len(word) > 5 and not word.isdigit() and any(_one_slip(word, other) for other in said if other[0] == word[0])


def _one_slip(one: str, other: str) -> bool:
    """At most one letter more, less, changed or swapped with its neighbour (Damerau 1964)."""
    if abs(len(one) - len(other)) > 1:
        return False
    at = next((at for at, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), min(len(one), len(other)))
    rest, others = one[at:], other[at:]
    return (
        rest[1:] == others[1:]
        or rest[1:] == others
        or rest == others[1:]
        or (rest[:2] == others[:2][::-1] and rest[2:] == others[2:])
    )
