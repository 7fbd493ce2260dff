"""An agent on tasks, measured.

As many rollouts as allowed are in flight at once, so that the pipe to the model stays full; the report keeps the order of the
tasks. A rollout whose endpoint failed is counted in `failed` and left out of the scores; one in which the agent itself broke is
scored 0 and counted in `broken`.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from agent_gym.agents.base import Agent
from agent_gym.environment import ReplayEnvironment, rollout
from agent_gym.errors import ModelError
from agent_gym.evaluation.statistics import bootstrap_interval
from agent_gym.metrics import CallCounts, Metric, Score, count_calls
from agent_gym.traces import Trace
from agent_gym.traces.task import Task


class ExampleScore(msgspec.Struct, frozen=True):
    """One task's outcome."""

    id: str
    score: float | None
    """In [0, 1]; None when the endpoint failed."""
    parts: Mapping[str, float] = {}
    calls: CallCounts = CallCounts()
    reason: str = ""
    error: str | None = None


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What an evaluation found. Shares and scores are in [0, 1]."""

    n: int
    """Examples that were scored."""
    failed: int
    """Examples whose endpoint failed; they are not scored."""
    broken: int
    """Scored examples in which the agent gave no readable action or never came to an end: scored 0."""
    score: float
    parts: Mapping[str, float]
    interval: tuple[float, float]
    """95 % bootstrap interval of the score."""
    call_precision: float
    call_recall: float
    call_f1: float
    """Over calls made exactly right; an agent that never calls gets 0."""
    calls: CallCounts = CallCounts()
    mocked: Mapping[str, float] = {}
    """Of all tool answers, the share of each rung of `ToolMocker`."""
    examples: tuple[ExampleScore, ...] = ()
    seconds: float = 0.0
    """Wall-clock time."""

    def headline(self) -> dict[str, Any]:
        """The report without its examples and times, as JSON values."""
        kept = ("score", "parts", "interval", "call_precision", "call_recall", "call_f1", "n", "failed", "broken", "mocked")
        return {name: msgspec.to_builtins(getattr(self, name)) for name in kept}


async def evaluate(
    agent: Agent,
    tasks: Sequence[Task],
    metric: Metric,
    environment: ReplayEnvironment,
    *,
    concurrency: int = 32,
    on_example: Callable[[ExampleScore], None] | None = None,
) -> Report:
    """Play all tasks and score them.

    Args:
        concurrency: rollouts in flight at once.
        on_example: told each outcome as it comes, in no fixed order.
    """
    started = time.perf_counter()
    outcomes: list[tuple[ExampleScore, list[str]] | None] = [None] * len(tasks)
    queue = iter(enumerate(tasks))

    async def work() -> None:
        for index, task in queue:
            trace = await rollout(agent, task, environment.play(task))
            example = score_example(task, trace, metric)
            outcomes[index] = example, trace.metadata["rungs"]
            if on_example is not None:
                on_example(example)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(concurrency, len(tasks))):
                group.create_task(work())
    except ExceptionGroup as errors:
        # What a rollout gets wrong is on its trace: this is a fault of the program, and one traceback of it is enough.
        raise errors.exceptions[0] from None
    done = [outcome for outcome in outcomes if outcome is not None]
    rungs = Counter(rung for _, used in done for rung in used)
    return summarize([example for example, _ in done], rungs=rungs, seconds=time.perf_counter() - started)


def require_played(report: Report) -> Report:
    """The report, unless it has nothing to say.

    Raises:
        ModelError: when not one example could be played; tells the first example's error.
    """
    if report.n:
        return report
    errors = [example.error for example in report.examples if example.error]
    raise ModelError(f"no example could be played, all {report.failed} failed: {errors[0] if errors else 'there were none'}")


def score_example(task: Task, trace: Trace, metric: Metric) -> ExampleScore:
    """The outcome of one rollout."""
    if trace.error is None:
        score = metric.score(task, trace)
        return ExampleScore(task.id, score.value, score.parts, count_calls(task, trace), score.reason)
    if trace.metadata.get("fault") == "endpoint":
        return ExampleScore(task.id, None, error=trace.error)
    missed = Score(0.0, dict.fromkeys(metric.score(task, trace).parts, 0.0), f"The agent broke off: {trace.error}.")
    return ExampleScore(task.id, missed.value, missed.parts, count_calls(task, trace), missed.reason, trace.error)


def summarize(examples: Sequence[ExampleScore], *, rungs: Mapping[str, int] | None = None, seconds: float = 0.0) -> Report:
    """Outcomes as a report; means are over the scored examples."""
    scored = [example for example in examples if example.score is not None]
    values = [example.score for example in scored if example.score is not None]
    names = dict.fromkeys(name for example in scored for name in example.parts)
    counts = sum((example.calls for example in scored), CallCounts())
    answers = sum((rungs or {}).values())
    return Report(
        n=len(scored),
        failed=len(examples) - len(scored),
        broken=sum(example.error is not None for example in scored),
        score=_mean(values),
        parts={name: _mean([example.parts.get(name, 0.0) for example in scored]) for name in names},
        interval=bootstrap_interval(values),
        call_precision=counts.precision,
        call_recall=counts.recall,
        call_f1=counts.f1,
        calls=counts,
        mocked={rung: count / answers for rung, count in sorted((rungs or {}).items())},
        examples=tuple(examples),
        seconds=seconds,
    )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
