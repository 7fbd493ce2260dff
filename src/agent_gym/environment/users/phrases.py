"""How people say what they mean: the user utterances of a corpus with their values taken out, ready for other values.

    INFORM time + INFORM number_of_seats + INFORM_INTENT ReserveRestaurant
        "I want to make a restaurant reservation for {number_of_seats} people at {time}."

Kept by domain ("Restaurants") and by what was meant, so that services nobody has seen are spoken of like their neighbours. What
was never said all at once is said in parts; a part that nobody ever said is put in plain words made of the schema's names.
"""

import random
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from agent_gym.environment.goals.told import names
from agent_gym.environment.users.plain import plain
from agent_gym.lm.offline.acts import user_acts
from agent_gym.lm.offline.mentions import find
from agent_gym.lm.offline.wording import likeness
from agent_gym.tools.recordings import DONTCARE
from agent_gym.traces.sgd_acts import Act, ActedFrame, SGDActs, SpokenTurn
from agent_gym.traces.task import service_of

KEPT = 24
"""Phrases kept for one meaning."""
NEUTRAL = 5
"""Words, beside the values, that a phrase may have to serve in any domain."""
OTHER = " elsewhere"
"""About another service than the rest of the turn."""
NEXT = " next"
"""A wish that comes up after others."""
AGAIN = " again"
"""A wish that is tried once more after it failed."""
_ANYWHERE = "*"
_USUAL = 0.8
"""Of the domains, the share in which a word must be at home for it to belong to none of them."""
_AT_HOME = 0.1
"""Of how often a word is said on average, what makes it at home in a domain."""
_RESIDUE = re.compile(
    r"\d|(?<=[a-z,;] )[A-Z](?!\b|')|\b(?:two|three|four|five|six|seven|eight|nine|ten|january|february|april|june|july|"
    r"august|september|october|november|december|\w+day)\b(?<!today)(?<!holiday)(?<! day)"
)
_FIELD = re.compile(r"\{(\w+)\}")
_VALUE = "{value}"


class Meant(NamedTuple):
    """One thing to say."""

    act: str
    tool: str = ""
    """The tool that it is about."""
    slot: str = ""
    value: str = ""
    """As it is to be said."""
    meaning: str = ""
    """Its canonical value, which decides about the words where the value itself is not said ("cheap", yes or no)."""

    @property
    def item(self) -> str:
        """What is meant, the value left open."""
        if self.act == "INFORM_INTENT":
            return f"{self.act} {self.tool.rpartition('-')[2]}{self.meaning}"
        return f"{self.act} {self.slot}" if self.slot else self.act

    @property
    def fixed(self) -> str:
        """What is meant, the value included."""
        return f"{self.item}={self.meaning or self.value}"

    def __str__(self) -> str:
        if self.act == "INFORM_INTENT":
            return f"{self.act} {self.tool}"
        return f"{self.act} {service_of(self.tool)}.{self.slot}" if self.slot else self.act


