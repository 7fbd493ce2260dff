"""One stream over all formats: which one it is, what is wrong where, and that nothing but a DataError ever comes out."""

import json
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_gym.errors import DataError, UsageError
from agent_gym.messages import User
from agent_gym.traces import Entry, Fault, Trace, import_traces, read_logs, to_openai, write_traces
from agent_gym.traces.parsers import FORMATS
from agent_gym.traces.parsers.reading import PARSERS
from agent_gym.traces.parsers.row import Place, Row
from strategies import json_objects, json_values, texts, traces

HI = {"role": "user", "content": "Hi"}
CALL = {"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "x", "arguments": "{}"}}]}
SPAN = {"traceId": "t", "attributes": {"gen_ai.input.messages": [{"role": "user", "content": "Hi"}]}}
ROWS: dict[str, Any] = {
    "normalized": {"conversation_id": "c", "messages": [HI, {"role": "tool", "name": "x", "result": 1}]},
    "openai": {"messages": [HI, CALL]},
    "sharegpt": {"conversations": [{"from": "human", "value": "Hi"}]},
    "otel": {"resourceSpans": [{"scopeSpans": [{"spans": [SPAN]}]}]},
}


def lines(*rows: Any) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


@pytest.mark.parametrize("name", ROWS)
def test_the_format_of_a_file_is_read_off_its_rows(tmp_path: Path, name: str) -> None:
    path = tmp_path / "logs.jsonl"
    path.write_text(lines({"of": "nothing"}, ROWS[name]) if name != "otel" else lines(ROWS[name]))
    (trace,) = import_traces(path, on_fault=lambda fault: None)
    assert trace.messages[0] == User("Hi")
    assert [*import_traces(path, name, on_fault=lambda fault: None)] == [trace]


def test_talk_without_tools_is_decided_by_a_later_row() -> None:
    talk = {"conversation_id": "c1", "messages": [HI]}
    assert len([*import_traces([talk, {**ROWS["openai"], "id": "c2"}])]) == 2
    assert len([*import_traces([talk, {**ROWS["normalized"], "conversation_id": "c2"}])]) == 2


def test_a_folder_may_hold_every_format_and_an_export_in_pieces(tmp_path: Path) -> None:
    for number, row in enumerate(ROWS.values()):
        (tmp_path / f"{number}.json").write_text(json.dumps(row, indent=1))
    answer = {**SPAN, "attributes": {"gen_ai.input.messages": [HI, {"role": "assistant", "content": "Hello"}]}}
    (tmp_path / "3b.json").write_text(json.dumps([answer]))
    (tmp_path / "data").mkdir()
    assert [trace.conversation_id for trace in import_traces(tmp_path)] == ["c", "1", "2", "t"]


def test_a_folder_in_sgds_format_is_read_by_its_loader(sample: Path) -> None:
    entries = list(read_logs(sample))
    assert len(entries) > 300
    assert all(isinstance(entry, Entry) for entry in entries)


def test_another_format_is_not_passed_over_for_a_folder_in_sgds(sample: Path) -> None:
    with pytest.raises(UsageError, match="is a folder in SGD's format, not in the format openai"):
        list(import_traces(sample, "openai"))


def test_faults_of_an_sgd_folder_are_told_where_they_stand(tmp_path: Path, sample: Path) -> None:
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/schema.json").write_bytes((sample / "dev/schema.json").read_bytes())
    dialogues = json.loads((sample / "dev/dialogues_001.json").read_text())[:3]
    dialogues[0]["turns"][2]["speaker"] = "NOBODY"
    del dialogues[2]["turns"]
    (tmp_path / "dev/dialogues_001.json").write_text(json.dumps(dialogues))
    read = list(read_logs(tmp_path))
    assert {one.path for one in read if isinstance(one, Fault)} == {"$.turns[2].speaker", "$.turns"}
    assert len(read) == 3


def test_rows_in_memory_are_read_like_those_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "logs.jsonl").write_text(lines(ROWS["openai"]))
    assert [trace.messages for trace in import_traces([ROWS["openai"]])] == [
        trace.messages for trace in import_traces(tmp_path / "logs.jsonl")
    ]
    assert [*import_traces(ROWS["normalized"])] == [*import_traces([ROWS["normalized"]])]
    assert [*import_traces([])] == []


