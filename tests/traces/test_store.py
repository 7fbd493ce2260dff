"""Traces on disk: JSON lines, whole or not at all."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_gym.errors import DataError
from agent_gym.messages import User
from agent_gym.traces import Trace, read_traces, write_traces
from strategies import traces

ONE = Trace(conversation_id="c1", messages=(User("Hi"),))
LINE = b'{"conversation_id": "c1", "messages": [{"role": "user", "content": "Hi"}]}\n'


@given(st.lists(traces, max_size=4))
def test_a_file_of_traces_reads_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, written: list[Trace]) -> None:
    path = tmp_path_factory.getbasetemp() / "traces.jsonl"
    assert write_traces(path, written) == len(written)
    assert list(read_traces(path)) == written


def test_empty_lines_and_a_missing_last_line_end_are_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "traces.jsonl"
    path.write_bytes(b"\n" + LINE + b"  \n" + LINE.strip())
    assert list(read_traces(path)) == [ONE, ONE]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (b'{"conversation_id": "c2", "mess', "truncated"),
        (b'{"conversation_id": "c2"}', "`messages`"),
        (b'{"conversation_id": "\xff", "messages": []}', "utf-8"),
        (b"[" * 100_000, "recursion"),
        (b"hello", "malformed"),
        (LINE.replace(b'"messages"', b'"version": 2, "messages"'), "newer"),
    ],
)
def test_a_line_that_is_no_trace_is_named_and_the_ones_before_are_read(tmp_path: Path, line: bytes, fault: str) -> None:
    path = tmp_path / "traces.jsonl"
    path.write_bytes(LINE + b"\n" + line)
    read = read_traces(path)
    assert next(read) == ONE
    with pytest.raises(DataError, match=rf"traces\.jsonl, line 3: .*{fault}"):
        next(read)


def test_traces_that_break_off_leave_the_old_file(tmp_path: Path) -> None:
    def some() -> Iterator[Trace]:
        yield ONE
        raise RuntimeError("the source broke")

    path = tmp_path / "traces.jsonl"
    write_traces(path, [ONE, ONE])
    with pytest.raises(RuntimeError):
        write_traces(path, some())
    assert list(read_traces(path)) == [ONE, ONE]
    assert [file.name for file in tmp_path.iterdir()] == ["traces.jsonl"]
