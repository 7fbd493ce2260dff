"""How values are drawn and said: dice, dates, times, slots, and marks that remember where in a sentence a value stands.

A value has one canonical form ("2019-03-08", "19:00", "The Hague") and many spoken ones ("next Friday", "7 in the evening",
"Den Haag"). Sentences are built with each spoken value wrapped in a mark, `<Museums_1.city>Den Haag</>`, so that templates may
be joined and reordered freely; `read_marks` takes the marks off at the end and says where the values came to stand.
"""

import json
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

TODAY = date(2019, 3, 1)
"""A Friday; the day on which all conversations take place."""

SPEECH: dict[str, Any] = json.loads((Path(__file__).parent / "speech.json").read_text(encoding="utf-8"))
NUMBERS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]


class Dice:
    """Seeded choices. Only `Random.random` is used: it alone is promised to give the same numbers in every Python version."""

    def __init__(self, *key: object) -> None:
        self._random = random.Random("/".join(map(str, key)))

    def below(self, bound: int) -> int:
        """A whole number in [0, bound)."""
        return int(self._random.random() * bound)

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return self._random.random() < probability

    def pick(self, items: Sequence[T]) -> T:
        """One of the items."""
        return items[self.below(len(items))]

    def few(self, items: Sequence[T], most: int) -> list[T]:
        """One to `most` different items, in their own order."""
        left = list(range(len(items)))
        chosen = [left.pop(self.below(len(left))) for _ in range(min(len(left), 1 + self.below(most)))]
        return [items[index] for index in sorted(chosen)]


def say_date(canonical: str, dice: Dice, *, formal: bool) -> str:
    """ "2019-03-08" → "next Friday", "the 8th of March", …; the formal ones are those the system uses."""
    day = date.fromisoformat(canonical)
    days = (day - TODAY).days
    ordinal = f"{day.day}{'th' if 10 < day.day < 14 else {1: 'st', 2: 'nd', 3: 'rd'}.get(day.day % 10, 'th')}"
    relative = {0: ["today"], 1: ["tomorrow"], 2: ["the day after tomorrow"]}.get(days, [])
    if days in (1, 2):
        relative = [*relative, f"this {day:%A}"]
    elif 3 <= days <= 7:  # weeks run from Monday: "next Saturday" would be the 9th to some and the 2nd to others
        relative = [f"next {day:%A}", f"{day:%A} next week"]
    if formal:
        return dice.pick([f"{day:%B} {ordinal}", f"{day:%B} {ordinal}", *relative[:1]])
    absolute = [f"the {ordinal} of {day:%B}", f"{day:%B} {ordinal}", f"the {ordinal}", f"{ordinal} of this month"]
    return dice.pick([*relative, *relative, *absolute])


