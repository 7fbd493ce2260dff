"""Conversations from anywhere: one stream, whatever the format and the number of files."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, groupby, islice
from pathlib import Path
from typing import Any, cast

import msgspec

from agent_gym.errors import DataError, UsageError
from agent_gym.traces.line import BROKEN
from agent_gym.traces.parsers.normalized import normalized
from agent_gym.traces.parsers.openai import openai
from agent_gym.traces.parsers.otel import otel
from agent_gym.traces.parsers.row import Entry, Fault, Parser, Place, Row, problem_of
from agent_gym.traces.parsers.sharegpt import sharegpt
from agent_gym.traces.parsers.sniff import LOOKED_AT, format_of
from agent_gym.traces.parsers.source import files, rows_in, rows_of
from agent_gym.traces.sgd import SGDLoader, is_sgd
from agent_gym.traces.trace import Trace

Source = str | Path | Mapping[str, Any] | Iterable[str | Path | Mapping[str, Any] | Trace]
"""A file, a folder, several of them; or one conversation or export as JSON values, or several of them, or traces."""

PARSERS: Mapping[str, Parser] = {"normalized": normalized, "openai": openai, "sharegpt": sharegpt, "otel": otel}
FORMATS = ("auto", *PARSERS, "sgd")


def import_traces(
    source: Source,
    format: str = "auto",  # noqa: A002  # the word that a user looks for
    *,
    on_fault: Callable[[Fault], object] | None = None,
) -> Iterator[Trace]:
    """The conversations of a source, one at a time.

    Args:
        source: paths of files or folders, or values in memory.
        format: one of `FORMATS`; `auto` reads it off each file.
        on_fault: is told of every row that cannot be read (`faults.append`), and the stream goes on; without it one raises.

    Raises:
        UsageError: for an unknown format, or a path at which there is nothing.
        DataError: at the first fault, when nobody wants to be told; names file, line and JSON path.
    """
    for read in read_logs(source, format):
        if isinstance(read, Entry):
            yield read.trace
        elif on_fault is not None:
            on_fault(read)
        else:
            raise DataError(str(read))


def read_logs(
    source: Source,
    format: str = "auto",  # noqa: A002
    *,
    without: Path | None = None,
) -> Iterator[Entry | Fault]:
    """Every conversation with its place, and every fault, in the order of the source.

    A conversation whose id was there before is a fault. `without` is a file that is not read where a folder holds it.

    Raises:
        UsageError: for an unknown format, or a path at which there is nothing.
    """
    if format not in FORMATS:
        raise UsageError(f"there is no format {format!r}; there are: {', '.join(FORMATS)}")
    return _distinct(_read(source, format, without))


def _read(source: Source, kind: str, without: Path | None) -> Iterator[Entry | Fault]:
    items = iter(cast(Iterable[Any], [source] if isinstance(source, str | Path | Mapping) else source))
    for first in islice(items, 1):
        if isinstance(first, str | Path):
            yield from _from_paths((Path(item) for item in chain([first], items)), kind, without)
        else:
            yield from _parsed([rows_in(chain([first], items))], kind)


def _from_paths(paths: Iterable[Path], kind: str, without: Path | None) -> Iterator[Entry | Fault]:
    # All paths are looked at before the first is read: a mistake in the last one is told at once.
    found = [(path, is_sgd(path), [] if is_sgd(path) else files(path, without)) for path in paths]
    for path, sgd, _ in found:
        if sgd and kind not in ("auto", "sgd"):
            raise UsageError(f"{str(path)!r} is a folder in SGD's format, not in the format {kind}: leave the format out")
    for sgd, group in groupby(found, key=lambda one: one[1] or kind == "sgd"):
        if sgd:
            for path, _, _ in group:
                yield from _sgd(path)
        else:
            yield from _parsed((rows_of(file) for _, _, inside in group for file in inside), kind)


def _sgd(path: Path) -> Iterator[Entry | Fault]:
    loader = SGDLoader(path, strict=False)
    for split in loader.splits():
        told = 0
        if not any((path / split).glob("dialogues_*.json")):
            continue
        for trace in chain(loader.load(split), [None]):
            for fault in loader.report.faults[told:]:
                where = "".join(
                    f".{name}" for name in (f"turns[{fault.turn}]" if fault.turn is not None else "", fault.field) if name
                )
                named = f"dialogue {fault.dialogue}: " if fault.dialogue else ""
                yield Fault(Place(str(path / split / fault.file)), f"${where}", f"{named}{fault.reason}")
            told = len(loader.report.faults)
            if trace is not None:
                yield Entry(Place(str(path / split / str(trace.metadata.get("file", "")))), trace)


def _parsed(logs: Iterable[Iterator[Row | Fault]], kind: str) -> Iterator[Entry | Fault]:
    """Neighbouring logs of one format are one stream: an export that was cut into files is still one export."""
    for name, group in groupby((_named(log, kind) for log in logs), key=lambda one: one[0]):
        parser = PARSERS.get(name or "", _unknown)
        yield from parser(chain.from_iterable(rows for _, rows in group))


def _named(rows: Iterator[Row | Fault], kind: str) -> tuple[str | None, Iterable[Row | Fault]]:
    if kind != "auto":
        return kind, rows
    begun = list(islice(rows, LOOKED_AT))
    return format_of(begun), chain(begun, rows)


def _unknown(rows: Iterable[Row | Fault]) -> Iterator[Entry | Fault]:
    for row in rows:
        if isinstance(row, Fault):
            yield row
            continue
        try:
            value = msgspec.json.decode(row.data)
        except BROKEN as error:
            problem = problem_of(error)
            yield Fault(row.place, problem.path, problem.reason)
            continue
        reason = f"of no known format: {_described(value)}, not messages, conversations or resourceSpans"
        yield Fault(row.place, "$", reason)


def _described(value: Any) -> str:
    if not isinstance(value, dict):
        return f"a value of type {type(value).__name__}"
    names = list(map(repr, cast(dict[str, Any], value)))
    return f"an object with {', '.join(names[:5]) or 'no fields'}"


def _distinct(read: Iterable[Entry | Fault]) -> Iterator[Entry | Fault]:
    # 64-bit fingerprints, not the ids: a gigabyte of logs can hold millions.
    seen: set[int] = set()
    for one in read:
        if isinstance(one, Entry):
            mark = hash(one.trace.conversation_id)
            if mark in seen:
                reason = f"{one.trace.conversation_id!r} was there before: ids are unique among the conversations of an import"
                yield Fault(one.place, "$.conversation_id", reason)
                continue
            seen.add(mark)
        yield one
