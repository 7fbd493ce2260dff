"""Rollouts of single turns: an agent answers the same recorded user turn several times, and each answer is scored.

Where a whole conversation is one draw of many decisions, here the samples of a turn begin in the very same state, so that what
differs between their scores was decided there.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from agent_gym.agents.base import Agent, Resampled
from agent_gym.environment import ReplayEnvironment, RolloutSummary, rollout
from agent_gym.environment.replay import MAX_STEPS
from agent_gym.environment.rollouts.file import RolloutFile
from agent_gym.environment.rollouts.kept import missing, play_kept, require_some
from agent_gym.environment.rollouts.sample import sample_id, timeless
from agent_gym.environment.rollouts.settings import described_agent, json_settings
from agent_gym.evaluation.evaluate import score_example_async
from agent_gym.lm.loop import run_sync
from agent_gym.lm.tally import tallied
from agent_gym.metrics import CombinedMetric
from agent_gym.traces import Trace
from agent_gym.traces.task import Task
from agent_gym.traces.trace import dump_trace


def collect_turns(
    agent: Agent,
    tasks: Iterable[Task],
    metric: CombinedMetric,
    environment: ReplayEnvironment,
    *,
    samples: int = 4,
    concurrency: int = 64,
    output: Path | str | None = None,
    on_trace: Callable[[Trace], None] | None = None,
    settings: Mapping[str, Any] | None = None,
) -> RolloutSummary:
    """Play every turn several times, and wait for it; `collect_turns_async` is the same to be awaited.

    Args:
        agent: one that can (`Resampled`) asks its model anew for each sample.
        tasks: the turns; an iterator is read as it is needed.
        metric: scores a turn against what was recorded.
        environment: answers the calls.
        samples: how often each turn is played.
        concurrency: turns in flight at once.
        output: a JSON lines file in which turns are kept as they end. What it holds already is not played again.
        on_trace: told each rollout as it ends, those that were lost too, in no fixed order and on another thread.
        settings: what decides the rollouts besides (the data): JSON values that must be those of the file.

    Returns:
        What the turns came to; an "episode" of it is a turn. Each is a trace with the `conversation_id` of its task (with ~1,
        ~2, … behind it from the second sample on), the recorded conversation before it, what the agent did, and in `scores`
        the `reward` (the metric's value) and its parts, in [0, 1]. Its metadata has `task`, `sample`, `start` (the index of
        the user's message), `expected` (the recorded answer), `date`, `spent` and `settings`. What the agent itself broke has
        reward 0 and no parts.

    Raises:
        UsageError: for what can be known to go wrong; for two tasks of one id, when the second comes up.
        FileRefused: when `output` is no file of rollouts, or of a run with other settings.
        BudgetSpent: when the model's budget ran out; what had ended is kept.
    """
    return run_sync(
        collect_turns_async(
            agent,
            tasks,
            metric,
            environment,
            samples=samples,
            concurrency=concurrency,
            output=output,
            on_trace=on_trace,
            settings=settings,
        )
    )


async def collect_turns_async(
    agent: Agent,
    tasks: Iterable[Task],
    metric: CombinedMetric,
    environment: ReplayEnvironment,
    *,
    samples: int = 4,
    concurrency: int = 64,
    output: Path | str | None = None,
    on_trace: Callable[[Trace], None] | None = None,
    settings: Mapping[str, Any] | None = None,
) -> RolloutSummary:
    """See `collect_turns`."""
    require_some(samples=samples, concurrency=concurrency)
    own = {"mode": "turns", "agent": described_agent(agent), "weights": dict(metric.weights), "max_steps": MAX_STEPS}

    def queue(file: RolloutFile | None) -> Iterator[tuple[Task, int]]:
        return missing(tasks, lambda task: task.id, samples, file)

    async def play(piece: tuple[Task, int]) -> Trace:
        return await play_turn(agent, environment, metric, *piece)

    told = json_settings({**own, **(settings or {})})
    return await play_kept(queue, play, told, concurrency=concurrency, output=output, on_trace=on_trace)


async def play_turn(agent: Agent, environment: ReplayEnvironment, metric: CombinedMetric, task: Task, number: int) -> Trace:
    """Play and score one sample of one turn. What agent, endpoint or judge gets wrong lands on the trace.

    Raises:
        BudgetSpent: when a model's budget does not allow another question.
    """
    if number and isinstance(agent, Resampled):
        agent = agent.resampled(f"sample {number}")
    with tallied() as tally:
        played = await rollout(agent, task, environment.play(task))
    found = await score_example_async(task, played, metric)
    broken = played.error is not None
    recorded = dump_trace(Trace(conversation_id="", messages=task.expected))["messages"]
    kept = {name: task.trace.metadata[name] for name in ("date", "services") if name in task.trace.metadata}
    return msgspec.structs.replace(
        played,
        conversation_id=sample_id(task.id, number),
        outcome="broken" if broken else "answered",
        scores={} if found.score is None else {"reward": found.score, **found.parts},
        metadata={
            **kept,
            "task": task.id,
            "sample": number,
            **played.metadata,
            "turns": 1,
            "ended": "broken" if broken else "answered",
            "expected": recorded,
            "spent": timeless(tally.spent),
            **({"unjudged": found.error} if found.unjudged else {}),
        },
    )
