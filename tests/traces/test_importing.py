"""Logs into a file of traces: whole or not at all, with tools, redacted, in flat memory."""

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from agent_gym.errors import DataError, UsageError
from agent_gym.messages import User
from agent_gym.traces import Fault, read_traces
from agent_gym.traces.importing import check_logs, import_logs

OFFERED = [{"type": "function", "function": {"name": "find"}}]


def row(name: str = "find", words: str = "Hi", **fields: Any) -> dict[str, Any]:
    call = {"id": "c1", "type": "function", "function": {"name": name, "arguments": '{"city": "Rome"}'}}
    said: list[dict[str, Any]] = [{"role": "user", "content": words}]
    if name:
        said += [{"role": "assistant", "tool_calls": [call]}, {"role": "tool", "tool_call_id": "c1", "content": '[{"a": 1}]'}]
    return {"messages": said, **fields}


def logs(folder: Path, *rows: Any) -> Path:
    path = folder / "logs.jsonl"
    path.write_text("".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in rows))
    return path


def tools_after_import(folder: Path, *rows: Any) -> list[list[str]]:
    import_logs([logs(folder, *rows)], folder / "out.jsonl")
    return [[spec.name for spec in trace.tools] for trace in read_traces(folder / "out.jsonl")]


def test_an_import_says_what_it_did(tmp_path: Path) -> None:
    faults: list[Fault] = []
    paths = [logs(tmp_path, row(), "oops", row("", "a@b.com"), '{"messages": [{}, {}]}')]
    report = import_logs(paths, tmp_path / "out.jsonl", redact=True, on_fault=faults.append)
    assert (report.traces, report.messages, report.calls, report.tools, report.inferred) == (2, 4, 1, 1, 1)
    assert (report.skipped, report.faults, [fault.place.line for fault in faults]) == (2, 3, [2, 4, 4])
    assert report.redacted == {"EMAIL": 1, "PHONE": 0, "CARD": 0}
    first, second = read_traces(tmp_path / "out.jsonl")
    assert first.tools == second.tools
    assert first.tools[0].results == ("a",)
    assert {path.name for path in tmp_path.iterdir()} == {"logs.jsonl", "out.jsonl"}


def test_order_and_tools_are_kept_where_only_some_conversations_name_theirs(tmp_path: Path) -> None:
    mixed = [row(tools=OFFERED), row("book"), row(tools=OFFERED), row("")]
    assert tools_after_import(tmp_path, *mixed) == [["find"], ["book"], ["find"], ["book"]]
    assert tools_after_import(tmp_path, row(tools=OFFERED), row("")) == [["find"], []]
    assert tools_after_import(tmp_path, row("a"), row("b")) == [["a", "b"], ["a", "b"]]


def test_text_that_looks_like_the_end_of_a_line_is_left_alone(tmp_path: Path) -> None:
    words = ["}\n{}\n", '"}', "a\0b", "\0"]
    import_logs([logs(tmp_path, *(row(words=one) for one in words))], tmp_path / "out.jsonl")
    assert [trace.messages[0] for trace in read_traces(tmp_path / "out.jsonl")] == [User(one) for one in words]


def test_the_old_file_stays_when_nothing_can_be_read_or_a_fault_stops_it(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    out.write_text("old")
    with pytest.raises(DataError, match="no conversation could be read"):
        import_logs([logs(tmp_path, "oops")], out)
    with pytest.raises(DataError, match=r"logs\.jsonl, line 2: not JSON"):
        import_logs([logs(tmp_path, row(), "oops")], out, strict=True)
    assert out.read_text() == "old"
    assert len([*tmp_path.iterdir()]) == 2


def test_the_output_is_never_an_input(tmp_path: Path) -> None:
    path = logs(tmp_path, row())
    with pytest.raises(UsageError, match="is one of the logs"):
        import_logs([path], path)
    with pytest.raises(UsageError, match="does not exist: make it"):
        import_logs([path], tmp_path / "nowhere/out.jsonl")
    for _ in range(2):
        assert import_logs([tmp_path], tmp_path / "out.jsonl").traces == 1


def test_a_check_counts_and_writes_nothing(tmp_path: Path) -> None:
    tally = check_logs([logs(tmp_path, row(), row(), "oops")], on_fault=lambda fault: None)
    assert (tally.traces, tally.messages, tally.calls, tally.tools, tally.skipped) == (2, 6, 2, 1, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["logs.jsonl"]


@pytest.mark.parametrize("array", [False, True])
def test_memory_does_not_grow_with_the_log(tmp_path: Path, array: bool) -> None:
    path = tmp_path / "logs.json"
    text = json.dumps(row(words="word " * 800)).encode()
    with path.open("wb") as file:
        file.write((b"[" if array else b"") + text)
        for _ in range(7_000):
            file.write((b"," if array else b"\n") + text)
        file.write(b"]" if array else b"")
    tracemalloc.start()
    try:
        import_logs([path], tmp_path / "out.jsonl")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert path.stat().st_size > 25e6
    assert peak < 10e6


def test_memory_does_not_grow_with_the_tools_that_are_put_into_short_lines(tmp_path: Path) -> None:
    made = [row(f"tool_{number}") for number in range(200)]
    path = logs(tmp_path, *made, *[row("")] * 5_000)
    tracemalloc.start()
    try:
        import_logs([path], tmp_path / "out.jsonl")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (tmp_path / "out.jsonl").stat().st_size > 100e6
    assert peak < 80e6
