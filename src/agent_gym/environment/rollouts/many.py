"""Thousands of episodes at once: every task, several times if wished, with as many in flight as allowed.

    summary = rollout_many(agent, SGDEnvironment("data/sample"), samples=4, output="rollouts.jsonl")

An episode follows from its task, its seed and the answers of the models, never from what is played beside it; so the order in
which episodes end is the only thing that differs between two runs, and between one process and a cluster. What has ended is
written, counted and let go of: memory does not grow. What an outage cut short is counted as lost and not written, so that the
same command, run again, plays what is missing and nothing else.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Literal

from agent_gym.environment.dialogue import DialogueEnvironment
from agent_gym.environment.rollouts.cluster import RayCluster, joined
from agent_gym.environment.rollouts.file import RolloutFile
from agent_gym.environment.rollouts.kept import missing, play_kept, require_some
from agent_gym.environment.rollouts.sample import Sample, play_sample, sample_seed
from agent_gym.environment.rollouts.settings import described_agent, settings_of
from agent_gym.environment.rollouts.sources import AgentSource, EnvironmentSource, made_agent, made_environment
from agent_gym.environment.rollouts.summary import RolloutSummary
from agent_gym.errors import UsageError
from agent_gym.lm.loop import run_sync
from agent_gym.traces import Trace

Play = Callable[[Sample], Awaitable[Trace]]
EXECUTORS: tuple[str, ...] = ("local", "ray")
Executor = Literal["local", "ray"] | RayCluster


def rollout_many(
    agent: AgentSource,
    environment: EnvironmentSource,
    *,
    tasks: Iterable[Trace] | None = None,
    samples: int = 1,
    seed: int = 0,
    concurrency: int = 64,
    output: Path | str | None = None,
    executor: Executor = "local",
    on_trace: Callable[[Trace], None] | None = None,
    settings: Mapping[str, Any] | None = None,
) -> RolloutSummary:
    """Play every task, and wait for it; `rollout_many_async` is the same to be awaited.

    Args:
        agent: an agent, or a function that makes one.
        environment: an environment, or a function that makes one.
        tasks: what is played, by default all tasks of the environment; an iterator is read as it is needed.
        samples: how often each task is played. An agent that can (`Resampled`) asks its model anew each time.
        seed: decides what the users do; the seed of an episode follows from it, the task's id and the number of the sample.
        concurrency: episodes in flight at once, on all workers together.
        output: a JSON lines file in which whole episodes are kept. What it holds already is not played again.
        executor: "local", "ray" for workers that Ray runs (agent and environment are then functions), or a `RayCluster`.
        on_trace: told each episode as it ends, those that were lost too, in no fixed order and on another thread.
        settings: what decides the episodes besides (the agent's file, the data): JSON values that are put on every trace, and
            must be those of the file. `settings={"agent": "v2"}` names an agent that its class alone does not tell apart.

    Returns:
        What the episodes came to. The traces have the `conversation_id` of their task, with ~1, ~2, … behind it from the second
        sample on, and in their metadata `task`, `sample`, `seed`, `spent` and `settings`.

    Raises:
        UsageError: for what can be known to go wrong; for two tasks of one id, when the second comes up.
        FileRefused: when `output` is no file of rollouts, or of a run with other settings.
        BudgetSpent: when the models' budget ran out; what had ended, or was under way and needed no further question, is kept.
    """
    return run_sync(
        rollout_many_async(
            agent,
            environment,
            tasks=tasks,
            samples=samples,
            seed=seed,
            concurrency=concurrency,
            output=output,
            executor=executor,
            on_trace=on_trace,
            settings=settings,
        )
    )


async def rollout_many_async(
    agent: AgentSource,
    environment: EnvironmentSource,
    *,
    tasks: Iterable[Trace] | None = None,
    samples: int = 1,
    seed: int = 0,
    concurrency: int = 64,
    output: Path | str | None = None,
    executor: Executor = "local",
    on_trace: Callable[[Trace], None] | None = None,
    settings: Mapping[str, Any] | None = None,
) -> RolloutSummary:
    """See `rollout_many`."""
    if isinstance(executor, str) and executor not in EXECUTORS:
        raise UsageError(f"there is no executor {executor!r}: take {' or '.join(map(repr, EXECUTORS))}, or a RayCluster")
    require_some(samples=samples, concurrency=concurrency)
    async with _players(executor, agent, environment) as (name, here, play):
        told = settings_of(name, here, seed, settings or {})

        def queue(file: RolloutFile | None) -> Iterator[Sample]:
            every = here.tasks if tasks is None else tasks
            for task, number in missing(every, lambda task: task.conversation_id, samples, file):
                yield Sample(task, number, sample_seed(seed, task.conversation_id, number))

        return await play_kept(queue, play, told, concurrency=concurrency, output=output, on_trace=on_trace)


@asynccontextmanager
async def _players(
    executor: Executor, agent: AgentSource, environment: EnvironmentSource
) -> AsyncGenerator[tuple[str, DialogueEnvironment, Play]]:
    """Who plays: a description of the agent, the environment, and what plays a sample."""
    if executor == "local":
        player, here = made_agent(agent), made_environment(environment)
        yield described_agent(player), here, partial(play_sample, player, here)
        return
    async with joined(RayCluster() if executor == "ray" else executor, agent, environment) as pool:
        yield await pool.describe(), made_environment(environment), pool.play
