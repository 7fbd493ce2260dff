"""What tools answered in recorded conversations, kept so that it can be asked again.

Rows of results repeat thousands of times, so each distinct row is kept once. Values are folded before they are compared:
notation by `values.canonical`, spoken variants ("San Fran") by what the recordings say they mean. Each answer and row remembers
which conversations recorded it, so that a conversation's own recordings can be left out when the quality of the rest is
measured.
"""

import threading
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, cast

from agent_gym.messages import Assistant, Tool, ToolCall
from agent_gym.traces import Trace
from agent_gym.values import canonical

Row = Mapping[str, Any]
Query = tuple[tuple[str, str], ...]
DONTCARE = "dontcare"


class Answer(NamedTuple):
    """A recorded answer and how sure it is."""

    rows: list[Row]
    times: int
    """How often it was given."""
    of: int
    """How often the call was answered at all."""


class ToolRecording:
    """Everything one tool answered."""

    def __init__(self) -> None:
        self._rows: dict[tuple[tuple[str, Any], ...], int] = {}
        self._owners: list[list[str]] = []
        self._answers: dict[Query, list[tuple[str, tuple[int, ...]]]] = defaultdict(list)
        self._calls: list[tuple[str, ToolCall, tuple[int, ...]]] = []
        self._meanings: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
        self._repeating: list[str] = []
        self._lock = threading.Lock()
        self._texts: list[tuple[tuple[str, Any], ...]] = []
        self._index: dict[str, dict[str, set[int]]] | None = None

    def add(self, conversation: str, call: ToolCall, rows: Iterable[Row]) -> None:
        """Keep one answered call."""
        numbers: list[int] = []
        for row in rows:
            number = self._rows.setdefault(tuple(row.items()), len(self._rows))
            if number == len(self._owners):
                self._owners.append([])
            if conversation not in self._owners[number][-1:]:
                self._owners[number].append(conversation)
            numbers.append(number)
        self._calls.append((conversation, call, tuple(numbers)))
        self._index = None

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
        counts = Counter(rows for owner, rows in self._answers.get(self.query(arguments), ()) if owner != without)
        if not counts:
            return None
        rows, times = counts.most_common(1)[0]
        return Answer([self._row(number) for number in rows], times, counts.total())

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
                if released not in arguments or released not in index:
                    continue
                asked = [(slot, value) for slot, value in asked if slot != released]
                said[released] = arguments[released]
            if found := self._agreeing(index, asked, without):
                rows = ({**self._row(number), **said} for number in found)
                return list({tuple(row.items()): row for row in rows}.values())[:limit]
        return []

    def _agreeing(
        self, index: Mapping[str, Mapping[str, set[int]]], asked: Sequence[tuple[str, str]], without: str | None
    ) -> list[int]:
        found = set(range(len(self._owners)))
        for slot, value in asked:
            found &= index[slot].get(value, set[int]())
        return [number for number in sorted(found) if any(owner != without for owner in self._owners[number])]

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
        return dict(self._texts[number])

    def _indexed(self) -> dict[str, dict[str, set[int]]]:
        with self._lock:
            return self._index if self._index is not None else self._build()

    def _build(self) -> dict[str, dict[str, set[int]]]:
        self._meanings.clear()
        self._answers.clear()
        asked = [(conversation, call, call.parsed(), numbers) for conversation, call, numbers in self._calls]
        # Meanings first: what folds a value decides which queries and rows are equal.
        for _, call, arguments, _ in asked:
            for slot, variants in call.accepted.items():
                for variant in variants:
                    self._meanings[slot][canonical(variant)][canonical(arguments[slot])] += 1
        for conversation, _, arguments, numbers in asked:
            self._answers[self.query(arguments)].append((conversation, numbers))
        self._texts = list(self._rows)
        index: dict[str, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
        for number, row in enumerate(self._texts):
            for slot, value in row:
                index[slot][self.fold(slot, value)].add(number)
        self._repeating = self._repeating_slots({slot for _, _, arguments, _ in asked for slot in arguments})
        self._index = index
        return index

    def _repeating_slots(self, slots: Iterable[str]) -> list[str]:
        """Arguments that rows repeat: the more rows differ in nothing else, the earlier."""
        shares: list[tuple[float, str]] = []
        for slot in sorted(slots):
            rest = {tuple(field for field in row if field[0] != slot) for row in self._texts}
            if len(rest) < 0.98 * len(self._texts):
                shares.append((len(rest) / len(self._texts), slot))
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
            rows: Any = result.result
            if isinstance(rows, list):
                self._tools[call.name].add(trace.conversation_id, call, cast(list[Row], rows))

    def tool(self, name: str) -> ToolRecording:
        """What one tool answered; empty when it never did."""
        return self._tools[name] if name in self._tools else ToolRecording()


def answered_calls(trace: Trace) -> list[tuple[ToolCall, Tool]]:
    """The calls of a trace, each with the answer that followed it; a call without an answer is left out."""
    pairs: list[tuple[ToolCall, Tool]] = []
    waiting: list[ToolCall] = []
    for message in trace.messages:
        if isinstance(message, Assistant):
            waiting = list(message.tool_calls)
        elif isinstance(message, Tool) and waiting:
            by_id = next((call for call in waiting if call.id and call.id == message.call_id), waiting[0])
            waiting.remove(by_id)
            pairs.append((by_id, message))
    return pairs
