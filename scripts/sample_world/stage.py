"""What user and system can do at one service, whatever the plot: open, inform, ask for what is missing, enquire, tell.

`searching` and `booking` are the plots; both drive a `Stage`, which turns their intentions into turns of the transcript.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sample_world.services import Intent, Row, Service
from sample_world.transcript import Act, Known, Transcript
from sample_world.words import SPEECH, Dice, Slot

TALK: dict[str, Any] = SPEECH["acts"]
Leftover = tuple[list[Act], str]
"""What the user is about to say as a turn begins: acts and words that the next utterance takes up."""


class Stage:
    """One service's part of a dialogue."""

    def __init__(self, service: Service, transcript: Transcript, dice: Dice, left: Leftover) -> None:
        self.service, self.transcript, self.dice = service, transcript, dice
        self.left: Leftover = left
        self.mentioned: set[str] = set()
        """Slots of the row on offer that the user need not ask about any more."""

    # Small words

    def act(self, act: str, slot: str = "", value: str | None = None) -> Act:
        """An action of this service."""
        return Act(self.service.name, act, slot, value)

    def intent_act(self, act: str, intent: Intent) -> Act:
        """An action about an intent (INFORM_INTENT, OFFER_INTENT)."""
        return self.act(act, "intent", intent.name)

    def informs(self, values: Row) -> list[Act]:
        """The user's INFORM of each value."""
        return [self.act("INFORM", slot, value) for slot, value in values.items()]

    def slot(self, name: str) -> Slot:
        """A slot of this service."""
        return self.service.slots[name]

    def say(self, kind: str, *values: object) -> str:
        """A phrase for an act that needs no slot."""
        return str(self.dice.pick(TALK[kind])).format(*values)

    def sure(self) -> str:
        """Now and then a friendly word before a system's answer."""
        return self.say("sure") if self.dice.chance(0.3) else ""

    def words(self, slot: str, use: str) -> str:
        """A phrase about a slot that holds no value: `ask`, `want`, `any`."""
        return self.dice.pick(self.slot(slot).words[use])

    def details(self, values: Row, use: str = "say", *, formal: bool = False) -> str:
        """The values as one run of fragments: "in Ghent about art"."""
        ordered = [name for name in self.service.slots if name in values]
        return " ".join(self.slot(name).phrase(use, values[name], self.dice, formal=formal) for name in ordered)

    def known(self) -> Row:
        """The canonical values the state holds."""
        return self.transcript.canonical(self.service.name)

    # Turns

    def user(self, acts: Iterable[Act], *sentences: str, intent: Intent | None = None) -> None:
        """A user turn that takes up what was left over; this service's frame comes first."""
        acts = [*acts, *self.left[0]]
        self.transcript.user(acts, self.left[1], *sentences, intent=intent.name if intent else "")
        self.left = ([], "")

    def open(self, intent: Intent, acts: list[Act], values: Row, extra: Sequence[str], templates: Sequence[str]) -> None:
        """The user says what is wanted, with the values given away at once."""
        words: list[str] = []
        if not self.transcript.turns:
            words += [self.say("greeting")] if self.dice.chance(0.4) else []
            words += [self.dice.pick(self.service.source["smalltalk"])] if self.dice.chance(0.35) else []
        details = " ".join(filter(None, [*extra, self.details(values)]))
        sentence = self.dice.pick(templates).format(f" {details}" if details else "")
        self.user([*acts, self.intent_act("INFORM_INTENT", intent), *self.informs(values)], *words, sentence, intent=intent)

    def carry(self, slots: Iterable[str]) -> list[str]:
        """Let a city or a day of the service before hold here too, unrepeated; the words with which the user alludes to it."""
        others = [state for name, state in self.transcript.known.items() if name != self.service.name]
        words: list[str] = []
        for slot in (self.slot(name) for name in slots if others and self.slot(name).kind in ("city", "date")):
            known = self._alike(slot, others[-1])
            if known and self.dice.chance(0.5):
                self.transcript.known.setdefault(self.service.name, {})[slot.name] = Known(known.value, set(known.spoken))
                words.append(self.say("nearby" if slot.kind == "city" else "same_day"))
        return words

    def _alike(self, slot: Slot, state: dict[str, Known]) -> Known | None:
        """What another service's state knows that this slot may take over: the same city, some day."""
        for name, known in state.items():
            alike = name == slot.name if slot.kind == "city" else name.endswith("_date")
            if alike and known.value != "dontcare" and self.service.matches({slot.name: known.value}):
                return known
        return None

    def complete(self, intent: Intent, wishes: Row, wrap: str) -> None:
        """The system asks for what is required until it has it; the user volunteers some of the rest."""
        while missing := [slot for slot in intent.required if slot not in self.known()]:
            asked = missing[: 1 + self.dice.below(2)]
            requests = [self.act("REQUEST", slot) for slot in asked]
            self.transcript.system(requests, self.sure(), *(self.words(slot, "ask") for slot in asked))
            settled = self.transcript.known.get(self.service.name, {})
            more = [slot for slot in wishes if slot in intent.optional and slot not in settled and self.dice.chance(0.5)]
            values = {slot: wishes[slot] for slot in (*asked, *more)}
            if len(values) == 1:
                words = self.slot(asked[0]).phrase("answer", values[asked[0]], self.dice)
            else:
                words = self.say(wrap, self.details(values))
            self.user(self.informs(values), words)

    def questions(self, intent: Intent) -> tuple[list[Act], list[str]]:
        """One or two things the user may ask about the row on offer: the acts and the words."""
        unasked = [slot for slot in intent.results if slot not in self.mentioned and slot not in self.known()]
        unasked = [slot for slot in unasked if "want" in self.slot(slot).words]
        chosen = self.dice.few(unasked, 2) if unasked else []
        self.mentioned |= set(chosen)
        return [self.act("REQUEST", slot) for slot in chosen], [self.words(slot, "want") for slot in chosen]

    def enquire(self, intent: Intent, row: Row) -> None:
        """The user asks about a row and is told."""
        requests, words = self.questions(intent)
        if requests:
            self.user(requests, self.say("lead_in"), *words)
            self.tell(row, requests, [])

    def tell(self, row: Row, requests: Sequence[Act], acts: list[Act], *words: str, **call: Any) -> None:
        """The system says what the requested slots of a row hold."""
        told = [self.slot(act.slot).phrase("tell", row[act.slot], self.dice, formal=True) for act in requests]
        informs = [self.act("INFORM", act.slot, row[act.slot]) for act in requests]
        self.transcript.system([*acts, *informs], *words, *told, **call)

    def give_up(self) -> None:
        """The user drops it, with the next words spoken."""
        self.transcript.intents[self.service.name] = "NONE"
        self.left = ([self.act("NEGATE")], self.say("give_up"))
