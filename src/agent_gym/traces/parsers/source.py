"""Where rows come from: files of JSON, JSON lines or a JSON array, packed by gzip or not, folders of them, lists in memory.

Files are read as streams. JSON lines and arrays take the memory of one row; a file that is a single object written over several
lines is held whole. The lay-out is read off the file, not off its name: the first character tells an array, the first line
whether it is a value of its own.
"""

import gzip
import re
import zlib
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import IO, Any, cast

import msgspec

from agent_gym.errors import UsageError
from agent_gym.traces.line import BROKEN, encode_trace
from agent_gym.traces.parsers.row import Fault, Place, Row, problem_of
from agent_gym.traces.trace import Trace

LONGEST = 256 << 20
"""Bytes that one row may have. A longer one is no conversation, and would not fit into memory several times."""
_CHUNK = 1 << 20
_HEAD = 1 << 20
_READ = 1 << 18
_NAMES = re.compile(r"[^.].*\.(jsonl?|ndjson)(\.gz)?", re.IGNORECASE)
_UNPACKING = (EOFError, gzip.BadGzipFile, zlib.error)
BOM = b"\xef\xbb\xbf"
"""Some editors write it at the start of a file."""
_RAW = msgspec.json.Decoder(msgspec.Raw)
_REST = re.compile(r"trailing characters \(byte (\d+)\)")
_BLANK = re.compile(rb"[ \t\r\n]*")


def files(path: Path, without: Path | None = None) -> list[Path]:
    """The logs at `path`: the file itself, or a folder's JSON and JSON lines files at any depth, in order, but for one.

    Raises:
        UsageError: when there is nothing to read.
    """
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise UsageError(f"{str(path)!r} does not exist: give a JSON or JSON lines file, or a folder of them")
    left_out = without.resolve() if without is not None else None
    inside = (file for file in path.rglob("*") if _NAMES.fullmatch(file.name) and file.is_file())
    found = sorted(file for file in inside if left_out is None or file.resolve() != left_out)
    if not found:
        raise UsageError(f"no logs in the folder {str(path)!r}: looked for .json, .jsonl and .ndjson, also with .gz")
    return found


def rows_of(path: Path) -> Iterator[Row | Fault]:
    """The rows of a file; what cannot be split into rows is a fault.

    Raises:
        OSError: when the file cannot be opened or read.
    """
    rows = _rows(path)
    for first in islice(rows, 1):
        yield first
        yield from rows
        return
    yield Fault(Place(str(path)), "$", "the file is empty")


def rows_in(values: Iterable[Any], name: str = "traces") -> Iterator[Row | Fault]:
    """Values in memory as rows."""
    for index, value in enumerate(values):
        place = Place(name, index=index)
        try:
            yield Row(place, encode_trace(value) if isinstance(value, Trace) else msgspec.json.encode(value))
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            yield Fault(place, "$", f"not a JSON value: {error}")


def _rows(path: Path) -> Iterator[Row | Fault]:
    name = str(path)
    number = 0
    try:
        with _opened(path) as file:
            layout = _layout(path, file)
        with _opened(path) as file:
            match layout:
                case "array":
                    yield from _array(name, file)
                case "document":
                    yield from _document(name, file)
                case "utf-16":
                    yield Fault(Place(name), "$", "not UTF-8 but UTF-16: save the file as UTF-8")
                case _:
                    for _, row in numbered_lines(name, file):
                        number = row.place.line or number
                        yield row
    except _UNPACKING as error:
        yield Fault(
            Place(name, number + 1 if number else None), "$", f"the packed file is broken, nothing behind this: {error}"
        )


def _opened(path: Path) -> IO[bytes]:
    file = path.open("rb", buffering=_READ)
    packed = file.read(2) == b"\x1f\x8b"
    file.seek(0)
    if not packed:
        return file
    return cast(IO[bytes], _Unpacked(file))


