"""An agent on tasks, measured: what is scored, what is only counted, and in which order."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from random import Random

import msgspec
import pytest

from agent_gym.agents import Agent
from agent_gym.environment import ReplayEnvironment
from agent_gym.errors import AnswerError, DataError, ModelError, ModelTimeout, UsageError
from agent_gym.evaluation import ExampleScore, Report, evaluate, require_played, summarize
from agent_gym.lm import run_sync
from agent_gym.messages import Assistant, Message, Tool, ToolCall, ToolSpec
from agent_gym.metrics import CallCounts, CombinedMetric
from agent_gym.testing import RecordedAgent, ScriptedAgent
from agent_gym.tools import Recordings
from agent_gym.traces import SGDLoader
from agent_gym.traces.draw import draw_tasks
from agent_gym.traces.task import Task, tasks_of

METRIC = CombinedMetric()
WORDS = ScriptedAgent(lambda messages, tools: "Is there anything else?")


@pytest.fixture(scope="module")
def tasks(sample: Path) -> list[Task]:
    (drawn,) = draw_tasks(SGDLoader(sample), "dev", [20])
    return drawn


@pytest.fixture(scope="module")
def environment(sample: Path) -> ReplayEnvironment:
    return ReplayEnvironment(lambda: Recordings(SGDLoader(sample).load("dev")))


def measured(agent: Agent, tasks: Sequence[Task], environment: ReplayEnvironment, *, concurrency: int = 32) -> Report:
    return run_sync(evaluate(agent, tasks, METRIC, environment, concurrency=concurrency))


class Moody:
    """Plays as recorded, except in some tasks, in which it raises."""

    def __init__(self, tasks: Sequence[Task], errors: dict[int, Exception]) -> None:
        self._recorded = RecordedAgent(tasks)
        self._errors = [(tasks[index].prompt, error) for index, error in errors.items()]

    async def act(self, messages: Sequence[Message], tools: tuple[ToolSpec, ...]) -> Assistant:
        for prompt, error in self._errors:
            if tuple(messages[-len(prompt) :]) == prompt:
                raise error
        return await self._recorded.act(messages, tools)


def test_doing_what_was_recorded_scores_1_on_every_example(tasks: list[Task], environment: ReplayEnvironment) -> None:
    report = measured(RecordedAgent(tasks), tasks, environment)
    assert {example.score for example in report.examples} == {1.0}
    assert (report.score, report.call_precision, report.call_recall, report.call_f1) == (1.0, 1.0, 1.0, 1.0)
    assert report.parts == {"similarity": 1.0, "tool_accuracy": 1.0}
    assert report.interval == (1.0, 1.0)
    assert (report.n, report.failed, report.broken) == (20, 0, 0)
    assert report.mocked == {"recorded": 1.0}


def test_doing_what_was_recorded_scores_1_on_every_turn_of_the_sample(sample: Path, environment: ReplayEnvironment) -> None:
    turns = [task for trace in SGDLoader(sample).load("dev") for task in tasks_of(trace)]
    assert {measured(RecordedAgent([task]), [task], environment).score for task in turns} == {1.0}


def test_never_calling_scores_0_in_call_f1(tasks: list[Task], environment: ReplayEnvironment) -> None:
    report = measured(WORDS, tasks, environment)
    assert (report.call_precision, report.call_recall, report.call_f1) == (0.0, 0.0, 0.0)
    assert report.calls == CallCounts(expected=sum(len(task.expected_calls) for task in tasks))
    assert 0 < report.score < 1
    assert report.mocked == {}


def test_an_endpoint_that_fails_is_counted_and_not_scored(tasks: list[Task], environment: ReplayEnvironment) -> None:
    report = measured(Moody(tasks, {3: ModelTimeout("nothing in time"), 7: ModelError("broke")}), tasks, environment)
    assert (report.n, report.failed, report.broken, report.score) == (18, 2, 0, 1.0)
    assert [example.id for example in report.examples if example.score is None] == [tasks[3].id, tasks[7].id]
    lost = report.examples[3]
    assert (lost.id, lost.score, lost.error, lost.parts) == (tasks[3].id, None, "nothing in time", {})


def test_an_agent_that_breaks_off_scores_0_and_is_counted(tasks: list[Task], environment: ReplayEnvironment) -> None:
    report = measured(Moody(tasks, {3: AnswerError("wrote nothing")}), tasks, environment)
    assert (report.n, report.failed, report.broken) == (20, 0, 1)
    broken = report.examples[3]
    assert (broken.score, broken.error) == (0.0, "wrote nothing")
    assert broken.parts == {}
    assert "broke off: wrote nothing" in broken.reason
    assert report.score == pytest.approx(19 / 20)


def test_calls_that_a_broken_rollout_did_not_make_are_missed(tasks: list[Task], environment: ReplayEnvironment) -> None:
    index = next(index for index, task in enumerate(tasks) if task.expected_calls)
    report = measured(Moody(tasks, {index: AnswerError("wrote nothing")}), tasks, environment)
    assert report.calls.expected - report.calls.right == len(tasks[index].expected_calls)


class Shuffled:
    """Plays as recorded, after waiting for some turns of the loop: who began first does not end first."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        self._recorded = RecordedAgent(tasks)
        self._random = Random(0)
        self.playing = self.most = 0

    async def act(self, messages: Sequence[Message], tools: tuple[ToolSpec, ...]) -> Assistant:
        self.playing += 1
        self.most = max(self.most, self.playing)
        for _ in range(self._random.randrange(20)):
            await asyncio.sleep(0)
        self.playing -= 1
        return await self._recorded.act(messages, tools)


