"""The metric of a run, from its weights."""

from collections.abc import Mapping

from agent_gym.lm.handle import Handle
from agent_gym.metrics import CombinedMetric, LLMJudge, ResponseSimilarity, ToolAccuracy
from agent_gym.metrics.base import Metric, Score
from agent_gym.metrics.combined import JUDGE
from agent_gym.traces import Trace
from agent_gym.traces.task import Task


def combined_metric(weights: Mapping[str, float] | None, judge: Handle | None, *, judged: bool = False) -> CombinedMetric:
    """Similarity, tool accuracy and, with a model to judge by, the judge.

    Args:
        judge: the judge's model.
        judged: check weights that ask for a judge before there is one.

    Raises:
        UsageError: for weights that cannot be used.
    """
    metrics: list[Metric] = [ResponseSimilarity(), ToolAccuracy()]
    if judge is not None:
        metrics.append(LLMJudge(handle=judge))
    elif judged:
        metrics.append(_Unmade())
    return CombinedMetric(weights, metrics)


class _Unmade:
    """Stands where the judge will be."""

    name = JUDGE

    def score(self, task: Task, trace: Trace) -> Score:
        raise AssertionError("the run has not begun")