@given(st.lists(traces, max_size=3, unique_by=lambda trace: trace.conversation_id))
def test_traces_and_files_of_traces_are_read_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, given_: list[Trace]
) -> None:
    path = tmp_path_factory.getbasetemp() / "given.jsonl"
    write_traces(path, given_)
    assert [*import_traces(given_, "normalized")] == given_
    assert [*import_traces(path, "normalized", on_fault=lambda fault: None)] == given_


def test_a_conversation_without_an_id_is_called_after_its_place(tmp_path: Path) -> None:
    (tmp_path / "my.logs.jsonl").write_text("\n" + lines({"messages": [HI]}))
    (tmp_path / "all.json").write_text(json.dumps([{"messages": [HI]}] * 2))
    names = [trace.conversation_id for trace in import_traces([tmp_path / "my.logs.jsonl", tmp_path / "all.json"])]
    assert names == ["my.logs:2", "all[0]", "all[1]"]


def test_an_id_that_comes_again_is_a_fault(tmp_path: Path) -> None:
    for name in ("a.jsonl", "b.jsonl"):
        (tmp_path / name).write_text(lines({"id": "c1", "messages": [HI]}))
    _, fault = read_logs(tmp_path)
    assert isinstance(fault, Fault)
    assert str(fault).startswith(f"{tmp_path / 'b.jsonl'}, line 1: $.conversation_id: 'c1' was there before")


def test_good_rows_go_on_behind_bad_ones_and_without_a_listener_the_first_is_raised(tmp_path: Path) -> None:
    path = tmp_path / "logs.jsonl"
    path.write_bytes(
        lines(ROWS["openai"]).encode() + b'{"messages": [{"role": "\xff"}]}\nhello\n' + lines({"messages": [HI]}).encode()[:-5]
    )
    faults: list[Fault] = []
    assert len([*import_traces(path, on_fault=faults.append)]) == 1
    assert [(fault.place.line, fault.reason) for fault in faults] == [
        (2, "not UTF-8: byte 0xff"),
        (3, "not JSON: invalid character (byte 0)"),
        (4, "not JSON: it breaks off"),
    ]
    with pytest.raises(DataError, match=r"logs\.jsonl, line 2: .*not UTF-8: byte 0xff"):
        list(import_traces(path))


def test_every_fault_of_a_normalized_row_is_named() -> None:
    row = {"conversation_id": "c", "messages": [{"role": "user"}, HI, {"role": "robot"}], "outcome": 3}
    found = [(fault.path, fault.reason) for fault in read_logs([row], "normalized") if isinstance(fault, Fault)]
    assert found == [
        ("$.messages[0]", "Object missing required field `content`"),
        ("$.messages[2].role", "Invalid value 'robot'"),
    ]
    (newer,) = read_logs([{**ROWS["normalized"], "version": 2}], "normalized")
    assert isinstance(newer, Fault)
    assert "newer" in newer.reason


def test_what_is_of_no_known_format_is_told_for_every_row() -> None:
    found = [str(one) for one in read_logs([{"prompt": "x"}, {}])]
    assert [one.split(": ", 2)[1] for one in found] == ["of no known format"] * 2
    assert "'prompt'" in found[0]


@given(st.lists(json_values, min_size=1, max_size=4), st.sampled_from(FORMATS[:-1]))
def test_no_json_makes_reading_a_file_raise(tmp_path_factory: pytest.TempPathFactory, rows: list[Any], name: str) -> None:
    path = tmp_path_factory.getbasetemp() / "values.json"
    for text in (json.dumps(rows), lines(*rows), json.dumps(rows[0], indent=1)):
        path.write_text(text)
        assert all(isinstance(one, Entry | Fault) for one in read_logs(path, name))


