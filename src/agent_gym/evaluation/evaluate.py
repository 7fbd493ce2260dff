"""An agent on tasks, measured.

As many rollouts as allowed are in flight at once, so that the pipe to the model stays full; the report keeps the order of the
tasks. A rollout whose endpoint failed is counted in `failed` and left out of the scores; one in which the agent itself broke is
scored 0 and counted in `broken`.
"""

import asyncio
import math
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from agent_gym.agents.base import Agent
from agent_gym.environment import ReplayEnvironment, rollout
from agent_gym.errors import BudgetSpent, JudgeFailed, ModelError, UsageError
from agent_gym.evaluation.statistics import bootstrap_interval
from agent_gym.lm.prompt import render_message
from agent_gym.lm.tally import Spent, tallied
from agent_gym.messages import Message, System, User
from agent_gym.metrics import CallCounts, Metric, Score, count_calls, score_async
from agent_gym.traces import Trace
from agent_gym.traces.task import Task

SHOWN = 1000
"""Characters of a step that a report keeps."""


class ExampleScore(msgspec.Struct, frozen=True):
    """One task's outcome."""

    id: str
    score: float | None
    """In [0, 1]; None when the endpoint failed, or the judge did."""
    parts: Mapping[str, float] = {}
    calls: CallCounts = CallCounts()
    reason: str = ""
    error: str | None = None
    unjudged: bool = False
    """The judge failed: that is never the agent's score."""
    service: str = ""
    user: str = ""
    """What the user said."""
    expected: tuple[str, ...] = ()
    """What the recorded system did: each step as a model would write it."""
    played: tuple[str, ...] = ()
    """What the agent did."""
    spent: Spent = Spent()
    """What the rollout asked of the agent's model, answers from the cache included."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What an evaluation found. Shares and scores are in [0, 1]."""

    n: int
    """Examples that were scored."""
    failed: int
    """Examples whose endpoint failed; they are not scored."""
    unjudged: int = 0
    """Examples whose judge failed; they are not scored."""
    broken: int = 0
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
    turn_tokens: float = 0.0
    """Tokens that a turn takes, mean; answers from the cache included."""
    turn_cost: float | None = None
    """US dollars that a turn costs, mean; None when a price is not known."""
    latency: tuple[float, float] | None = None
    """Seconds a turn waits for the model: median and 95th percentile; None when an answer's time is not known."""
    examples: tuple[ExampleScore, ...] = ()
    seconds: float = 0.0
    """Wall-clock time."""

    def timeless(self) -> "Report":
        """The report without what differs between two runs of the same work."""
        still = tuple(
            msgspec.structs.replace(example, spent=msgspec.structs.replace(example.spent, seconds=None))
            for example in self.examples
        )
        return msgspec.structs.replace(self, seconds=0.0, latency=None, examples=still)

    def headline(self) -> dict[str, Any]:
        """The report without its examples and times, as JSON values."""
        kept = (
            "score",
            "parts",
            "interval",
            "call_precision",
            "call_recall",
            "call_f1",
            "n",
            "failed",
            "unjudged",
            "broken",
            "mocked",
        )
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

    Raises:
        UsageError: when no rollout may be in flight.
        BudgetSpent: when the models' budget ran out; what was under way has ended, and its answers are kept.
    """
    if concurrency < 1:
        raise UsageError(f"concurrency must be 1 or more, got {concurrency}")
    started = time.perf_counter()
    outcomes: list[tuple[ExampleScore, list[str]] | None] = [None] * len(tasks)
    queue = iter(enumerate(tasks))
    stopped: list[BudgetSpent] = []

    async def work() -> None:
        for index, task in queue:
            if stopped:
                return
            try:
                with tallied() as tally:
                    trace = await rollout(agent, task, environment.play(task))
                outcome = await score_example_async(task, trace, metric)
            except BudgetSpent as error:
                # What is under way ends and is kept; nothing more is begun.
                stopped.append(error)
                return
            example = described(outcome, task, trace, tally.spent)
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
    if stopped:
        raise stopped[0]
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
    lost = report.failed + report.unjudged
    raise ModelError(f"no example could be played, all {lost} failed: {errors[0] if errors else 'there were none'}")


def score_example(task: Task, trace: Trace, metric: Metric) -> ExampleScore:
    """The outcome of one rollout."""
    if (broken := _broken(task, trace)) is not None:
        return broken
    try:
        return _scored(task, trace, metric.score(task, trace))
    except JudgeFailed as error:
        return _unjudged(task, trace, error)


async def score_example_async(task: Task, trace: Trace, metric: Metric) -> ExampleScore:
    """The outcome of one rollout, awaiting a metric that asks a model."""
    if (broken := _broken(task, trace)) is not None:
        return broken
    try:
        return _scored(task, trace, await score_async(metric, task, trace))
    except JudgeFailed as error:
        return _unjudged(task, trace, error)


def _broken(task: Task, trace: Trace) -> ExampleScore | None:
    """The outcome of a rollout that broke off; None when it did not."""
    if trace.error is None:
        return None
    if trace.metadata.get("fault") == "endpoint":
        return ExampleScore(task.id, None, error=trace.error)
    return ExampleScore(task.id, 0.0, {}, count_calls(task, trace), f"The agent broke off: {trace.error}.", trace.error)


def _scored(task: Task, trace: Trace, score: Score) -> ExampleScore:
    return ExampleScore(task.id, score.value, score.parts, count_calls(task, trace), score.reason)


def _unjudged(task: Task, trace: Trace, error: JudgeFailed) -> ExampleScore:
    return ExampleScore(task.id, None, calls=count_calls(task, trace), error=f"not judged: {error}", unjudged=True)


def described(example: ExampleScore, task: Task, trace: Trace, spent: Spent) -> ExampleScore:
    """An outcome with what was said and done, so that a report can show it turn by turn."""
    return msgspec.structs.replace(
        example,
        service=task.service,
        user=task.prompt[-1].content if isinstance(task.prompt[-1], User) else "",
        expected=_steps(task.expected),
        played=_steps(trace.messages[task.start + 1 :]),
        spent=spent,
    )


def _steps(messages: Sequence[Message]) -> tuple[str, ...]:
    return tuple(
        text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
        for message in messages
        if not isinstance(message, System)
        for text in [render_message(message).content]
    )


def summarize(examples: Sequence[ExampleScore], *, rungs: Mapping[str, int] | None = None, seconds: float = 0.0) -> Report:
    """Outcomes as a report; means are over the scored examples."""
    scored = [example for example in examples if example.score is not None]
    values = [example.score for example in scored if example.score is not None]
    names = dict.fromkeys(name for example in scored for name in example.parts)
    counts = sum((example.calls for example in scored), CallCounts())
    answers = sum((rungs or {}).values())
    return Report(
        n=len(scored),
        failed=sum(example.score is None and not example.unjudged for example in examples),
        unjudged=sum(example.unjudged for example in examples),
        broken=sum(example.error is not None for example in scored),
        score=_mean(values),
        parts={name: _mean([example.parts.get(name, 0.0) for example in scored]) for name in names},
        interval=bootstrap_interval(values),
        call_precision=counts.precision,
        call_recall=counts.recall,
        call_f1=counts.f1,
        calls=counts,
        mocked={rung: count / answers for rung, count in sorted((rungs or {}).items())},
        turn_tokens=_mean([example.spent.prompt_tokens + example.spent.completion_tokens for example in scored]),
        turn_cost=_mean_known([example.spent.cost for example in scored]),
        latency=_latency([example.spent.seconds for example in scored]),
        examples=tuple(examples),
        seconds=seconds,
    )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _mean_known(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return _mean(known) if known and len(known) == len(values) else None


def _latency(values: Sequence[float | None]) -> tuple[float, float] | None:
    known = sorted(value for value in values if value is not None)
    if not known or len(known) < len(values):
        return None
    return known[math.ceil(0.5 * len(known)) - 1], known[math.ceil(0.95 * len(known)) - 1]