@pytest.mark.parametrize("concurrency", [1, 3, 64])
def test_the_report_keeps_the_order_of_the_tasks(tasks: list[Task], environment: ReplayEnvironment, concurrency: int) -> None:
    came: list[str] = []
    agent = Shuffled(tasks)
    playing = evaluate(
        agent, tasks, METRIC, environment, concurrency=concurrency, on_example=lambda example: came.append(example.id)
    )
    report = run_sync(playing)
    assert [example.id for example in report.examples] == [task.id for task in tasks]
    assert sorted(came) == sorted(task.id for task in tasks)
    assert (came == [task.id for task in tasks]) == (concurrency == 1)
    assert agent.most == min(concurrency, len(tasks)), "rollouts in flight"


def test_the_report_does_not_depend_on_who_ends_first(tasks: list[Task], environment: ReplayEnvironment) -> None:
    reports = [measured(Shuffled(tasks), tasks, environment, concurrency=concurrency) for concurrency in (1, 5, 64)]
    assert len({msgspec.json.encode(msgspec.structs.replace(report, seconds=0.0)) for report in reports}) == 1


def test_what_a_rollout_keeps_is_bounded(tasks: list[Task], environment: ReplayEnvironment) -> None:
    report = measured(ScriptedAgent(lambda messages, tools: Assistant("Anything else? " * 10_000)), tasks, environment)
    assert report.n == 20
    assert all(len(step) <= 1001 for example in report.examples for step in (*example.played, *example.expected))


def test_a_fault_of_the_program_ends_the_evaluation_as_itself(tasks: list[Task], environment: ReplayEnvironment) -> None:
    with pytest.raises(ZeroDivisionError):
        measured(Moody(tasks, {5: ZeroDivisionError()}), tasks, environment)


def test_recordings_that_cannot_be_read_end_the_evaluation(tasks: list[Task]) -> None:
    def broken() -> Recordings:
        raise DataError("dialogues_001.json: not JSON")

    with pytest.raises(DataError, match="dialogues_001"):
        measured(RecordedWrongly(tasks), tasks, ReplayEnvironment(broken))


class RecordedWrongly:
    """Makes the recorded calls with another value, so that the conversation itself does not know the answer."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        self._recorded = RecordedAgent(tasks)

    async def act(self, messages: Sequence[Message], tools: tuple[ToolSpec, ...]) -> Assistant:
        if isinstance(messages[-1], Tool):
            return Assistant("Done.")
        action = await self._recorded.act(messages, tools)
        return Assistant(action.content, tuple(_elsewhere(call) for call in action.tool_calls))


def _elsewhere(call: ToolCall) -> ToolCall:
    values = {name: f"not {value}" for name, value in call.parsed().items()}
    return ToolCall(call.name, msgspec.json.encode(values).decode())


def test_reports_say_which_rungs_gave_the_tool_answers(tasks: list[Task], environment: ReplayEnvironment) -> None:
    report = measured(RecordedWrongly(tasks), tasks, environment)
    assert "recorded" not in report.mocked
    assert sum(report.mocked.values()) == pytest.approx(1.0)
    assert report.call_f1 == 0.0


@pytest.mark.parametrize("concurrency", [0, -1])
def test_no_rollouts_at_once_is_a_mistake(tasks: list[Task], environment: ReplayEnvironment, concurrency: int) -> None:
    with pytest.raises(UsageError, match=f"concurrency must be 1 or more, got {concurrency}"):
        measured(WORDS, tasks, environment, concurrency=concurrency)


def test_a_report_without_a_played_example_says_why(tasks: list[Task], environment: ReplayEnvironment) -> None:
    dead = ScriptedAgent(lambda messages, tools: ModelTimeout("nothing within 1 s"))
    with pytest.raises(ModelError, match="no example could be played, all 20 failed: nothing within 1 s"):
        require_played(measured(dead, tasks, environment))
    played = measured(WORDS, tasks, environment)
    assert require_played(played) is played


def test_means_are_over_the_scored_examples() -> None:
    examples = [
        ExampleScore("a", 1.0, {"similarity": 1.0}, CallCounts(1, 1, 1)),
        ExampleScore("b", None, error="timeout"),
        ExampleScore("c", 0.5, {"similarity": 0.5}, CallCounts(1, 0, 0)),
    ]
    report = summarize(examples, rungs={"recorded": 3, "echo": 1})
    assert (report.score, report.parts, report.n, report.failed) == (0.75, {"similarity": 0.75}, 2, 1)
    assert (report.call_precision, report.call_recall) == (1.0, 0.5)
    assert report.call_f1 == pytest.approx(2 / 3)
    assert report.mocked == {"echo": 0.25, "recorded": 0.75}


def test_a_report_of_nothing_is_all_zeros() -> None:
    report = summarize([])
    assert (report.n, report.score, report.interval, report.call_f1) == (0, 0.0, (0.0, 0.0), 0.0)
