"""How the worked examples speak: their sentences with the values taken out, ready for other values.

"How about Sino in San Jose?"  after a result {"restaurant_name": "Sino", "city": "San Jose"}
becomes  "How about {restaurant_name} in {city}?"  and, for a row of another service, "How about Alcatraz in San Francisco?"
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from agent_gym.lm.offline.acts import assistant_act
from agent_gym.lm.offline.mentions import find
from agent_gym.lm.offline.reading import Called, Event, Example, Got, Said
from agent_gym.lm.offline.schema import ToolView, stems, words
from agent_gym.lm.offline.values import MONTHS, dates, times

_TWICE = re.compile(r"\b([ap]m) \1\b")
ENOUGH = 4
"""Sentences of other deeds that it takes to speak like them."""
_FIELD = re.compile(r"\{(\w+)\}")


class Line(NamedTuple):
    """A sentence of an example."""

    act: str
    template: str
    fields: tuple[str, ...]
    about: frozenset[str]
    """Stems of the call it followed or prepared."""
    own: frozenset[str]
    """Its words that belong to that call's service: it suits only a tool that knows them too."""
    said: frozenset[str]
    """The words of the template, for likeness."""
    tool: str
    """The tool of that call, empty when there is none."""


def gather(examples: Sequence[Example], today: date) -> dict[str, tuple[Line, ...]]:
    """The lines of all examples by act; one text is kept once."""
    lines: dict[str, dict[str, Line]] = {}
    for example in examples:
        for line in _lines((*example.events, *example.action), today):
            lines.setdefault(line.act, {})[line.template] = line
    return {act: tuple(found.values()) for act, found in lines.items()}


def _lines(events: Sequence[Event], today: date) -> list[Line]:
    found: list[Line] = []
    rows: Sequence[Mapping[str, str]] = ()
    total = 0
    last: Called | None = None
    after_result = False
    for at, event in enumerate(events):
        match event:
            case Called():
                last = event
            case Got():
                rows, total, after_result = event.rows, event.total, True
            case Said("assistant", text):
                found.append(_line(text, events[at:], last, rows, total if after_result else None, today))
                after_result = False
            case _:
                pass
    return [line for line in found if line.act and (line.about or line.act in ("more", "goodbye", "request"))]


_RESIDUE = re.compile(r"\d|(?<=[a-z,] )[A-Z](?!\b|')")


def _line(
    text: str, rest: Sequence[Event], last: Called | None, rows: Sequence[Mapping[str, str]], total: int | None, today: date
) -> Line:
    act = assistant_act(text)
    shown: Mapping[str, str] = rows[0] if rows else {}
    if total is not None:
        failed = not rows or (last is not None and any(shown.get(key, value) != value for key, value in last.arguments.items()))
        alone = last is not None and "-" not in last.name
        act = "failure" if failed else "notify" if act == "notify" and not alone else "offer"
    deed = last if total is not None else next((event for event in rest if isinstance(event, Called)), last)
    values = deed.arguments if act == "confirm" and deed is not None else shown
    template = delexicalise(text, values, total or 0 if act == "offer" else 0, today)
    bare = _FIELD.sub("", template)
    act = "" if _RESIDUE.search(bare.replace(" ID", "")) else act
    about = stems(deed.name.rpartition("-")[2]) if deed else frozenset[str]()
    belongs = stems(" ".join((deed.name, *deed.arguments, *shown))) if deed else frozenset[str]()
    fields, said, name = tuple(_FIELD.findall(template)), frozenset(words(template)), deed.name if deed else ""
    return Line(act, template, fields, about, stems(bare) & belongs, said, name)


def delexicalise(text: str, values: Mapping[str, str], count: int, today: date) -> str:
    """`text` with every value replaced by its name in braces."""
    cuts: list[tuple[int, int, str]] = []
    spoken = [(found.value, found.start, found.end) for found in (*dates(text, today), *times(text))]
    for name, value in sorted(values.items(), key=lambda pair: -len(pair[1])):
        place = find(value, text) if value and value not in ("True", "False") else None
        place = place or next(((start, end) for said, start, end in spoken if said == value), None)
        # Without a date in the prompt, a day in the text has no year.
        place = place or (find(speak(value, name), text) if value else None)
        if place and all(place[1] <= start or end <= place[0] for start, end, _ in cuts):
            cuts.append((*place, name))
    counted = find(str(count), text) if count > 1 else None
    if counted and all(counted[1] <= start or end <= counted[0] for start, end, _ in cuts):
        cuts.append((*counted, "count"))
    for start, end, name in sorted(cuts, reverse=True):
        text = f"{text[:start]}{{{name}}}{text[end:]}"
    return text


