"""What a user wants of a conversation: errands, one for each thing wanted of one tool, in the order in which they came up.

    Restaurants_2-FindRestaurants     location "San Leandro", price_range "cheap"; asks for the rating; takes Taco Bell
    Restaurants_2-ReserveRestaurant   time "7:15 pm", number_of_seats "1"                (fails)
    Restaurants_2-ReserveRestaurant   time "7:30 pm", number_of_seats "1"                (the alternative that is taken then)
    RideSharing_1-GetRide             destination "15099-A Hesperian Boulevard"; asks for the fare

Read from the annotated acts of a recorded conversation (`plan`), or from its goal and calls alone (`plan_without_acts`).
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from agent_gym.environment.goals.success import is_done
from agent_gym.errors import ArgumentsError
from agent_gym.messages import ToolCall
from agent_gym.tools.recordings import DONTCARE, answered_calls
from agent_gym.traces import Trace
from agent_gym.traces.sgd_acts import ActedFrame, ActedTurn
from agent_gym.traces.task import service_of
from agent_gym.values import canonical

Values = tuple[str, ...]
"""One value: first as the user says it, then all else that means the same."""
When = Literal["offer", "confirm", "done"]


class Ask(msgspec.Struct, frozen=True, gc=False):
    """Fields that the user asks for in one turn."""

    fields: tuple[str, ...]
    when: When
    """On an offer, on being read the details, or when all is done."""
    offer: int = 0
    """Of an offer: how many were turned down before it."""


class Errand(msgspec.Struct, frozen=True, gc=False):
    """One thing wanted of one tool."""

    tool: str
    deed: bool = False
    """It changes the world (a booking), it does not only look something up."""
    slots: Mapping[str, Values] = {}
    opened: tuple[str, ...] = ()
    """Arguments said together with the wish itself."""
    together: tuple[tuple[str, ...], ...] = ()
    """Arguments said in one later turn, in the order of the turns."""
    asks: tuple[Ask, ...] = ()
    declined: int = 0
    """How many offers were turned down before one was taken."""
    taken: Mapping[str, Values] = {}
    """What is known of the offer that was taken."""
    opening: Literal["own", "offered", "more", "refined", "countered"] = "own"
    """How it came up: said unasked, proposed by the agent, on "anything else?", as a search again with other values, or as what
    the agent proposed when it could not do what was wanted."""
    closing: tuple[str, ...] = ()
    """What the user did when it was over: SELECT, THANK_YOU, GOODBYE."""
    lingers: bool = False
    """The user then waited for the agent, rather than going on in the same turn."""
    call: ToolCall | None = None
    """The recorded call."""
    fails: bool = False
    """The recorded call could not be done."""

    @property
    def service(self) -> str:
        return service_of(self.tool)


class AgendaGoal(msgspec.Struct, frozen=True, gc=False):
    """Everything a user wants of a conversation."""

    errands: tuple[Errand, ...] = ()
    waits: bool = True
    """After the last errand the user waits for "anything else?" rather than saying goodbye at once."""


class _Draft(msgspec.Struct):
    """An errand while it is being read."""

    tool: str
    opening: Literal["own", "offered", "more", "refined", "countered"]
    known: dict[str, Values] = {}
    opened: tuple[str, ...] = ()
    together: list[tuple[str, ...]] = []
    asks: list[Ask] = []
    declined: int = 0
    offer: dict[str, Values] = {}
    taken: dict[str, Values] = {}
    closing: tuple[str, ...] = ()
    lingers: bool = False
    call: ToolCall | None = None
    fails: bool = False
    read_back: bool = False


def plan(trace: Trace, turns: Sequence[ActedTurn]) -> AgendaGoal:
    """The goal of a recorded conversation, from what was meant by each of its turns."""
    return _Reader(trace).read(turns)


class _Reader:
    """Walks over the turns of one conversation."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.specs = {spec.name: spec for spec in trace.tools}
        self.calls = iter(trace.calls)
        self.drafts: list[_Draft] = []
        self.latest: dict[str, _Draft] = {}
        """Service to its last errand."""
        self.said: dict[str, dict[str, Values]] = {}
        """Service to argument to how the user said its present value."""
        self.system: tuple[ActedFrame, ...] = ()
        self.waits = True

    def read(self, turns: Sequence[ActedTurn]) -> AgendaGoal:
        for turn in turns:
            if turn.user:
                self._user(turn.frames)
            else:
                self._system(turn.frames)
        return AgendaGoal(tuple(self._errand(draft) for draft in self.drafts), self.waits)

    def _system(self, frames: tuple[ActedFrame, ...]) -> None:
        self.system = frames
        for frame in frames:
            call = next(self.calls, None) if frame.called else None
            draft = self.latest.get(frame.service)
            if draft is None:
                continue
            acts = {act.act for act in frame.acts}
            if call is not None and call.name == draft.tool:
                draft.call = call
                draft.fails = "NOTIFY_FAILURE" in acts
            if "CONFIRM" in acts:
                draft.read_back = True
            if offered := {act.slot: _variants(act.values, act.canonical) for act in frame.acts if act.act == "OFFER"}:
                draft.offer = offered

    def _user(self, frames: tuple[ActedFrame, ...]) -> None:
        before = {act.act for frame in self.system for act in frame.acts}
        acts = {act.act for frame in frames for act in frame.acts}
        begins = bool(acts & {"INFORM_INTENT", "AFFIRM_INTENT"})
        for frame in frames:
            said = self.said.setdefault(frame.service, {})
            for act in frame.acts:
                if act.act in ("INFORM", "SELECT") and act.slot and act.values:
                    said[act.slot] = _variants(act.values, act.canonical)
        # What closes one errand stands beside what opens the next, in another frame when it is about another service.
        for frame in frames:
            self._close(frame, begins, acts)
        for frame in frames:
            self._open(frame, before)
        for frame in frames:
            self._ask(frame, before)
        if "GOODBYE" in acts or ("NEGATE" in acts and "THANK_YOU" in acts):
            self.waits = "REQ_MORE" in before

    def _close(self, frame: ActedFrame, begins: bool, acts: set[str]) -> None:
        draft = self.latest.get(frame.service)
        own = tuple(dict.fromkeys(act.act for act in frame.acts if act.act in ("SELECT", "THANK_YOU", "GOODBYE")))
        if draft is None or not own or {"NEGATE", "NEGATE_INTENT"} & acts or draft.closing:
            return
        draft.closing, draft.lingers = own, not begins and "GOODBYE" not in own
        if "SELECT" in own:
            chosen = {act.slot: _variants(act.values, act.canonical) for act in frame.acts if act.act == "SELECT" and act.slot}
            draft.taken = {**draft.offer, **chosen}

    def _open(self, frame: ActedFrame, before: set[str]) -> None:
        acts = {act.act for act in frame.acts}
        informed = tuple(act.slot for act in frame.acts if act.act == "INFORM")
        draft = self.latest.get(frame.service)
        opening: Literal["own", "offered", "more", "refined", "countered"] | None = None
        if "AFFIRM_INTENT" in acts:
            opening = "offered"
        elif "INFORM_INTENT" in acts:
            opening = "more" if "REQ_MORE" in before else "own"
        elif "REQUEST_ALTS" in acts and informed:
            opening = "refined"
        elif draft is not None and draft.fails and "AFFIRM" in acts and "OFFER" in before:
            opening = "countered"
        elif draft is not None and draft.fails and informed and "NEGATE" not in acts and "CONFIRM" not in before:
            opening = "own"
        if opening is None or not frame.intent:
            if draft is not None:
                draft.known = dict(frame.known)
                if informed:
                    draft.together.append(informed)
                draft.declined += "REQUEST_ALTS" in acts
            return
        fresh = _Draft(frame.intent, opening, dict(frame.known), informed)
        self.drafts.append(fresh)
        self.latest[frame.service] = fresh

    def _ask(self, frame: ActedFrame, before: set[str]) -> None:
        draft = self.latest.get(frame.service)
        fields = tuple(act.slot for act in frame.acts if act.act == "REQUEST")
        if draft is None or not fields:
            return
        when: When = "done" if draft.call is not None and self._deed(draft.tool) else "offer"
        if when == "offer" and ("CONFIRM" in before or self._deed(draft.tool)):
            when = "confirm"
        draft.asks.append(Ask(fields, when, draft.declined))

    def _deed(self, tool: str) -> bool:
        spec = self.specs.get(tool)
        return spec is not None and spec.transactional

    def _errand(self, draft: _Draft) -> Errand:
        spec = self.specs.get(draft.tool)
        names = set(spec.parameters.get("properties", ())) if spec is not None else set(draft.known)
        said = self.said.get(service_of(draft.tool), {})
        meant = _arguments(draft.call, {}) if draft.call is not None else {}
        return Errand(
            tool=draft.tool,
            deed=self._deed(draft.tool),
            slots={
                slot: _as_said(said.get(slot, ()), values, meant.get(slot, ()))
                for slot, values in draft.known.items()
                if slot in names
            },
            opened=draft.opened,
            together=tuple(draft.together),
            asks=tuple(draft.asks),
            declined=draft.declined,
            taken=draft.taken,
            opening=draft.opening,
            closing=draft.closing,
            lingers=draft.lingers,
            call=draft.call,
            fails=draft.fails,
        )


