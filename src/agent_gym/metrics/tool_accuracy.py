"""Whether the agent made the calls it should have made.

A turn without calls is right when none is made. Otherwise calls are matched one to one so that the total is greatest, and a
pair counts by its name and its arguments. Any recorded variant of a value is right, and notation does not matter (`values.py`).
Leaving out an expected argument, adding one that is not expected or renaming one never raises the score.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from agent_gym.errors import ArgumentsError
from agent_gym.messages import ToolCall
from agent_gym.metrics.base import Score
from agent_gym.metrics.matching import Pairs, best_pairs
from agent_gym.traces.task import Task, calls_of
from agent_gym.traces.trace import Trace
from agent_gym.values import matches

SHOWN = 500
"""Characters of a call's arguments that a reason shows."""


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
        values = _values(expected, made)
        pairs = best_pairs(values)
        total = math.fsum(values[i][j] for i, j in pairs)
        longer = max(len(expected), len(made))
        return Score(total / longer if longer else 1.0, {}, _reason(expected, made, values, pairs))


def count_calls(task: Task, trace: Trace) -> CallCounts:
    """The exact counts behind precision, recall and F1."""
    expected, made = task.expected_calls, calls_of(trace.messages[task.start + 1 :])
    # Paired for themselves: two calls that are nearly right may be worth as much together as a right one and a poor one.
    right = best_pairs([[float(value == 1.0) for value in row] for row in _values(expected, made)])
    return CallCounts(len(expected), len(made), len(right))


def _values(expected: Sequence[ToolCall], made: Sequence[ToolCall]) -> list[list[float]]:
    """How right each call is as each expected one, in [0, 1]; 1 exactly when name and all arguments are right."""
    given = [_arguments(call) for call in made]
    return [
        [_similarity(one, wanted, other, found) for other, found in zip(made, given, strict=True)]
        for one, wanted in ((one, _arguments(one)) for one in expected)
    ]


def _similarity(expected: ToolCall, wanted: Mapping[str, Any] | None, made: ToolCall, given: Mapping[str, Any] | None) -> float:
    if expected.name != made.name:
        return 0.0
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


def _reason(expected: Sequence[ToolCall], made: Sequence[ToolCall], values: Sequence[Sequence[float]], pairs: Pairs) -> str:
    missing = set(range(len(expected))) - {i for i, _ in pairs}
    extra = set(range(len(made))) - {j for _, j in pairs}
    faults = [f"Expected the call {_show(expected[i])}, which was not made." for i in sorted(missing)]
    faults += [f"The call {_show(made[j])} was not expected here." for j in sorted(extra)]
    faults += [_difference(expected[i], made[j]) for i, j in pairs if values[i][j] < 1.0]
    return " ".join(faults)


def _difference(expected: ToolCall, made: ToolCall) -> str:
    """Which arguments of a call of the right name are wrong, and what was expected."""
    wanted, given = _arguments(expected), _arguments(made)
    if wanted is None or given is None:
        return f"Expected the call {_show(expected)}, got {_show(made)}."
    wrong = [
        f"{name!r} should be {value!r}, not {given[name]!r}" if name in given else f"{name!r} is missing, expected {value!r}"
        for name, value in wanted.items()
        if name not in given or not matches(given[name], value, expected.accepted.get(name, ()))
    ]
    wrong += [f"{name!r} should not be given" for name in given if name not in wanted]
    return f"In the call to {made.name}: {'; '.join(wrong)}."


def _show(call: ToolCall) -> str:
    # An agent may write anything, at any length; a reason is read by people and put into prompts.
    return f"{call.name}({call.arguments if len(call.arguments) <= SHOWN else call.arguments[:SHOWN] + '…'})"