def relexicalise(line: Line, values: Mapping[str, str]) -> str | None:
    """The line with other values; None when one of its fields has no like among them."""
    chosen: dict[str, str] = {}
    free = dict(values)
    for field in line.fields:
        if field in chosen:
            continue
        name = field if field in free else next((other for other in free if likeness(other) == likeness(field)), None)
        if name is None:
            return None
        chosen[field] = speak(free.pop(name), name)
    return _TWICE.sub(r"\1", _FIELD.sub(lambda match: chosen[match[1]], line.template))


def likeness(field: str) -> str:
    """What a field is, so that one service's name stands for another's."""
    parts = set(words(field))
    for like, keys in _LIKE:
        if parts & keys:
            return like
    return field


_LIKE: tuple[tuple[str, frozenset[str]], ...] = (
    ("count", frozenset({"count"})),
    ("phone", frozenset({"phone"})),
    ("address", frozenset({"address", "street"})),
    ("date", frozenset({"date", "day"})),
    ("time", frozenset({"time"})),
    ("price", frozenset({"price", "fare", "rent", "cost", "balance", "amount"})),
    ("rating", frozenset({"rating", "star"})),
    ("elsewhere", frozenset({"airport", "station", "account"})),
    ("name", frozenset({"name", "title"})),
    ("town", frozenset({"city", "area", "location", "town", "destination", "where"})),
    ("type", frozenset({"genre", "cuisine", "category", "type"})),
    ("number", frozenset({"number", "size", "passengers", "seats", "travelers"})),
)


def speak(value: str, name: str) -> str:
    """A canonical value as one says it: "2019-03-08" is "March 8th", "19:00" is "7 pm"."""
    if match := re.fullmatch(r"\d{4}-(\d\d)-(\d\d)", value):
        day = int(match[2])
        end = "th" if 11 <= day <= 13 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
        return f"{MONTHS[int(match[1]) - 1].capitalize()} {day}{end}"
    if match := re.fullmatch(r"(\d\d):(\d\d)", value):
        hour, half = int(match[1]), "am" if int(match[1]) < 12 else "pm"
        return f"{(hour - 1) % 12 + 1}{'' if match[2] == '00' else ':' + match[2]} {half}"
    return value


def typical(
    lines: Sequence[Line], tool: ToolView | None, values: Mapping[str, str], plain: str, topic: frozenset[str] = frozenset()
) -> str:
    """The sentence most like the examples' that suit, with every field filled; `plain` when nothing is nearer to them."""
    if tool is not None and tool.alone:
        return next(_of_this(tool, lines, values, topic), plain)
    knows = frozenset[str]() if tool is None else tool.intent | tool.about | tool.vocabulary | stems(" ".join(tool.results))
    fitting = [
        (line, said)
        for line in lines
        if (line.tool or line.act != "request")
        and line.own <= knows
        and (not topic or topic & stems(line.template))
        and (said := relexicalise(line, values)) is not None
    ]
    if not fitting:
        return plain
    same = [pair for pair in fitting if tool is not None and pair[0].about & tool.intent]
    same = same if len(same) > 1 else []
    if not same and len(fitting) < ENOUGH:
        return plain
    voices = same or fitting
    likest = max(voices, key=lambda pair: (_central(pair[0].said, voices), pair[1]))
    # Itself is one of the voices, and says nothing about how usual it is.
    nearer = _central(likest[0].said, voices) - 1 >= _central(frozenset(words(plain)), voices)
    return likest[1] if nearer or same else plain


def _of_this(tool: ToolView, lines: Sequence[Line], values: Mapping[str, str], topic: frozenset[str]) -> Iterator[str]:
    """What examples said of this very tool: where no name tells which tools are alike, no other's words will do."""
    for line in lines:
        if line.tool in ("", tool.name) and (not topic or topic & stems(line.template)):
            said = relexicalise(line, values)
            if said is not None:
                yield said


def _central(said: frozenset[str], others: Sequence[tuple[Line, str]]) -> float:
    return sum(len(said & line.said) / max(1, len(said | line.said)) for line, _ in others)
