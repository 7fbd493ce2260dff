"""Whether the agent made the calls it should have made.

A turn without calls is right when none is made. Otherwise calls are matched one to one so that the total is greatest, and a
pair counts by its name and its arguments. Any recorded variant of a value is right, and notation does not matter (`values.py`).
Leaving out an expected argument, adding one that is not expected or renaming one never raises the score.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from agent_gym.errors import ArgumentsError
from agent_gym.messages import ToolCall
from agent_gym.metrics.base import Score
from agent_gym.traces.task import Task, calls_of
from agent_gym.traces.trace import Trace
from agent_gym.values import matches


class CallCounts(msgspec.Struct, frozen=True):
    """How many calls were expected, made, and made exactly right (name and all arguments)."""

    expected: int = 0
    made: int = 0
    right: int = 0

    def __add__(self, other: "CallCounts") -> "CallCounts":
        return CallCounts(self.expected + other.expected, self.made + other.made, self.right + other.right)

    @property
    def precision(self) -> float:
        """Right by made, in [0, 1]; 0 when none was made."""
        return self.right / self.made if self.made else 0.0

    @property
    def recall(self) -> float:
        """Right by expected, in [0, 1]; 0 when none was expected."""
        return self.right / self.expected if self.expected else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall (van Rijsbergen 1979); never calling gives 0."""
        return 2 * self.right / (self.made + self.expected) if self.made + self.expected else 0.0


class ToolAccuracy:
    """Matched calls by the greater number of expected and made calls, in [0, 1].

    A pair of calls of one name counts (1 + right arguments) / (1 + all arguments of either); other pairs count 0.
    """

    name = "tool_accuracy"

    def score(self, task: Task, trace: Trace) -> Score:
        """Compare the calls of the rollout with the recorded ones."""
        expected, made = task.expected_calls, calls_of(trace.messages[task.start + 1 :])
        total, pairs = _match(expected, made)
        longer = max(len(expected), len(made))
        return Score(total / longer if longer else 1.0, {}, _reason(expected, made, pairs))


def count_calls(task: Task, trace: Trace) -> CallCounts:
    """The exact counts behind precision, recall and F1."""
    expected, made = task.expected_calls, calls_of(trace.messages[task.start + 1 :])
    _, pairs = _match(expected, made)
    right = sum(similarity_of_calls(expected[i], made[j]) == 1.0 for i, j in pairs)
    return CallCounts(len(expected), len(made), right)


def similarity_of_calls(expected: ToolCall, made: ToolCall) -> float:
    """How right one call is, in [0, 1]; 1 exactly when name and all arguments are right."""
    if expected.name != made.name:
        return 0.0
    wanted, given = _arguments(expected), _arguments(made)
    if wanted is None or given is None:
        return float(expected.arguments == made.arguments)
    right = sum(
        name in given and matches(given[name], value, expected.accepted.get(name, ())) for name, value in wanted.items()
    )
    return (1 + right) / (1 + len(wanted.keys() | given.keys()))


def _arguments(call: ToolCall) -> Mapping[str, Any] | None:
    try:
        return call.parsed()
    except ArgumentsError:
        return None


def _match(expected: Sequence[ToolCall], made: Sequence[ToolCall]) -> tuple[float, list[tuple[int, int]]]:
    """The one-to-one pairing with the greatest total; ties go to the earlier calls.

    Exact over the sets of expected calls (a turn has a handful); an agent that floods a turn with calls costs time linear in
    them.
    """
    best: dict[int, tuple[float, list[tuple[int, int]]]] = {0: (0.0, [])}
    for j, call in enumerate(made):
        scores = [similarity_of_calls(one, call) for one in expected]
        step = dict(best)
        for used, (total, pairs) in best.items():
            for i, value in enumerate(scores):
                if value and not used >> i & 1 and total + value > step.get(used | 1 << i, (0.0, []))[0]:
                    step[used | 1 << i] = (total + value, [*pairs, (i, j)])
        best = step
    return max(best.values(), key=lambda item: item[0])


def _reason(expected: Sequence[ToolCall], made: Sequence[ToolCall], pairs: Sequence[tuple[int, int]]) -> str:
    missing = set(range(len(expected))) - {i for i, _ in pairs}
    extra = set(range(len(made))) - {j for _, j in pairs}
    faults = [f"Expected the call {_show(expected[i])}, which was not made." for i in sorted(missing)]
    faults += [f"The call {_show(made[j])} was not expected here." for j in sorted(extra)]
    faults += [
        f"Expected the call {_show(expected[i])}, got {_show(made[j])}."
        for i, j in pairs
        if similarity_of_calls(expected[i], made[j]) < 1.0
    ]
    return " ".join(faults)


def _show(call: ToolCall) -> str:
    return f"{call.name}({call.arguments})"
