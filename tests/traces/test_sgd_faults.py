"""Broken data: named by file, dialogue, turn and field when strict; else skipped, counted, and all the rest is read."""

from collections.abc import Callable
from pathlib import Path

import pytest

from agent_gym.errors import DataError, UsageError
from agent_gym.traces import SGDLoader
from agent_gym.traces.draw import draw_tasks
from agent_gym.traces.sgd_dialogue import Fault
from sgd_folder import Change, SGDFolder, drop, put

FILE, BROKEN = "dialogues_001.json", "1_00001"


@pytest.fixture
def folder(tmp_path: Path, sample: Path) -> SGDFolder:
    return SGDFolder(tmp_path / "sgd", sample)


def in_call(change: Change) -> Change:
    """Change the frame of the first call, in turn 3 of the broken dialogue."""
    return lambda dialogue: change(next(frame for frame in dialogue["turns"][3]["frames"] if "service_call" in frame))


DIALOGUES: dict[str, tuple[Change, int | None, str | None, str]] = {
    "no turns": (drop("turns"), None, "turns", "missing"),
    "no services": (drop("services"), None, "services", "missing"),
    "no words": (drop("turns", 2, "utterance"), 2, "utterance", "missing"),
    "no actions": (drop("turns", 2, "frames", 0, "actions"), 2, "frames[0].actions", "missing"),
    "no method": (in_call(drop("service_call", "method")), 3, "frames[0].service_call.method", "missing"),
    "turns of another type": (put("turns", value={}), None, "turns", "Expected `array`"),
    "a turn that is none": (put("turns", 2, value=None), 2, None, "Expected `object`"),
    "words of another type": (put("turns", 2, "utterance", value=7), 2, "utterance", "Expected `str`, got `int`"),
    "a value of another type": (
        in_call(put("service_call", "parameters", "city", value=7)),
        3,
        "frames[0].service_call.parameters[...]",
        "Expected `str`, got `int`",
    ),
    "a result of another type": (
        in_call(put("service_results", value={"a": 1})),
        3,
        "frames[0].service_results",
        "Expected `array`",
    ),
    "an unknown service": (put("services", value=["Nowhere_1"]), None, "services", "'Nowhere_1'"),
    "an unknown intent called": (
        in_call(put("service_call", "method", value="Teleport")),
        3,
        "service_call.method",
        "'Teleport' is no intent of ",
    ),
    "an unknown intent wanted": (
        put("turns", 2, "frames", 0, "state", "active_intent", value="Teleport"),
        2,
        "state.active_intent",
        "'Teleport' is no intent of ",
    ),
    "an unknown service called": (
        in_call(put("service", value="Nowhere_1")),
        3,
        "service_call.method",
        "no intent of 'Nowhere_1'",
    ),
    "a service called that is not the dialogue's": (put("services", value=["Books_1"]), 3, "frames.service", "['Books_1']"),
    "an unknown speaker": (put("turns", 2, "speaker", value="NARRATOR"), 2, "speaker", "'NARRATOR'"),
}


@pytest.mark.parametrize("fault", DIALOGUES)
def test_a_broken_dialogue_is_named_with_its_turn_and_field(folder: SGDFolder, fault: str) -> None:
    change, turn, field, reason = DIALOGUES[fault]
    folder.change(1, change)
    with pytest.raises(DataError) as caught:
        list(SGDLoader(folder.path).load("train"))
    where = [f"{name} {value}" for name, value in [("turn", turn), ("field", field)] if value is not None]
    assert str(caught.value).startswith(", ".join([FILE, f"dialogue {BROKEN}", *where]) + ": ")
    assert reason in str(caught.value)
    assert str(caught.value).endswith("; repair the file, or read on with strict=False")


