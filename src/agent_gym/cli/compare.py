"""`agent-gym compare`: which strategy is best, and is the difference real."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent_gym.cli.data import DEFAULT, Data
from agent_gym.cli.judging import JudgeModel, RubricFile
from agent_gym.cli.limits import MaxConcurrency, MaxCost, MaxRequests, MaxSeconds, RequestsPerMinute, TokensPerMinute
from agent_gym.cli.pairs import read_budget, read_weights
from agent_gym.cli.plans import DryRun, print_plans
from agent_gym.cli.terminal import ApiBase, ProgressLines, console, mistakes_in_one_line, print_figures, print_json
from agent_gym.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from agent_gym.optimization.comparison import Comparison


_TO_COMPARE = {"results", "output", "judge_calibration", "as_json"}
"""What comparing saved results takes; all else is for running strategies."""


def compare(
    context: typer.Context,
    results: Annotated[list[Path] | None, typer.Argument(help="Saved results; leave out to run strategies.")] = None,
    data: Data = DEFAULT,
    strategies: Annotated[str, typer.Option(help="Names, separated by commas; the baseline is always among them.")] = "",
    repeats: Annotated[int, typer.Option(help="Times that each is run, asking the models anew.")] = 1,
    num_train: Annotated[int, typer.Option(help="Examples to learn from.")] = 50,
    num_val: Annotated[int, typer.Option(help="Examples to choose by.")] = 40,
    num_test: Annotated[int, typer.Option(help="Held-out examples to measure on.")] = 100,
    output: Annotated[Path | None, typer.Option(help="NAME: writes NAME.json and NAME.html, and the runs beside them.")] = None,
    split: Annotated[str | None, typer.Option(help="Draw all examples from this split.")] = None,
    model: Annotated[str | None, typer.Option(help="The agent's model, or `offline`.", envvar="AGENT_GYM_MODEL")] = None,
    judge_model: JudgeModel = None,
    rubric: RubricFile = None,
    judge_calibration: Annotated[
        Path | None, typer.Option(help="What `judge calibrate` wrote: corrects the judge's rates by its measured error.")
    ] = None,
    api_base: ApiBase = None,
    schema_variant: Annotated[
        str | None, typer.Option(help="Also measure with SGD-X's other names for the tools, e.g. v1.")
    ] = None,
    weights: Annotated[str | None, typer.Option(help="E.g. similarity=0.3,tool_accuracy=0.7")] = None,
    seed: Annotated[int, typer.Option(help="Decides all that is drawn.")] = 0,
    threads: Annotated[int, typer.Option(help="Rollouts in flight at once.")] = 16,
    max_cost: MaxCost = None,
    max_requests: MaxRequests = None,
    max_seconds: MaxSeconds = None,
    requests_per_minute: RequestsPerMinute = None,
    tokens_per_minute: TokensPerMinute = None,
    max_concurrency: MaxConcurrency = None,
    dry_run: DryRun = False,
    equal_budget: Annotated[
        str | None,
        typer.Option(help="What each strategy may spend to optimize: 300 (requests) or 0.50usd; measuring is on top."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the comparison as JSON.")] = False,
) -> None:
    """Run strategies on the same examples, or take saved results, and say which is better and how sure that is."""
    with mistakes_in_one_line(again="the same command continues at no further cost"):
        scaled = read_weights(weights)
        if bool(results) == bool(strategies):
            raise UsageError("name either saved results to compare, or --strategies to run, such as baseline,bootstrap,mipro")
        if results and (judge_model or rubric):
            raise UsageError("saved results are not judged again: leave out --judge-model and --rubric")
        if results and dry_run:
            raise UsageError("saved results are compared without a request: leave out --dry-run")
        if results and (ignored := _given(context) - _TO_COMPARE):
            named = ", ".join(sorted(f"--{name.replace('_', '-')}" for name in ignored))
            raise UsageError(f"{named} would be ignored with saved results: leave it out")
        target = _named(output or Path("checkpoints/compare"), ".json")

        from agent_gym.optimization.calibration import Calibration
        from agent_gym.optimization.compare import compare_results, compare_strategies
        from agent_gym.optimization.result import OptimizationResult

        names = [name.strip() for name in strategies.split(",")]
        options: dict[str, Any] = {
            "num_train": num_train,
            "num_val": num_val,
            "num_test": num_test,
            "split": split,
            "model": model,
            "judge_model": judge_model,
            "rubric": rubric,
            "api_base": api_base,
            "weights": scaled,
            "seed": seed,
            "threads": threads,
            "max_cost": max_cost,
            "max_requests": max_requests,
            "max_seconds": max_seconds,
            "requests_per_minute": requests_per_minute,
            "tokens_per_minute": tokens_per_minute,
            "max_concurrency": max_concurrency,
            **read_budget(equal_budget),
        }
        if dry_run:
            from agent_gym.optimization.plans import plan_strategies

            plans = plan_strategies(data, names, repeats=repeats, output_path=target, **options)
            if as_json:
                print_json([plan.summary() for plan in plans])
            else:
                print_plans(console(), plans)
            return
        calibration = Calibration.load(judge_calibration) if judge_calibration is not None else None
        if results:
            comparison = compare_results([OptimizationResult.load(path) for path in results], calibration=calibration)
        else:
            with ProgressLines() as progress:
                comparison = compare_strategies(
                    data,
                    names,
                    repeats=repeats,
                    output_path=target,
                    calibration=calibration,
                    on_start=progress.heading,
                    on_event=progress,
                    schema_variant=schema_variant,
                    **options,
                )
        if output is not None or not results:
            write_comparison(comparison, target)
        if as_json:
            print_json(comparison)
            return
        print_comparison(console(), comparison)
        if output is not None or not results:
            print(f"comparison  {target}\nreport      {_named(target, '.html')}")


def _given(context: typer.Context) -> set[str]:
    """Options on the command line, not in the environment and not left out."""
    sources = {name: context.get_parameter_source(name) for name in context.params}
    return {name for name, source in sources.items() if source is not None and source.name == "COMMANDLINE"}


def write_comparison(comparison: "Comparison", target: Path) -> None:
    """The comparison as JSON and, beside it, the report as one HTML file."""
    from agent_gym.files import check_writable, write_whole
    from agent_gym.optimization.report import render_report

    check_writable(target.parent)
    comparison.save(target)
    write_whole(_named(target, ".html"), render_report(comparison).encode())


def _named(path: Path, kind: str) -> Path:
    """NAME, or NAME.json, as NAME and the kind; a dot inside the name is part of it."""
    return path.with_name(path.name.removesuffix(".json").removesuffix(".html") + kind)


def print_comparison(out: "Console", comparison: "Comparison") -> None:
    """The contenders, a row each, and what can be said of them."""
    from rich.table import Table

    tries = max(len(one.pass_k) for one in comparison.contenders)
    table = Table(
        "",
        "score",
        "95 % interval",
        "call F1",
        f"pass^{tries or 'k'}",
        "requests",
        "cost",
        "tokens a turn",
        box=None,
        pad_edge=False,
    )
    for column in table.columns[1:]:
        column.justify = "right"
    for one in comparison.contenders:
        table.add_row(
            one.name,
            f"{one.score:.3f}",
            f"{one.interval[0]:.3f} to {one.interval[1]:.3f}",
            f"{one.call_f1:.3f}",
            f"{one.pass_k[-1]:.3f}" if one.pass_k else "",
            f"{one.requests:,}",
            f"${one.cost:.4f}" if one.cost is not None else "unknown",
            f"{one.turn_tokens:,.0f}",
        )
    out.print(
        f"\n{comparison.data}, {comparison.contenders[0].n} examples, {', '.join(sorted(set(comparison.models.values())))}"
    )
    print_figures(out, table)
    for one in comparison.contenders:
        if one.difference is not None:
            said = one.difference.verdict
            out.print(said if said.startswith(one.name) else f"{one.name}: {said}", markup=False)
    out.print("ranking: " + " > ".join(" = ".join(group) for group in comparison.ranking), markup=False)
    for name, fall in comparison.robustness.get("strategies", {}).items():
        variant = comparison.robustness["variant"]
        out.print(f"{name} with the names of SGD-X {variant}: {fall['score']:.3f}, a fall of {fall['fall']:.3f}", markup=False)
    for note in comparison.notes:
        out.print(f"note: {note}", markup=False)
