"""What English says about days, hours, amounts and yes or no, as canonical text.

General English only: nothing here knows a service, a slot or a name. Every reader returns where it found the value, so that two
readers do not claim the same words.

    dates("leaving next Friday, back on the 13th", today)   2019-03-08 and 2019-03-13 when today is 2019-03-01
    times("half past 6 in the evening")                     18:30
    numbers("two rooms for 4 days")                         2 and 4
"""

import re
from datetime import date, timedelta
from functools import lru_cache
from typing import NamedTuple


class Found(NamedTuple):
    """A value and the characters it was read from."""

    value: str
    start: int
    end: int


MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    " eighteen nineteen"
).split()
TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
SMALL = {word: number for number, word in enumerate(UNITS)}
ORDINALS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth"
    " sixteenth"
    " seventeenth eighteenth nineteenth twentieth"
).split()
_ORDINAL = {word: number for number, word in enumerate(ORDINALS, 1)}

_MONTH = "|".join(f"{name[:3]}(?:{name[3:]})?" if name[3:] else name for name in MONTHS)
_DAY = "|".join(DAYS)
_NUMBERED = r"(?P<{0}>\d{{1,2}})(?:st|nd|rd|th)?"
_STREET = r"(?!\s+(?:st|street|ave|avenue|floor|blvd|boulevard|road|rd|lane|drive|place|row)\b)"
_DATE = re.compile(
    rf"\b(?:(?P<iso>\d{{4}}-\d{{2}}-\d{{2}})"
    rf"|(?P<m1>{_MONTH})\.?,? (?:the )?{_NUMBERED.format('d1')}\b(?:,? (?P<y1>20\d\d))?"
    rf"|(?:the )?{_NUMBERED.format('d2')}(?: day)?(?: of)? (?P<m2>{_MONTH})\b(?:,? (?P<y2>20\d\d))?"
    rf"|(?:the )?(?P<d3>\d{{1,2}})(?:st|nd|rd|th) (?:of|in|day of) (?:this|the) (?:current )?month"
    rf"|(?P<m4>\d{{1,2}})/(?P<d4>\d{{1,2}})(?:/(?:20)?\d\d)?"
    rf"|(?P<after>(?:the )?day after tomorrow)|(?P<tomorrow>tomorrow)"
    rf"|(?P<today>later today|today|tonight|this (?:evening|afternoon|morning))"
    rf"|(?P<wd1>{_DAY}),? (?P<which1>this|next) week|(?P<which2>this|next) week,? (?:on )?(?P<wd2>{_DAY})"
    rf"|(?P<which3>this|next|coming)(?: coming)? (?P<wd3>{_DAY})|(?P<wd4>{_DAY})"
    rf"|(?P<week>a week from (?:today|now)|in a week)"
    rf"|(?:the )(?P<d5>\d{{1,2}})(?:st|nd|rd|th){_STREET}|(?P<d6>\d{{1,2}})(?:st|nd|rd|th)(?=$|[.,!?]| (?:at|for|to|"
    rf"and|until|please|is)\b)"
    rf"|the (?P<o>{'|'.join(ORDINALS)})(?= of|$|[.,!?]))\b",
    re.IGNORECASE,
)
_HOUR = rf"\d{{1,2}}|{'|'.join(UNITS[1:13])}"
_PART = r"(?:in|at) (?:the )?(?P<{0}>morning|afternoon|evening|night)"
_TIME = re.compile(
    rf"(?<![$.:\d])\b(?:(?P<noon>noon|midday)|(?P<midnight>midnight)"
    rf"|(?:(?P<early>morning|afternoon|evening|night)(?: at| around)? )?"
    rf"(?:(?P<rel>half past|quarter past|quarter to|quarter after|half) )?(?P<h>{_HOUR})(?:[:.](?P<m>\d\d)\b)?"
    rf"(?P<clock> ?o.{{0,2}}clock)?(?: ?(?P<ap>[ap]\.?m\b\.?)| {_PART.format('part')})?)",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    rf"(?<![\w$£€.:/-])(?:(?P<digits>\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?|\d+(?:\.\d+)?)(?![\w:/%-]|[.,]\d)"
    rf"|(?P<tens>{'|'.join(TENS)})(?:[ -](?P<unit>{'|'.join(UNITS[1:10])}))?(?![\w-])"
    rf"|(?P<word>{'|'.join(UNITS)})(?P<hundred> hundred| thousand)?(?![\w-]))",
    re.IGNORECASE,
)
_MONEY = re.compile(r"[$£€] ?(\d[\d,]*(?:\.\d+)?)|(\d[\d,]*(?:\.\d+)?) ?(?:dollars?|bucks|usd|euros?|pounds)\b", re.IGNORECASE)
_NOT_A_COUNT = re.compile(
    r"(?:this|that|the|which|another|a|any|good|nice|other|first|no|different|only|great) $", re.IGNORECASE
)
_ALONE = re.compile(
    r"\b(?:just|only) (?:for )?(?:me|myself|one person)\b|\b(?:for|by) myself\b|\bmyself\b|\balone\b|\bsolo\b|\bjust for me\b"
    r"|\bfor me only\b|\bonly for me\b",
    re.IGNORECASE,
)
_COUPLE = re.compile(
    r"\bme and my (?:wife|husband|girlfriend|boyfriend|friend|partner|son|daughter|mom|dad|brother|sister)\b"
    r"|\bmy (?:wife|husband|girlfriend|boyfriend|friend|partner|son|daughter|mom|dad|brother|sister) and (?:i|me|"
    r"myself)\b|\ba couple\b",
    re.IGNORECASE,
)


