"""`agent-gym data import` and `data check`: logs of your own as traces, and what is wrong with them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent_gym.cli.terminal import complain, mistakes_in_one_line, print_json

if TYPE_CHECKING:
    from agent_gym.traces import Fault
    from agent_gym.traces.importing import ImportReport

_KINDS = {
    "EMAIL": ("e-mail address", "e-mail addresses"),
    "PHONE": ("phone number", "phone numbers"),
    "CARD": ("card number", "card numbers"),
}
"""One, and several."""
_SHOWN = 5
"""Faults that an import prints; `data check` prints all."""

Files = Annotated[list[Path], typer.Argument(metavar="FILE", help="JSON or JSON lines (also .gz), or folders of them.")]
Format = Annotated[str, typer.Option(help="auto, normalized, openai, sharegpt, otel or sgd; auto reads it off each file.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def import_(
    files: Files,
    to: Annotated[Path, typer.Option(help="The file of traces to write.")],
    format: Format = "auto",  # noqa: A002
    redact: Annotated[bool, typer.Option("--redact", help="Replace e-mail addresses, phone and card numbers.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Stop at the first row that cannot be read; write nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Turn conversation logs into a file of traces. Exit code 1 when rows had to be left out."""
    with mistakes_in_one_line(again="nothing was written"):
        from agent_gym.traces.importing import import_logs

        told: list[Fault] = []

        def tell(fault: "Fault") -> None:
            if len(told) < _SHOWN:
                told.append(fault)
                complain(f"left out: {fault}")

        report = import_logs(files, to, format, redact=redact, strict=strict, on_fault=tell)
        if report.faults > len(told):
            complain(f"{report.faults - len(told):,} more; agent-gym data check lists them all")
        if as_json:
            print_json(report)
        else:
            _print(report)
        if report.faults:
            raise typer.Exit(1)


def _print(report: "ImportReport") -> None:
    inferred = f" ({report.inferred:,} inferred from their calls)" if report.inferred else ""
    print(
        f"{_n(report.traces, 'conversation')}, {_n(report.messages, 'message')}, {_n(report.calls, 'tool call')}, "
        f"{_n(report.tools, 'tool')}{inferred} in {report.to}"
    )
    if report.redacted:
        counts = report.redacted.items()
        print("redacted: " + ", ".join(f"{count:,} different {_KINDS[kind][count != 1]}" for kind, count in counts))
    if report.skipped:
        print(f"left out: {_n(report.skipped, 'row')}, {_n(report.faults, 'fault')}")


def _n(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def check_(files: Files, format: Format = "auto", as_json: AsJson = False) -> None:  # noqa: A002
    """List everything in conversation logs that cannot be read, with line and JSON path. Exit code 1 when there is anything."""
    with mistakes_in_one_line():
        from agent_gym.traces.importing import check_logs

        faults: list[dict[str, Any]] = []

        def tell(fault: "Fault") -> None:
            if as_json:
                place = fault.place
                where = {"file": place.file, "line": place.line, "index": place.index, "path": fault.path}
                faults.append({**where, "reason": fault.reason})
            else:
                print(fault)

        tally = check_logs(files, format, on_fault=tell)
        counts = {
            "good": tally.traces,
            "messages": tally.messages,
            "tool_calls": tally.calls,
            "tools": tally.tools,
            "unreadable": tally.skipped,
        }
        if as_json:
            print_json({**counts, "faults": faults})
        else:
            print(
                f"good: {_n(tally.traces, 'conversation')} ({_n(tally.messages, 'message')}, {_n(tally.calls, 'tool call')}, "
                f"{_n(tally.tools, 'tool')}); unreadable: {_n(tally.skipped, 'row')} ({_n(tally.faults, 'fault')})"
            )
        if tally.faults:
            raise typer.Exit(1)
