"""Files of traces as a data set: splits, heads, what is read by them, and what cannot be."""

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_gym.errors import DataError, UsageError
from agent_gym.messages import Assistant, Message, Tool, ToolCall, ToolSpec, User
from agent_gym.traces import SGDLoader, Trace, TraceLoader, open_data, write_traces
from agent_gym.traces.draw import draw_dialogues, draw_tasks
from agent_gym.traces.inference import infer_tools
from exported_logs import exported
from strategies import traces

FIND = ToolSpec(name="find", description="Find it", parameters={"type": "object", "properties": {}})
ANSWERED: list[Message] = [User("Hi"), Assistant("", (ToolCall("find", '{"a":1}'),)), Tool("find", result=[]), Assistant("No.")]


def trace(name: str, messages: list[Message] = ANSWERED, **fields: Any) -> Trace:
    return Trace(conversation_id=name, messages=tuple(messages), **fields)


def loader(path: Path, *written: Trace, strict: bool = True) -> TraceLoader:
    write_traces(path / "some.jsonl", written)
    return TraceLoader(path / "some.jsonl", strict=strict)


def test_an_exported_data_set_is_drawn_from_as_the_original(sample: Path, tmp_path: Path) -> None:
    data, original = open_data(exported(sample, tmp_path)), SGDLoader(sample)
    assert isinstance(data, TraceLoader)
    assert isinstance(open_data(sample), SGDLoader)
    assert data.splits() == original.splits()
    ids = [[[task.id for task in tasks] for tasks in draw_tasks(one, "train", [9, 6], seed=3)] for one in (data, original)]
    assert ids[0] == ids[1]
    names = [[one.conversation_id for one in draw_dialogues(which, "dev", 8)] for which in (data, original)]
    assert names[0] == names[1]
    assert len(list(data.everything())) == len(list(original.everything()))


def test_it_counts_what_was_read_as_the_original_does(sample: Path, tmp_path: Path) -> None:
    data, original = TraceLoader(exported(sample, tmp_path)), SGDLoader(sample)
    for one in (data, original):
        assert sum(1 for _ in one.load("dev")) == one.report.dialogues
    assert (data.report.dialogues, data.report.turns, data.report.tool_calls, data.report.services) == (
        original.report.dialogues,
        original.report.turns,
        original.report.tool_calls,
        original.report.services,
    )


def test_only_the_drawn_conversations_are_counted(sample: Path, tmp_path: Path) -> None:
    data = TraceLoader(exported(sample, tmp_path))
    draw_tasks(data, "train", [10, 5])
    assert data.report.dialogues == 15


@given(st.lists(traces, min_size=1, max_size=6, unique_by=lambda one: one.conversation_id), st.randoms())
def test_what_was_written_is_read_by_its_head_in_any_order(
    tmp_path_factory: pytest.TempPathFactory, written: list[Trace], random: Any
) -> None:
    # Tools are a matter of their own; a split may be called anything.
    written = [msgspec.structs.replace(one, tools=(FIND,)) for one in written]
    folder = tmp_path_factory.mktemp("traces")
    half = len(written) // 2
    write_traces(folder / "a.jsonl", written[:half])
    write_traces(folder / "b.jsonl", written[half:])
    if not half:
        (folder / "a.jsonl").unlink()
    data = TraceLoader(folder)
    by_name = {one.conversation_id: one for one in written}
    found = 0
    for split in data.splits():
        heads = data.heads(split)
        random.shuffle(heads)
        found += len(heads)
        assert data.read(split, heads) == [by_name[head.conversation_id] for head in heads]
    assert found == len(written) == len(list(data.everything()))


def test_a_conversation_stays_in_its_split_when_the_log_grows(tmp_path: Path) -> None:
    some = loader(tmp_path, *[trace(f"c{number}") for number in range(500)])
    before = {split: [head.conversation_id for head in some.heads(split)] for split in some.splits()}
    assert before.keys() == {"train", "dev"}
    assert 0.75 < len(before["train"]) / 500 < 0.85
    more = loader(tmp_path, *[trace(f"c{number}") for number in reversed(range(700))])
    assert all({*names} <= {head.conversation_id for head in more.heads(split)} for split, names in before.items())


def test_a_split_that_metadata_names_is_taken(tmp_path: Path) -> None:
    named = [trace(str(number), metadata={"split": name}) for number, name in enumerate(["odd", "dev", "train", "dev"])]
    data = loader(tmp_path, *named)
    assert data.splits() == ["train", "dev", "odd"]
    assert [one.conversation_id for one in data.load("dev")] == ["1", "3"]
    with pytest.raises(UsageError, match=r"no split 'test' in .*some\.jsonl': it has train, dev, odd"):
        data.load("test")