class PhraseBook:
    """Phrases by domain and meaning.

    Args:
        turns: the user turns of a corpus; read once, as a stream.
    """

    def __init__(self, turns: Iterable[SpokenTurn] = ()) -> None:
        self._phrases: dict[str, list[str]] = {}
        self._met: dict[str, int] = {}
        self._words: dict[str, Counter[str]] = {}
        """Service to how often each word is said about it."""
        chance = random.Random(0)
        for turn in turns:
            self._add(turn, chance)
        self._forget_local_words()
        self._met.clear()
        self._words.clear()

    def _forget_local_words(self) -> None:
        """Of the phrases for all services of a domain, or for any, keep those whose words are at home in most of them.

        "Tickets" are not everywhere, and one provider of services is a dentist, the next a salon.
        """
        by_domain: dict[str, dict[str, Counter[str]]] = {}
        for service, counts in self._words.items():
            by_domain.setdefault(_domain(service), {})[service] = counts
        usual = {_ANYWHERE: _usual({domain: sum(inside.values(), Counter[str]()) for domain, inside in by_domain.items()})}
        usual |= {domain: _usual(inside) for domain, inside in by_domain.items() if len(inside) > 1}
        for key in list(self._phrases):
            words = usual.get(re.split(r"[|~]", key, maxsplit=1)[0])
            if words is None:
                continue
            kept = [phrase for phrase in self._phrases[key] if all(word in words for word in _literal(phrase))]
            if kept:
                self._phrases[key] = kept
            else:
                del self._phrases[key]

    def __len__(self) -> int:
        return sum(map(len, self._phrases.values()))

    def _add(self, turn: SpokenTurn, chance: random.Random) -> None:
        made = _template(turn)
        if made is None:
            return
        phrase, items = made
        services = {frame.service for frame in turn.frames if not _is_social(frame)} or {frame.service for frame in turn.frames}
        words = _literal(phrase)
        places = list[str]()
        if len(services) == 1:
            service = next(iter(services))
            places = list(dict.fromkeys((service, _domain(service))))
            self._words.setdefault(service, Counter()).update(words)
        if any(item.startswith("INFORM_INTENT") for item in items) and not _wishes(phrase):
            return
        if len(words) <= NEUTRAL and _names_what_it_asks(items, phrase):
            places.append(_ANYWHERE)
        for place in places:
            self._keep(_key(place, items), phrase, chance)
        if len(items) == 1 and len(words) <= NEUTRAL and items[0].startswith("INFORM "):
            # A lone value may be said as any value of its kind is.
            slot, _, fixed = items[0].removeprefix("INFORM ").partition("=")
            if not fixed:
                self._keep(_alike(slot), _FIELD.sub(_VALUE, phrase), chance)
            elif fixed == DONTCARE:
                self._keep(_alike(DONTCARE), phrase, chance)

    def _keep(self, key: str, phrase: str, chance: random.Random) -> None:
        kept = self._phrases.setdefault(key, [])
        if phrase in kept:
            return
        met = self._met[key] = self._met.get(key, 0) + 1
        if len(kept) < KEPT:
            kept.append(phrase)
        elif (at := chance.randrange(met)) < KEPT:
            # A fair draw from a stream (reservoir sampling, Vitter 1985).
            kept[at] = phrase

    def say(self, meant: Sequence[Meant], rng: random.Random) -> str:
        """One utterance for all that is meant: the largest pieces, from the front, that somebody once said."""
        said: list[str] = []
        rest = list(meant)
        while rest:
            size = next((size for size in range(len(rest), 0, -1) if self._key(rest[:size]) is not None), 0)
            if size == 1 and rest[0].act == "NEGATE" and len(rest) > 1:
                # By itself it is how an offer is turned down ("No, thank you"), not how words are corrected.
                size = 0
            said.append(self._find(rest[:size], rng, alone=size == len(meant)) if size else self._alone(rest[0], rng))
            rest = rest[size or 1 :]
        return " ".join(said)

    def _alone(self, one: Meant, rng: random.Random) -> str:
        if one.act == "INFORM" and (one.meaning or one.value) not in ("True", "False"):
            dontcare = DONTCARE in (one.value, one.meaning)
            # How many there are of something is not said like how many of something else ("just me").
            like = DONTCARE if dontcare else one.slot
            if likeness(like) != "number" and (phrases := self._phrases.get(_alike(like))):
                return rng.choice(phrases).replace(_VALUE, one.value)
        return plain(one.act, one.tool, one.slot, one.value, one.meaning)

    def _find(self, meant: Sequence[Meant], rng: random.Random, *, alone: bool) -> str:
        key = self._key(meant)
        assert key is not None
        phrases = self._phrases[key]
        if not alone:
            # "2, please" answers a question; beside other things it says nothing.
            phrases = [phrase for phrase in phrases if len(_literal(phrase)) > 1] or phrases
        values = {one.slot: one.value for one in meant if one.slot}
        return _FIELD.sub(lambda field: values[field[1]], rng.choice(phrases))

    def _key(self, meant: Sequence[Meant]) -> str | None:
        """Where phrases for exactly this are kept."""
        service = next((service_of(one.tool) for one in reversed(meant) if one.tool), _ANYWHERE)
        for place in dict.fromkeys((service, _domain(service), _ANYWHERE)):
            for items in _spellings(meant, service):
                key = _key(place, items)
                if key in self._phrases:
                    return key
        return None


def _usual(spoken: Mapping[str, Counter[str]]) -> set[str]:
    """Words that are at home in most domains."""
    totals = {domain: counts.total() for domain, counts in spoken.items()}
    usual: set[str] = set()
    for word in {word for counts in spoken.values() for word in counts}:
        rates = [counts[word] / totals[domain] for domain, counts in spoken.items()]
        mean = sum(rates) / len(rates)
        if sum(rate >= _AT_HOME * mean for rate in rates) >= _USUAL * len(rates):
            usual.add(word)
    return usual


def _spellings(meant: Sequence[Meant], service: str) -> Iterable[list[str]]:
    """Ways to look up what is meant: as it is, else a wish as it is spoken at another moment."""
    other = [not one.slot and bool(one.tool) and service_of(one.tool) != service for one in meant]
    yield from _values_spelled(meant, other)
    for moment in (NEXT, ""):
        if any(one.act == "INFORM_INTENT" and one.meaning != moment for one in meant):
            changed = [one._replace(meaning=moment) if one.act == "INFORM_INTENT" else one for one in meant]
            yield from _values_spelled(changed, other)


