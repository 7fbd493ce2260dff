"""`agent-gym judge`: whether a model's verdicts can be trusted."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent_gym.cli.data import DEFAULT, Data
from agent_gym.cli.judging import RubricFile
from agent_gym.cli.limits import MaxConcurrency, MaxCost, MaxRequests, MaxSeconds, RequestsPerMinute, TokensPerMinute
from agent_gym.cli.terminal import ApiBase, ProgressLines, console, mistakes_in_one_line, print_json

if TYPE_CHECKING:
    from rich.console import Console

    from agent_gym.evaluation.resampling import Estimate
    from agent_gym.optimization.calibration import Calibration

app = typer.Typer(help="Measure how far a judge can be trusted.", no_args_is_help=True)


@app.callback()
def _group() -> None:  # pyright: ignore[reportUnusedFunction]
    # With one command only, Typer would leave its name out.
    pass


@app.command("calibrate")
def calibrate(
    data: Data = DEFAULT,
    split: Annotated[str, typer.Option(help="Where the examples are drawn from.")] = "dev",
    limit: Annotated[int, typer.Option(help="How many examples.")] = 100,
    model: Annotated[str | None, typer.Option(help="The agent's model, or `offline`.", envvar="AGENT_GYM_MODEL")] = None,
    judge_model: Annotated[str | None, typer.Option(help="Judges; the agent's model when left out.")] = None,
    rubric: RubricFile = None,
    agent: Annotated[Path | None, typer.Option(help="A saved agent to play; the baseline when left out.")] = None,
    repeats: Annotated[int, typer.Option(help="Times that the judge is asked; 2 or more show whether it is consistent.")] = 1,
    seed: Annotated[int, typer.Option(help="Decides which examples are drawn.")] = 0,
    threads: Annotated[int, typer.Option(help="Rollouts in flight at once.")] = 16,
    api_base: ApiBase = None,
    max_cost: MaxCost = None,
    max_requests: MaxRequests = None,
    max_seconds: MaxSeconds = None,
    requests_per_minute: RequestsPerMinute = None,
    tokens_per_minute: TokensPerMinute = None,
    max_concurrency: MaxConcurrency = None,
    output: Annotated[Path, typer.Option(help="Where the calibration goes; a report in HTML goes beside it.")] = Path(
        "checkpoints/judge.json"
    ),
    as_json: Annotated[bool, typer.Option("--json", help="Print the calibration as JSON.")] = False,
) -> None:
    """Hold a judge against recorded truth: play an agent, have every rollout judged, and say how far the judge is right."""
    with mistakes_in_one_line(again="the same command continues at no further cost"):
        from agent_gym.files import check_writable, write_whole
        from agent_gym.optimization.calibrate import calibrate as measure
        from agent_gym.optimization.report.judge_page import render_calibration

        target = output.with_suffix(".json")
        # Before the first request: what was paid for must have a place to go.
        check_writable(target.parent)
        with ProgressLines() as progress:
            calibration = measure(
                data,
                split,
                limit=limit,
                model=model,
                judge_model=judge_model,
                rubric=rubric,
                agent_path=agent,
                repeats=repeats,
                seed=seed,
                threads=threads,
                api_base=api_base,
                max_cost=max_cost,
                max_requests=max_requests,
                max_seconds=max_seconds,
                requests_per_minute=requests_per_minute,
                tokens_per_minute=tokens_per_minute,
                max_concurrency=max_concurrency,
                on_event=progress,
            )
        calibration.save(target)
        write_whole(target.with_suffix(".html"), render_calibration(calibration).encode())
        if as_json:
            print_json(calibration)
            return
        print_calibration(console(), calibration)
        print(f"calibration {target}\nreport      {target.with_suffix('.html')}")


def print_calibration(out: "Console", calibration: "Calibration") -> None:
    """Every figure with its interval, a row each."""
    from rich.table import Table

    from agent_gym.optimization.report.agreement import OFFLINE_JUDGE, figures
    from agent_gym.optimization.report.summary import OFFLINE

    table = Table("", "value", "95 % interval", "", box=None, pad_edge=False)
    for name, one, said in figures(calibration):
        table.add_row(name, _value(one), _interval(one), said)
    missing = {"not judged": calibration.unjudged, "broke off": calibration.broken, "endpoint failed": calibration.failed}
    out.print(
        f"\n{calibration.data}, {len(calibration.judged)} rollouts of {calibration.agent}"
        f" ({calibration.models['agent']}), judged by {calibration.models['judge']}, rubric {calibration.rubric}",
        markup=False,
    )
    out.print(f"passed {calibration.pass_rate:.3f}, judge's mean {calibration.mean:.3f}", markup=False)
    out.print(table)
    if any(missing.values()):
        out.print("left out: " + ", ".join(f"{count} {name}" for name, count in missing.items() if count), markup=False)
    if OFFLINE in calibration.models.values():
        out.print(OFFLINE_JUDGE, markup=False)
    for note in calibration.notes:
        out.print(f"note: {note}", markup=False)


def _value(one: "Estimate") -> str:
    return "undefined" if one.value is None else f"{one.value:.3f}"


def _interval(one: "Estimate") -> str:
    return "undefined" if one.interval is None else f"{one.interval[0]:.3f} to {one.interval[1]:.3f}"