def test_it_is_drawn_evenly_by_services_else_by_tools_else_by_nothing(tmp_path: Path) -> None:
    def calling(name: str, tool: str, **fields: Any) -> Trace:
        return trace(name, [User("Hi"), Assistant("", (ToolCall(tool, "{}"),)), Assistant("Done.")], **fields)

    said = [calling("a", "x", metadata={"services": ["S", "T"]}), calling("b", "Hotels_1-Find"), calling("c", "find")]
    talk = [trace(name, [User("Hi"), Assistant("Hello")], metadata={"services": 3}) for name in ("d", "e")]
    data = loader(tmp_path, *[msgspec.structs.replace(one, metadata={**one.metadata, "split": "dev"}) for one in said + talk])
    assert [head.services for head in data.heads("dev")] == [("S", "T"), ("Hotels_1",), ("find",), ("",), ("",)]
    (tasks,) = draw_tasks(data, "dev", [5])
    assert Counter(task.service for task in tasks) == {"x": 1, "Hotels_1": 1, "find": 1, "": 2}
    assert data.report.services == {"S", "T", "Hotels_1", "find"}


def test_conversations_without_tools_get_those_that_all_of_them_called(tmp_path: Path) -> None:
    talk = trace("d", [User("Hi"), Assistant("Hello")])
    data = loader(tmp_path, trace("a"), talk, trace("c", tools=(FIND,)))
    found = {one.conversation_id: one.tools for one in data.everything()}
    assert found == {"a": infer_tools([trace("a")]), "c": (FIND,), "d": infer_tools([trace("a")])}


def test_what_cannot_be_read_is_left_out_and_named(tmp_path: Path) -> None:
    path = tmp_path / "some.jsonl"
    write_traces(path, [trace("a", metadata={"split": "dev"}), trace("b", metadata={"split": "dev"})])
    path.write_bytes(path.read_bytes() * 2 + b'oops\n{"conversation_id": "x", "messages": [{}, {}]}\n')
    data = TraceLoader(path, strict=False)
    assert [one.conversation_id for one in data.load("dev")] == ["a", "b"]
    assert [fault.place.line for fault in data.report.faults] == [3, 4, 5, 6]
    assert "'a' was there before: ids are unique in a data set" in str(data.report.faults[0])
    assert "$.messages[0]: " in str(data.report.faults[3])
    assert "(and 1 more)" in str(data.report.faults[3])
    with pytest.raises(DataError, match=r"some\.jsonl, line 3: .*; repair the file, or read on with strict=False"):
        TraceLoader(path).splits()


@pytest.mark.parametrize("begin", [b"", b"\xef\xbb\xbf", b"\n\n"], ids=["plain", "mark", "blank"])
def test_a_conversation_without_an_id_is_called_after_its_line(tmp_path: Path, begin: bytes) -> None:
    row = {"messages": [{"role": "user", "content": "Hi"}, {"role": "tool", "name": "find", "result": "so"}]}
    (tmp_path / "log.jsonl").write_bytes(begin + b"\r\n".join([json.dumps(row).encode()] * 2))
    data = TraceLoader(tmp_path / "log.jsonl")
    first = 1 + begin.count(b"\n")
    assert {one.conversation_id for one in data.everything()} == {f"log:{first}", f"log:{first + 1}"}


def test_a_file_that_changes_under_its_reader_is_noticed(tmp_path: Path) -> None:
    data = loader(tmp_path, trace("a", metadata={"split": "dev"}), trace("b", metadata={"split": "dev"}))
    heads = data.heads("dev")
    for written in (["b", "a"], ["a much longer name", "b"]):
        write_traces(tmp_path / "some.jsonl", [trace(name) for name in written])
        with pytest.raises(DataError, match=r"some\.jsonl, line \d: the file was changed while it was being read: run again"):
            data.read("dev", heads)


def test_something_else_is_refused_with_the_way_out(tmp_path: Path) -> None:
    chat = '{"messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]}\n'
    line = '{"conversation_id": "a", "messages": []}\n'
    (tmp_path / "chat.jsonl").write_text(chat)
    (tmp_path / "array.json").write_text(f"[{line}]")
    (tmp_path / "packed.jsonl").write_bytes(gzip.compress(line.encode()))
    (tmp_path / "words.txt").write_text("Hello\n")
    (tmp_path / "empty.jsonl").write_text("")
    (tmp_path / "folder").mkdir()
    for name, said in {
        "chat.jsonl": r"is no file of traces but a log in the format openai: make one of it, `agent-gym data import .*chat",
        "array.json": "is no file of traces but not JSON lines",
        "packed.jsonl": "is no file of traces but packed",
        "words.txt": r"no traces in .*: `agent-gym data check .*words\.txt` says",
        "empty.jsonl": "no traces in ",
        "folder": "no SGD data in .*, and no traces: `agent-gym data fetch` gets SGD .* `agent-gym data import LOGS",
        "nowhere": "no SGD data in .*, and no traces",
    }.items():
        with pytest.raises(UsageError, match=said) as caught:
            open_data(tmp_path / name)
        assert "\n" not in str(caught.value)
    (tmp_path / "broken.jsonl").write_text('{"conversation_id": "a", "messages": [{"role": "user"}]}\n')
    with pytest.raises(DataError, match=r"no trace in .*broken\.jsonl' could be read: `agent-gym data check"):
        open_data(tmp_path / "broken.jsonl", strict=False).splits()
