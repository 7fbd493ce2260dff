"""`agent-gym show`: read a saved result, or traces turn by turn."""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent_gym.cli.terminal import OFFLINE, console, mistakes_in_one_line, print_json
from agent_gym.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from agent_gym.evaluation import Report
    from agent_gym.lm.usage import Usage
    from agent_gym.optimization.result import OptimizationResult


def show(
    file: Annotated[Path, typer.Argument(help="A NAME_result.json, or traces as JSON lines.")],
    only: Annotated[str | None, typer.Option(help="Of traces: the conversation of this id.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Of traces: how many to print; 3 when left out.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Print a saved result, or traces turn by turn.

    Of a result: scores, what changed in the prompt, what it cost. Of a trace: messages, calls, results, rewards, the judge's
    words.
    """
    with mistakes_in_one_line():
        from agent_gym.cli.traces import saved_traces, show_traces

        saved = saved_traces(file)
        if saved is not None:
            show_traces(saved, only=only, limit=limit, as_json=as_json)
            return
        if only is not None or limit is not None:
            raise UsageError(f"{file} holds no traces: --only and --limit choose among the traces of a JSON lines file")

        from agent_gym.optimization.result import OptimizationResult

        loaded = OptimizationResult.load(file)
        if as_json:
            print_json(loaded)
            return
        print_result(loaded)
        out = console()
        _print_prompt(out, loaded)
        _print_demos(out, loaded)


def print_result(result: "OptimizationResult") -> None:
    """The scores before and after, and what they cost."""
    out = console()
    test = result.data["splits"]["test"]
    out.print(
        f"\n[bold]{result.strategy}[/bold] on {result.data['name']} with {result.models['agent']}, "
        f"{result.baseline.n} held-out examples of {test!r}, seed {result.seed}"
    )
    if result.rubric is not None:
        out.print(f"judged by {result.models['judge']}, rubric {result.rubric}", markup=False)
    if "offline" in result.models.values():
        out.print(OFFLINE)
    print_reports(out, {"baseline": result.baseline, "optimized": result.optimized}, result.usage)
    worse = " (the baseline was kept, see the notes)" if result.kept == "baseline" else ""
    measured = f"{result.improvement_pct:+.1f}%" if result.optimized.n else "not measured"
    out.print(f"Improvement: {measured}{worse}{' (partial)' if result.partial else ''}")
    for note in result.notes:
        out.print(f"note: {note}", markup=False)


def print_reports(out: "Console", reports: "Mapping[str, Report]", usage: "Mapping[str, Usage]") -> None:
    """Reports side by side, a column each."""
    from rich.table import Table

    table = Table("", *reports, box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    all_reports = list(reports.values())
    table.add_row("score", *(f"{report.score:.3f}" for report in all_reports))
    table.add_row("  95 % interval", *(f"{report.interval[0]:.3f} to {report.interval[1]:.3f}" for report in all_reports))
    for part in all_reports[0].parts:
        table.add_row(f"  {part.replace('_', ' ')}", *(f"{report.parts.get(part, 0.0):.3f}" for report in all_reports))
    table.add_row("call precision", *(f"{report.call_precision:.3f}" for report in all_reports))
    table.add_row("call recall", *(f"{report.call_recall:.3f}" for report in all_reports))
    table.add_row("call F1", *(f"{report.call_f1:.3f}" for report in all_reports))
    table.add_row("examples", *(str(report.n) for report in all_reports))
    table.add_row("  agent broke off", *(str(report.broken) for report in all_reports))
    table.add_row("failed (not scored)", *(str(report.failed) for report in all_reports))
    if any(report.unjudged for report in all_reports):
        table.add_row("not judged (not scored)", *(str(report.unjudged) for report in all_reports))
    out.print(table)
    rungs = {
        name: ", ".join(f"{rung} {share:.0%}" for rung, share in report.mocked.items()) for name, report in reports.items()
    }
    for name, shares in rungs.items():
        out.print(f"tool answers, {name}: {shares or 'none'}")
    print_usage(out, usage)


def print_usage(out: "Console", usage: "Mapping[str, Usage]") -> None:
    """What each role asked of its model, a line each."""
    for role, used in usage.items():
        cost = f"${used.cost:.4f}" if used.cost is not None else "price unknown"
        out.print(
            f"{role} model: {used.requests} requests ({used.failures} failed), {used.cache_hits} from the cache, "
            f"{used.prompt_tokens:,} + {used.completion_tokens:,} tokens, {cost}"
        )


def _print_prompt(out: "Console", result: "OptimizationResult") -> None:
    out.print("\n[bold]Prompt[/bold]")
    if result.initial_prompt == result.optimized_prompt:
        out.print(result.initial_prompt, markup=False)
        out.print("(unchanged)")
        return
    lines = difflib.unified_diff(
        result.initial_prompt.splitlines(), result.optimized_prompt.splitlines(), "before", "after", lineterm="", n=100
    )
    for line in lines:
        style = {"+": "green", "-": "red"}.get(line[:1], "")
        out.print(line, style=style, markup=False)


def _print_demos(out: "Console", result: "OptimizationResult") -> None:
    out.print(f"\n[bold]Worked examples: {len(result.few_shot_demos)}[/bold]")
    for number, demo in enumerate(result.few_shot_demos, start=1):
        out.print(
            f"{number}. {len(demo['conversation'])} turns, last: {demo['conversation'][-1]['content'][:200]}", markup=False
        )
        out.print(f"   → {demo['action'][:300]}", markup=False)
