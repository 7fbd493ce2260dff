"""How good an answer is, as a number that says why.

reward_fn(response, ground_truth="Your plan ends in May.")    its words against these
reward_fn(response, ground_truth=recorded_trace)              words and calls against what was recorded there
reward_fn(response)                                           a judge's opinion
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from agent_gym.environment.asking.query import Response
from agent_gym.errors import DataError, UsageError
from agent_gym.messages import Assistant, Message, User
from agent_gym.metrics import CombinedMetric, LLMJudge, ResponseSimilarity, ToolAccuracy
from agent_gym.metrics.combined import DEFAULT_WEIGHTS, JUDGE
from agent_gym.traces import Trace
from agent_gym.traces.parsers import import_traces
from agent_gym.traces.task import Task, reply_of, tasks_of
from agent_gym.values import same

GroundTruth = str | Trace | Mapping[str, Any] | Sequence[Message] | Sequence[Mapping[str, Any]]

PARTS = (ResponseSimilarity.name, ToolAccuracy.name, JUDGE)
"""What a score against a ground truth may be made of."""


class Grade(float):
    """A score in [0, 1]: compared, summed and formatted as the number it is."""

    __slots__ = ("parts", "reason")

    parts: Mapping[str, float]
    """What it is made of, each in [0, 1]."""
    reason: str
    """What was wrong, in words; empty when nothing was."""

    def __new__(cls, value: float, parts: Mapping[str, float] | None = None, reason: str = "") -> "Grade":
        grade = super().__new__(cls, value)
        grade.parts, grade.reason = dict(parts or {}), reason
        return grade

    def __str__(self) -> str:
        return float.__repr__(self)

    def __repr__(self) -> str:
        return f"Grade({float.__repr__(self)}, {self.parts}, {self.reason!r})"


class RewardFunction:
    """Scores answers; the same answer the same, whatever was scored in between.

    Args:
        judge: gives the judge, when it is first needed.
        weights: of `PARTS`, scaled to a sum of 1 over what a ground truth can tell; one for `judge` asks the judge beside it.

    Raises:
        UsageError: a weight that cannot be used.
    """

    def __init__(self, judge: Callable[[], LLMJudge], *, weights: Mapping[str, float] | None = None) -> None:
        self._judge = judge
        self._weights = dict(DEFAULT_WEIGHTS if weights is None else weights)
        if unknown := [name for name in self._weights if name not in PARTS]:
            raise UsageError(f"there is no metric {unknown[0]!r} to weigh; there are: {', '.join(PARTS)}")
        if not all(weight >= 0 for weight in self._weights.values()) or not 0 < sum(self._weights.values()) < math.inf:
            raise UsageError(f"weights must not be negative and must have a positive, finite sum, got {self._weights}")

    def __call__(self, response: Response | str, ground_truth: GroundTruth | None = None) -> Grade:
        """Score an answer.

        Args:
            response: an answer of `query_agent`, or the words of any other agent.
            ground_truth: what should have been answered. A text is compared by its words. Messages of an assistant, as objects
                or as JSON, are compared by their words, if they have any, and by their calls. A conversation counts with what
                it holds after the same question. Without one, the judge is asked.

        Raises:
            JudgeFailed: the judge gave no score; that is never a 0.
            MissingKey: no key for the judge's provider in the environment.
            UsageError: a ground truth that says nothing, or does not hold the question; a judge asked about bare words.
            DataError: a ground truth that cannot be read.
        """
        if isinstance(response, Response):
            task, played = response.task, response.trace
        else:
            played = Trace(conversation_id="words", messages=(User(""), Assistant(response)))
            task = Task(played, 0, 1)
        weights: Mapping[str, float] = {JUDGE: 1.0}
        if ground_truth is not None:
            expected = _expected(ground_truth, task)
            calls = bool(expected) and not isinstance(ground_truth, str)
            messages = (*task.prompt, *expected)
            task = Task(msgspec.structs.replace(task.trace, messages=messages), task.start, len(messages))
            weights = self._weights_for(words=bool(reply_of(expected).strip()), calls=calls)
        if JUDGE in weights and isinstance(response, str):
            raise UsageError("a judge must see the question: hand over the whole response, or compare it by its words alone")
        judges = [self._judge()] if JUDGE in weights else []
        metrics = [ResponseSimilarity(), ToolAccuracy(), *judges]
        metric = judges[0] if [*weights] == [JUDGE] else CombinedMetric(weights, metrics)
        score = metric.score(task, played)
        return Grade(score.value, score.parts, score.reason)

    def _weights_for(self, *, words: bool, calls: bool) -> dict[str, float]:
        """The weights of what a ground truth can tell."""
        told = dict(zip(PARTS, (words, calls, True), strict=True))
        weights = {name: weight for name, weight in self._weights.items() if told[name] and weight}
        if not (words or calls):
            raise UsageError("the ground truth says nothing: leave it out to ask the judge")
        if not weights:
            raise UsageError(f"weights {self._weights} weigh nothing that this ground truth tells; a text tells words only")
        return weights


def _expected(ground_truth: GroundTruth, task: Task) -> tuple[Message, ...]:
    """The messages that should have followed the question."""
    if isinstance(ground_truth, str):
        return (Assistant(ground_truth),)
    messages = _messages(ground_truth)
    if not any(isinstance(message, User) for message in messages):
        return messages
    asked = _question(task)
    recorded = Trace(conversation_id="ground truth", messages=messages)
    found = [one for one in tasks_of(recorded) if same(_question(one), asked)]
    if not found:
        raise UsageError(f"the ground truth does not answer the question {asked[:80]!r}: hand over the messages behind it")
    # "Yes, please" may be said twice: the one at the same place is meant.
    return min(found, key=lambda one: abs(one.start - task.start)).expected


def _question(task: Task) -> str:
    said = task.prompt[-1]
    return said.content if isinstance(said, User) else ""


def _messages(ground_truth: Trace | Mapping[str, Any] | Sequence[Message] | Sequence[Mapping[str, Any]]) -> tuple[Message, ...]:
    if isinstance(ground_truth, Trace):
        return ground_truth.messages
    listed: Any = ground_truth.get("messages", [ground_truth]) if isinstance(ground_truth, Mapping) else ground_truth
    if not listed or not isinstance(listed[0], Mapping):
        return tuple(listed)
    rows: list[Mapping[str, Any]] = [{"role": "assistant", **message} for message in listed]
    try:
        (trace,) = import_traces({"conversation_id": "ground truth", "messages": rows})
    except DataError as error:
        raise DataError(f"the ground truth cannot be read: {error}") from error
    return trace.messages