class _Unpacked(gzip.GzipFile):
    """A packed file that closes the file under it as well."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(fileobj=file, mode="rb")
        self._under = file

    def close(self) -> None:
        super().close()
        self._under.close()


def _layout(path: Path, file: IO[bytes]) -> str:
    begun = file.readline(_HEAD).removeprefix(BOM)
    if begun[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    while begun.isspace():
        begun = file.readline(_HEAD)
    if begun.lstrip()[:1] == b"[":
        return "array"
    if re.search(r"\.(jsonl|ndjson)(\.gz)?$", path.name, re.IGNORECASE) or len(begun) == _HEAD or _is_json(begun):
        return "lines"
    # JSON lines with a broken first line, by a name that does not tell: the second line begins where objects begin.
    following = file.readline(_HEAD)
    return "lines" if following[:1] == b"{" and _is_json(following) else "document"


def _is_json(text: bytes) -> bool:
    try:
        _RAW.decode(text)
    except BROKEN:
        return False
    return True


def numbered_lines(name: str, file: IO[bytes]) -> Iterator[tuple[int, Row | Fault]]:
    """The rows of JSON lines, each with the byte at which its line begins; blank lines are none."""
    number = start = 0
    while line := file.readline(LONGEST):
        number += 1
        begin, start = start, start + len(line)
        if len(line) == LONGEST and line[-1:] != b"\n":
            while more := file.readline(_CHUNK):
                start += len(more)
                if more[-1:] == b"\n":
                    break
            yield begin, _too_long(Place(name, number))
            continue
        if number == 1:
            line = line.removeprefix(BOM)
        if not line.isspace() and line:
            yield begin, Row(Place(name, number), line)


def _document(name: str, file: IO[bytes]) -> Iterator[Row | Fault]:
    text = file.read(LONGEST + 1)
    yield Row(Place(name), text.removeprefix(BOM)) if len(text) <= LONGEST else _too_long(Place(name))


def _too_long(place: Place) -> Fault:
    return Fault(place, "$", f"longer than {LONGEST >> 20} MiB: write one conversation a line")


def _array(name: str, file: IO[bytes]) -> Iterator[Row | Fault]:
    buffer = file.read(_CHUNK).removeprefix(BOM)
    start, index, wanted, broken = _skip(buffer, 0) + 1, 0, _CHUNK, ""
    while buffer[(start := _skip(buffer, start)) : start + 1] != b"]":
        place = Place(name, index=index)
        try:
            end, broken = start + _length(memoryview(buffer)[start:]), ""
        except BROKEN as error:
            # A number that the end of the buffer cuts in two looks broken as well: asked again with more, it does not.
            if str(error) == broken or not (more := file.read(_CHUNK)):
                yield Fault(place, "$", f"{problem_of(error).reason}; nothing behind it can be read")
                return
            buffer, start, broken = buffer[start:] + more, 0, str(error)
            continue
        if end >= len(buffer):
            more = file.read(wanted)
            if not more or len(buffer) - start > LONGEST:
                yield Fault(place, "$", "not JSON: the array breaks off") if not more else _too_long(place)
                return
            # Twice as much each time: an item of many chunks is not looked through once for every chunk.
            buffer, start, wanted = buffer[start:] + more, 0, max(_CHUNK, len(buffer) - start)
            continue
        if buffer[end : end + 1] not in (b",", b"]"):
            yield Fault(place, "$", f"not JSON: {buffer[end : end + 1].decode(errors='replace')!r} behind an item of the array")
            return
        yield Row(place, buffer[start:end])
        start = end + 1 if buffer[end : end + 1] == b"," else end
        index += 1
    if buffer[start + 1 :].strip() or file.read(_CHUNK).strip():
        yield Fault(Place(name), "$", "not JSON: there is text behind the end of the array")


def _skip(buffer: bytes, start: int) -> int:
    blank = _BLANK.match(buffer, start)
    assert blank is not None
    return blank.end()


def _length(text: memoryview) -> int:
    """How many bytes the JSON value at the start of `text` takes, blanks behind it included; all of them when it is cut off.

    A decoder that is given more than one value stops behind the first and says at which byte.

    Raises:
        msgspec.DecodeError: when no value stands there.
    """
    try:
        _RAW.decode(text)
    except msgspec.DecodeError as error:
        if found := _REST.search(str(error)):
            return int(found[1]) - 1  # it counts bytes from 1
        if str(error) != "Input data was truncated":
            raise
    return len(text)
