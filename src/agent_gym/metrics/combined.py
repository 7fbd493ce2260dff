"""Several metrics as one."""

import math
from collections.abc import Mapping, Sequence

from agent_gym.errors import UsageError
from agent_gym.metrics.base import Metric, Score
from agent_gym.metrics.similarity import ResponseSimilarity
from agent_gym.metrics.tool_accuracy import ToolAccuracy
from agent_gym.traces.task import Task
from agent_gym.traces.trace import Trace

DEFAULT_WEIGHTS: Mapping[str, float] = {"similarity": 0.5, "tool_accuracy": 0.5}


class CombinedMetric:
    """The weighted mean of metrics, in [0, 1]; by default (similarity + tool accuracy) / 2.

    Args:
        weights: metric name to weight; at least one positive, none negative. They are scaled to a sum of 1.
        metrics: what the names stand for; similarity and tool accuracy when left out.

    Raises:
        UsageError: for an unknown name or weights that cannot be scaled.
    """

    name = "combined"

    def __init__(self, weights: Mapping[str, float] | None = None, metrics: Sequence[Metric] | None = None) -> None:
        known = {metric.name: metric for metric in metrics or (ResponseSimilarity(), ToolAccuracy())}
        weights = DEFAULT_WEIGHTS if weights is None else weights
        if unknown := [name for name in weights if name not in known]:
            raise UsageError(f"there is no metric {unknown[0]!r} to weigh; there are: {', '.join(known)}")
        if not all(weight >= 0 for weight in weights.values()) or not 0 < (total := sum(weights.values())) < math.inf:
            raise UsageError(f"weights must not be negative and must have a positive, finite sum, got {dict(weights)}")
        self.weights = {name: weight / total for name, weight in weights.items()}
        self._metrics = [known[name] for name in weights]

    def score(self, task: Task, trace: Trace) -> Score:
        """Score by every part; `parts` holds each one's own value."""
        scores = {metric.name: metric.score(task, trace) for metric in self._metrics}
        # Weights are scaled by division: a sum that rounding carries past 1 is still a perfect score.
        value = min(sum(self.weights[name] * score.value for name, score in scores.items()), 1.0)
        if all(score.value == 1.0 for name, score in scores.items() if self.weights[name]):
            value = 1.0
        return Score(
            value,
            {name: score.value for name, score in scores.items()},
            " ".join(score.reason for score in scores.values() if score.reason),
        )
