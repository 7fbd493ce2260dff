"""How whole conversations are shown: `agent-gym evaluate --mode simulate` and `--mode replay`."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from agent_gym.cli.trajectory import printable

if TYPE_CHECKING:
    from rich.console import Console

    from agent_gym.evaluation.episodes import EpisodeReport
    from agent_gym.evaluation.paths import PathReport

SHOWN = 5
LONGEST = 1000
"""Characters of a line; the terminal shows fewer."""


def print_episodes(out: "Console", name: str, report: "EpisodeReport") -> None:
    """Did the user get what it wanted, what did it take, and whose fault was it where not."""
    from rich.table import Table

    table = Table("", name, box=None, pad_edge=False)
    table.columns[1].justify = "right"
    table.add_row("success", f"{report.success:.3f}")
    table.add_row("  95 % interval", f"{report.interval[0]:.3f} to {report.interval[1]:.3f}")
    for k, chance in enumerate(report.pass_k[1:], start=2):
        table.add_row(f"  pass^{k}", "unknown" if chance.value is None else f"{chance.value:.3f}")
    if not report.pass_k:
        table.add_row("  pass^k", "unknown")
    table.add_row("goal reached", f"{report.goal:.3f}")
    table.add_row("reward", "unknown" if report.reward is None else f"{report.reward:.3f}")
    table.add_row("turns of the user", f"{report.turns:.1f}")
    table.add_row("tool calls", f"{report.calls:.1f}")
    table.add_row("tokens", f"{report.tokens:,.0f}")
    table.add_row("cost", "price unknown" if report.cost is None else f"${report.cost:.5f}")
    table.add_row("episodes", str(report.n))
    out.print(table)
    out.print(f"user: {report.user}; means are an episode's, over {_count(report.tasks, 'conversation')}", markup=False)
    _print_counts(out, "how they ended", report.ended)
    _print_counts(out, "failures, by whose fault", report.faults)
    _print_counts(out, "left out, spoilt by", report.spoilt)
    if report.unjudged:
        out.print(f"{_count(report.unjudged, 'episode')} could not be judged: the reward there is unknown")
    failed = [one for one in report.episodes if one.success is False]
    for one in failed[:SHOWN]:
        why = one.error or "; ".join(one.missing)
        name = f"{one.task}~{one.sample}" if one.sample else one.task
        out.print(_line(f"  {name}: {one.turns} turns, {one.ended}: {why}"), markup=False, overflow="ellipsis", no_wrap=True)
    if len(failed) > SHOWN:
        out.print(f"  and {_count(len(failed) - SHOWN, 'more failure')}; --json lists all, --output keeps the conversations")


def print_paths(out: "Console", name: str, report: "PathReport") -> None:
    """How far the agent followed recorded conversations, and where it left them."""
    from rich.table import Table

    table = Table("", name, box=None, pad_edge=False)
    table.columns[1].justify = "right"
    table.add_row("followed to the end", f"{report.on_path:.3f}")
    table.add_row("  95 % interval", f"{report.interval[0]:.3f} to {report.interval[1]:.3f}")
    table.add_row("turns the log can judge", f"{report.judged_turns:.3f}")
    table.add_row("call precision there", f"{report.call_precision:.3f}")
    table.add_row("call recall there", f"{report.call_recall:.3f}")
    table.add_row("call F1 there", f"{report.call_f1:.3f}")
    table.add_row("conversations", str(report.n))
    table.add_row("failed (not counted)", str(report.failed))
    out.print(table)
    left = [one for one in report.paths if one.reason]
    out.print(f"{len(left)} of {_count(report.n, 'conversation')} can no longer be judged from the log to their end")
    _print_counts(out, "the agent", report.reasons)
    for one in left[:SHOWN]:
        out.print(_line(f"  {one.id}, turn {one.followed + 1} of {one.turns}: {one.reason}"), markup=False)
        lines = {"user": one.user, "recorded": " ".join(one.expected), "agent": " ".join(one.played)}
        for who, text in lines.items():
            out.print(_line(f"    {who:<9}{text or '(no call)'}"), markup=False, overflow="ellipsis", no_wrap=True)
    if len(left) > SHOWN:
        out.print(f"  and {len(left) - SHOWN} more; --json lists all")


def _print_counts(out: "Console", what: str, counts: Mapping[str, int]) -> None:
    if counts:
        out.print(f"{what}: {', '.join(f'{name} {count}' for name, count in counts.items())}", markup=False)


def _line(text: str) -> str:
    # What stands in a log may break lines, or write escape sequences for the terminal.
    return printable(text[:LONGEST].replace("\r", "\n").replace("\n", " "))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
