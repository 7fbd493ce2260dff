"""One agent on one split, from names to report: what `agent-gym evaluate` does."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Unpack

from agent_gym.agents.base import Agent
from agent_gym.agents.paraphrased import Paraphrased
from agent_gym.environment import ReplayEnvironment
from agent_gym.errors import UsageError
from agent_gym.evaluation import Report, evaluate, require_played
from agent_gym.lm.loop import run_sync
from agent_gym.lm.meter import Meter
from agent_gym.lm.usage import Usage
from agent_gym.metrics import Rubric
from agent_gym.optimization.events import Phases
from agent_gym.optimization.limits import Limits, budget_of, rate_of
from agent_gym.optimization.result import Event
from agent_gym.optimization.roles import Roles
from agent_gym.optimization.scoring import combined_metric, rubric_of
from agent_gym.tools.recordings import read_recordings
from agent_gym.traces import open_data
from agent_gym.traces.dataset import DataSet
from agent_gym.traces.draw import draw_tasks, how_many
from agent_gym.traces.sgd_variant import SchemaVariant
from agent_gym.traces.task import Task


def measure(
    agent_path: str | Path | None,
    data_path: str | Path,
    split: str = "dev",
    *,
    limit: int | None = None,
    model: str | None = None,
    api_base: str | None = None,
    judge_model: str | None = None,
    rubric: Rubric | str | Path | None = None,
    weights: Mapping[str, float] | None = None,
    schema_variant: str | None = None,
    seed: int = 0,
    threads: int = 32,
    timeout: float = 120.0,
    attempts: int = 4,
    on_event: Callable[[Event], None] | None = None,
    **limits: Unpack[Limits],
) -> tuple[Report, Mapping[str, Usage]]:
    """Play a saved agent, or the baseline, on examples of a split; with the same split, number and seed, on those that
    `OptimizationRunner` measures on (unless it drew all its examples from that split).

    Args:
        limit: how many examples; 100 when left out, or all there are.
        judge_model: judges, where `weights` has a part `judge`; the agent's model when left out.
        rubric: how it judges: a file in the format of `metrics/rubric.py`, or a rubric; the one of this package when left out.
        schema_variant: show the agent SGD-X's other names for services, intents and slots, e.g. "v1" (Lee et al., AAAI 2022);
            its calls are mapped back before they are answered and scored.
        limits: what may be spent, and how fast.

    Raises:
        UsageError: for what can be known to go wrong before the first request.
        ModelError: when not one example could be played.
        BudgetSpent: before all examples were played; what was answered is kept.
    """
    for name, number in {"limit": 1 if limit is None else limit, "threads": threads}.items():
        if number < 1:
            raise UsageError(f"{name} must be 1 or more, got {number}")
    data = open_data(data_path, strict=False)
    return measure_tasks(
        agent_path,
        data,
        lambda: draw_tasks(data, split, [how_many(data, split, limit)], seed=seed)[0],
        split=split,
        model=model,
        api_base=api_base,
        judge_model=judge_model,
        rubric=rubric,
        weights=weights,
        schema_variant=schema_variant,
        threads=threads,
        timeout=timeout,
        attempts=attempts,
        on_event=on_event,
        **limits,
    )


def measure_tasks(
    agent_path: str | Path | None,
    data: DataSet,
    draw: Callable[[], Sequence[Task]],
    *,
    split: str = "dev",
    model: str | None = None,
    api_base: str | None = None,
    judge_model: str | None = None,
    rubric: Rubric | str | Path | None = None,
    weights: Mapping[str, float] | None = None,
    schema_variant: str | None = None,
    threads: int = 32,
    timeout: float = 120.0,
    attempts: int = 4,
    on_event: Callable[[Event], None] | None = None,
    **limits: Unpack[Limits],
) -> tuple[Report, Mapping[str, Usage]]:
    """`measure` on given tasks, all from one split; they are drawn when nothing else is wrong."""
    from agent_gym.agents.dspy_agent import SGDAgentModule
    from agent_gym.optimization.agent_file import load_agent

    how = rubric_of(weights, rubric, judge_model)
    meter, budget, rate = Meter(), budget_of(limits), rate_of(limits)
    names = {"agent": model, **({"judge": judge_model or model} if how else {})}
    roles = Roles(names, api_base, meter, rate, timeout=timeout, attempts=attempts)
    player: Agent = (load_agent(agent_path) if agent_path is not None else SGDAgentModule()).agent(
        roles.handle("agent", budget)
    )
    if schema_variant is not None:
        player = Paraphrased(player, SchemaVariant.read(data.path, split, schema_variant))
    judge = roles.handle("judge", budget) if how else None
    metric = combined_metric(weights, judge, rubric=how, embedder=roles.embedder(budget))
    tasks = draw()
    environment = ReplayEnvironment(read_recordings(data))
    phases = Phases(meter, on_event)
    phases.note_faults(data)
    with phases.phase("evaluate", len(tasks)) as progress:
        playing = evaluate(player, tasks, metric, environment, concurrency=threads, on_example=lambda _: progress(1))
        report = require_played(run_sync(playing))
    return report, meter.snapshot()
