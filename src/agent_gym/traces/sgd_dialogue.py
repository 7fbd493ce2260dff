"""One dialogue of SGD, read as a trace.

A system turn with a call becomes three messages: the call, its result, the words. Arguments are canonical ("11:30") while users
say "half past 11 in the morning"; the spoken variants stand in the actions and states of the dialogue and are gathered on
`ToolCall.accepted`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from agent_gym.messages import Assistant, Message, Tool, ToolCall, ToolSpec, User
from agent_gym.traces.trace import Goal, IntentGoal, Trace

TODAY = "2019-03-01"
"""All conversations of SGD take place on this day."""


class Action(msgspec.Struct, gc=False):
    """What somebody did in a turn."""

    slot: str
    values: list[str]
    canonical_values: list[str]


class State(msgspec.Struct, gc=False):
    """What the user wants of a service so far."""

    active_intent: str
    slot_values: dict[str, tuple[str, ...]]
    requested_slots: list[str]


class Call(msgspec.Struct, gc=False):
    """A call of a service."""

    method: str
    parameters: dict[str, str]


class Frame(msgspec.Struct, gc=False):
    """What a turn says about one service."""

    service: str
    actions: list[Action]
    state: State | None = None
    service_call: Call | None = None
    service_results: list[dict[str, str]] = []


class Turn(msgspec.Struct, gc=False):
    """One turn; its words, and what they mean."""

    speaker: str
    utterance: str
    frames: list[Frame]


class Dialogue(msgspec.Struct, gc=False):
    """One dialogue, of the fields that a trace needs."""

    dialogue_id: str
    services: list[str]
    turns: list[Turn]


class Head(msgspec.Struct, gc=False):
    """What a dialogue is about, without its turns."""

    dialogue_id: str
    services: list[str]


@dataclass(frozen=True)
class Fault:
    """Something that could not be read, and where it stands."""

    file: str
    reason: str
    dialogue: str | None = None
    turn: int | None = None
    field: str | None = None

    def __str__(self) -> str:
        places = [("dialogue", self.dialogue), ("turn", self.turn), ("field", self.field)]
        where = ", ".join(f"{name} {value}" for name, value in places if value is not None)
        return f"{self.file}{', ' + where if where else ''}: {self.reason}"


_ENCODER = msgspec.json.Encoder()


class Unreadable(Exception):
    """A dialogue that decodes but makes no sense."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault))
        self.fault = fault


class DialogueReader:
    """Turns the dialogues of one file into traces."""

    def __init__(self, split: str, file: Path, tools: Mapping[str, tuple[ToolSpec, ...]]) -> None:
        self.split, self.file, self.tools = split, file.name, tools
        self.names = {
            (service, spec.name.removeprefix(f"{service}-")): spec.name for service, specs in tools.items() for spec in specs
        }
        self.calls = 0

    def trace(self, dialogue: Dialogue) -> Trace:
        """One dialogue.

        Raises:
            Unreadable: when it names a service, an intent or a speaker that does not exist.
        """
        try:
            tools = tuple(spec for service in dict.fromkeys(dialogue.services) for spec in self.tools[service])
        except KeyError as error:
            fault = Fault(self.file, f"service {error} is not in schema.json", dialogue.dialogue_id, field="services")
            raise Unreadable(fault) from error
        self.calls = 0
        messages: list[Message] = []
        variants: dict[str, list[tuple[str, str, str]]] = {}
        states: dict[str, State] = {}
        wanted: dict[str, tuple[State, list[str]]] = {}
        for number, turn in enumerate(dialogue.turns):
            for frame in turn.frames:
                for action in frame.actions:
                    if action.values != action.canonical_values:
                        said = variants.setdefault(frame.service, [])
                        said += [(action.slot, *pair) for pair in zip(action.canonical_values, action.values, strict=False)]
                if (state := frame.state) is not None:
                    states[frame.service] = state
                    if state.active_intent != "NONE":
                        tool = self._tool(dialogue, number, frame.service, state.active_intent, "state.active_intent")
                        asked = wanted[tool][1] if tool in wanted else []
                        wanted[tool] = (state, asked + state.requested_slots if state.requested_slots else asked)
                if frame.service_call is not None:
                    messages += self._call(dialogue, number, frame, variants, states.get(frame.service))
            if turn.speaker == "USER":
                messages.append(User(turn.utterance))
            elif turn.speaker == "SYSTEM":
                messages.append(Assistant(turn.utterance))
            else:
                raise Unreadable(Fault(self.file, f"unknown speaker {turn.speaker!r}", dialogue.dialogue_id, number, "speaker"))
        return Trace(
            conversation_id=f"{self.split}/{dialogue.dialogue_id}",
            messages=tuple(messages),
            tools=tools,
            goal=Goal(tuple(IntentGoal(tool, state.slot_values, tuple(asked)) for tool, (state, asked) in wanted.items())),
            metadata={"date": TODAY, "services": dialogue.services, "split": self.split, "file": self.file},
        )

    def _tool(self, dialogue: Dialogue, turn: int, service: str, intent: str, field: str) -> str:
        name = self.names.get((service, intent))
        if name is None:
            reason = f"{intent!r} is no intent of {service!r} in schema.json"
            raise Unreadable(Fault(self.file, reason, dialogue.dialogue_id, turn, field))
        return name

    def _call(
        self,
        dialogue: Dialogue,
        turn: int,
        frame: Frame,
        variants: Mapping[str, list[tuple[str, str, str]]],
        state: State | None,
    ) -> tuple[Message, Message]:
        assert frame.service_call is not None
        call = frame.service_call
        name = self._tool(dialogue, turn, frame.service, call.method, "service_call.method")
        if frame.service not in dialogue.services:
            reason = f"{frame.service!r} is called, but the dialogue's services are {dialogue.services}"
            raise Unreadable(Fault(self.file, reason, dialogue.dialogue_id, turn, "frames.service"))
        self.calls += 1
        accepted: dict[str, tuple[str, ...]] = {}
        said = variants.get(frame.service, ())
        for slot, value in call.parameters.items():
            heard = [variant for named, canonical, variant in said if canonical == value and named == slot]
            current = state.slot_values.get(slot) if state is not None else None
            # The state lists what was said for the slot's present value; it counts when one of them is known to mean it.
            if current is not None and len(current) > 1 and any(one == value or one in heard for one in current):
                heard += current
            if heard:
                accepted[slot] = tuple(dict.fromkeys(variant for variant in heard if variant != value))
        identity = f"call_{self.calls - 1}"
        made = ToolCall(name, _ENCODER.encode(call.parameters).decode(), identity, accepted)
        return Assistant("", (made,)), Tool(name, frame.service_results, None, identity, "recorded")
