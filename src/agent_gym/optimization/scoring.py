"""The metric of a run, from its weights."""

from collections.abc import Mapping

from agent_gym.lm.embedder import make_embedder
from agent_gym.lm.handle import Handle
from agent_gym.metrics import Bleu, ChrF, CombinedMetric, LLMJudge, ResponseSimilarity, RougeL, ToolAccuracy
from agent_gym.metrics.base import Metric, Score
from agent_gym.metrics.combined import JUDGE
from agent_gym.metrics.embedding import EmbeddingSimilarity
from agent_gym.traces import Trace
from agent_gym.traces.task import Task

EMBEDDING = "embedding:"
"""Before a model's name: the cosine of its embeddings as a part."""


def combined_metric(weights: Mapping[str, float] | None, judge: Handle | None, *, judged: bool = False) -> CombinedMetric:
    """Similarity, tool accuracy and whatever else the weights name: `rouge_l`, `chrf`, `bleu`, `embedding:MODEL`, the judge.

    Args:
        weights: part to weight; (similarity + tool accuracy) / 2 when left out.
        judge: the judge's model.
        judged: check weights that ask for a judge before there is one.

    Raises:
        UsageError: for weights that cannot be used.
    """
    metrics: list[Metric] = [ResponseSimilarity(), ToolAccuracy(), *_asked_for(weights or {})]
    if judge is not None:
        metrics.append(LLMJudge(handle=judge))
    elif judged:
        metrics.append(_Unmade())
    return CombinedMetric(weights, metrics)


def _asked_for(weights: Mapping[str, float]) -> list[Metric]:
    """The similarities that are made only when a weight names them: their libraries, or their models, are."""
    made: list[Metric] = [kind() for kind in (RougeL, ChrF, Bleu) if kind.name in weights]
    for name in weights:
        if name.startswith(EMBEDDING):
            embedding = EmbeddingSimilarity(make_embedder(name.removeprefix(EMBEDDING)))
            embedding.name = name
            made.append(embedding)
    return made


class _Unmade:
    """Stands where the judge will be."""

    name = JUDGE

    def score(self, task: Task, trace: Trace) -> Score:
        raise AssertionError("the run has not begun")
