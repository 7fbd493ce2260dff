"""What goes into a parser and what comes out: rows in, entries and faults out, one at a time.

A log is read as a stream in which nothing that is wrong ends anything: a row that cannot be read becomes a fault that knows its
file, its line and its JSON path, and the next row is read.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any, cast

import msgspec

from agent_gym.errors import DataError
from agent_gym.traces.line import BROKEN
from agent_gym.traces.trace import Trace


class Place(msgspec.Struct, frozen=True, gc=False):
    """Where a row stands."""

    file: str
    line: int | None = None
    """In JSON lines, counted from 1."""
    index: int | None = None
    """In a JSON array, or a list in memory, counted from 0."""

    @property
    def conversation_id(self) -> str:
        """A name for a conversation that has none: the same in every run over the same file."""
        name = _stem(self.file)
        if self.line is not None:
            return f"{name}:{self.line}"
        return name if self.index is None else f"{name}[{self.index}]"

    def __str__(self) -> str:
        line = f", line {self.line}" if self.line is not None else ""
        return f"{self.file}{line}{f', row {self.index}' if self.index is not None else ''}"


@lru_cache(maxsize=64)
def _stem(file: str) -> str:
    name = re.split(r"[/\\]", file)[-1]
    return re.sub(r"\.(jsonl?|ndjson)?(\.gz)?$", "", name) or name


class Row(msgspec.Struct, frozen=True, gc=False):
    """One JSON value of a log, not decoded yet."""

    place: Place
    data: bytes


class Entry(msgspec.Struct, frozen=True, gc=False):
    """A conversation, and where it was found."""

    place: Place
    trace: Trace


class Fault(msgspec.Struct, frozen=True, gc=False):
    """Something that could not be read."""

    place: Place
    path: str
    """A JSON path within the row, e.g. `$.messages[3].content`."""
    reason: str

    def __str__(self) -> str:
        return f"{self.place}: {f'{self.path}: ' if self.path != '$' else ''}{self.reason}"


class Problem(msgspec.Struct, frozen=True, gc=False):
    """What is wrong with a row, and where in it."""

    path: str
    reason: str


class Unreadable(DataError):
    """A row that is no conversation of the format it should be in; names everything found wrong with it."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{problem.path}: {problem.reason}" for problem in self.problems))


Parser = Callable[[Iterable[Row | Fault]], Iterator[Entry | Fault]]


def one_by_one(parse: Callable[[Row], Trace]) -> Parser:
    """The parser of a format in which every row is a whole conversation."""

    def parsed(rows: Iterable[Row | Fault]) -> Iterator[Entry | Fault]:
        for row in rows:
            if isinstance(row, Fault):
                yield row
                continue
            try:
                yield Entry(row.place, parse(row))
            except Unreadable as error:
                for problem in error.problems:
                    yield Fault(row.place, problem.path, problem.reason)

    return parsed


_AT = re.compile(r"(.*?)(?: - at (?:key in )?`\$?([^`]*)`)?", re.DOTALL)


def problem_of(error: Exception, inside: str = "$") -> Problem:
    """What msgspec found wrong with a value that stands at the path `inside`."""
    if isinstance(error, UnicodeDecodeError):
        return Problem(inside, f"not UTF-8: byte 0x{error.object[error.start]:02x}")
    if isinstance(error, RecursionError):
        return Problem(inside, "nested too deep")
    found = _AT.fullmatch(str(error))
    assert found is not None
    reason = "not JSON: it breaks off" if found[1] == "Input data was truncated" else found[1]
    return Problem(inside + (found[2] or ""), reason.replace("JSON is malformed", "not JSON"))


def problems_of(data: bytes, error: Exception, field: str, item: Any) -> list[Problem]:
    """All that is wrong with a row whose decoding stopped at the first fault: one problem for each faulty item of a list.

    Args:
        data: the row.
        error: what decoding it raised.
        field: the list in it.
        item: the type of that list's items.
    """
    first = problem_of(error)
    try:
        items = msgspec.json.decode(data, type=dict[str, Any]).get(field)
    except BROKEN:
        return [first]
    problems: list[Problem] = []
    for index, one in enumerate(cast(list[Any], items) if isinstance(items, list) else []):
        try:
            msgspec.convert(one, item)
        except BROKEN as mistake:
            problems.append(problem_of(mistake, f"$.{field}[{index}]"))
    # What stands outside the list is named too.
    return problems if any(first.path == problem.path for problem in problems) else [first, *problems]
