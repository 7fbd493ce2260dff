"""The metric of a run, from its weights."""

from collections.abc import Callable, Mapping
from pathlib import Path

from agent_gym.errors import UsageError
from agent_gym.lm.embedder import Embed, make_embedder
from agent_gym.lm.handle import Handle
from agent_gym.metrics import Bleu, ChrF, CombinedMetric, LLMJudge, ResponseSimilarity, RougeL, Rubric, ToolAccuracy
from agent_gym.metrics.base import Metric, Score
from agent_gym.metrics.combined import JUDGE
from agent_gym.metrics.embedding import EmbeddingSimilarity
from agent_gym.traces import Trace
from agent_gym.traces.task import Task

EMBEDDING = "embedding:"
"""Before a model's name: the cosine of its embeddings as a part."""
PARTS = (ResponseSimilarity.name, ToolAccuracy.name, JUDGE, RougeL.name, ChrF.name, Bleu.name)
"""What else a weight may name."""


def rubric_of(
    weights: Mapping[str, float] | None, rubric: Rubric | str | Path | None, judge_model: str | None
) -> Rubric | None:
    """By what the judge scores whom a weight asks for; None when none does.

    Raises:
        UsageError: a rubric that cannot be used, or something for a judge whom no weight asks for.
    """
    if weights and weights.get(JUDGE):
        return rubric if isinstance(rubric, Rubric) else Rubric.load(rubric)
    given = {"judge_model": judge_model, "rubric": rubric.name if isinstance(rubric, Rubric) else rubric}
    for name, value in given.items():
        if value is not None:
            raise UsageError(f"no weight asks for a judge, so {name}={str(value)!r} would be ignored: leave it out")
    return None


def combined_metric(
    weights: Mapping[str, float] | None,
    judge: Handle | None = None,
    *,
    rubric: Rubric | None = None,
    embedder: Callable[[str], Embed] = make_embedder,
) -> CombinedMetric:
    """Similarity, tool accuracy and whatever else the weights name: `rouge_l`, `chrf`, `bleu`, `embedding:MODEL`, the judge.

    Args:
        weights: part to weight; (similarity + tool accuracy) / 2 when left out.
        judge: the judge's model; with a rubric and no model, weights that ask for a judge are checked before there is one.
        rubric: by what the judge scores; None when there is no judge.
        embedder: makes the function that embeds, from a model's name.

    Raises:
        UsageError: for weights that cannot be used.
    """
    if unknown := [name for name in weights or {} if name not in PARTS and not name.startswith(EMBEDDING)]:
        there = ", ".join((*PARTS, f"{EMBEDDING}MODEL"))
        raise UsageError(f"there is no metric {unknown[0]!r} to weigh; there are: {there}")
    metrics: list[Metric] = [ResponseSimilarity(), ToolAccuracy(), *_asked_for(weights or {}, embedder)]
    if rubric is not None:
        metrics.append(_Unmade() if judge is None else LLMJudge(handle=judge, rubric=rubric))
    return CombinedMetric(weights, metrics)


def _asked_for(weights: Mapping[str, float], embedder: Callable[[str], Embed]) -> list[Metric]:
    """The similarities that are made only when a weight names them: their libraries, or their models, are."""
    made: list[Metric] = [kind() for kind in (RougeL, ChrF, Bleu) if kind.name in weights]
    for name in weights:
        if name.startswith(EMBEDDING):
            embedding = EmbeddingSimilarity(embedder(name.removeprefix(EMBEDDING)))
            embedding.name = name
            made.append(embedding)
    return made


class _Unmade:
    """Stands where the judge will be."""

    name = JUDGE

    def score(self, task: Task, trace: Trace) -> Score:
        raise AssertionError("the run has not begun")
