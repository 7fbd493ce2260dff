"""Tools replayed from recordings: every rung, the same answer to the same call, and never an exception."""

import json
import subprocess
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_gym.messages import Assistant, Message, Tool, ToolCall, ToolResult, ToolSpec, User
from agent_gym.tools import RUNGS, Recordings, ToolCatalog, ToolMocker, execute
from agent_gym.traces import SGDLoader, Trace
from conftest import ROOT, SAMPLE
from strategies import call, json_objects, json_values, raw_arguments, traces


def spec(name: str, *required: str, transactional: bool = False, **optional: str) -> ToolSpec:
    properties = {slot: {"type": "string"} for slot in required}
    properties |= {slot: {"type": "string", "default": default} for slot, default in optional.items()}
    schema = {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}
    return ToolSpec(name, "", schema, transactional, ("hotel", "city", "phone") if transactional else ())


def recorded(name: str, *answers: tuple[ToolCall, Any]) -> Trace:
    messages: list[Message] = [User("Go")]
    for made, result in answers:
        messages += [Assistant("", (made,)), Tool(made.name, result)]
    return Trace(conversation_id=name, messages=tuple(messages))


CATALOG = ToolCatalog([spec("find", "city", pool="dontcare", stars="4"), spec("book", "hotel", "day", transactional=True)])
ASTORIA = {"hotel": "Astoria", "city": "Oslo", "stars": "4", "pool": "True", "phone": "1"}
BRISTOL = {"hotel": "Bristol", "city": "Oslo", "stars": "5", "pool": "False", "phone": "2"}
RECORDINGS = Recordings(
    [
        recorded("a", (call("find", city="Oslo", pool="True"), [ASTORIA, BRISTOL])),
        recorded("b", (call("book", hotel="Bristol", day="2019-03-08"), [BRISTOL])),
    ]
)
OWN = recorded(
    "own",
    (call("find", {"city": ("the capital",)}, city="Oslo"), [BRISTOL]),
    (call("find", city="Oslo"), [ASTORIA]),
    (call("find", stars="9"), [ASTORIA]),
)
MOCKER = ToolMocker(CATALOG, RECORDINGS, OWN)

ANSWERS: dict[str, tuple[ToolCall, ToolResult]] = {
    "this conversation, its first answer": (call("find", city="OSLO"), ToolResult([BRISTOL], source="recorded")),
    "this conversation, in the user's words": (call("find", city="the capital"), ToolResult([BRISTOL], source="recorded")),
    "this conversation, against the schema": (call("find", stars=9), ToolResult([ASTORIA], source="recorded")),
    "the same call elsewhere": (
        call("find", city="oslo", pool=True),
        ToolResult([ASTORIA, BRISTOL], source="recorded_elsewhere", note="given 1 of 1 times"),
    ),
    "rows that agree, defaults counted": (
        call("find", city="Oslo", pool="dontcare"),
        ToolResult([ASTORIA], source="entity_table"),
    ),
    "rows that agree, another value than the default": (
        call("find", city="Oslo", stars=5),
        ToolResult([BRISTOL], source="entity_table"),
    ),
    "a booking like a recorded one": (
        call("book", hotel="Bristol", day="2019-03-09"),
        ToolResult([{"hotel": "Bristol", "city": "Oslo", "phone": "2", "day": "2019-03-09"}], source="echo"),
    ),
    "a booking like none": (
        call("book", hotel="Plaza", day="2019-03-09"),
        ToolResult([{"hotel": "Plaza", "day": "2019-03-09"}], source="echo"),
    ),
    "nothing": (call("find", city="Paris"), ToolResult([], source="miss")),
    "an unknown tool": (call("fly"), ToolResult(error="there is no tool 'fly'", source="refused")),
    "a call against the schema": (
        call("book", hotel="Plaza", night="9"),
        ToolResult(
            error="book: argument 'day' is missing; book: there is no argument 'night'; there are: hotel, day", source="refused"
        ),
    ),
}


@pytest.mark.parametrize("what", ANSWERS)
def test_a_call_is_answered_by_the_first_rung_that_can(what: str) -> None:
    made, answer = ANSWERS[what]
    assert MOCKER.call(made.name, made.parsed()) == answer


def test_all_rungs_are_known() -> None:
    assert {answer.source for _, answer in ANSWERS.values()} == set(RUNGS)


def test_an_answer_becomes_a_message_with_its_rung_and_the_id_of_its_call() -> None:
    made = ToolCall("find", '{"city": "Paris"}', "call_7")
    assert execute(MOCKER, made) == Tool("find", [], None, "call_7", "miss")


def test_broken_arguments_are_answered_with_an_error() -> None:
    answer = execute(MOCKER, ToolCall("find", '{"city": '))
    assert (answer.source, answer.result) == ("refused", None)
    assert answer.error is not None
    assert answer.error.startswith("find: arguments are not JSON")


