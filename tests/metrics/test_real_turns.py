"""The metrics over every turn of the real dev dialogues, played in the replay environment."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from agent_gym.environment import ReplayEnvironment, drive_sync
from agent_gym.messages import Assistant, Message
from agent_gym.metrics import CallCounts, CombinedMetric, ToolAccuracy, count_calls
from agent_gym.tools import Recordings
from agent_gym.traces import SGDLoader
from agent_gym.traces.task import Task, tasks_of

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def turns(sgd: Path) -> list[Task]:
    return [task for trace in SGDLoader(sgd).load("dev") for task in tasks_of(trace)]


def recordings() -> Recordings:
    raise AssertionError("what is replayed is answered by its own conversation")


def test_replaying_what_was_recorded_is_exactly_right_everywhere(turns: list[Task]) -> None:
    environment, metric = ReplayEnvironment(recordings), CombinedMetric()
    scores: Counter[float] = Counter()
    rungs: Counter[str] = Counter()
    counts = CallCounts()
    for task in turns:
        actions = iter([message for message in task.expected if isinstance(message, Assistant)])

        def gold(messages: Sequence[Message], actions: Iterator[Assistant] = actions) -> Assistant:
            return next(actions)

        trace = drive_sync(environment.play(task), gold)
        assert trace.error is None
        scores[metric.score(task, trace).value] += 1
        rungs.update(trace.metadata["rungs"])
        counts += count_calls(task, trace)
    assert scores == {1.0: len(turns)}
    assert rungs == {"recorded": 6027}
    assert (counts, counts.f1) == (CallCounts(6027, 6027, 6027), 1.0)


def test_never_calling_looks_good_in_tool_accuracy_and_has_no_call_f1(turns: list[Task]) -> None:
    metric, counts, total = ToolAccuracy(), CallCounts(), 0.0
    for task in turns:
        trace = drive_sync(ReplayEnvironment(recordings).play(task), lambda messages: Assistant("I see."))
        total += metric.score(task, trace).value
        counts += count_calls(task, trace)
    assert 0.68 < total / len(turns) < 0.71
    assert (counts.f1, counts.made, counts.expected) == (0.0, 0, 6027)