def _variants(values: Sequence[str], meanings: Sequence[str]) -> Values:
    return tuple(dict.fromkeys((*values, *meanings)))


def _as_said(said: Values, known: Values, called: Values) -> Values:
    """The variants of a value, the user's own words first where they still mean it."""
    own = said if _share(said, known) else ()
    return tuple(dict.fromkeys((*own, *known, *(called if _share(known, called) else ()))))


def _share(one: Values, other: Values) -> bool:
    return not {canonical(value) for value in one}.isdisjoint(map(canonical, other))


def plan_without_acts(trace: Trace) -> AgendaGoal:
    """The goal of a conversation of which only words, calls and results are known.

    Every recorded call is an errand, its arguments are what the user knows, and what the goal of the trace asks to be told is
    asked when the call is answered. A goal without calls has an errand for each of its intents.
    """
    specs = {spec.name: spec for spec in trace.tools}
    intents = {intent.tool: intent for intent in (trace.goal.intents if trace.goal is not None else ())}
    errands: list[Errand] = []
    for call, answer in answered_calls(trace):
        spec, intent = specs.get(call.name), intents.pop(call.name, None)
        deed = spec is not None and spec.transactional
        asks = (
            (Ask(tuple(dict.fromkeys(intent.requested)), "done" if deed else "offer"),) if intent and intent.requested else ()
        )
        slots = _arguments(call, intent.slots if intent is not None else {})
        errands.append(_bare(call.name, deed, slots, asks, call, deed and not is_done(call, answer)))
    for tool, intent in intents.items():
        deed = tool in specs and specs[tool].transactional
        asks = (Ask(tuple(dict.fromkeys(intent.requested)), "done" if deed else "offer"),) if intent.requested else ()
        slots = {slot: tuple(values) for slot, values in intent.slots.items() if values}
        errands.append(_bare(tool, deed, slots, asks, None, False))
    return AgendaGoal(tuple(errands))


def _bare(
    tool: str, deed: bool, slots: Mapping[str, Values], asks: tuple[Ask, ...], call: ToolCall | None, fails: bool
) -> Errand:
    # A search says what it looks for at once; of a booking, half is left for the agent to ask.
    opened = tuple(slots)[: len(slots) if not deed else (len(slots) + 1) // 2]
    return Errand(tool, deed, slots, opened, asks=asks, call=call, fails=fails, closing=("THANK_YOU",))


def _arguments(call: ToolCall, spoken: Mapping[str, Sequence[str]]) -> dict[str, Values]:
    try:
        given = call.parsed()
    except ArgumentsError:
        return {}
    slots: dict[str, Values] = {}
    for slot, value in given.items():
        text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
        heard = [one for one in spoken.get(slot, ()) if one != text]
        accepted = call.accepted.get(slot, ())
        known = {canonical(one) for one in (text, *accepted)}
        own = [one for one in heard if canonical(one) in known]
        slots[slot] = tuple(dict.fromkeys((*own, *accepted, text)))
    return slots


def is_dontcare(values: Values) -> bool:
    """The user has no preference."""
    return not values or values[0] == DONTCARE
