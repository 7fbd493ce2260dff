"""Traces on disk: JSON lines, one trace a line, read as a stream and written atomically."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from agent_gym.errors import DataError
from agent_gym.files import written_whole
from agent_gym.traces.line import decode_trace, encode_trace
from agent_gym.traces.trace import Trace


def read_traces(path: Path) -> Iterator[Trace]:
    """The traces of a JSON lines file, one at a time.

    Raises:
        DataError: at the first line that is not a trace; names file and line.
        OSError: when there is no such file.
    """
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                yield decode_trace(line)
            except DataError as error:
                raise DataError(f"{path}, line {number}: {error}") from error


def write_traces(path: Path, traces: Iterable[Trace]) -> int:
    """Write traces as JSON lines; a reader sees the old file or the whole new one. Returns how many were written."""
    count = 0
    with written_whole(path) as lines:
        for trace in traces:
            lines.write(encode_trace(trace) + b"\n")
            count += 1
    return count
