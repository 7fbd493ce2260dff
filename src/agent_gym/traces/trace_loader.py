"""Logs of one's own as a data set: files of traces as JSON lines, such as `agent-gym data import` writes.

    data = TraceLoader("traces.jsonl")
    data.splits()                         # ["train", "dev"]
    traces = data.read("dev", data.heads("dev")[:3])

The files are gone through once. What is kept of a conversation is where its line begins and what it is about; its messages are
read again when it is drawn, so a log may be larger than memory.

- A conversation's split is the one that its `metadata` names. Without one, a hash of its id puts one in five into `dev` and the
  others into `train`: it stays where it is when the log grows.
- What it is about are the `services` of its metadata, else those of the tools that it calls.
- Conversations without tools get the ones that their calls show, all of them each (`inference.py`).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from itertools import groupby, islice
from pathlib import Path
from typing import Any, cast

import msgspec

from agent_gym.errors import DataError, UsageError
from agent_gym.messages import Assistant, Tool, ToolSpec, User
from agent_gym.traces.dataset import DataSet, DialogueHead, LoadReport
from agent_gym.traces.inference import ToolInference
from agent_gym.traces.parsers.normalized import parse_normalized
from agent_gym.traces.parsers.row import Fault, Place, Row, Unreadable
from agent_gym.traces.parsers.sniff import LOOKED_AT, format_of
from agent_gym.traces.parsers.source import BOM, numbered_lines, rows_of
from agent_gym.traces.sgd import SGDLoader, is_sgd
from agent_gym.traces.task import service_of
from agent_gym.traces.trace import Trace

ONE_IN = 5
"""Of the conversations that name no split, one in so many is held out in `dev`."""
_NAMES = re.compile(r"[^.].*\.(jsonl|ndjson)", re.IGNORECASE)


def open_data(path: str | Path, *, strict: bool = True) -> DataSet:
    """The data set at a path: an SGD folder, a file of traces, or a folder of such files.

    Args:
        strict: raise at the first conversation that cannot be read; with False it is left out and counted in `report`.

    Raises:
        UsageError: when it is neither; names the ways out.
    """
    where = Path(path)
    if is_sgd(where):
        return SGDLoader(where, strict=strict)
    return TraceLoader(where, strict=strict)


@dataclass
class _Index:
    """What is known of all files after they have been gone through."""

    splits: dict[str, list[DialogueHead]] = field(default_factory=dict[str, list[DialogueHead]])
    faults: list[Fault] = field(default_factory=list[Fault])
    tools: tuple[ToolSpec, ...] = ()
    """Of conversations that carry none."""


class TraceLoader:
    """Reads traces from a file of JSON lines, or from all such files in a folder.

    Args:
        path: the file or folder.
        strict: raise at the first line that cannot be read; with False it is left out and counted in `report`.

    Raises:
        UsageError: when there is no such file, or it holds something else.
    """

    def __init__(self, path: str | Path, *, strict: bool = True) -> None:
        self.path = Path(path)
        self.strict = strict
        self.report = LoadReport[Fault]()
        self._files = _trace_files(self.path)

    @property
    def name(self) -> str:
        """The file without its ending, or the folder."""
        return self.path.name if self.path.is_dir() else self.path.stem

    def splits(self) -> list[str]:
        """The splits that are there, `train`, `dev` and `test` first.

        Raises:
            DataError: at the first fault when strict.
        """
        usual = ("train", "dev", "test")
        return sorted(self._index.splits, key=lambda name: (usual.index(name) if name in usual else len(usual), name))

    def heads(self, split: str) -> list[DialogueHead]:
        """All conversations of a split, in the order of the files.

        Raises:
            UsageError: when the split is not there.
            DataError: at the first fault when strict.
        """
        if split not in self._index.splits:
            raise UsageError(f"no split {split!r} in {str(self.path)!r}: it has {', '.join(self.splits()) or 'no traces'}")
        return list(self._index.splits[split])

    def load(self, split: str) -> Iterator[Trace]:
        """The conversations of a split, one at a time.

        Raises:
            UsageError: when the split is not there.
            DataError: at the first fault when strict.
        """
        return self._counted(self._at(self.heads(split)))

    def read(self, split: str, heads: Sequence[DialogueHead]) -> list[Trace]:
        """The conversations behind some heads, in the order of the heads; only these are read."""
        places = sorted(range(len(heads)), key=lambda place: (str(heads[place].file), heads[place].start))
        traces = dict(zip(places, self._counted(self._at(heads[place] for place in places)), strict=True))
        return [traces[place] for place in range(len(heads))]

    def everything(self) -> Iterator[Trace]:
        """Every readable conversation, in the order of the files within each split; not counted in `report`."""
        for split in self.splits():
            yield from self._at(self._index.splits[split])

    def _counted(self, traces: Iterator[Trace]) -> Iterator[Trace]:
        report = self.report
        for trace in traces:
            report.dialogues += 1
            report.turns += _turns(trace)
            report.tool_calls += len(trace.calls)
            report.services.update(name for name in _services(trace) if name)
            yield trace

    def _at(self, heads: "Iterator[DialogueHead] | Sequence[DialogueHead]") -> Iterator[Trace]:
        tools = self._index.tools
        for file, inside in groupby(heads, key=lambda head: head.file):
            with file.open("rb") as lines:
                for head in inside:
                    lines.seek(head.start)
                    line = lines.readline()
                    row = Row(Place(str(file), head.index), line if head.start else line.removeprefix(BOM))
                    trace = _parsed(row)
                    if isinstance(trace, Fault) or trace.conversation_id != head.conversation_id:
                        raise DataError(f"{row.place}: the file was changed while it was being read: run again")
                    yield msgspec.structs.replace(trace, tools=tools) if tools and not trace.tools else trace

    @cached_property
    def _index(self) -> _Index:
        index, inference = _Index(), ToolInference()
        seen: set[int] = set()
        about: dict[tuple[str, ...], tuple[str, ...]] = {}
        for file in self._files:
            with file.open("rb") as lines:
                for start, row in numbered_lines(str(file), lines):
                    read = row if isinstance(row, Fault) else _parsed(row)
                    if isinstance(read, Trace):
                        read = _distinct(read, row.place, seen)
                    if isinstance(read, Fault):
                        if self.strict:
                            raise DataError(f"{read}; repair the file, or read on with strict=False")
                        index.faults.append(read)
                        continue
                    if not read.tools:
                        inference.see(read)
                    services = _services(read)
                    services = about.setdefault(services, services)
                    head = DialogueHead(file, row.place.line or 0, read.conversation_id, services, start)
                    index.splits.setdefault(_split(read), []).append(head)
            self.report.files += 1
        if not index.splits:
            raise DataError(
                f"no trace in {str(self.path)!r} could be read: `agent-gym data check {self.path}` says what is wrong"
            )
        index.tools = inference.specs()
        self.report.faults[:] = index.faults
        return index


def _parsed(row: Row) -> Trace | Fault:
    try:
        return parse_normalized(row)
    except Unreadable as error:
        first, *more = error.problems
        return Fault(row.place, first.path, f"{first.reason}{f' (and {len(more)} more)' if more else ''}")


def _distinct(trace: Trace, place: Place, seen: set[int]) -> Trace | Fault:
    """The trace, unless one of its name was there before. Fingerprints are kept, not names: a log may hold millions."""
    mark = hash(trace.conversation_id)
    if mark in seen:
        return Fault(place, "$.conversation_id", f"{trace.conversation_id!r} was there before: ids are unique in a data set")
    seen.add(mark)
    return trace


def _split(trace: Trace) -> str:
    told = trace.metadata.get("split")
    if isinstance(told, str) and told:
        return told
    digest = blake2b(trace.conversation_id.encode(), digest_size=8).digest()
    return "train" if int.from_bytes(digest, "big") % ONE_IN else "dev"


def _services(trace: Trace) -> tuple[str, ...]:
    """What a conversation is about; of one that says nothing of it, the empty name, which its tasks have as well."""
    told = trace.metadata.get("services")
    names = [name for name in cast(list[Any], told) if isinstance(name, str)] if isinstance(told, list) else []
    return tuple(dict.fromkeys(names or [service_of(call.name) for call in trace.calls])) or ("",)


def _turns(trace: Trace) -> int:
    """Turns of the user and of the system; a call, its result and the words behind it are one."""
    count = 0
    answering = False
    for message in trace.messages:
        if isinstance(message, User):
            count, answering = count + 1, False
        elif isinstance(message, Assistant | Tool) and not answering:
            count, answering = count + 1, True
    return count


def _trace_files(path: Path) -> list[Path]:
    """The files at a path, all of which hold traces as far as their beginnings tell.

    Raises:
        UsageError: when one does not, or there are none.
    """
    inside = path.rglob("*") if path.is_dir() else [path]
    files = sorted(file for file in inside if file.is_file() and (file == path or _NAMES.fullmatch(file.name)))
    if not files:
        raise UsageError(
            f"no SGD data in {str(path)!r}, and no traces: `agent-gym data fetch` gets SGD (or try data/sample), "
            "`agent-gym data import LOGS --to traces.jsonl` makes traces of logs"
        )
    for file in files:
        _require_traces(file)
    return files


def _require_traces(file: Path) -> None:
    begun = list(islice(rows_of(file), LOOKED_AT))
    kind = format_of(begun)
    if kind is None:
        raise UsageError(f"no traces in {str(file)!r}: `agent-gym data check {file}` says what is wrong with it")
    with file.open("rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
    lined = all(row.place.line is not None for row in begun)
    if kind == "normalized" and lined and not packed:
        return
    what = f"a log in the format {kind}" if kind != "normalized" else "packed" if packed else "not JSON lines"
    raise UsageError(
        f"{str(file)!r} is no file of traces but {what}: make one of it, `agent-gym data import {file} --to traces.jsonl`"
    )
