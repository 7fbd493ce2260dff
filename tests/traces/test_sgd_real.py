"""The real dialogues: everything in them is read, and nothing in them is lost."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pytest

from agent_gym.messages import Assistant, Tool
from agent_gym.tools import ToolCatalog
from agent_gym.traces import SGDLoader, Trace, dump_trace, load_trace
from agent_gym.traces.dataset import LoadReport
from agent_gym.traces.draw import draw_tasks
from agent_gym.traces.sgd_dialogue import Fault

pytestmark = pytest.mark.real


class Read(NamedTuple):
    """What one pass over train and dev found."""

    report: LoadReport[Fault]
    unknown_calls: int
    faults: Counter[tuple[str, str]]
    unanswered: int
    undated: int
    goals_of_unknown_tools: int
    changed_by_writing: int
    accepted: set[tuple[str, str]]


@pytest.fixture(scope="module")
def read(sgd: Path) -> Read:
    loader = SGDLoader(sgd)
    catalog = ToolCatalog.from_sgd(loader)
    faults: Counter[tuple[str, str]] = Counter()
    unknown = unanswered = undated = goals = changed = 0
    accepted: set[tuple[str, str]] = set()
    for split in ("train", "dev"):
        for number, trace in enumerate(loader.load(split)):
            faults.update((split, fault) for call in trace.calls for fault in catalog.check(call))
            unknown += sum(call.name not in catalog for call in trace.calls)
            unanswered += not answered(trace)
            undated += trace.metadata["date"] != "2019-03-01"
            goals += trace.goal is None or any(intent.tool not in catalog for intent in trace.goal.intents)
            # Writing a trace costs ten times what reading it does.
            changed += number % 20 == 0 and load_trace(dump_trace(trace)) != trace
            accepted.update(variants_of("time", trace))
    return Read(loader.report, unknown, faults, unanswered, undated, goals, changed, accepted)


def answered(trace: Trace) -> bool:
    """Whether every call is followed by its result, and that by words."""
    calls = [index for index, message in enumerate(trace.messages) if isinstance(message, Assistant) and message.tool_calls]
    return all(
        isinstance(trace.messages[index + 1], Tool) and isinstance(trace.messages[index + 2], Assistant) for index in calls
    )


def variants_of(slot: str, trace: Trace) -> Iterable[tuple[str, str]]:
    for call in trace.calls:
        for variant in call.accepted.get(slot, ()):
            yield call.parsed()[slot], variant


def test_every_dialogue_turn_and_call_is_read(read: Read) -> None:
    report = read.report
    assert (report.dialogues, report.turns, report.tool_calls, report.unreadable) == (14_272, 262_524, 39_990, 0)


def test_every_call_is_of_a_tool_of_the_catalog(read: Read) -> None:
    assert read.unknown_calls == 0


def test_the_calls_that_lack_a_required_slot_are_reported(read: Read) -> None:
    assert read.faults == {
        ("train", "Hotels_1-ReserveHotel: argument 'destination' is missing"): 6,
        ("train", "Hotels_3-ReserveHotel: argument 'location' is missing"): 12,
    }


def test_every_call_is_answered_and_commented(read: Read) -> None:
    assert read.unanswered == 0


def test_every_conversation_knows_its_day(read: Read) -> None:
    assert read.undated == 0


def test_goals_are_about_tools_of_the_catalog(read: Read) -> None:
    assert read.goals_of_unknown_tools == 0


def test_traces_read_back_as_they_were(read: Read) -> None:
    assert read.changed_by_writing == 0


def test_what_users_said_is_accepted_for_what_they_meant(read: Read) -> None:
    assert ("11:30", "half past 11 in the morning") in read.accepted


@pytest.mark.parametrize("seed", range(3))
def test_fifty_examples_cover_all_services(sgd: Path, seed: int) -> None:
    loader = SGDLoader(sgd)
    drawn, more = draw_tasks(loader, "train", [50, 30], seed=seed)
    assert {task.service for task in drawn} == loader.tools("train").keys()
    assert len({task.trace.conversation_id for task in drawn + more}) == 80
    assert sum(bool(task.expected_calls) for task in drawn) >= 17
    assert loader.report.dialogues <= 80
    assert [task.id for task in draw_tasks(loader, "train", [50], seed=seed)[0]] == [task.id for task in drawn]
