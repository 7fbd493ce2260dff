"""What tools answered in recorded conversations, kept so that it can be asked again.

Rows of results repeat thousands of times, so each distinct row is kept once. Values are folded before they are compared:
notation by `values.canonical`, spoken variants ("San Fran") by what the recordings say they mean. Each answer and row remembers
which conversations recorded it, so that a conversation's own recordings can be left out when the quality of the rest is
measured.

A result may be any JSON value. Lists of objects are rows, and an object is one row; everything else, errors too, is only given
again to the same call.
"""

import threading
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, cast

import msgspec

from agent_gym.errors import ArgumentsError
from agent_gym.messages import Assistant, Tool, ToolCall
from agent_gym.traces import Trace
from agent_gym.traces.dataset import DataSet
from agent_gym.values import canonical

Row = Mapping[str, Any]
Query = tuple[tuple[str, str], ...]
_Given = tuple[int, ...] | bytes
"""An answer: the numbers of its rows, or the JSON of any other value and its error."""
DONTCARE = "dontcare"


class Answer(NamedTuple):
    """A recorded answer and how sure it is."""

    value: Any
    error: str | None
    times: int
    """How often it was given."""
    of: int
    """How often the call was answered at all."""


class ToolRecording:
    """Everything one tool answered."""

    def __init__(self) -> None:
        self._rows: list[Row] = []
        self._numbers: dict[bytes, int] = {}
        self._owners: list[list[str]] = []
        self._answers: dict[Query, list[tuple[str, _Given]]] = defaultdict(list)
        self._calls: list[tuple[str, ToolCall, _Given]] = []
        self._shapes: Counter[str] = Counter()
        self._meanings: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
        self._repeating: list[str] = []
        self._lock = threading.Lock()
        self._index: dict[str, dict[str, set[int]]] | None = None

    def add(self, conversation: str, call: ToolCall, value: Any, error: str | None = None) -> None:
        """Keep one answered call; its arguments are a JSON object."""
        rows = rows_of(value) if error is None else []
        numbers = tuple(self._number(conversation, row) for row in rows)
        is_rows = error is None and isinstance(value, list) and len(rows) == len(cast(list[Any], value))
        self._calls.append((conversation, call, numbers if is_rows else msgspec.json.encode((value, error))))
        self._shapes["rows" if is_rows else "object" if rows else "other"] += 1
        self._index = None

    def _number(self, conversation: str, row: Row) -> int:
        number = self._numbers.setdefault(msgspec.json.encode(row), len(self._rows))
        if number == len(self._rows):
            self._rows.append(row)
            self._owners.append([])
        if conversation not in self._owners[number][-1:]:
            self._owners[number].append(conversation)
        return number

    @property
    def gives_objects(self) -> bool:
        """Whether the tool answers with one object rather than with a list of them."""
        return self._shapes["object"] > self._shapes["rows"]

    def fold(self, slot: str, value: Any) -> str:
        """What a value means for an argument: the most frequent canonical value it was recorded for."""
        plain = canonical(value)
        meanings = self._meanings[slot].get(plain) if slot in self._meanings else None
        return meanings.most_common(1)[0][0] if meanings else plain

    def query(self, arguments: Mapping[str, Any]) -> Query:
        """The arguments with all notation folded away: equal queries ask the same."""
        return tuple(sorted((slot, self.fold(slot, value)) for slot, value in arguments.items()))

    def answered(self, arguments: Mapping[str, Any], *, without: str | None = None) -> Answer | None:
        """The most frequent recorded answer to a call; of equally frequent ones the first recorded."""
        self._indexed()
        counts = Counter(given for owner, given in self._answers.get(self.query(arguments), ()) if owner != without)
        if not counts:
            return None
        given, times = counts.most_common(1)[0]
        value, error = (
            ([self._row(number) for number in given], None) if isinstance(given, tuple) else msgspec.json.decode(given)
        )
        return Answer(value, error, times, counts.total())

    def search(self, arguments: Mapping[str, Any], *, limit: int = 10, without: str | None = None) -> Sequence[Row]:
        """Rows that agree with every argument they have a field for, in recorded order, at most `limit`.

        When none does, fields that only repeat what was asked (the date of a bus, the number of travellers) stop counting, the
        most repetitive first, and the rows found say what was asked instead of what they said.
        """
        index = self._indexed()
        asked = [(slot, value) for slot, value in self.query(arguments) if slot in index and value != DONTCARE]
        said: dict[str, Any] = {}
        for released in ("", *self._repeating):
            if released:
                kept = [(slot, value) for slot, value in asked if slot != released]
                if len(kept) == len(asked):
                    continue
                asked = kept
                said[released] = arguments[released]
            if found := self._agreeing(index, asked, without):
                return self._saying(said, found)[:limit]
        return []

    def _agreeing(
        self, index: Mapping[str, Mapping[str, set[int]]], asked: Sequence[tuple[str, str]], without: str | None
    ) -> list[int]:
        found = set(range(len(self._owners)))
        for slot, value in asked:
            found &= index[slot].get(value, set[int]())
        return [number for number in sorted(found) if any(owner != without for owner in self._owners[number])]

    def _saying(self, said: Row, numbers: Iterable[int]) -> list[Row]:
        rows = [self._row(number) for number in numbers]
        others = [msgspec.json.encode({slot: value for slot, value in row.items() if slot not in said}) for row in rows]
        return list({other: {**row, **said} for other, row in zip(others, rows, strict=True)}.values())

    def nearest(self, arguments: Mapping[str, Any], *, without: str | None = None) -> Row | None:
        """The row that agrees with the most arguments, at least one."""
        index, votes = self._indexed(), Counter[int]()
        for slot, value in self.query(arguments):
            votes.update(index.get(slot, {}).get(value, ()))
        ranked = sorted(votes.items(), key=lambda item: (-item[1], item[0]))
        return next(
            (self._row(number) for number, _ in ranked if any(owner != without for owner in self._owners[number])), None
        )

    def _row(self, number: int) -> Row:
        return dict(self._rows[number])

    def _indexed(self) -> dict[str, dict[str, set[int]]]:
        with self._lock:
            return self._index if self._index is not None else self._build()

    def _build(self) -> dict[str, dict[str, set[int]]]:
        self._meanings.clear()
        self._answers.clear()
        asked = [(conversation, call, call.parsed(), given) for conversation, call, given in self._calls]
        # Meanings first: what folds a value decides which queries and rows are equal.
        for _, call, arguments, _ in asked:
            for slot, variants in call.accepted.items():
                for variant in variants if slot in arguments else ():
                    self._meanings[slot][canonical(variant)][canonical(arguments[slot])] += 1
        for conversation, _, arguments, given in asked:
            self._answers[self.query(arguments)].append((conversation, given))
        folded = [tuple((slot, self.fold(slot, value)) for slot, value in row.items()) for row in self._rows]
        index: dict[str, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
        for number, row in enumerate(folded):
            for slot, value in row:
                index[slot][value].add(number)
        self._repeating = _repeating_slots({slot for _, _, arguments, _ in asked for slot in arguments}, folded)
        self._index = index
        return index


def _repeating_slots(slots: Iterable[str], rows: Collection[Query]) -> list[str]:
    """Arguments that rows repeat: the more rows differ in nothing else, the earlier."""
    shares: list[tuple[float, str]] = []
    for slot in sorted(slots):
        rest = {tuple(field for field in row if field[0] != slot) for row in rows}
        if len(rest) < 0.98 * len(rows):
            shares.append((len(rest) / len(rows), slot))
    return [slot for _, slot in sorted(shares)]


class Recordings:
    """What all tools answered in some traces.

    Args:
        traces: recorded conversations; read once, as a stream.
    """

    def __init__(self, traces: Iterable[Trace] = ()) -> None:
        self._tools: dict[str, ToolRecording] = defaultdict(ToolRecording)
        for trace in traces:
            self.add(trace)

    def add(self, trace: Trace) -> None:
        """Keep all answered calls of a conversation."""
        for call, result in answered_calls(trace):
            self._tools[call.name].add(trace.conversation_id, call, result.result, result.error)

    def tool(self, name: str) -> ToolRecording:
        """What one tool answered; empty when it never did."""
        return self._tools[name] if name in self._tools else ToolRecording()


def rows_of(result: Any) -> list[Row]:
    """The objects in a tool's result, which may be any JSON value."""
    items: list[Any] = cast(list[Any], result) if isinstance(result, list) else [result]
    return [cast(Row, item) for item in items if isinstance(item, dict)]


def answered_calls(trace: Trace) -> list[tuple[ToolCall, Tool]]:
    """The calls of a trace, each with the answer that followed it.

    A call that was not answered is left out, and one whose arguments cannot be read: nobody can ask it again. An answer belongs
    to the call that it names by id, else to the first of its tool that waits.
    """
    pairs: list[tuple[ToolCall, Tool]] = []
    waiting: list[ToolCall] = []
    for message in trace.messages:
        if isinstance(message, Assistant):
            waiting = list(message.tool_calls)
        elif isinstance(message, Tool):
            ours = [call for call in waiting if call.name == message.name and "" in (call.id, message.call_id)]
            ours = [call for call in waiting if call.id and call.id == message.call_id] or ours
            for call in ours[:1]:
                waiting.remove(call)
                if _is_readable(call):
                    pairs.append((call, message))
    return pairs


def _is_readable(call: ToolCall) -> bool:
    try:
        call.parsed()
    except ArgumentsError:
        return False
    return True


def read_recordings(data: DataSet) -> Recordings:
    """What tools answered in any split: whatever is played on a data set, its tools answer alike."""
    return Recordings(data.everything())
