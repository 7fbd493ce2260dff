"""How an agent is to behave here, as far as the prompt shows it: an instruction says it, worked examples show it.

Nothing is assumed that the prompt does not show: without either, a booking is made as soon as it can be made, and arguments
hold what the user said and no more.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from agent_gym.lm.offline.acts import assistant_act
from agent_gym.lm.offline.focus import Lexicon
from agent_gym.lm.offline.mentions import mention
from agent_gym.lm.offline.reading import Called, Event, Got, Said, read_examples
from agent_gym.lm.offline.schema import CODES, stem, stems, words
from agent_gym.lm.offline.values import numbers
from agent_gym.lm.offline.wording import Line, gather

_CONFIRM_CUE = re.compile(r"\b(?:confirm\w*|read (?:it|them|the details) back|agree[sd]?|approv\w+)\b", re.IGNORECASE)
_NO_CONFIRM_CUE = re.compile(r"\b(?:never|not|without|no need to)\b[\w ]{0,24}\bconfirm\w*", re.IGNORECASE)
_DEFAULT_CUE = re.compile(r"\bdefaults?\b", re.IGNORECASE)
_ONE_CUE = re.compile(r"\bone (?:question|thing|argument|detail|slot) at a time\b|\bone question\b", re.IGNORECASE)
HEARD = 0.25
"""How much a word counts that a user said before a like-named call, beside 1.4 and more for a word of the tool's own name."""
HEARD_SAME = 2.0
"""The same before a call of this very tool; for tools whose name names no service, so that no other can be like them."""
_ACTING = frozenset(
    stem(word)
    for word in "book reserve buy purchase schedule order play rent transfer add pay send set make call share".split()
)
_LOOKING = frozenset(stem(word) for word in "find search look lookup check browse show list see get".split())


class Habits(NamedTuple):
    """What the prompt teaches."""

    confirm_first: bool
    """A transactional tool is called only after its details were read back and the user agreed."""
    send_defaults: bool
    """A transactional call also holds the defaults of optional arguments nobody spoke of."""
    one_question: bool
    """It asks for one thing in a turn."""
    lexicon: Lexicon
    lines: Mapping[str, tuple[Line, ...]]
    """How the examples speak."""


@lru_cache(maxsize=512)
def learn(instruction: str, examples: str, today: date) -> Habits:
    """Habits of an instruction and its worked examples."""
    shown = read_examples(examples)
    moments = [moment for example in shown for moment in _moments((*example.events, *example.action))]
    deeds = [moment for moment in moments if moment.call is not None and _acts(moment.call.name)]
    readback = sum(_read_back(moment) for moment in deeds)
    asks = sum(moment.reply == "confirm" for moment in moments)
    unsaid = sum(_holds_unsaid(moment) for moment in deeds)
    return Habits(
        confirm_first=(bool(_CONFIRM_CUE.search(instruction)) and not _NO_CONFIRM_CUE.search(instruction))
        or (readback * 2 >= len(deeds) > 0)
        or (not deeds and asks > 0),
        send_defaults=bool(_DEFAULT_CUE.search(instruction)) or unsaid > 0,
        one_question=bool(_ONE_CUE.search(instruction)),
        lexicon=_lexicon(moments),
        lines=gather(shown, today),
    )


class Moment(NamedTuple):
    """A user's turn in an example, and what the agent did next."""

    said: tuple[str, ...]
    """Everything the user had said, newest last."""
    before: str
    """What the agent's turn before it did."""
    words: str
    """That turn."""
    call: Called | None
    reply: str
    """What the agent's words did, when it did not call."""


def _moments(events: Sequence[Event]) -> list[Moment]:
    found: list[Moment] = []
    said: list[str] = []
    before, words_before, waiting = "start", "", False
    for event in events:
        match event:
            case Said("user", text):
                said.append(text)
                waiting = True
            case Said(_, text):
                act = assistant_act(text)
                if waiting:
                    found.append(Moment(tuple(said), before, words_before, None, act))
                before, words_before, waiting = act, text, False
            case Called():
                if waiting:
                    found.append(Moment(tuple(said), before, words_before, event, ""))
                waiting = False
            case Got():
                pass
    return found


def _read_back(moment: Moment) -> bool:
    """The agent's turn before the call named what the call holds."""
    if moment.before == "confirm":
        return True
    call = moment.call
    return (
        call is not None
        and sum(len(value) > 2 and mention(value, moment.words) is not None for value in call.arguments.values()) >= 2
    )


def _acts(name: str) -> bool:
    intent = name.rpartition("-")[2]
    first = stem(words(intent)[0]) if words(intent) else ""
    return first in _ACTING


def _holds_unsaid(moment: Moment) -> bool:
    """The call holds a small value (a count, a choice) that no user turn mentions."""
    spoken = " ".join(moment.said)
    counts = {found.value for found in numbers(spoken)}
    return moment.call is not None and any(
        (value.isdigit() and len(value) == 1 and value not in counts)
        or (value in ("True", "False") and name and not set(words(name)) & set(words(spoken)))
        for name, value in moment.call.arguments.items()
    )


_COMMON = frozenset(
    stem(word)
    for word in (
        "i me my you can could would like want need please help find looking look for some the a an is it of to in on get am do"
        " what that this there and with yes no have good sounds great thanks"
    ).split()
)


def _lexicon(moments: Sequence[Moment]) -> Lexicon:
    counted: dict[str, dict[str, float]] = {}
    for moment in moments:
        if moment.call is None:
            continue
        opening = moment.said[-1] if moment.before not in ("request", "confirm") else moment.said[0]
        if "-" not in moment.call.name:
            for word in filter(str.isalpha, stems(opening) - _COMMON - CODES):
                counted.setdefault(moment.call.name, {})[word] = HEARD_SAME
        for name in stems(moment.call.name.rpartition("-")[2]) - _LOOKING - _ACTING:
            for word in stems(opening) - _COMMON:
                counted.setdefault(name, {})[word] = HEARD
    return counted
