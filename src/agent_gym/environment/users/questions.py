"""Which arguments an agent's words ask the user for.

    asked("Where are you leaving from and when?", params of a bus search)    {"from_location", "leaving_date"}
    asked("What kind of food, and in which area?", params of a restaurant search)    {"category", "location"}

Read from the names and descriptions of the arguments, clause by clause: a word of its own asks for an argument at once ("how
many passengers"), a question word only where nothing says more ("when?"). The reader of the embedded model
(`lm/offline/questions.py`) serves an agent that asked itself and knows what; a user hears questions that others put, in more
forms.
"""

import re
from collections.abc import Collection, Sequence
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from agent_gym.lm.offline.schema import PEOPLE, Param, stem, words
from agent_gym.lm.offline.values import dates, times

_CLAUSE = re.compile(
    r"[?.!;]+\s+|[?!;]+|,\s+(?:and\s+)?|\s+(?:and|also|plus|or)\s+(?=(?:at |in |on |by |to |from |for |until |till |up to )?"
    r"(?:the |your )?"
    r"(?:what|which|when|where|how|who|whom|do|would|is|are|will|does|should|can|could|if|whether|departure|return|time|date|"
    r"destination|city))|\s+and\s+",
    re.IGNORECASE,
)
_SIDES = {
    # Of a journey its two places; of a journey, a stay or a loan its two days and hours.
    ("place", "from"): re.compile(r"\b(?:from|leav\w*|depart\w*|start\w*|origin|begin\w*|source|out of)\b", re.IGNORECASE),
    ("place", "to"): re.compile(
        r"\b(?:to(?= ?$|\?| what| which| where| go)|go|going|head\w*|destination|arriv\w*|visit\w*|travell?ing to|travel to)\b",
        re.IGNORECASE,
    ),
    ("date", "from"): re.compile(
        r"\b(?:from|leav\w*|depart\w*|start\w*|begin\w*|pick\w*|collect|check(?:ing)?[ -]?in|outbound|take off|arriv\w*|go|"
        r"going)\b",
        re.IGNORECASE,
    ),
    ("date", "to"): re.compile(
        r"\b(?:return\w*|back|until|till?|til|up to|drop\w*|end\w*|check(?:ing)?[ -]?out|long|finish\w*)\b", re.IGNORECASE
    ),
}
_KINDS: dict[str, tuple[str, str]] = {
    # What asks for an argument of this kind: for certain, and where nothing says more.
    "date": (r"\b(?:dates?|days?|mondays?|weekday|which week)\b", r"\bwhen\b"),
    "time": (r"\b(?:times?|hours?|o'?clock|how early|how late)\b", r"\bwhen\b"),
    "place": (
        r"\b(?:city|cities|town|towns|area|locations?|located|place|places|where|airport|station|address|region|destination)\b",
        r"$^",
    ),
    "type": (
        r"\b(?:kinds?|types?|sorts?|genres?|categor\w+|cuisines?|styles?|mood|interests?|interested|specific|particular)\b",
        r"\b(?:prefer\w*|preferences?|like)\b",
    ),
    "number": (r"$^", r"\bhow (?:many|much)\b|\bnumber\b"),
    "money": (r"\b(?:how much|amounts?|budget|sum|price)\b", r"$^"),
    "choice": (
        r"\b(?:kinds?|types?|sorts?|genres?|categor\w+|interests?|interested)\b",
        r"\b(?:which|prefer\w*|preferences?|particular|specific|mood)\b",
    ),
    "bool": (r"$^", r"$^"),
    "text": (r"$^", r"\b(?:who|whom|which|particular|specific|prefer\w*|preferences?)\b"),
}
_KIND_CUES = {kind: tuple(re.compile(cue, re.IGNORECASE) for cue in cues) for kind, cues in _KINDS.items()}
_PERIOD = re.compile(r"\bhow (?:long|many (?:days|nights))\b|\bduration\b|\b(?:length|period)\b", re.IGNORECASE)
_FOOD = re.compile(r"\b(?:food|eat|dish|dine|dining|cuisine)\b", re.IGNORECASE)
_WHO = re.compile(r"\b(?:who|whom|whose)\b", re.IGNORECASE)
_PERSONS = frozenset(stem(word) for word in PEOPLE)
_LASTING = frozenset(stem(word) for word in "length stay days nights duration long".split())
_MUTE = frozenset(
    stem(word)
    for word in "name number type date time city location place of to from in the is has have new slot search user"
    " preferred leaving leave departure depart return pickup pick dropoff drop check for good travel"
    " event".split()
)


_UNNAMED = frozenset(stem(word) for word in "name title of new user".split())
_NAME = re.compile(r"\b(?:names?|named|call(?:ed)?|titled?|label\w*)\b", re.IGNORECASE)


class Cue(NamedTuple):
    """What tells that an argument is meant."""

    own: frozenset[str]
    """Stems of its own name that say more than its kind."""
    about: frozenset[str]


