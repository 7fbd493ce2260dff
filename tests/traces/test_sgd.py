"""Dialogues become traces: roles, calls, results, accepted variants, goals, services."""

from pathlib import Path
from typing import Any

import pytest

from agent_gym.errors import UsageError
from agent_gym.messages import Assistant, Tool, User
from agent_gym.traces import IntentGoal, SGDLoader, Trace
from sgd_folder import SGDFolder

CALL = {"method": "RentBike", "parameters": {"shop_name": "Sprocket", "pickup_time": "11:30", "rental_date": "2019-03-08"}}
ROW = {"shop_name": "Sprocket", "pickup_time": "11:30", "daily_price": "13"}


def act(slot: str, said: str, meant: str) -> dict[str, Any]:
    return {"act": "INFORM", "slot": slot, "values": [said], "canonical_values": [meant]}


def turn(speaker: str, utterance: str, *actions: Any, service: str = "Bikes_1", **frame: Any) -> dict[str, Any]:
    return {"speaker": speaker, "utterance": utterance, "frames": [{"service": service, "actions": list(actions), **frame}]}


def wants(intent: str, *requested: str, **slots: list[str]) -> dict[str, Any]:
    return {"active_intent": intent, "requested_slots": list(requested), "slot_values": slots}


DIALOGUE = {
    "dialogue_id": "7_00001",
    "services": ["Bikes_1", "Books_1"],
    "turns": [
        turn("USER", "Hello", state=wants("NONE")),
        turn("SYSTEM", "How can I help?"),
        turn(
            "USER",
            "A bike from Sprocket, half past 11 in the morning.",
            act("pickup_time", "half past 11 in the morning", "11:30"),
            act("shop_name", "Sprocket", "Sprocket"),
            state=wants("RentBike", pickup_time=["half past 11 in the morning", "11:30 am"], shop_name=["Sprocket"]),
        ),
        turn("SYSTEM", "On the 8th of March?", act("rental_date", "the 8th of March", "2019-03-08")),
        turn(
            "USER",
            "Yes. What does it cost?",
            state=wants(
                "RentBike",
                "daily_price",
                pickup_time=["half past 11 in the morning", "11:30 am"],
                rental_date=["the 9th", "next day"],
                shop_name=["Sprocket"],
            ),
        ),
        turn("SYSTEM", "It is yours for $13.", service_call=CALL, service_results=[ROW]),
        turn("USER", "And a book.", service="Books_1", state=wants("SearchBook", genre=["crime"])),
        turn("SYSTEM", "Which?", service="Books_1"),
    ],
}


@pytest.fixture
def folder(tmp_path: Path, sample: Path) -> SGDFolder:
    return SGDFolder(tmp_path / "sgd", sample)


@pytest.fixture
def trace(folder: SGDFolder) -> Trace:
    folder.write(1, [DIALOGUE])
    return next(SGDLoader(folder.path).load("train"))


def test_a_turn_with_a_call_becomes_the_call_its_result_and_the_words(trace: Trace) -> None:
    assert [type(message) for message in trace.messages[:5]] == [User, Assistant, User, Assistant, User]
    called, answered, said = trace.messages[5:8]
    assert isinstance(called, Assistant)
    (call,) = called.tool_calls
    assert (call.name, call.parsed()) == ("Bikes_1-RentBike", CALL["parameters"])
    assert answered == Tool("Bikes_1-RentBike", [ROW], None, call.id, "recorded")
    assert said == Assistant("It is yours for $13.")


def test_what_was_said_for_a_value_is_accepted(trace: Trace) -> None:
    # The state's variants of the date are of another value: nothing says that they mean this one.
    assert trace.calls[0].accepted == {
        "pickup_time": ("half past 11 in the morning", "11:30 am"),
        "rental_date": ("the 8th of March",),
    }


def test_the_goal_is_what_the_user_wanted_in_the_order_it_came_up(trace: Trace) -> None:
    assert trace.goal is not None
    rent, search = trace.goal.intents
    assert (rent.tool, rent.requested) == ("Bikes_1-RentBike", ("daily_price",))
    assert rent.slots["pickup_time"] == ("half past 11 in the morning", "11:30 am")
    assert search == IntentGoal("Books_1-SearchBook", {"genre": ("crime",)})