@lru_cache(maxsize=16384)
def dates(text: str, today: date) -> tuple[Found, ...]:
    """Every day named in `text`, as YYYY-MM-DD; a weekday is the next one after `today`."""
    found: list[Found] = []
    for match in _DATE.finditer(text):
        day = _day(match.groupdict(), today)
        if day is not None:
            found.append(Found(day.isoformat(), match.start(), match.end()))
    return tuple(found)


def _day(parts: dict[str, str | None], today: date) -> date | None:
    said = {name: value.lower() for name, value in parts.items() if value}
    try:
        if "iso" in said:
            return date.fromisoformat(said["iso"])
        for index in ("1", "2"):
            if f"m{index}" in said:
                month = next(at for at, name in enumerate(MONTHS, 1) if name.startswith(said[f"m{index}"][:3]))
                return date(int(said.get(f"y{index}", today.year)), month, int(said[f"d{index}"]))
        if "m4" in said:
            return date(today.year, int(said["m4"]), int(said["d4"]))
        for index in ("d3", "d5", "d6", "o"):
            if index in said:
                number = _ORDINAL.get(said[index]) or int(said[index])
                this_month = today.replace(day=number)
                return this_month if this_month >= today else (today.replace(day=28) + timedelta(days=4)).replace(day=number)
    except ValueError:
        return None
    if "today" in said:
        return today
    if "tomorrow" in said:
        return today + timedelta(days=1)
    if "after" in said:
        return today + timedelta(days=2)
    if "week" in said:
        return today + timedelta(days=7)
    return _weekday(said, today)


def _weekday(said: dict[str, str], today: date) -> date:
    for index in ("1", "2"):
        if f"wd{index}" in said:
            monday = today - timedelta(days=today.weekday())
            week = 7 if said[f"which{index}"] == "next" else 0
            return monday + timedelta(days=week + DAYS.index(said[f"wd{index}"]))
    name = said.get("wd3") or said["wd4"]
    return today + timedelta(days=(DAYS.index(name) - today.weekday() - 1) % 7 + 1)


@lru_cache(maxsize=16384)
def times(text: str, bare: bool = False) -> tuple[Found, ...]:
    """Every hour named in `text`, as 24-hour HH:MM; with `bare`, a lone number counts as an hour."""
    found: list[Found] = []
    for match in _TIME.finditer(text):
        hour = _hour(match, bare)
        if hour is not None:
            found.append(Found(hour, match.start(), match.end()))
    return tuple(found)


def _hour(match: re.Match[str], bare: bool) -> str | None:
    if match["noon"]:
        return "12:00"
    if match["midnight"]:
        return "00:00"
    half = (match["ap"] or match["part"] or match["early"] or "").lower().replace(".", "")
    if not (half or match["clock"] or match["m"] or (match["rel"] and match["rel"].lower() != "half") or bare):
        return None
    hour = SMALL[match["h"].lower()] if match["h"].lower() in SMALL else int(match["h"])
    minute = int(match["m"] or 0)
    match (match["rel"] or "").lower():
        case "half past" | "half":
            minute = 30
        case "quarter past" | "quarter after":
            minute = 15
        case "quarter to":
            hour, minute = hour - 1, 45
        case _:
            pass
    if hour > 24 or minute > 59:
        return None
    late = half in ("pm", "afternoon", "evening", "night")
    if late and hour < 12:
        hour += 12
    elif half in ("am", "morning") and hour == 12:
        hour = 0
    elif not half and 1 <= hour <= 6 and not (match["m"] and len(match["h"]) == 2):
        hour += 12
    return f"{hour % 24:02d}:{minute:02d}"


@lru_cache(maxsize=16384)
def numbers(text: str) -> tuple[Found, ...]:
    """Counts said in digits or words; `alone` is 1, a couple is 2."""
    found: list[Found] = []
    for match in _NUMBER.finditer(text):
        if match["word"] and match["word"].lower() == "one" and _NOT_A_COUNT.search(text[: match.start()]):
            continue
        found.append(Found(_count(match), match.start(), match.end()))
    if not found:
        for pattern, value in ((_ALONE, "1"), (_COUPLE, "2")):
            alone = pattern.search(text)
            if alone:
                return (Found(value, alone.start(), alone.end()),)
    return tuple(found)


def _count(match: re.Match[str]) -> str:
    if match["digits"]:
        return match["digits"].replace(",", "")
    if match["tens"]:
        return str(TENS[match["tens"].lower()] + (SMALL[match["unit"].lower()] if match["unit"] else 0))
    scale = {" hundred": 100, " thousand": 1000}.get((match["hundred"] or "").lower(), 1)
    return str(SMALL[match["word"].lower()] * scale)


@lru_cache(maxsize=16384)
def money(text: str) -> tuple[Found, ...]:
    """Amounts with their currency: "$1,200" is 1200."""
    return tuple(Found((m[1] or m[2]).replace(",", ""), m.start(), m.end()) for m in _MONEY.finditer(text))
