"""What a metric is: a task and what was done give a score between 0 and 1, with its parts and a reason.

A combined metric is a metric; a judge is a metric. A metric looks at what was said and called; whether a rollout that broke
off is scored at all is the evaluation's question.
"""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import msgspec

from agent_gym.traces.task import Task
from agent_gym.traces.trace import Trace


class Score(msgspec.Struct, frozen=True):
    """A value in [0, 1]."""

    value: float
    parts: Mapping[str, float] = {}
    reason: str = ""
    """What was wrong, in words an optimizer or a person can act on; empty when nothing was."""


class Metric(Protocol):
    """Something that scores."""

    name: str

    def score(self, task: Task, trace: Trace) -> Score: ...


@runtime_checkable
class AsyncMetric(Metric, Protocol):
    """A metric that asks a model, and can be awaited where other rollouts go on meanwhile.

    Raises:
        JudgeFailed: when the model gave no score; that is never the agent's.
    """

    async def ascore(self, task: Task, trace: Trace) -> Score: ...


async def score_async(metric: Metric, task: Task, trace: Trace) -> Score:
    """Score on an event loop, waiting where the metric has to."""
    return await metric.ascore(task, trace) if isinstance(metric, AsyncMetric) else metric.score(task, trace)