def test_a_tool_that_answers_with_one_object_is_mocked_in_that_shape() -> None:
    lookup = ToolSpec("lookup", parameters={"properties": {"id": {}, "status": {}}})
    seen = Recordings([recorded("a", (call("lookup", id=7), {"id": "7", "status": "sent"}), (call("lookup", id=8), {}))])
    mocker = ToolMocker(ToolCatalog([lookup, spec("cancel", "id", transactional=True)]), seen)
    answers = [mocker.call("lookup", asked) for asked in ({"id": 7}, {"id": 8}, {"status": "sent"}, {"id": 9})]
    assert [answer.value for answer in answers] == [{"id": "7", "status": "sent"}, {}, {"id": "7", "status": "sent"}, {}]
    assert [answer.source for answer in answers] == ["recorded_elsewhere", "recorded_elsewhere", "entity_table", "miss"]


def test_no_more_rows_than_allowed() -> None:
    rows = [{"city": "Oslo", "hotel": str(number)} for number in range(30)]
    many = Recordings([recorded("a", (call("find", city="Rome"), rows))])
    assert ToolMocker(CATALOG, many).call("find", {"city": "Oslo"}).value == rows[:10]
    assert ToolMocker(CATALOG, many, limit=3).call("find", {"city": "Oslo"}).value == rows[:3]


def test_recordings_are_read_when_they_are_first_needed() -> None:
    read: list[str] = []

    def recordings() -> Recordings:
        read.append("once")
        return RECORDINGS

    mocker = ToolMocker(CATALOG, recordings, OWN)
    mocker.call("find", {"city": "Oslo"})
    assert read == []
    mocker.call("find", {"city": "Paris"})
    mocker.call("find", {"city": "Rome"})
    assert read == ["once"]


def sample_recordings() -> Recordings:
    loader = SGDLoader(SAMPLE)
    return Recordings(trace for split in loader.splits() for trace in loader.load(split))


SAMPLE_CATALOG = ToolCatalog.from_sgd(SAMPLE)
SAMPLE_RECORDINGS = sample_recordings()


def test_the_same_call_has_the_same_answer_from_eight_threads() -> None:
    calls = [made for trace in SGDLoader(SAMPLE).load("dev") for made in trace.calls][:40]
    mocker, start = ToolMocker(SAMPLE_CATALOG, sample_recordings()), threading.Barrier(8)

    def ask(_: int) -> list[Tool]:
        start.wait()
        return [execute(mocker, made) for made in calls]

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(ask, range(8)))
    assert all(answer == answers[0] for answer in answers)
    assert answers[0] == [execute(ToolMocker(SAMPLE_CATALOG, SAMPLE_RECORDINGS), made) for made in calls]


@st.composite
def emitted(draw: st.DrawFn) -> ToolCall:
    """What an agent may emit: a known tool or any name, its arguments or any text."""
    spec = draw(st.sampled_from(list(SAMPLE_CATALOG.values())))
    shapes = spec.parameters["properties"]
    sensible = {slot: json_values | st.sampled_from(shapes[slot].get("enum", ["Bergen", "2019-03-08"])) for slot in shapes}
    arguments = st.fixed_dictionaries({}, optional=sensible) | st.fixed_dictionaries(sensible) | json_objects
    raw = (
        raw_arguments
        | arguments.map(json.dumps)
        | st.integers(1, 2000).map(lambda depth: '{"x":' + "[" * depth + "]" * depth + "}")
    )
    return ToolCall(draw(st.sampled_from([spec.name, spec.name, ""]) | st.text()), draw(raw), draw(st.text()))


@given(emitted(), st.sampled_from([None, *SGDLoader(SAMPLE).load("dev")]))
def test_nothing_an_agent_can_emit_raises(made: ToolCall, conversation: Trace | None) -> None:
    first = execute(ToolMocker(SAMPLE_CATALOG, SAMPLE_RECORDINGS, conversation), made)
    assert first == execute(ToolMocker(SAMPLE_CATALOG, SAMPLE_RECORDINGS, conversation), made)
    assert first.source in RUNGS
    assert (first.error is None) == (first.source != "refused")
    assert msgspec.json.decode(msgspec.json.encode(first), type=Tool).call_id == made.id


@given(traces, traces, raw_arguments)
def test_no_recording_however_odd_makes_a_call_raise(own: Trace, other: Trace, raw: str) -> None:
    catalog = ToolCatalog({one.name: one for one in (*own.tools, *other.tools)}.values())
    mocker = ToolMocker(catalog, Recordings([own, other]), own)
    for made in (*own.calls, *other.calls, *(ToolCall(name, raw) for name in catalog)):
        assert execute(mocker, made) == execute(mocker, made)


@pytest.mark.real
def test_a_conversation_is_answered_as_it_was_recorded(sgd: Path) -> None:
    rungs: Counter[str] = Counter()
    for trace in SGDLoader(sgd).load("dev"):
        mocker = ToolMocker(ToolCatalog(trace.tools), Recordings(), trace)
        rungs.update(execute(mocker, made).source for made in trace.calls)
    assert rungs == {"recorded": 6027}


@pytest.mark.real
@pytest.mark.slow
def test_most_recorded_rows_come_back_without_the_conversation_that_recorded_them(sgd: Path) -> None:
    command = [sys.executable, ROOT / "scripts" / "bench" / "mocker_recall.py", sgd, "train"]
    ran = subprocess.run(command, check=True, capture_output=True)
    measured = msgspec.json.decode(ran.stdout)
    assert measured["searches"] > 20_000
    assert measured["row_recall"] >= 0.70
    assert measured["whole_results"] >= 0.55
    assert set(measured["rungs"]) <= set(RUNGS)
