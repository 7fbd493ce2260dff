"""What was meant by each turn of SGD: its annotated acts, which a trace does not keep.

    {"act": "INFORM", "slot": "time", "values": ["half past 11 in the morning"], "canonical_values": ["11:30"]}

A simulated user is made of them (`environment/users`). They are read beside the traces rather than with them: most of what is
done with a trace needs only its words, calls and results, and reading those is meant to be fast.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from agent_gym.traces.sgd_schema import tool_name
from agent_gym.traces.trace import Trace

_BROKEN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, OSError)


class Act(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One thing that was meant."""

    act: str
    """INFORM, REQUEST, CONFIRM, OFFER, AFFIRM, … (Rastogi et al. 2020, table 2)."""
    slot: str = ""
    values: tuple[str, ...] = ()
    """As they were said."""
    canonical: tuple[str, ...] = ()


class ActedFrame(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What a turn means about one service."""

    service: str
    acts: tuple[Act, ...]
    intent: str = ""
    """The tool that the user has in mind; empty in a system turn, or when there is none."""
    known: dict[str, tuple[str, ...]] = {}
    """All that the user has said or accepted so far, with every variant; empty in a system turn."""
    called: str = ""
    """The tool that the system called for this turn."""


class ActedTurn(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One turn."""

    user: bool
    frames: tuple[ActedFrame, ...]


class Span(NamedTuple):
    """Where a value stands in an utterance."""

    slot: str
    start: int
    end: int


class SpokenTurn(NamedTuple):
    """A user's turn with its words, as phrases are made of it."""

    text: str
    frames: tuple[ActedFrame, ...]
    spans: tuple[Span, ...]
    first: bool = False
    """It opens the conversation."""
    again: bool = False
    """The system had just failed to do what was wanted."""


class _Action(msgspec.Struct, gc=False):
    act: str
    slot: str = ""
    values: tuple[str, ...] = ()
    canonical_values: tuple[str, ...] = ()


class _State(msgspec.Struct, gc=False):
    active_intent: str = "NONE"
    slot_values: dict[str, tuple[str, ...]] = {}


class _Slot(msgspec.Struct, gc=False):
    slot: str
    start: int | None = None
    exclusive_end: int | None = None


class _Call(msgspec.Struct, gc=False):
    method: str


class _Frame(msgspec.Struct, gc=False):
    service: str
    actions: list[_Action] = []
    state: _State | None = None
    slots: list[_Slot] = []
    service_call: _Call | None = None


class _Turn(msgspec.Struct, gc=False):
    speaker: str
    utterance: str
    frames: list[_Frame]


class _Dialogue(msgspec.Struct, gc=False):
    dialogue_id: str
    turns: list[_Turn]


_DIALOGUES = msgspec.json.Decoder(list[_Dialogue])
_ENCODER = msgspec.msgpack.Encoder()
_TURNS = msgspec.msgpack.Decoder(tuple[ActedTurn, ...])


class SGDActs:
    """The acts of the dialogues in an SGD folder; a file is read when the first of its dialogues is asked for.

    Args:
        path: the data set's folder.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        # Packed, a dialogue takes 2 kB instead of 60: thousands are held for as many episodes.
        self._files: dict[tuple[str, str], dict[str, bytes]] = {}

    def of(self, trace: Trace) -> tuple[ActedTurn, ...] | None:
        """What was meant by each turn of a trace that `SGDLoader` read from this folder; None for any other."""
        split, file = str(trace.metadata.get("split", "")), str(trace.metadata.get("file", ""))
        if not split or not file:
            return None
        if (split, file) not in self._files:
            packed = {one.dialogue_id: _ENCODER.encode(_acted(one)) for one in _decoded(self.path / split / file)}
            self._files[split, file] = packed
        found = self._files[split, file].get(trace.conversation_id.removeprefix(f"{split}/"))
        return None if found is None else _TURNS.decode(found)

    def spoken(self, split: str) -> Iterator[SpokenTurn]:
        """All user turns of a split with their words, one file in memory at a time; nothing when it is not there."""
        for file in sorted((self.path / split).glob("dialogues_*.json")):
            for dialogue in _decoded(file):
                failed = False
                for number, turn in enumerate(dialogue.turns):
                    if turn.speaker == "USER":
                        yield SpokenTurn(turn.utterance, tuple(_frames(turn.frames)), tuple(_spans(turn)), number == 0, failed)
                    else:
                        failed = any(act.act == "NOTIFY_FAILURE" for frame in turn.frames for act in frame.actions)


def _decoded(file: Path) -> list[_Dialogue]:
    # A file that cannot be read is `SGDLoader`'s to name; here it holds nobody's acts.
    try:
        return _DIALOGUES.decode(file.read_bytes())
    except _BROKEN:
        return []


def _acted(dialogue: _Dialogue) -> tuple[ActedTurn, ...]:
    return tuple(ActedTurn(turn.speaker == "USER", tuple(_frames(turn.frames))) for turn in dialogue.turns)


def _frames(frames: Iterable[_Frame]) -> Iterator[ActedFrame]:
    for frame in frames:
        acts = tuple(Act(one.act, one.slot, one.values, one.canonical_values) for one in frame.actions)
        state, call = frame.state, frame.service_call
        intent = state.active_intent if state is not None else "NONE"
        yield ActedFrame(
            frame.service,
            acts,
            "" if intent == "NONE" else tool_name(frame.service, intent),
            state.slot_values if state is not None else {},
            "" if call is None else tool_name(frame.service, call.method),
        )


def _spans(turn: _Turn) -> Iterator[Span]:
    for frame in turn.frames:
        for slot in frame.slots:
            if slot.start is not None and slot.exclusive_end is not None:
                yield Span(slot.slot, slot.start, slot.exclusive_end)
