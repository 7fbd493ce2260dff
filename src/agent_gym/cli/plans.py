"""A plan on the terminal: `--dry-run`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from agent_gym.cli.terminal import print_figures

if TYPE_CHECKING:
    from rich.console import Console

    from agent_gym.optimization.plan import Amount, Plan

DryRun = Annotated[bool, typer.Option("--dry-run", help="Print what it will take, and ask nothing of any model.")]


def print_plans(out: "Console", plans: "Sequence[Plan]") -> None:
    """A row for every phase and role of every plan; an expectation, and the most it can be."""
    from rich.table import Table

    table = Table("", "phase", "model", "requests", "at most", "tokens", "at most", "cost", "at most", box=None, pad_edge=False)
    for column in table.columns[3:]:
        column.justify = "right"
    for plan in plans:
        for one in plan.phases:
            tokens = one.prompt_tokens + one.completion_tokens
            model = f"{one.model} ({one.role})"
            table.add_row(plan.strategy, one.phase, model, *_two(one.requests), *_two(tokens), *_dollars(one.cost))
        table.add_row(plan.strategy, "all", "", *_two(plan.requests), *_two(plan.tokens), *_dollars(plan.cost), style="bold")
    print_figures(out, table)
    if len(plans) > 1:
        requests, most = (sum(getattr(plan.requests, name) for plan in plans) for name in ("expected", "bound"))
        costs = [plan.cost for plan in plans if plan.cost is not None]
        known = len(costs) == len(plans)
        cost = f"${sum(one.expected for one in costs):.2f}" if known else "unknown"
        out.print(f"all runs: {requests:,.0f} requests, {most:,.0f} at most; cost {cost}")
    if any(plan.cost is None for plan in plans):
        out.print("cost unknown: the price of a model is in no table; --max-requests bounds what it takes")
    out.print("No request was sent. What the cache already answers is not taken off.")


def _two(amount: "Amount") -> tuple[str, str]:
    return f"{amount.expected:,.0f}", f"{amount.bound:,.0f}"


def _dollars(amount: "Amount | None") -> tuple[str, str]:
    return ("unknown", "unknown") if amount is None else (f"${amount.expected:.4f}", f"${amount.bound:.4f}")
