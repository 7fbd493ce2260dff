"""`agent-gym preferences`: of rollouts, pairs of a better and a worse decision in the same state."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent_gym.cli.terminal import console, mistakes_in_one_line, print_json

if TYPE_CHECKING:
    from rich.console import Console

    from agent_gym.distillation import PreferenceReport


class Source(StrEnum):
    """Where the two sides come from."""

    BEST_WORST = "best-worst"
    GOLD_WORST = "gold-worst"


def preferences(
    rollouts: Annotated[Path, typer.Option(help="What `agent-gym rollouts` wrote.")],
    output: Annotated[Path, typer.Option(help="Where the pairs go: JSON lines.")],
    source: Annotated[
        list[Source] | None,
        typer.Option(
            help="The best against the worst sample (default), or what was recorded against it. Of two, the second stands in "
            "where the first gives no pair."
        ),
    ] = None,
    margin: Annotated[float, typer.Option(help="By how much the chosen side must be worth more, between 0 and 1.")] = 0.1,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Make preference pairs of rollouts, and say which decisions gave none and why."""
    with mistakes_in_one_line(again="nothing was written"):
        from agent_gym.distillation import write_preferences

        sources = [one.value for one in source or [Source.BEST_WORST]]
        report = write_preferences(rollouts, output, sources, margin)
        if as_json:
            import msgspec

            print_json({**msgspec.to_builtins(report), "length_bias": report.length_bias})
        else:
            _print_report(console(), report, output)


def _print_report(out: "Console", report: "PreferenceReport", output: Path) -> None:
    from rich.table import Table

    sources = ", ".join(f"{name} {count}" for name, count in report.sources.items())
    out.print(f"{_count(report.pairs, 'pair')} in {output} ({sources})", markup=False)
    unscored = f", {report.unscored} of them without a reward and left out" if report.unscored else ""
    played = f"{_count(report.rollouts, 'rollout')} of {_count(report.tasks, 'task')}"
    out.print(f"of {_count(report.decisions, 'decision')} in {played}{unscored}")
    if report.without:
        out.print("no pair from:")
        for reason, count in report.without.items():
            out.print(f"{count:>8,}  {reason}")
    table = Table("of the pairs", "least", "25 %", "median", "75 %", "most", box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    lines = {"margin": report.margin, "characters chosen": report.chosen, "characters rejected": report.rejected}
    for name, spread in lines.items():
        if spread is not None:
            values = (spread.low, spread.quarter, spread.median, spread.three_quarters, spread.high)
            table.add_row(name, *(f"{value:.2f}" if name == "margin" else f"{value:,.0f}" for value in values))
    out.print(table)
    if report.longer is not None and report.longer_interval is not None:
        low, high = report.longer_interval
        out.print(f"chosen is the longer side in {report.longer:.0%} of the pairs (95 % interval {low:.0%} to {high:.0%})")
    if report.length_bias:
        out.print(
            f"length bias: the {report.length_bias} side is the longer one too often; a model trained on this may learn that"
        )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