def test_an_unknown_format_and_an_unknown_path_are_the_users_mistake(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no format 'csv'; there are: auto, normalized"):
        read_logs([], "csv")
    with pytest.raises(UsageError, match="does not exist"):
        list(import_traces(tmp_path / "nowhere.jsonl"))


def test_a_value_that_is_no_json_is_a_fault() -> None:
    endless: list[Any] = []
    endless.append(endless)
    found = list(read_logs([{"messages": {1j}}, {"messages": endless}, {"messages": "\ud800"}]))
    assert all(isinstance(one, Fault) and one.reason.startswith("not a JSON value") for one in found)
    assert len(found) == 3


@st.composite
def near(draw: st.DrawFn, name: str) -> Any:
    """A row of a format in which some values were replaced by any JSON."""
    row = to_openai(draw(traces)) if name == "openai" and draw(st.booleans()) else ROWS[name]
    return replaced(draw, json.loads(json.dumps(row)), draw(st.integers(0, 3)))


def replaced(draw: st.DrawFn, value: Any, times: int) -> Any:
    if not times or draw(st.integers(0, 3)) == 0:
        return draw(json_values | st.just(json.dumps(value))) if times else value
    if isinstance(value, dict) and value:
        fields = cast(dict[str, Any], value)
        name = draw(st.sampled_from(sorted(fields)))
        return replaced(draw, {**fields, name: replaced(draw, fields[name], times)}, times - 1)
    if isinstance(value, list) and value:
        items = cast(list[Any], value)
        at = draw(st.integers(0, len(items) - 1))
        return replaced(draw, [*items[:at], replaced(draw, items[at], times), *items[at + 1 :]], times - 1)
    return cast(Any, value)


SPOKEN = st.sampled_from(["role", "content", "parts", "type", "from", "value", "name", "id", "text", "arguments", "tool_calls"])
wild = st.dictionaries(SPOKEN | texts, json_values, max_size=4)
shapes = json_values | st.fixed_dictionaries(
    {},
    optional={
        "messages": st.lists(wild, max_size=3) | json_values,
        "conversations": st.lists(wild, max_size=3) | json_values,
        "tools": st.lists(wild, max_size=2) | json_values,
        "attributes": st.dictionaries(
            st.sampled_from(
                ["gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.operation.name", "gen_ai.tool.definitions"]
            ),
            st.lists(wild, max_size=2) | json_values,
        ),
        "traceId": json_values,
        "resourceSpans": json_values,
        "events": st.lists(st.fixed_dictionaries({"name": st.just("gen_ai.choice"), "attributes": wild}), max_size=2),
        "status": json_values,
    },
)


@pytest.mark.parametrize("name", PARSERS)
@given(data=st.data())
def test_no_json_makes_a_parser_raise_and_what_it_reads_is_a_trace(name: str, data: st.DataObject) -> None:
    rows = data.draw(st.lists(near(name) | shapes, max_size=3))
    read = list(PARSERS[name](Row(Place("f", index=index), msgspec.json.encode(row)) for index, row in enumerate(rows)))
    for one in read:
        if isinstance(one, Entry):
            assert isinstance(one.trace, Trace)
            assert [*import_traces([one.trace], "normalized")] == [one.trace]
        else:
            assert one.path.startswith("$")


@given(st.binary(max_size=60) | json_objects.map(lambda value: json.dumps(value).encode()[:-1]), st.sampled_from(FORMATS[:-1]))
def test_no_bytes_make_reading_raise(tmp_path_factory: pytest.TempPathFactory, data: bytes, name: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_bytes(data)
    assert all(isinstance(one, Entry | Fault) for one in read_logs(path, name))
