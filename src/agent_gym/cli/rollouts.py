"""`agent-gym rollouts`: let an agent play tasks several times, and keep what it did for training.

--mode turns      single recorded user turns, each sample scored against what the recorded system did
--mode simulate   whole conversations with a user who reacts, rewarded for the goal
"""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent_gym.cli.data import DEFAULT, Data
from agent_gym.cli.limits import MaxConcurrency, MaxCost, MaxRequests, MaxSeconds, RequestsPerMinute, TokensPerMinute
from agent_gym.cli.terminal import OFFLINE, ApiBase, ProgressLines, console, mistakes_in_one_line, print_json
from agent_gym.errors import ModelError

if TYPE_CHECKING:
    from rich.console import Console

    from agent_gym.environment import RolloutSummary
    from agent_gym.traces import Trace


class Mode(StrEnum):
    """What is played."""

    TURNS = "turns"
    SIMULATE = "simulate"


def rollouts(
    output: Annotated[Path, typer.Option(help="The JSON lines file of rollouts; a run that was cut short goes on from it.")],
    data: Data = DEFAULT,
    agent: Annotated[Path | None, typer.Option(help="A saved agent; the baseline when left out.")] = None,
    samples: Annotated[int, typer.Option(help="How often each task is played.")] = 4,
    limit: Annotated[
        int | None, typer.Option(help="How many user turns, or conversations; 100 by default, or all there are.")
    ] = None,
    split: Annotated[str, typer.Option(help="Where the tasks are drawn from; measure on another one.")] = "train",
    mode: Annotated[Mode, typer.Option(help="Single recorded turns, or whole conversations with a user who reacts.")] = (
        Mode.TURNS
    ),
    temperature: Annotated[float, typer.Option(help="Of the agent's model; at 0 all samples are alike.")] = 1.0,
    model: Annotated[str | None, typer.Option(help="The agent's model, or `offline`.", envvar="AGENT_GYM_MODEL")] = None,
    api_base: ApiBase = None,
    seed: Annotated[int, typer.Option(help="Decides which tasks are drawn, and what a user who reacts does.")] = 0,
    threads: Annotated[int, typer.Option(help="Rollouts in flight at once.")] = 32,
    timeout: Annotated[float, typer.Option(help="Seconds until a request counts as lost.")] = 120.0,
    attempts: Annotated[int, typer.Option(help="Times a request is sent before it counts as failed.")] = 4,
    max_cost: MaxCost = None,
    max_requests: MaxRequests = None,
    max_seconds: MaxSeconds = None,
    requests_per_minute: RequestsPerMinute = None,
    tokens_per_minute: TokensPerMinute = None,
    max_concurrency: MaxConcurrency = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Play tasks several times with an agent and keep the rollouts, scored, in a file."""
    with mistakes_in_one_line(again="what was played is kept, and the same command goes on"), ProgressLines() as shown:
        from agent_gym.agents.dspy_agent import SGDAgentModule
        from agent_gym.environment.rollouts.kept import require_some
        from agent_gym.lm.meter import Meter
        from agent_gym.optimization.agent_file import load_agent
        from agent_gym.optimization.events import Phases
        from agent_gym.optimization.limits import Limits, budget_of, rate_of
        from agent_gym.optimization.roles import Roles
        from agent_gym.traces import open_data
        from agent_gym.traces.draw import how_many

        require_some(samples=samples, limit=1 if limit is None else limit, threads=threads)
        limits: Limits = {
            "max_cost": max_cost,
            "max_requests": max_requests,
            "max_seconds": max_seconds,
            "requests_per_minute": requests_per_minute,
            "tokens_per_minute": tokens_per_minute,
            "max_concurrency": max_concurrency,
        }
        meter = Meter()
        roles = Roles({"agent": model}, api_base, meter, rate_of(limits), timeout=timeout, attempts=attempts)
        program = load_agent(agent) if agent is not None else SGDAgentModule()
        player = program.agent(roles.handle("agent", budget_of(limits)), temperature=temperature)
        source = open_data(data, strict=False)
        settings = {"data": source.name, "split": split}
        size = how_many(source, split, limit)
        phases = Phases(meter, shown)

        def turns(on_trace: "Callable[[Trace], None]") -> "RolloutSummary":
            from agent_gym.distillation import collect_turns
            from agent_gym.environment import ReplayEnvironment
            from agent_gym.metrics import CombinedMetric
            from agent_gym.tools.recordings import read_recordings
            from agent_gym.traces.draw import draw_tasks

            (tasks,) = draw_tasks(source, split, [size], seed=seed)
            environment = ReplayEnvironment(lambda: read_recordings(source))
            return collect_turns(
                player,
                tasks,
                CombinedMetric(),
                environment,
                samples=samples,
                concurrency=threads,
                output=output,
                on_trace=on_trace,
                settings=settings,
            )

        def simulated(on_trace: "Callable[[Trace], None]") -> "RolloutSummary":
            from agent_gym.environment import RecordedEnvironment, rollout_many

            environment = RecordedEnvironment(source, split, user="agenda", limit=size, seed=seed)
            return rollout_many(
                player,
                environment,
                samples=samples,
                seed=seed,
                concurrency=threads,
                output=output,
                on_trace=on_trace,
                settings={"mode": str(mode), **settings},
            )

        with phases.phase("play", size * samples) as progress:
            play = turns if mode is Mode.TURNS else simulated
            summary = play(lambda _: progress(1))
        phases.note_faults(source)
        if not summary.episodes:
            raise ModelError(f"no rollout came to its end, all {summary.lost} were lost: {summary.losses[0].error}")
        if as_json:
            print_json(summary)
            return
        out = console()
        if model == "offline":
            out.print(OFFLINE)
        from agent_gym.cli.show import print_usage

        _print_summary(out, summary, output)
        print_usage(out, meter.snapshot())


def _print_summary(out: "Console", summary: "RolloutSummary", output: Path) -> None:
    resumed = f", {summary.resumed} of them from an earlier run" if summary.resumed else ""
    out.print(f"{summary.episodes} rollouts in {output}{resumed}", markup=False)
    out.print(f"reward        {'unknown' if summary.reward is None else f'{summary.reward:.3f}'}")
    if summary.success is not None:
        out.print(f"success       {summary.success:.3f}")
    out.print(f"tool calls    {summary.calls:,}")
    cost = "price unknown" if summary.cost is None else f"${summary.cost:.4f}"
    out.print(f"they took     {summary.prompt_tokens:,} + {summary.completion_tokens:,} tokens, {cost}")
    for what, counts in {"outcomes": summary.outcomes, "faults": summary.faults}.items():
        if counts:
            out.print(f"{what:<14}{', '.join(f'{name} {count}' for name, count in counts.items())}", markup=False)
    if summary.lost:
        out.print(f"{summary.lost} lost to an outage and not written; the same command plays them again, the first:")
        lost = summary.losses[0]
        out.print(f"  {lost.conversation_id}: {lost.fault}: {lost.error}", markup=False)
