"""What an assistant's turn is about: the arguments its question asks for, the fields of a result it may name."""

from collections.abc import Iterable, Sequence
from functools import lru_cache

from agent_gym.lm.offline.schema import Param, stem, words


@lru_cache(maxsize=16384)
def _heard(text: str) -> tuple[frozenset[str], frozenset[str], str]:
    plain = words(text)
    return frozenset(plain), frozenset(stem(word) for word in plain), text.casefold()


_CITY = frozenset(stem(word) for word in ("city", "location", "area", "town"))
_KINDS: dict[str, frozenset[str]] = {
    "date": frozenset({"when", "date", "day", "days", "dates"}),
    "time": frozenset({"time", "when", "hour"}),
    "place": frozenset({"where", "city", "location", "area", "place", "town"}),
    "type": frozenset({"kind", "type", "sort", "genre", "category", "specific", "preference"}),
    "choice": frozenset({"kind", "type", "sort", "category"}),
    "number": frozenset({"many"}),
}


def asked(text: str, params: Sequence[Param], wanted: Iterable[str], common: frozenset[str]) -> frozenset[str]:
    """The arguments a question asks for; `wanted` are still open, `common` are stems that every tool of the service shares."""
    plain, said, lower = _heard(text)
    open_names = set(wanted)
    hits: dict[str, float] = {}
    for param in params:
        score = sum(0.5 if word in common else 1.0 for word in param.stems & said) * 2.0 / max(1, len(param.stems))
        score += 0.5 * len((param.about - common) & said) / max(1, len(param.about))
        score += 1.0 * bool(_KINDS.get(param.kind, frozenset()) & plain)
        if param.side == "to" and plain & {"return", "back", "returning", "until", "destination", "going", "to"}:
            score += 0.4
        if param.side == "from" and plain & {"from", "leaving", "leave", "departing", "start", "starting", "departure"}:
            score += 0.4
        if any(option.casefold() in lower for option in param.options if len(option) > 2):
            score += 1.5
        if score >= 0.9:
            hits[param.name] = max(hits.get(param.name, 0.0), score + 0.6 * (param.name in open_names))
    if not hits:
        return frozenset(open_names) if len(open_names) == 1 else frozenset()
    best = max(hits.values())
    return frozenset(name for name, score in hits.items() if score >= best * 0.6)


def akin(param: Param, other: str) -> bool:
    """A field of another service that may fill this argument."""
    theirs = words(other)
    if {stem(word) for word in theirs} & param.stems:
        return True
    return param.kind == "place" and bool(set(theirs) & {"address", "location", "venue", "place", "theater"})


def is_town(param: Param) -> bool:
    """A place that is a town, not a house: what a conversation keeps when it moves to another service."""
    return param.kind == "place" and bool((param.stems | param.about) & _CITY)
