"""One dialogue as it grows, in SGD's format: turns with frames, actions, spans, and the state after every user turn.

The values of an action are read back from the finished utterance, so that spans, actions and state cannot disagree.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sample_world.words import Dice, join, read_marks

Row = dict[str, str]
Span = tuple[str, str, int, int]
Call = tuple[str, Row]
"""The method and its parameters."""


@dataclass(frozen=True)
class Act:
    """One action of a speaker; `value` is canonical, None where the act carries none."""

    service: str
    act: str
    slot: str = ""
    value: str | None = None


@dataclass
class Known:
    """What the state holds of one slot: its canonical value and every spoken form met so far."""

    value: str
    spoken: set[str] = field(default_factory=set[str])


class Transcript:
    """The turns so far, and what is known of each service's slots."""

    def __init__(self, dice: Dice, settable: Mapping[str, frozenset[str]]) -> None:
        self.turns: list[dict[str, Any]] = []
        self.known: dict[str, dict[str, Known]] = {}
        self.intents: dict[str, str] = {}
        self._settable = settable
        """By service, the slots that enter the state when the user accepts an offer."""
        self._offered: dict[str, list[tuple[Act, str]]] = {}
        self._heard: list[tuple[Act, str]] = []
        self._dice = dice

    def user(self, acts: Sequence[Act], *sentences: str, intent: str = "") -> None:
        """A user turn. `intent` is the intent active from now on in the service of the first act."""
        text, spans = read_marks(join(*sentences))
        if self._dice.chance(0.07):
            text = text.lower().removesuffix(".")
        if intent:
            self.intents[acts[0].service] = intent
        frames = [self._user_frame(service, acts, text, spans) for service in _services(acts)]
        self.turns.append({"speaker": "USER", "utterance": text, "frames": frames})

    def system(self, acts: Sequence[Act], *sentences: str, call: Call | None = None, results: Sequence[Row] = ()) -> None:
        """A system turn, with the call that was made for it, if any, and what was answered."""
        text, spans = read_marks(join(*sentences))
        service = acts[0].service
        frame = _frame(service, acts, text, spans)
        if call:
            frame["service_call"] = {"method": call[0], "parameters": call[1]}
            frame["service_results"] = list(results)
        self.turns.append({"speaker": "SYSTEM", "utterance": text, "frames": [frame]})
        self._heard = _spoken(frame, acts)
        offered = [(act, spoken) for act, spoken in self._heard if act.act in ("OFFER", "CONFIRM")]
        if offered:
            self._offered[service] = offered

    def canonical(self, service: str) -> Row:
        """What is known of a service's slots, without those the user does not care about."""
        return {slot: known.value for slot, known in self.known.get(service, {}).items() if known.value != "dontcare"}

    def _user_frame(self, service: str, acts: Sequence[Act], text: str, spans: Sequence[Span]) -> dict[str, Any]:
        frame = _frame(service, acts, text, spans)
        names = {act.act for act in acts if act.service == service}
        state = self.known.setdefault(service, {})
        for act, spoken in self._heard:
            if act.service == service and act.value is not None and act.slot in state and state[act.slot].value == act.value:
                state[act.slot].spoken.add(spoken)
        accepted = self._offered.get(service, []) if names & {"SELECT", "AFFIRM"} else []
        accepted = [(act, spoken) for act, spoken in accepted if act.slot in self._settable[service]]
        for act, spoken in [*accepted, *(pair for pair in _spoken(frame, acts) if pair[0].act == "INFORM")]:
            if act.value is not None:
                if act.slot not in state or state[act.slot].value != act.value:
                    state[act.slot] = Known(act.value)
                state[act.slot].spoken.add(spoken)
        frame["state"] = {
            "active_intent": self.intents.get(service, "NONE"),
            "requested_slots": sorted(act.slot for act in acts if act.service == service and act.act == "REQUEST"),
            "slot_values": {slot: sorted(known.spoken) for slot, known in state.items()},
        }
        return frame


def _services(acts: Sequence[Act]) -> list[str]:
    return list(dict.fromkeys(act.service for act in acts))


def _frame(service: str, acts: Sequence[Act], text: str, spans: Sequence[Span]) -> dict[str, Any]:
    own = [span for span in spans if span[0] == service]
    where = {slot: (start, end) for _, slot, start, end in own}
    actions: list[dict[str, Any]] = []
    for act in acts:
        if act.service == service:
            spoken = act.value if act.slot not in where else text[slice(*where[act.slot])]
            actions.append(
                {
                    "act": act.act,
                    "slot": act.slot,
                    "values": [] if act.value is None else [spoken],
                    "canonical_values": [] if act.value is None else [act.value],
                }
            )
    slots = [{"slot": slot, "start": start, "exclusive_end": end} for _, slot, start, end in own]
    return {"service": service, "actions": actions, "slots": slots}


def _spoken(frame: Mapping[str, Any], acts: Sequence[Act]) -> list[tuple[Act, str]]:
    """The acts of a frame that carry a slot's value, each with the words it was spoken in."""
    own = [act for act in acts if act.service == frame["service"]]
    pairs = zip(own, frame["actions"], strict=True)
    return [(act, action["values"][0]) for act, action in pairs if action["values"] and act.slot not in ("intent", "count")]
