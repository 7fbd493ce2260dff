"""Logs into a file of traces: parsed, redacted if asked to, given tools where they hold none, and written whole or not at all.

One pass over the logs, whatever they are. Conversations that name no tools cannot be finished before the last call was seen;
from the first of them on, lines wait in files without names, those without tools with a mark at their end, and the inferred
tools are put in the place of the marks while the files are copied.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

import msgspec

from agent_gym.errors import DataError, UsageError
from agent_gym.files import written_whole
from agent_gym.traces.inference import ToolInference, called_in
from agent_gym.traces.line import encode_tools, encode_trace
from agent_gym.traces.parsers.reading import read_logs
from agent_gym.traces.parsers.row import Entry, Fault, Place
from agent_gym.traces.redaction import Redactor
from agent_gym.traces.trace import Trace
from agent_gym.traces.writing import Behind, Waiting, write_early

_MARK = b"\0"
"""Stands for the tools of a line and its end; no byte of JSON is zero."""


class Tally:
    """Counts what conversations hold."""

    def __init__(self) -> None:
        self.traces = self.messages = self.calls = self.faults = self.skipped = 0
        self._at: Place | None = None
        self._called: set[str] = set()
        self._offered: set[str] = set()
        self._last: object = None

    @property
    def tools(self) -> int:
        """Different tools that were on offer or called."""
        return len(self._called | self._offered)

    def miss(self, fault: Fault) -> None:
        """Count a fault; several in one row are one row skipped."""
        self.faults += 1
        self.skipped += fault.place != self._at
        self._at = fault.place

    def see(self, trace: Trace, called: Sequence[str]) -> None:
        """Count one conversation, in which these tools were called."""
        self.traces += 1
        self.messages += len(trace.messages)
        if called:
            self.calls += len(called)
            self._called.update(called)
        if trace.tools is not self._last:
            self._last = trace.tools
            self._offered.update([spec.name for spec in trace.tools])


class ImportReport(msgspec.Struct, frozen=True, kw_only=True):
    """What an import did."""

    to: str
    traces: int
    messages: int
    calls: int
    tools: int
    inferred: int
    """Tools whose schema was read off their calls."""
    skipped: int
    """Rows that could not be read."""
    faults: int
    """What is wrong with them."""
    redacted: dict[str, int]
    """Different values that were replaced, by kind."""


def check_logs(
    paths: Iterable[Path],
    format: str = "auto",  # noqa: A002
    *,
    on_fault: Callable[[Fault], object],
) -> Tally:
    """Read logs to their end without writing anything.

    Raises:
        UsageError: when there is nothing to read, or no such format.
    """
    tally = Tally()
    for read in read_logs(paths, format):
        if isinstance(read, Entry):
            tally.see(read.trace, called_in(read.trace))
        else:
            tally.miss(read)
            on_fault(read)
    return tally


def import_logs(
    paths: Iterable[Path],
    to: Path,
    format: str = "auto",  # noqa: A002
    *,
    redact: bool = False,
    strict: bool = False,
    on_fault: Callable[[Fault], object] = lambda fault: None,
) -> ImportReport:
    """Write the conversations of logs as normalized JSON lines. `to` stays as it was unless at least one could be read.

    Args:
        paths: files and folders; `to` itself is left out of a folder.
        to: the file to write.
        format: one of `FORMATS`.
        redact: replace e-mail addresses, phone and card numbers by placeholders.
        strict: raise at the first row that cannot be read, instead of leaving it out.
        on_fault: is told of every row that is left out.

    Raises:
        UsageError: when there is nothing to read, no such format, or `to` is a folder or one of the logs.
        DataError: when no conversation could be read, or when strict at the first fault.
    """
    sources = list(paths)
    if any(path.is_file() and to.exists() and path.samefile(to) for path in sources):
        raise UsageError(f"{str(to)!r} is one of the logs: write to another file")
    if to.is_dir():
        raise UsageError(f"{str(to)!r} is a folder: name a file to write")
    if not to.parent.is_dir():
        raise UsageError(f"the folder {str(to.parent)!r} does not exist: make it, or write elsewhere")
    tally, inference, redactor = Tally(), ToolInference(), Redactor() if redact else None
    with written_whole(to) as file, Waiting(to.parent) as waiting, Behind(partial(write_early, file)) as out:
        with Behind(waiting.write) as aside:
            sink = out
            for read in read_logs(sources, format, without=to):
                if isinstance(read, Fault):
                    if strict:
                        raise DataError(str(read))
                    tally.miss(read)
                    on_fault(read)
                    continue
                trace = read.trace if redactor is None else redactor.redacted(read.trace)
                called = called_in(trace)
                tally.see(trace, called)
                if trace.tools:
                    sink.write(encode_trace(trace) + b"\n")
                    continue
                if not inference.is_settled(called):
                    inference.see(trace)
                sink = aside
                sink.write(encode_trace(trace)[:-1] + _MARK)
        if not tally.traces:
            raise DataError("no conversation could be read: agent-gym data check lists what is wrong")
        specs = inference.specs()
        end = b',"tools":' + bytes(encode_tools(specs)) + b"}\n" if specs else b"}\n"
        for block in waiting.blocks():
            out.write(block.replace(_MARK, end))
    return ImportReport(
        to=str(to),
        traces=tally.traces,
        messages=tally.messages,
        calls=tally.calls,
        tools=tally.tools,
        inferred=len(specs),
        skipped=tally.skipped,
        faults=tally.faults,
        redacted=dict(redactor.counts) if redactor else {},
    )