def _values_spelled(meant: Sequence[Meant], other: Sequence[bool]) -> Iterable[list[str]]:
    """Values that are said as they stand, else such as are only meant."""
    items = [one.item + (OTHER if far else "") for one, far in zip(meant, other, strict=True)]
    with_values = [at for at, one in enumerate(meant) if one.act in ("INFORM", "SELECT") and one.slot]
    bound = {at for at in with_values if (meant[at].meaning or meant[at].value) in ("True", "False", DONTCARE)}

    def fixed(chosen: set[int]) -> list[str]:
        return [meant[at].fixed if at in chosen else item for at, item in enumerate(items)]

    yield fixed(bound)
    loose = [at for at in with_values if at not in bound]
    for at in loose:
        yield fixed(bound | {at})
    if len(loose) > 1:
        yield fixed(set(with_values))


def _alike(slot: str) -> str:
    return f"{_ANYWHERE}~{likeness(slot)}"


def _wishes(phrase: str) -> bool:
    """It says that something is wanted; "okay, that works" says so only to who has just proposed it."""
    return len(_literal(phrase)) > 2 and ("?" in phrase or bool(user_acts(phrase) & {"order", "question", "proposal"}))


def _names_what_it_asks(items: Sequence[str], phrase: str) -> bool:
    """A question that is put about any service says the field's own name: "What's that?" asks for nothing."""
    return all(names(item.removeprefix("REQUEST "), phrase) for item in items if item.startswith("REQUEST "))


@lru_cache(maxsize=4096)
def _literal(phrase: str) -> tuple[str, ...]:
    return tuple(word for word in re.findall(r"[^\W_]+(?:'\w+)?", _FIELD.sub(" ", phrase).lower()))


def _key(place: str, items: Iterable[str]) -> str:
    return f"{place}|{'|'.join(sorted(set(items)))}"


@lru_cache(maxsize=1024)
def _domain(service: str) -> str:
    return service.rstrip("0123456789").rstrip("_")


def _is_social(frame: ActedFrame) -> bool:
    return all(not act.slot for act in frame.acts)


def _template(turn: SpokenTurn) -> tuple[str, list[str]] | None:
    """A phrase and what it means; None for one that holds words which belong to its own conversation only."""
    text, items = turn.text, list[str]()
    cuts = {(span.start, span.end): span.slot for span in turn.spans}
    spanned = set(cuts.values())
    moment = AGAIN if turn.again else "" if turn.first else NEXT
    social = [_is_social(frame) for frame in turn.frames]
    for frame, far in zip(turn.frames, social, strict=True):
        for act in frame.acts:
            place = _place(act, text, spanned, cuts)
            if place is not None:
                cuts[place] = act.slot
            item = _item(act, act.slot in spanned or place is not None, moment)
            items.append(item + (OTHER if far and not all(social) else ""))
    if "{" in text or "}" in text:
        return None
    last = len(text)
    for (start, end), slot in sorted(cuts.items(), reverse=True):
        if end > last:
            return None
        text, last = f"{text[:start]}{{{slot}}}{text[end:]}", start
    named = set(_FIELD.findall(text))
    meant = {act.slot for frame in turn.frames for act in frame.acts if act.act in ("INFORM", "SELECT")}
    bare = _FIELD.sub("", text)
    return None if not named <= meant or not (named or bare.strip()) or _RESIDUE.search(bare) else (text, items)


def _place(act: Act, text: str, spanned: set[str], cuts: Mapping[tuple[int, int], str]) -> tuple[int, int] | None:
    """Where a value without a span is said after all, word for word."""
    if act.act not in ("INFORM", "SELECT") or act.slot in spanned or not act.values or act.values[0] in ("True", "False"):
        return None
    at = find(act.values[0], text)
    return at if at is not None and all(at[1] <= start or end <= at[0] for start, end in cuts) else None


def _item(act: Act, said: bool, moment: str) -> str:
    if act.act == "INFORM_INTENT":
        return f"{act.act} {act.values[0] if act.values else ''}{moment}"
    if act.act in ("INFORM", "SELECT") and act.slot and not said:
        return f"{act.act} {act.slot}={(act.canonical or act.values or ('',))[0]}"
    return f"{act.act} {act.slot}" if act.slot else act.act


@lru_cache(maxsize=4)
def read_phrases(path: Path, split: str = "train") -> PhraseBook:
    """The phrases of a split of an SGD folder, read once in a process; plain words only when the split is not there."""
    return PhraseBook(SGDActs(path).spoken(split))
