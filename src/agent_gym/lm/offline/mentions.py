"""A value in running text: where it stands, whole or as one says it, and which characters are already used."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from agent_gym.lm.offline.schema import stem
from agent_gym.lm.offline.spans import spans


class Words(NamedTuple):
    """A turn to read, and what is known about it."""

    text: str
    asked: frozenset[str]
    """Arguments that the assistant has just asked for."""
    today: date
    known: Mapping[str, Sequence[str]]
    """Values that results have shown, by argument."""
    question: bool = False
    """It asks about an offer, so words about a yes-or-no property ask and do not order."""
    affirm: bool = False
    negate: bool = False
    dont_care: bool = False
    sides: frozenset[str] = frozenset()
    """Which ends the places of the tool tell apart."""
    held: frozenset[str] = frozenset()
    """Arguments that have a value already: it takes more than a lower-case guess to change one."""
    due: frozenset[str] = frozenset()
    """Arguments that these words must hold, for a reading back holds them all."""
    nouns: frozenset[str] = frozenset()
    """Stems of what the tools are about ("movie", "restaurant"): the word after an open class."""

    @property
    def lower(self) -> bool:
        """Written without capitals."""
        return not any(word[0].isupper() and at for at, word in enumerate(self.text.split()) if word[0] != "I")


class Taken:
    """Which characters have been used."""

    def __init__(self) -> None:
        self.parts: list[tuple[int, int]] = []

    def free(self, start: int, end: int) -> bool:
        return all(end <= begin or stop <= start for begin, stop in self.parts)

    def masked(self, text: str) -> str:
        """The text with what was used struck out."""
        for begin, stop in self.parts:
            text = f"{text[:begin]}{';' * (stop - begin)}{text[stop:]}"
        return text

    def take(self, start: int, end: int) -> None:
        self.parts.append((start, end))


def find(value: str, text: str, start: int = 0) -> tuple[int, int] | None:
    """Where `value` stands in `text` as whole words, in any case."""
    low, wanted = lower(text), lower(value)
    at = low.find(wanted, start)
    while at >= 0 and wanted:
        end = at + len(wanted)
        if not (at and low[at - 1].isalnum()) and not (end < len(low) and low[end].isalnum()):
            return at, end
        at = low.find(wanted, at + 1)
    return None


@lru_cache(maxsize=32768)
def lower(text: str) -> str:
    """Lower case of the same length, so that positions hold."""
    low = text.lower()
    return low if len(low) == len(text) else "".join(letter.lower()[:1] for letter in text)


@lru_cache(maxsize=32768)
def _heads(value: str) -> tuple[str, ...]:
    """A name and the shorter ways to say it: "Chili's Grill & Bar", "Chili's Grill", ..."""
    head = re.split(r" (?=[-&(])|, | - ", value, maxsplit=1)[0]
    bits = value.split()
    shorter = [" ".join(bits[:size]) for size in range(len(bits) - 1, 1, -1)]
    return tuple(dict.fromkeys((value, *([head] if len(head) > 3 else []), *shorter)))


@lru_cache(maxsize=65536)
def mention(value: str, text: str) -> tuple[int, int] | None:
    """Where a shown name is said, whole or by its first words."""
    low = lower(text)
    if value.split(" ", 1)[0].lower() not in low:
        return None
    return next((at for head in _heads(value) if (at := find(head, text))), None)


def inside_a_name(at: tuple[int, int], text: str) -> bool:
    """The words are the middle or the end of a longer name ("Philadelphia" in "Sheraton Philadelphia Society Hill")."""
    return any(span.start < at[0] < span.end and "," not in text[span.start : at[0]] for span in spans(text))


@lru_cache(maxsize=16384)
def stem_spans(text: str) -> tuple[tuple[str, int, int], ...]:
    return tuple((stem(match[0]), match.start(), match.end()) for match in re.finditer(r"[A-Za-z]+|\d+", text))
