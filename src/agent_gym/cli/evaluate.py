"""`agent-gym evaluate`: measure an agent on recorded conversations.

--mode turns      each drawn user turn by itself, scored against what the recorded system did
--mode replay     whole conversations with the recorded user: where does the agent leave the recorded path
--mode simulate   whole conversations with a user who reacts: does the user get what it wanted
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent_gym.cli.data import DEFAULT, Data
from agent_gym.cli.judging import JudgeModel, RubricFile
from agent_gym.cli.limits import MaxConcurrency, MaxCost, MaxRequests, MaxSeconds, RequestsPerMinute, TokensPerMinute
from agent_gym.cli.pairs import read_weights
from agent_gym.cli.terminal import OFFLINE, ApiBase, ProgressLines, console, mistakes_in_one_line, print_json
from agent_gym.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from agent_gym.optimization.limits import Limits

Show = Callable[["Console", str], None]


class Mode(StrEnum):
    """What is played."""

    TURNS = "turns"
    REPLAY = "replay"
    SIMULATE = "simulate"


_ONLY: Mapping[str, tuple[Mode, ...]] = {
    "weights": (Mode.TURNS,),
    "schema_variant": (Mode.TURNS,),
    "judge_model": (Mode.TURNS, Mode.SIMULATE),
    "rubric": (Mode.TURNS, Mode.SIMULATE),
    "user": (Mode.SIMULATE,),
    "user_model": (Mode.SIMULATE,),
    "samples": (Mode.SIMULATE,),
    "reward": (Mode.SIMULATE,),
    "output": (Mode.SIMULATE,),
}
"""Options that some modes would ignore."""


def evaluate(
    agent: Annotated[Path | None, typer.Argument(help="A saved agent; the baseline when left out.")] = None,
    data: Data = DEFAULT,
    split: Annotated[str, typer.Option(help="Where the examples are drawn from.")] = "dev",
    limit: Annotated[
        int | None, typer.Option(help="How many examples, or conversations; 100 by default, or all there are.")
    ] = None,
    mode: Annotated[Mode, typer.Option(help="Single turns, or whole conversations: replayed, or with a user who reacts.")] = (
        Mode.TURNS
    ),
    user: Annotated[str | None, typer.Option(help="Who talks with the agent: agenda (default), replay or llm.")] = None,
    user_model: Annotated[str | None, typer.Option(help="Plays the user `llm`; the agent's model by default.")] = None,
    samples: Annotated[int | None, typer.Option(help="How often each conversation is played; 1 by default.")] = None,
    reward: Annotated[str | None, typer.Option(help="ground_truth (default), judge or combined.")] = None,
    output: Annotated[Path | None, typer.Option(help="Keep the conversations in this JSON lines file.")] = None,
    model: Annotated[str | None, typer.Option(help="The agent's model, or `offline`.", envvar="AGENT_GYM_MODEL")] = None,
    api_base: ApiBase = None,
    judge_model: JudgeModel = None,
    rubric: RubricFile = None,
    schema_variant: Annotated[
        str | None, typer.Option(help="Show the agent SGD-X's other names for the tools, e.g. v1.")
    ] = None,
    weights: Annotated[str | None, typer.Option(help="E.g. similarity=0.3,tool_accuracy=0.7")] = None,
    seed: Annotated[int, typer.Option(help="Decides which examples are drawn.")] = 0,
    threads: Annotated[int, typer.Option(help="Rollouts in flight at once.")] = 32,
    timeout: Annotated[float, typer.Option(help="Seconds until a request counts as lost.")] = 120.0,
    attempts: Annotated[int, typer.Option(help="Times a request is sent before it counts as failed.")] = 4,
    max_cost: MaxCost = None,
    max_requests: MaxRequests = None,
    max_seconds: MaxSeconds = None,
    requests_per_minute: RequestsPerMinute = None,
    tokens_per_minute: TokensPerMinute = None,
    max_concurrency: MaxConcurrency = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Play an agent on examples of a split and print its scores."""
    with mistakes_in_one_line(again="what was answered is kept and will not be paid again"):
        own: dict[str, Any] = {
            "weights": weights,
            "schema_variant": schema_variant,
            "judge_model": judge_model,
            "rubric": rubric,
            "user": user,
            "user_model": user_model,
            "samples": samples,
            "reward": reward,
            "output": output,
        }
        own = {name: value for name, value in own.items() if value is not None}
        _refuse_ignored(mode, own)
        limits: Limits = {
            "max_cost": max_cost,
            "max_requests": max_requests,
            "max_seconds": max_seconds,
            "requests_per_minute": requests_per_minute,
            "tokens_per_minute": tokens_per_minute,
            "max_concurrency": max_concurrency,
        }
        with ProgressLines() as progress:
            play = _MODES[mode]
            report, show = play(
                agent,
                data,
                split,
                limit=limit,
                seed=seed,
                model=model,
                api_base=api_base,
                threads=threads,
                timeout=timeout,
                attempts=attempts,
                on_event=progress,
                **limits,
                **own,
            )
        if as_json:
            print_json(report)
        else:
            out = console()
            if model == "offline":
                out.print(OFFLINE)
            show(out, str(agent or "baseline"))


def _refuse_ignored(mode: Mode, given: Mapping[str, Any]) -> None:
    for name in given:
        if mode not in _ONLY[name]:
            option = f"--{name.replace('_', '-')}"
            raise UsageError(f"{option} would be ignored with --mode {mode}: it is for {' and '.join(_ONLY[name])}")


def _turns(agent: Path | None, data: Path, split: str, **options: Any) -> tuple[Any, Show]:
    scaled = read_weights(options.pop("weights", None))

    from agent_gym.cli.show import print_reports
    from agent_gym.optimization.measure import measure

    report, usage = measure(agent, data, split, weights=scaled, **options)
    return report, lambda out, name: print_reports(out, {name: report}, usage)


def _replay(agent: Path | None, data: Path, split: str, **options: Any) -> tuple[Any, Show]:
    from agent_gym.cli.episodes import print_paths
    from agent_gym.cli.show import print_usage
    from agent_gym.optimization.measure_episodes import measure_replayed

    report, usage = measure_replayed(agent, data, split, **options)

    def show(out: "Console", name: str) -> None:
        print_paths(out, name, report)
        print_usage(out, usage)

    return report, show


def _simulate(agent: Path | None, data: Path, split: str, **options: Any) -> tuple[Any, Show]:
    from agent_gym.cli.episodes import print_episodes
    from agent_gym.cli.show import print_usage
    from agent_gym.optimization.measure_episodes import measure_simulated

    report, usage = measure_simulated(agent, data, split, **options)

    def show(out: "Console", name: str) -> None:
        print_episodes(out, name, report)
        print_usage(out, usage)

    return report, show


_MODES: Mapping[Mode, Callable[..., tuple[Any, Show]]] = {
    Mode.TURNS: _turns,
    Mode.REPLAY: _replay,
    Mode.SIMULATE: _simulate,
}