def test_a_trace_tells_its_name_its_day_and_its_tools(trace: Trace) -> None:
    assert trace.conversation_id == "train/7_00001"
    assert trace.metadata == {
        "date": "2019-03-01",
        "services": ["Bikes_1", "Books_1"],
        "split": "train",
        "file": "dialogues_001.json",
    }
    assert [spec.name for spec in trace.tools] == [
        "Bikes_1-FindBikeShop",
        "Bikes_1-RentBike",
        "Books_1-SearchBook",
        "Books_1-ReserveBook",
    ]


def test_a_turn_may_speak_of_two_services_and_call_both(folder: SGDFolder) -> None:
    both = turn("SYSTEM", "Done.", service_call=CALL, service_results=[])
    search = {"method": "SearchBook", "parameters": {"genre": "crime"}}
    both["frames"] += turn("SYSTEM", "", service="Books_1", service_call=search)["frames"]
    folder.write(1, [{**DIALOGUE, "turns": [turn("USER", "Go on."), both]}])
    trace = next(SGDLoader(folder.path).load("train"))
    assert [call.name for call in trace.calls] == ["Bikes_1-RentBike", "Books_1-SearchBook"]
    assert len({call.id for call in trace.calls}) == 2
    # A call without results was answered with none.
    assert [message.result for message in trace.messages if isinstance(message, Tool)] == [[], []]


def test_odd_dialogues_are_read_as_they_are(folder: SGDFolder) -> None:
    silent = {**DIALOGUE, "turns": []}
    twice = {**DIALOGUE, "services": ["Bikes_1", "Bikes_1", "Books_1"]}
    folder.write(1, [silent, twice, DIALOGUE])
    first, second, third = list(SGDLoader(folder.path).load("train"))[:3]
    assert (first.messages, first.calls) == ((), [])
    assert (second.tools, second.conversation_id) == (third.tools, third.conversation_id)


def test_a_loader_counts_what_it_has_read(folder: SGDFolder) -> None:
    loader = SGDLoader(folder.path)
    traces = list(loader.load("train"))
    report = loader.report
    assert (report.files, report.dialogues, report.unreadable) == (2, 6, 0)
    assert report.turns == sum(len(dialogue["turns"]) for number in (1, 2) for dialogue in folder.read(number))
    assert report.tool_calls == sum(len(trace.calls) for trace in traces)
    assert report.services == {"Bikes_1"}


def test_heads_know_every_dialogue_and_read_only_the_chosen(folder: SGDFolder) -> None:
    loader = SGDLoader(folder.path)
    heads = loader.heads("train")
    assert [head.conversation_id for head in heads] == [f"train/{name}" for name in folder.ids]
    chosen = [heads[4], heads[0], heads[5]]
    traces = {trace.conversation_id: trace for trace in SGDLoader(folder.path).load("train")}
    assert loader.read("train", chosen) == [traces[head.conversation_id] for head in chosen]
    assert loader.report.dialogues == 3


def test_incomplete_copies_load(folder: SGDFolder) -> None:
    folder.file(1).unlink()
    loader = SGDLoader(folder.path)
    assert loader.splits() == ["train"]
    assert len(list(loader.load("train"))) == 3


@pytest.mark.parametrize("split", ["dev", "nonsense", ""])
def test_a_split_that_is_not_there_is_answered_with_those_that_are(folder: SGDFolder, split: str) -> None:
    loader = SGDLoader(folder.path)
    for read in (loader.load, loader.heads):
        with pytest.raises(UsageError, match=rf"no split '{split}' in .*: it has train"):
            list(read(split))


def test_a_split_without_dialogues_says_so(folder: SGDFolder) -> None:
    folder.file(1).unlink()
    folder.file(2).unlink()
    with pytest.raises(UsageError, match="it has no dialogues"):
        list(SGDLoader(folder.path).load("train"))


@pytest.mark.parametrize("path", ["", "nowhere", "sgd/train"])
def test_a_folder_without_data_says_where_to_get_it(tmp_path: Path, folder: SGDFolder, path: str) -> None:
    with pytest.raises(UsageError, match="agent-gym data fetch"):
        SGDLoader(tmp_path / path)
