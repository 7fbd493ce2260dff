"""The tools of a prompt as the policy sees them: which words name them, and what kind of value each argument takes.

Everything is read from names, descriptions and enums, so a service never seen before is read like any other.
"""

import re
from functools import lru_cache
from typing import Any, NamedTuple, cast

import msgspec

DONT_CARE = "dontcare"
_SPLIT = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_STOP = frozenset(
    "a an and any are as at be by can do does for from get given has have how i if in into is it its me my of on or"
    " that the their"
    " there this to up use used user users want what when where which who will with you your s t d ll re m ve would"
    " like need please"
    " number name whether boolean flag service other next new your all any".split()
)
_ENDS = ("ations", "ation", "ings", "ing", "ies", "ments", "ment", "ers", "er", "es", "ed", "s", "e", "y", "i")
_FROM = frozenset("from origin source departure departing leaving leave start starting begin pickup pick checkin".split())
_TO = frozenset(
    "to destination arrival arriving going return returning end ending dropoff drop until out checkout target".split()
)
PEOPLE = frozenset(
    "people person persons passengers passenger party group adults adult riders travelers travellers seats tickets"
    " guests size".split()
)

CODES = frozenset("id reference ref sku".split())
COUNTS = frozenset("number count size num quantity minutes hours days nights weeks months year years rating".split())


@lru_cache(maxsize=16384)
def stem(word: str) -> str:
    """A crude English stem: "reservations", "reserve" and "reserved" meet in "reserv"."""
    word = word.lower()
    for end in _ENDS:
        if word.endswith(end) and len(word) - len(end) >= 3:
            word = word[: -len(end)]
            break
    return word[:-1] if len(word) > 3 and word[-1] in "ieyt" and word[-2:] == word[-1] * 2 else word.rstrip("eiy") or word


@lru_cache(maxsize=16384)
def words(text: str) -> tuple[str, ...]:
    """Lower-case words of a name or a sentence; camel and snake case are split."""
    return tuple(word.lower() for word in _SPLIT.findall(text))


@lru_cache(maxsize=16384)
def stems(text: str) -> frozenset[str]:
    """Stems of the words that carry meaning."""
    return frozenset(stem(word) for word in words(text) if word not in _STOP and len(word) > 1)


_VAGUE = frozenset(stem(word) for word in "true false date time city location type from to in good one".split())


class Param(NamedTuple):
    """One argument of a tool."""

    name: str
    label: str
    """The name in plain words."""
    kind: str
    """bool, number, choice, code (an ID), date, time, money, place, type (an open class: genre, cuisine) or text."""
    options: tuple[str, ...]
    default: str | None
    required: bool
    stems: frozenset[str]
    about: frozenset[str]
    """Stems of the description."""
    side: str
    """`from` or `to` for the two ends of a journey, a stay or a span; else empty."""


class ToolView(NamedTuple):
    """One tool."""

    name: str
    service: str
    intent: frozenset[str]
    about: frozenset[str]
    domain: frozenset[str]
    """Stems of the service's name."""
    transactional: bool
    params: dict[str, Param]
    results: tuple[str, ...]
    description: str
    vocabulary: frozenset[str]
    """Stems of its arguments and of their options."""

    def __hash__(self) -> int:
        # `params` is a dict: tools of one name are told apart by equality.
        return hash((self.name, self.description))

    @property
    def alone(self) -> bool:
        """Its name names no service."""
        return self.service == self.name

    def required(self) -> list[str]:
        return [name for name, param in self.params.items() if param.required]


@lru_cache(maxsize=4096)
def view_tools(text: str) -> tuple[ToolView, ...]:
    """The tools of a prompt, one JSON object a line; a line that is none is passed over."""
    views: list[ToolView] = []
    for line in text.splitlines():
        try:
            value = msgspec.json.decode(line)
        except msgspec.DecodeError:
            continue
        if isinstance(value, dict) and isinstance(cast(dict[str, Any], value).get("name"), str):
            views.append(_view(cast(dict[str, Any], value)))
    return tuple(views)


def _view(spec: dict[str, Any]) -> ToolView:
    name = str(spec["name"])
    service, _, intent = name.rpartition("-")
    schema = cast(dict[str, Any], spec.get("parameters") or {})
    required = set(cast(list[str], schema.get("required") or []))
    properties = cast(dict[str, dict[str, Any]], schema.get("properties") or {})
    params = {slot: view_param(slot, about, slot in required) for slot, about in properties.items()}
    return ToolView(
        name=name,
        service=service or name,
        intent=stems(intent or name),
        about=stems(f"{spec.get('description', '')} {service}"),
        domain=stems(service),
        transactional=bool(spec.get("transactional")),
        params=params,
        results=tuple(cast(list[str], spec.get("results") or [])),
        description=str(spec.get("description", "")),
        vocabulary=frozenset(
            word
            for param in params.values()
            for text in (param.name, *(option for option in param.options if not option.isdigit()))
            for word in stems(text)
        )
        - _VAGUE,
    )


def view_param(name: str, about: dict[str, Any], required: bool) -> Param:
    """An argument, from its name and its JSON schema."""
    description = str(about.get("description", ""))
    options = tuple(str(option) for option in cast(list[Any], about.get("enum") or []) if option != DONT_CARE)
    default = about.get("default")
    named, told = words(name), words(description)
    return Param(
        name=name,
        label=" ".join(named),
        kind=_kind(named, told, options, about.get("type")),
        options=options,
        default=None if default is None else str(default),
        required=required,
        stems=stems(name),
        about=stems(description),
        side=_side(named) or _side(told),
    )


def _kind(named: tuple[str, ...], told: tuple[str, ...], options: tuple[str, ...], json_type: Any) -> str:
    names, about = set(named), set(told)
    if (options and {option.lower() for option in options} <= {"true", "false"}) or json_type == "boolean":
        return "bool"
    if names & CODES:
        return "code"
    if options and all(option.isdigit() for option in options):
        return "number"
    if options:
        return "choice"
    if "date" in names or "day" in names:
        return "date"
    if "time" in names:
        return "time"
    if names & COUNTS or json_type in ("integer", "number"):
        return "number"
    if names & {"amount", "price", "fare", "cost", "rent", "balance"}:
        return "money"
    if names & {"city", "location", "area", "town", "origin", "destination", "where", "address", "region", "country", "place"}:
        return "place"
    if names & {"genre", "cuisine", "category", "type", "subcategory", "style", "kind"}:
        return "type"
    return _kind_told(about)


def _kind_told(about: set[str]) -> str:
    """The kind by the description alone."""
    if "date" in about:
        return "date"
    if "time" in about:
        return "time"
    if {"number", "of"} <= about and "phone" not in about:
        return "number"
    if about & {"amount", "price"}:
        return "money"
    if about & {"city", "location", "area", "town"} and "name" not in about:
        return "place"
    return "type" if about & {"genre", "cuisine", "category", "type"} else "text"


def _side(named: tuple[str, ...]) -> str:
    names = set(named)
    if names & _FROM and not names & _TO:
        return "from"
    if {"check", "in"} <= names:
        return "from"
    return "to" if names & _TO and not names & _FROM else ""