@pytest.mark.parametrize("fault", DIALOGUES)
def test_a_broken_dialogue_is_counted_and_the_others_are_read(folder: SGDFolder, fault: str) -> None:
    change, turn, field, _ = DIALOGUES[fault]
    folder.change(1, change)
    loader = SGDLoader(folder.path, strict=False)
    read = [trace.conversation_id for trace in loader.load("train")]
    assert read == [f"train/{name}" for name in folder.ids if name != BROKEN]
    assert (loader.report.dialogues, loader.report.unreadable) == (5, 1)
    (found,) = loader.report.faults
    assert (found.file, found.dialogue, found.turn, found.field) == (FILE, BROKEN, turn, field)


@pytest.mark.parametrize("fault", DIALOGUES)
def test_examples_are_drawn_from_the_readable_dialogues(folder: SGDFolder, fault: str) -> None:
    folder.change(1, DIALOGUES[fault][0])
    loader = SGDLoader(folder.path, strict=False)
    (drawn,) = draw_tasks(loader, "train", [5])
    assert {task.trace.conversation_id for task in drawn} == {f"train/{name}" for name in folder.ids if name != BROKEN}
    with pytest.raises(UsageError, match="too few"):
        draw_tasks(loader, "train", [6])


FILES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "empty": (lambda whole: b"", "truncated"),
    "truncated": (lambda whole: whole[:-1000], "truncated"),
    "no list": (lambda whole: b'{"dialogues": []}', "Expected `array`"),
    "no JSON": (lambda whole: b"version https://", "malformed"),
    "nested without end": (lambda whole: b"[" * 100_000, "recursion"),
}


@pytest.mark.parametrize("fault", FILES)
def test_a_broken_file_is_named(folder: SGDFolder, fault: str) -> None:
    change, reason = FILES[fault]
    folder.file(1).write_bytes(change(folder.file(1).read_bytes()))
    for read in (SGDLoader.load, SGDLoader.heads):
        with pytest.raises(DataError, match=rf"^{FILE}: not a JSON list of dialogues: .*{reason}"):
            list(read(SGDLoader(folder.path), "train"))


@pytest.mark.parametrize("fault", FILES)
def test_a_broken_file_is_counted_and_the_others_are_read(folder: SGDFolder, fault: str) -> None:
    folder.file(1).write_bytes(FILES[fault][0](folder.file(1).read_bytes()))
    loader = SGDLoader(folder.path, strict=False)
    assert [trace.metadata["file"] for trace in loader.load("train")] == ["dialogues_002.json"] * 3
    assert (loader.report.files, loader.report.unreadable) == (2, 1)
    assert len(draw_tasks(SGDLoader(folder.path, strict=False), "train", [3])[0]) == 3


def test_a_file_that_cannot_be_opened_is_counted(folder: SGDFolder) -> None:
    (folder.split / "dialogues_000.json").mkdir()
    loader = SGDLoader(folder.path, strict=False)
    assert len(list(loader.load("train"))) == 6
    assert [fault.file for fault in loader.report.faults] == ["dialogues_000.json"]


def test_bytes_that_are_no_text_spoil_one_dialogue(folder: SGDFolder) -> None:
    folder.change(1, put("turns", 2, "utterance", value="XXX"))
    folder.file(1).write_bytes(folder.file(1).read_bytes().replace(b"XXX", b"\xff\xfe"))
    loader = SGDLoader(folder.path, strict=False)
    assert len(list(loader.load("train"))) == 5
    assert [(fault.dialogue, fault.file) for fault in loader.report.faults] == [(BROKEN, FILE)]


def test_a_dialogue_without_a_name_is_told_by_its_number(folder: SGDFolder) -> None:
    folder.write(1, [None, *folder.read(1)[1:]])
    folder.change(1, drop("dialogue_id"))
    loader = SGDLoader(folder.path, strict=False)
    assert len(list(loader.load("train"))) == 4
    assert [str(fault).split(":")[0] for fault in loader.report.faults] == [
        f"{FILE}, dialogue number 0",
        f"{FILE}, dialogue number 1, field dialogue_id",
    ]


def test_a_fault_says_only_what_is_known() -> None:
    assert str(Fault("a.json", "it is empty")) == "a.json: it is empty"
    assert str(Fault("a.json", "it is 7", "1_1", 0, "speaker")) == "a.json, dialogue 1_1, turn 0, field speaker: it is 7"
