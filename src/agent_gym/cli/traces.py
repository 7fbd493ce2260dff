"""Which traces of a file are shown."""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, cast

from agent_gym.cli.terminal import complain, console, print_json
from agent_gym.errors import UsageError
from agent_gym.traces import Trace, read_traces
from agent_gym.traces.trace import dump_trace, load_trace

FEW = 3
"""Traces that are shown unless told otherwise."""
LINES = (".jsonl", ".ndjson")
_IDS = 5
"""Ids that are named when the one asked for is not there."""


class Saved(NamedTuple):
    """The traces of a file, read as they are asked for."""

    path: Path
    traces: Iterator[Trace]
    lines: bool = False
    """It holds a trace a line: how many there are is known without reading them."""


def saved_traces(path: Path) -> Saved | None:
    """The traces of JSON lines, of one JSON document, or of a list of them. None when the file holds something else, or nothing
    that can be read; at the first that is no trace, reading on raises a `DataError`."""
    import msgspec

    try:
        with path.open("rb") as file:
            first = next((line for line in file if line.strip()), b"")
        try:
            value: Any = msgspec.json.decode(first)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            if path.suffix in LINES:
                return Saved(path, read_traces(path), lines=True)
            document: Any = msgspec.json.decode(path.read_bytes())
            value = [document] if isinstance(document, dict) and "messages" in document else cast(Any, document)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if isinstance(value, list):
        return Saved(path, map(load_trace, cast(list[Any], value)))
    is_trace = isinstance(value, dict) and "messages" in value
    return Saved(path, read_traces(path), lines=True) if is_trace or path.suffix in LINES else None


def show_traces(saved: Saved, *, only: str | None, limit: int | None, as_json: bool) -> None:
    """Print the traces chosen, and on stderr how many more there are.

    Raises:
        UsageError: when there is none, or none of that id.
    """
    others: list[str] = []
    chosen = saved.traces if only is None else _called(only, saved.traces, others)
    shown = _print(islice(chosen, limit or FEW), as_json=as_json)
    if not shown:
        there = f"; there are {len(others):,}, e.g. {', '.join(map(repr, others[:_IDS]))}" if others else ""
        raise UsageError(f"{saved.path} holds no trace{f' {only!r}' if others else ''}{there}")
    if more := _lines(saved.path) - shown if saved.lines and only is None else sum(1 for _ in chosen):
        complain(f"{more:,} more: --limit {shown + more} shows all{'' if only else ', --only ID one of them'}")


def _print(traces: Iterable[Trace], *, as_json: bool) -> int:
    if as_json:
        documents = [dump_trace(trace) for trace in traces]
        if documents:
            print_json(documents)
        return len(documents)
    from agent_gym.cli.trajectory import print_trajectory

    out, shown = console(), 0
    for shown, trace in enumerate(traces, start=1):
        if shown > 1:
            out.print()
        print_trajectory(out, trace)
    return shown


def _called(wanted: str, traces: Iterator[Trace], others: list[str]) -> Iterator[Trace]:
    for trace in traces:
        if trace.conversation_id == wanted:
            yield trace
        else:
            others.append(trace.conversation_id)


def _lines(path: Path) -> int:
    with path.open("rb") as lines:
        return sum(1 for line in lines if line.strip())