@lru_cache(maxsize=4096)
def _cue(param: Param) -> Cue:
    named = [stem(word) for word in words(param.name)]
    # An event's name is told by the word "event"; in `city_of_event` the same word tells nothing.
    mute = _UNNAMED if param.kind == "text" else _MUTE
    own = frozenset(word for word in named if word not in mute and len(word) > 1)
    return Cue(own, param.about - _MUTE)


def asked(text: str, params: Sequence[Param], unsaid: Collection[str], today: date) -> frozenset[str]:
    """The arguments that `text` asks for.

    Args:
        unsaid: arguments that the user has not told yet; of two that a question may mean, they are the likelier.
    """
    found: set[str] = set()
    before = ""
    for clause in _clauses(text):
        hit = _in_clause(clause, params, unsaid, before, today)
        found |= hit
        before = clause if hit else before
    return frozenset(found)


@lru_cache(maxsize=16384)
def _clauses(text: str) -> tuple[str, ...]:
    return tuple(clause for part in _CLAUSE.split(text) if (clause := part.strip()))


def _in_clause(clause: str, params: Sequence[Param], unsaid: Collection[str], before: str, today: date) -> set[str]:
    named = [(param, _cue(param).own & _said(clause)) for param in params]
    scores = {
        param.name: score
        for param, own in named
        # "A shared ride?" asks for `shared_ride`, not for `number_of_riders` too.
        if not (own and any(own < other for _, other in named)) and (score := _score(clause, param, before, today)) >= 1.0
    }
    if not scores:
        return set()
    best = max(scores.values())
    if best < 2.0:
        # Only question words: the ones that are still open, else all that may be meant.
        close = {name for name, score in scores.items() if score == best}
        return (close & set(unsaid)) or close
    close = {name for name, score in scores.items() if score >= max(2.0, best - 1.0)}
    return _one_a_kind(close, scores, params, unsaid)


def _one_a_kind(close: set[str], scores: dict[str, float], params: Sequence[Param], unsaid: Collection[str]) -> set[str]:
    """Of arguments of one kind, the best; of equally good ones, those still open."""
    kept: set[str] = set()
    for kind in {_group(param) for param in params if param.name in close}:
        same = [param.name for param in params if _group(param) == kind and param.name in close]
        best = max(scores[name] for name in same)
        top = [name for name in same if scores[name] == best]
        kept |= {name for name in top if name in unsaid} or set(top)
    return kept


def _group(param: Param) -> str:
    return "choice" if param.kind == "type" else param.kind


def _score(clause: str, param: Param, before: str, today: date) -> float:
    cue, said = _cue(param), _said(clause)
    certain, likely = _KIND_CUES.get(param.kind, _KIND_CUES["text"])
    own = len(cue.own & said)
    score = 2.0 * bool(own) + 0.5 * max(0, own - 1)
    by_kind = 2.0 if certain.search(clause) else 1.0 if likely.search(clause) else 0.0
    score = score + by_kind if by_kind and score else max(score, by_kind)
    score += 0.4 * min(2, len(cue.about & said))
    if any(len(option) > 2 and option.casefold() in clause.casefold() for option in param.options if param.kind != "bool"):
        score += 2.0
    if (param.kind == "date" and dates(clause, today)) or (param.kind == "time" and times(clause)):
        score += 2.0
    if param.kind == "number" and (cue.own | param.about) & _PERSONS and said & _PERSONS:
        score += 1.5
    if _PERIOD.search(clause):
        if (
            cue.about & _LASTING
            or _LASTING & {stem(word) for word in words(param.name)}
            or (param.kind, param.side) == ("date", "to")
        ):
            score += 2.0
        elif param.kind in ("date", "time"):
            score -= 2.0
    if param.kind == "type" and _FOOD.search(clause) and ("food" in param.about or "cuisin" in param.about | cue.own):
        score += 2.0
    score += 0.1 * (param.required and score > 0)
    if param.kind == "text" and _NAME.search(clause) and {"name", "title"} & set(words(param.name)):
        score += 2.0
    if param.kind == "text" and _WHO.search(clause):
        score += 0.5 * bool(param.about & _PERSONS or "recipient" in param.name)
    if param.side and score and param.kind in ("date", "time", "place"):
        score += _side(clause, "place" if param.kind == "place" else "date", param.side, before)
    return score


def _side(clause: str, kind: str, side: str, before: str) -> float:
    this, that = _SIDES[kind, side], _SIDES[kind, "to" if side == "from" else "from"]
    mine, theirs = bool(this.search(clause)), bool(that.search(clause))
    if mine == theirs and not mine:
        mine, theirs = bool(this.search(before)), bool(that.search(before))
    return 0.8 if mine and not theirs else -1.5 if theirs and not mine else 0.0


@lru_cache(maxsize=16384)
def _said(clause: str) -> frozenset[str]:
    return frozenset(stem(word) for word in words(clause))