def say_time(canonical: str, dice: Dice, *, formal: bool) -> str:
    """ "18:30" → "half past 6 in the evening", "6:30 pm", …"""
    hour, minute = int(canonical[:2]), int(canonical[3:])
    twelve = (hour - 1) % 12 + 1
    clock = f"{twelve}:{minute:02d}" if minute else str(twelve)
    short = f"{clock} {'am' if hour < 12 else 'pm'}"
    if formal:
        return short
    part = "morning" if hour < 12 else "afternoon" if hour < 17 else "evening"
    quarters = [NUMBERS[twelve], f"quarter past {twelve}", f"half past {twelve}", f"quarter to {twelve % 12 + 1}"]
    worded = quarters[minute // 15]
    # The part of the day is that of the time meant, not of the number said: "quarter to 5 in the afternoon" is 16:45.
    return dice.pick([short, short, canonical, f"{clock} in the {part}", f"{worded} in the {part}", f"{part} {clock}"])


@dataclass(frozen=True)
class Slot:
    """A slot of a service, with the words for it. The kind decides how values are drawn and said."""

    service: str
    name: str
    kind: str
    words: Mapping[str, Any]

    @property
    def categorical(self) -> bool:
        return self.kind in ("choice", "count", "flag")

    @property
    def values(self) -> list[str]:
        """Every value of a categorical slot, examples for another."""
        if self.kind == "city":
            return list(SPEECH["cities"])
        return ["True", "False"] if self.kind == "flag" else list(self.words.get("values", []))

    def draw(self, dice: Dice) -> str:
        """A canonical value."""
        match self.kind:
            case "name":
                return " ".join(dice.pick(part) for part in self.words["parts"])
            case "date":
                return (TODAY + timedelta(days=1 + dice.below(dice.pick([9, 24])))).isoformat()
            case "time":
                first, last = self.words["hours"]
                return f"{first + dice.below(last - first):02d}:{dice.pick(['00', '00', '30', '30', '15', '45'])}"
            case "price" | "number":
                low, high = self.words["range"]
                return str(low + dice.below(high - low + 1))
            case "phone":
                return f"555-01{dice.below(100):02d}-{dice.below(1000):03d}"
            case "street":
                return f"{1 + dice.below(140)} {dice.pick(SPEECH['streets'])}"
            case "code":
                return f"{dice.pick(self.words['letters'])}{1000 + dice.below(9000)}"
            case _:
                return dice.pick(self.values)

    def said(self, value: str, dice: Dice, *, formal: bool = False) -> str:
        """The value as it is spoken, marked where the data set records spans: in all but categorical slots."""
        text = self._plain(value, dice, formal=formal)
        return text if self.categorical else f"<{self.service}.{self.name}>{text}</>"

    def _plain(self, value: str, dice: Dice, *, formal: bool) -> str:
        match self.kind:
            case "date":
                return say_date(value, dice, formal=formal)
            case "time":
                return say_time(value, dice, formal=formal)
            case "price":
                return f"${value}"
            case "count":
                return value if formal else dice.pick([value, NUMBERS[int(value)]])
            case "city" if formal:
                return value
            case _:
                pass
        variants = SPEECH["cities"][value] if self.kind == "city" else self.words.get("spoken", {}).get(value, [value])
        return variants[0] if formal or dice.chance(0.6) else dice.pick(variants)

    def phrase(self, use: str, value: str, dice: Dice, *, formal: bool = False) -> str:
        """One of the slot's templates for a use (`say`, `answer`, `confirm`, `tell`) with the value in it."""
        templates: Any = self.words.get(use) or self.words["say"]
        if self.kind == "flag":
            templates = templates[value]
        return str(dice.pick(templates)).format(self.said(value, dice, formal=formal))


MARK = re.compile(r"<(\w+)\.(\w+)>([^<]*)</>")
BARE_DAY = re.compile(r"\bon (?=<\w+\.\w+>(?:today|tomorrow|the day after|next |this ))")
VOWEL = re.compile(r"\b([Aa]) (?=(?:<[^>]*>)?[aeiou])")
SENTENCE_START = re.compile(r"(^|[.?!] )([a-z])")


def join(*sentences: str) -> str:
    """Sentences one after the other, in passable English: what follows a comma or a lone word goes on in lower case."""
    text = ""
    for sentence in filter(None, sentences):
        if text and text[-1] not in ".?!" and sentence[0] != "<" and not re.match(r"I\b", sentence):
            sentence = sentence[0].lower() + sentence[1:]
        text = f"{text} {sentence}" if text else sentence
    return VOWEL.sub(r"\1n ", BARE_DAY.sub("", text))


def read_marks(marked: str) -> tuple[str, list[tuple[str, str, int, int]]]:
    """The utterance without its marks, each sentence begun with a capital, and every mark's service, slot, start and end."""
    text, spans, last = "", list[tuple[str, str, int, int]](), 0
    for mark in MARK.finditer(marked):
        text += marked[last : mark.start()]
        spans.append((mark[1], mark[2], len(text), len(text) + len(mark[3])))
        text += mark[3]
        last = mark.end()
    text += marked[last:]
    # Only ASCII letters change, one for one, so that no span moves.
    return SENTENCE_START.sub(lambda found: found[1] + found[2].upper(), text), spans
