"""Several metrics as one."""

import math
from collections.abc import Mapping, Sequence

from agent_gym.errors import UsageError
from agent_gym.metrics.base import Metric, Score, score_async
from agent_gym.metrics.similarity import ResponseSimilarity
from agent_gym.metrics.tool_accuracy import ToolAccuracy
from agent_gym.traces.task import Task
from agent_gym.traces.trace import Trace

JUDGE = "judge"
DEFAULT_WEIGHTS: Mapping[str, float] = {"similarity": 0.5, "tool_accuracy": 0.5}


class CombinedMetric:
    """The weighted mean of metrics, in [0, 1]; by default (similarity + tool accuracy) / 2.

    Args:
        weights: metric name to weight; at least one positive, none negative. They are scaled to a sum of 1. A weight for
        `judge`
            counts only where there is one among the metrics; the others are scaled without it.
        metrics: what the names stand for; similarity and tool accuracy when left out.

    Raises:
        UsageError: for an unknown name or weights that cannot be scaled.
    """

    name = "combined"

    def __init__(self, weights: Mapping[str, float] | None = None, metrics: Sequence[Metric] | None = None) -> None:
        known = {metric.name: metric for metric in metrics or (ResponseSimilarity(), ToolAccuracy())}
        weights = DEFAULT_WEIGHTS if weights is None else weights
        asked = {name: weight for name, weight in weights.items() if name in known or name != JUDGE}
        if unknown := [name for name in asked if name not in known]:
            raise UsageError(f"there is no metric {unknown[0]!r} to weigh; there are: {', '.join(known)}")
        if not all(weight >= 0 for weight in weights.values()) or not 0 < (total := sum(asked.values())) < math.inf:
            raise UsageError(f"weights must not be negative and must have a positive, finite sum, got {dict(weights)}")
        self.weights = {name: weight / total for name, weight in asked.items()}
        self._metrics = [known[name] for name in asked]

    def without(self, name: str) -> "CombinedMetric":
        """The same without one part, the weights of the others scaled up; the same when it is no part or the only one."""
        rest = [metric for metric in self._metrics if metric.name != name]
        if len(rest) in (0, len(self._metrics)) or not sum(self.weights[metric.name] for metric in rest):
            return self
        return CombinedMetric({metric.name: self.weights[metric.name] for metric in rest}, rest)

    def score(self, task: Task, trace: Trace) -> Score:
        """Score by every part; `parts` holds each one's own value."""
        return self._combine({metric.name: metric.score(task, trace) for metric in self._metrics})

    async def ascore(self, task: Task, trace: Trace) -> Score:
        """The same, awaiting the parts that ask a model."""
        return self._combine({metric.name: await score_async(metric, task, trace) for metric in self._metrics})

    def _combine(self, scores: Mapping[str, Score]) -> Score:
        # Weights are scaled by division: a sum that rounding carries past 1 is still a perfect score.
        value = min(sum(self.weights[name] * score.value for name, score in scores.items()), 1.0)
        if all(score.value == 1.0 for name, score in scores.items() if self.weights[name]):
            value = 1.0
        # Several similarities say the same of a reply; once is enough.
        reasons = dict.fromkeys(score.reason for score in scores.values() if score.reason)
        return Score(value, {name: score.value for name, score in scores.items()}, " ".join(reasons))
