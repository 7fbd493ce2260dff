"""Rows out of files: every lay-out, and everything that can be wrong with a file."""

import gzip
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_gym.errors import UsageError
from agent_gym.traces.parsers import source
from agent_gym.traces.parsers.row import Fault, Row
from agent_gym.traces.parsers.source import files, rows_of
from strategies import json_objects, json_values

LINE = b'{"messages": [{"role": "user", "content": "Hi"}]}'
CUT = LINE[:20]


def found(path: Path) -> list[Any]:
    """Rows as (line or index, bytes), faults as (line or index, reason)."""
    return [
        (one.place.index if one.place.line is None else one.place.line, one.data if isinstance(one, Row) else one.reason)
        for one in rows_of(path)
    ]


def written(folder: Path, data: bytes, name: str = "logs.jsonl") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("name", ["logs.jsonl", "logs.json", "logs"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\n\n  \n"])
@pytest.mark.parametrize("begin", [b"", b"\xef\xbb\xbf", b"\n"])
@pytest.mark.parametrize("last", [b"", b"\n"])
def test_lines_are_rows(tmp_path: Path, name: str, end: bytes, begin: bytes, last: bytes) -> None:
    path = written(tmp_path, begin + LINE + end + LINE + last, name)
    assert [data.strip() for _, data in found(path)] == [LINE, LINE]


def test_a_truncated_last_line_is_a_row_of_its_own(tmp_path: Path) -> None:
    assert found(written(tmp_path, LINE + b"\n" + CUT)) == [(1, LINE + b"\n"), (2, CUT)]


def test_a_broken_first_line_does_not_hide_the_others(tmp_path: Path) -> None:
    for name in ("logs.jsonl", "logs.json"):
        assert [data.strip() for _, data in found(written(tmp_path, CUT + b"\n" + LINE, name))] == [CUT, LINE]


def test_an_object_over_several_lines_is_one_row(tmp_path: Path) -> None:
    text = json.dumps(json.loads(LINE), indent=1).encode()
    assert found(written(tmp_path, b"\n" + text, "logs.json")) == [(None, b"\n" + text)]


@given(st.lists(json_objects | json_values, max_size=5), st.sampled_from([None, 0, 3]), st.integers(8, 40))
def test_an_array_is_its_items_however_it_is_written_and_read(
    tmp_path_factory: pytest.TempPathFactory, items: list[Any], indent: int | None, chunk: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "array.json"
    path.write_text(json.dumps(items, indent=indent))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(source, "_CHUNK", chunk)
        rows = list(rows_of(path))
    if items:
        assert [msgspec.json.decode(row.data) for row in rows if isinstance(row, Row)] == json.loads(json.dumps(items))
    else:
        assert [one.reason for one in rows if isinstance(one, Fault)] == ["the file is empty"]


@pytest.mark.parametrize(
    ("text", "last"),
    [
        (b"[{}, {}", (1, "not JSON: the array breaks off")),
        (b"[{}, {", (1, "not JSON: the array breaks off")),
        (b"[{},", (1, "not JSON: the array breaks off")),
        (b"[{}, oops, {}]", (1, "not JSON: invalid character (byte 0); nothing behind it can be read")),
        (b"[{} {}]", (0, "not JSON: '{' behind an item of the array")),
        (b"[{}] {}", (None, "not JSON: there is text behind the end of the array")),
        (b"[{}, " + b"[" * 100_000, (1, "nested too deep; nothing behind it can be read")),
    ],
)
def test_an_array_is_read_up_to_its_fault(tmp_path: Path, text: bytes, last: Any) -> None:
    *rows, fault = found(written(tmp_path, text, "logs.json"))
    assert fault == last
    assert [data.strip() for _, data in rows] == ([] if text == b"[{} {}]" else [b"{}"])


@pytest.mark.parametrize("data", [b"", b"\n \r\n", b"\xef\xbb\xbf", b"[]"])
def test_an_empty_file_is_a_fault(tmp_path: Path, data: bytes) -> None:
    assert found(written(tmp_path, data)) == [(None, "the file is empty")]


def test_utf_16_is_named(tmp_path: Path) -> None:
    assert found(written(tmp_path, LINE.decode().encode("utf-16"))) == [(None, "not UTF-8 but UTF-16: save the file as UTF-8")]


@pytest.mark.parametrize("layout", [LINE + b"\n" + LINE, b"[" + LINE + b", " + LINE + b"]"])
def test_a_packed_file_is_read_like_a_plain_one(tmp_path: Path, layout: bytes) -> None:
    plain, packed = written(tmp_path, layout, "a.json"), written(tmp_path, gzip.compress(layout), "a.json.gz")
    assert found(packed) == found(plain)


def test_a_broken_packed_file_is_read_up_to_its_end(tmp_path: Path) -> None:
    whole = gzip.compress(b"".join(b'{"n": "%d"}\n' % (number * 7919) for number in range(100_000)))
    *rows, (at, reason) = found(written(tmp_path, whole[: len(whole) // 2], "a.jsonl.gz"))
    assert len(rows) > 1000
    assert at == len(rows) + 1
    assert reason.startswith("the packed file is broken")


def test_a_line_without_end_is_left_out_and_the_next_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "LONGEST", 100)
    assert [at for at, _ in found(written(tmp_path, LINE + b"\n" + b"{" * 5000 + b"\n" + LINE))] == [1, 2, 3]
    ((at, reason),) = found(written(tmp_path, b'{"a": \n"' + b"x" * 500 + b'"}', "one.json"))
    assert (at, "longer than" in reason) == (None, True)
    *_, (at, reason) = found(written(tmp_path, b'[{}, "' + b"x" * (3 << 20) + b'"]', "many.json"))
    assert (at, "longer than" in reason) == (1, True)


def test_a_folder_is_its_logs_at_any_depth_but_for_one(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    for name in ("b/2.jsonl", "1.json", "b/3.ndjson.gz", "notes.txt", ".hidden.json", "out.jsonl"):
        written(tmp_path, LINE, name)
    names = [str(path.relative_to(tmp_path)) for path in files(tmp_path, tmp_path / "out.jsonl")]
    assert names == ["1.json", "b/2.jsonl", "b/3.ndjson.gz"]


def test_a_path_without_logs_is_the_users_mistake(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no logs in the folder"):
        files(tmp_path)
    with pytest.raises(UsageError, match="does not exist"):
        files(tmp_path / "nowhere")
