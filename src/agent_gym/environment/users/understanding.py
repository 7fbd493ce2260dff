"""What an agent's words mean to a user who knows what it wants: read back rightly, offered, told, asked for more.

Words are read in the light of the user's own goal and of what tools have shown, so nothing here needs a model.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from functools import lru_cache

from agent_gym.environment.goals.told import is_told
from agent_gym.environment.users.goal import Errand, Values, is_dontcare
from agent_gym.lm.offline.acts import assistant_act
from agent_gym.lm.offline.mentions import Words
from agent_gym.lm.offline.schema import Param, stem, stems, view_param, words
from agent_gym.lm.offline.slots import fill
from agent_gym.messages import ToolSpec
from agent_gym.tools.catalog import shapes_of
from agent_gym.tools.recordings import Row
from agent_gym.values import canonical

_MORE = re.compile(
    r"\b(?:(?:any|some)thing (?:else|more|other)|any ?(?:other|further|more) |else|further|what (?:more|other)|"
    r"other (?:help|way)|"
    r"(?:need|be of|of|any|my|more) (?:\w+ )?(?:help|assistance|service\w*)|(?:help|assist|serve) you|still need|"
    r"need (?:me|anything|something)|help (?:with|in))\b",
    re.IGNORECASE,
)
_BYE = re.compile(
    r"\b(?:(?:have|enjoy) (?:a|an|your|the|yourself)|good ?bye|bye|take care|see you|(?:great|good|nice|wonderful|lovely) day|"
    r"welcome|my pleasure)\b",
    re.IGNORECASE,
)
_CHOICE = re.compile(r"\bor\b|\betc\b|\belse\b|\bsuch as\b|\bfor (?:example|instance)\b", re.IGNORECASE)
_WHAT = re.compile(r"\b(?:what|which|how (?:many|much|long)|when|where|whom?)\b", re.IGNORECASE)
_SURE = frozenset(("date", "time", "number", "money", "bool", "choice"))
"""Kinds of arguments whose values are read from words without guessing."""


@lru_cache(maxsize=1024)
def params_of(spec: ToolSpec) -> tuple[Param, ...]:
    """The arguments of a tool as they are read in words."""
    required = frozenset(spec.parameters.get("required", ()))
    return tuple(view_param(slot, dict(shape), slot in required) for slot, shape in shapes_of(spec).items())


def says(slot: str, values: Values, text: str, today: date) -> bool:
    """Whether the words hold a value, in any of its variants."""
    return any(is_told(slot, value, text, today) for value in values)


def asks_for_more(text: str) -> bool:
    """ "Is there anything else?" """
    return assistant_act(text) == "more" or (len(text) < 120 and bool(_MORE.search(text)))


def asks_what(text: str) -> bool:
    """An open question: "which type of ride?", not "a pool ride?"."""
    return bool(_WHAT.search(text))


def says_goodbye(text: str) -> bool:
    """ "Have a nice day." """
    return "?" not in text and bool(_BYE.search(text)) and len(text) < 120


def proposes(param: Param, text: str, values: Values, today: date) -> bool:
    """The words propose the user's own value for an argument that they ask for: "from Las Vegas?"; a choice of two does not."""
    if param.kind == "bool" or not says(param.name, values, text, today):
        return False
    return not _CHOICE.search(text)


def reads_back(text: str, errand: Errand, spec: ToolSpec, today: date, known: Mapping[str, Sequence[str]]) -> bool:
    """The agent says what it is about to do, and waits for a yes."""
    act = assistant_act(text)
    if act == "confirm":
        return True
    if act in ("more", "goodbye", "failure") and len(text) < 60:
        return False
    found = sum(
        not is_dontcare(values) and not _is_flag(values) and says(slot, values, text, today)
        for slot, values in errand.slots.items()
    )
    needed = max(2, min(3, len(errand.slots) - 1))
    return found >= needed or len(_read(text, spec, today, known)) >= needed


def _is_flag(values: Values) -> bool:
    return canonical(values[-1]) in ("true", "false")


def _read(text: str, spec: ToolSpec, today: date, known: Mapping[str, Sequence[str]]) -> Mapping[str, str]:
    return fill(Words(text, frozenset(), today, known), params_of(spec))


def wrong_values(
    text: str, errand: Errand, spec: ToolSpec, today: date, known: Mapping[str, Sequence[str]], sure: Collection[str]
) -> list[str]:
    """The arguments that the words give another value than the user wants.

    Args:
        sure: arguments corrected before; what is read again of an open kind (a name, a place) is believed once only.
    """
    open_ones = [
        slot for slot, values in errand.slots.items() if not is_dontcare(values) and not says(slot, values, text, today)
    ]
    if not open_ones:
        return []
    kinds = {param.name: param.kind for param in params_of(spec)}
    found = _read(text, spec, today, known)
    wrong: list[str] = []
    for slot in open_ones:
        value = found.get(slot)
        if value is None or any(canonical(value) == canonical(one) for one in errand.slots[slot]):
            continue
        if kinds.get(slot) in _SURE or (slot not in sure and _is_name(value, text)):
            wrong.append(slot)
    return wrong


def _is_name(value: str, text: str) -> bool:
    """Written like a name, and not only because a sentence begins with it."""
    at = text.find(value)
    return at > 0 and (value[0].isupper() or value[0].isdigit()) and text[:at].rstrip()[-1:] not in ".?!:"


def mentioned(rows: Sequence[Row], text: str, today: date) -> list[int]:
    """The rows that the words are about: those of which most is said that tells rows apart; none when nothing is."""
    if len(rows) == 1:
        telling = rows[0].keys()
    else:
        telling = [field for field in rows[0] if len({canonical(row.get(field)) for row in rows}) > 1]
    scores = [sum(_telling(row.get(field)) and is_told(field, row[field], text, today) for field in telling) for row in rows]
    best = max(scores, default=0)
    return [at for at, score in enumerate(scores) if score == best] if best else []


def _telling(value: object) -> bool:
    return isinstance(value, str) and value not in ("True", "False", "")


def agrees(row: Row, wanted: Mapping[str, Values]) -> bool:
    """The row holds the wanted values, in every field that it has."""
    return all(
        slot not in row or any(canonical(row[slot]) == canonical(one) for one in values) for slot, values in wanted.items()
    )


@lru_cache(maxsize=16384)
def speaks_of(text: str, tool: str) -> int:
    """How many words of an intent's name are said: "shall I buy the tickets?" says two of BuyEventTickets."""
    said = {stem(word) for word in words(text)}
    return len(stems(tool.rpartition("-")[2]) & said)


def known_values(goal: Iterable[Errand], rows: Sequence[Row]) -> Mapping[str, Sequence[str]]:
    """Names that may stand in the words, by argument: what the user wants, and what results have shown."""
    known: dict[str, list[str]] = {}
    for errand in goal:
        for slot, values in errand.slots.items():
            known.setdefault(slot, []).extend(values)
    for row in rows:
        for field, value in row.items():
            if isinstance(value, str) and value not in known.get(field, ()):
                known.setdefault(field, []).append(value)
    return known
