"""Examples drawn from a data set: evenly over its services, each from another dialogue, a good share of them with calls.

SGD's files are grouped by service, so the first examples of the first file would all be about one. The dialogues are chosen
from their heads, and only the chosen ones are read.
"""

import random
from collections.abc import Sequence

from agent_gym.errors import UsageError
from agent_gym.traces.dataset import DataSet, DialogueHead
from agent_gym.traces.task import Task, tasks_of
from agent_gym.traces.trace import Trace

USUAL = 100
"""Examples of a measurement, where nobody says how many."""
CALL_SHARE = 0.4
"""Of drawn examples, the share with an expected call; in SGD 30 % of the turns have one."""


def draw_tasks(
    data: DataSet, split: str, sizes: Sequence[int], *, seed: int = 0, named: Sequence[str] = ("limit",)
) -> list[list[Task]]:
    """Disjoint lists of tasks of the given sizes; no two tasks share a dialogue.

    Same data, split and seed: same tasks; a later size does not change an earlier list.

    Args:
        named: what the caller's user calls the sizes.

    Raises:
        UsageError: when the split has fewer dialogues than asked for; says how many can be drawn.
    """
    chooser = _Chooser(data.heads(split), random.Random(f"{seed}/{split}"))
    lists: list[list[Task]] = []
    for size in sizes:
        lists.append(_draw(data, split, chooser, size))
        if len(lists[-1]) < size:
            raise _too_few(data, split, chooser.total, sizes, sum(map(len, lists)), named)
    return lists


def how_many(data: DataSet, split: str, wished: int | None) -> int:
    """How many are drawn: what is wished, else a hundred, or all conversations where there are fewer."""
    return max(1, min(USUAL, len(data.heads(split)))) if wished is None else wished


def draw_dialogues(data: DataSet, split: str, size: int | None = None, *, seed: int = 0) -> list[Trace]:
    """Whole conversations, evenly over the services; all of the split, in its order, when no size is given.

    Raises:
        UsageError: when the split has fewer dialogues than asked for; says how many can be drawn.
    """
    if size is None:
        return list(data.load(split))
    chooser = _Chooser(data.heads(split), random.Random(f"{seed}/{split}"))
    traces: list[Trace] = []
    while len(traces) < size:
        chosen = _choose(chooser, size - len(traces))
        if not chosen:
            raise _too_few(data, split, chooser.total, [size], len(traces), ["limit"])
        read = {trace.conversation_id: trace for trace in data.read(split, [head for _, head in chosen])}
        # A dialogue that cannot be read is replaced by the next.
        traces += [read[head.conversation_id] for _, head in chosen if head.conversation_id in read]
    return traces


class _Chooser:
    """Hands out unused dialogues, service after service."""

    def __init__(self, heads: Sequence[DialogueHead], rng: random.Random) -> None:
        self.rng, self.total = rng, len(heads)
        self._queues: dict[str, list[DialogueHead]] = {}
        for head in rng.sample(list(heads), len(heads)):
            for service in head.services:
                self._queues.setdefault(service, []).append(head)
        self._round = rng.sample(sorted(self._queues), len(self._queues))
        self._used: set[str] = set()

    def next(self) -> tuple[str, DialogueHead] | None:
        """A service and a dialogue about it; None when all are used."""
        while self._round:
            service = self._round.pop(0)
            queue = self._queues[service]
            while queue:
                head = queue.pop()
                # By its name: a copy of the data may hold a dialogue twice.
                if head.conversation_id not in self._used:
                    self._used.add(head.conversation_id)
                    self._round.append(service)
                    return service, head
        return None


def _draw(data: DataSet, split: str, chooser: _Chooser, size: int) -> list[Task]:
    """As many tasks as asked for, or all that there are."""
    tasks: list[Task] = []
    while len(tasks) < size and (chosen := _choose(chooser, size - len(tasks))):
        # A dialogue that cannot be read, or has no answered turn, is replaced by the next.
        traces = {trace.conversation_id: trace for trace in data.read(split, [head for _, head in chosen])}
        for service, head in chosen:
            trace = traces.get(head.conversation_id)
            want_call = sum(bool(task.expected_calls) for task in tasks) < CALL_SHARE * (len(tasks) + 1)
            task = _pick(trace, service, want_call, chooser.rng) if trace is not None else None
            if task is not None:
                tasks.append(task)
    return tasks


def _choose(chooser: _Chooser, size: int) -> list[tuple[str, DialogueHead]]:
    """As many dialogues as asked for, or all that are left."""
    return [found for _ in range(size) if (found := chooser.next()) is not None]


def _too_few(data: DataSet, split: str, total: int, sizes: Sequence[int], drawn: int, named: Sequence[str]) -> UsageError:
    asked = " + ".join(f"{name} {size}" for name, size in zip(named, sizes, strict=False))
    fewer = f"ask for fewer ({asked}, which can be {drawn} at most)"
    if drawn < len(sizes):
        fewer = f"{asked} cannot be less than {len(sizes)}; bring more, or move some there (a trace's metadata.split)"
    return UsageError(
        f"split {split!r} of {str(data.path)!r} has {total} dialogue{'' if total == 1 else 's'}, "
        f"too few for the examples asked for: {fewer}"
    )


def _pick(trace: Trace, service: str, want_call: bool, rng: random.Random) -> Task | None:
    """A task about the service, with a call or without as wanted; what the conversation lacks is given up in that order."""
    tasks = list(tasks_of(trace))
    about = [task for task in tasks if task.service == service] or tasks
    pool = [task for task in about if bool(task.expected_calls) == want_call] or about
    return rng.choice(pool) if pool else None
