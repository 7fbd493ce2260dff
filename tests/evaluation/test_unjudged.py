# pyright: reportUnknownMemberType=false
"""A judge that fails: that is counted, and never the agent's score."""

from pathlib import Path
from typing import Any

import dspy
import msgspec
import pytest

from agent_gym.environment import ReplayEnvironment
from agent_gym.errors import JudgeFailed, ModelError
from agent_gym.evaluation import ExampleScore, Report, evaluate, require_played, summarize
from agent_gym.evaluation.evaluate import score_example
from agent_gym.lm import make_handle, run_sync
from agent_gym.lm.base import Request
from agent_gym.metrics import CombinedMetric, LLMJudge, ResponseSimilarity, ToolAccuracy
from agent_gym.metrics.base import Score
from agent_gym.optimization.program import DSPyMetric, example_of
from agent_gym.testing import RecordedAgent, ScriptedLM
from agent_gym.tools import Recordings
from agent_gym.traces import SGDLoader, Trace
from agent_gym.traces.draw import draw_tasks
from agent_gym.traces.task import Task

WEIGHTS = {"similarity": 0.25, "tool_accuracy": 0.5, "judge": 0.25}
ENVIRONMENT = ReplayEnvironment(Recordings())


@pytest.fixture(scope="module")
def tasks(sample: Path) -> list[Task]:
    (drawn,) = draw_tasks(SGDLoader(sample), "dev", [8])
    return drawn


class Moody:
    """A judge that has no answer for some tasks."""

    name = "judge"

    def __init__(self, *fails: Task) -> None:
        self._fails = {task.id for task in fails}

    def score(self, task: Task, trace: Trace) -> Score:
        if task.id in self._fails:
            raise JudgeFailed("the judge gave no readable answer")
        return Score(0.5)


def judged(judge: Moody | LLMJudge) -> CombinedMetric:
    return CombinedMetric(WEIGHTS, [ResponseSimilarity(), ToolAccuracy(), judge])


def measured(tasks: list[Task], metric: CombinedMetric) -> Report:
    return run_sync(evaluate(RecordedAgent(tasks), tasks, metric, ENVIRONMENT))


def test_a_failed_judge_is_counted_and_its_examples_are_not_scored(tasks: list[Task]) -> None:
    report = measured(tasks, judged(Moody(tasks[1], tasks[4])))
    assert (report.n, report.unjudged, report.failed, report.broken) == (6, 2, 0, 0)
    assert report.score == pytest.approx(0.875), "the mean of the judged ones"
    assert report.parts["judge"] == 0.5
    lost = report.examples[4]
    assert (lost.id, lost.score, lost.unjudged, lost.parts) == (tasks[4].id, None, True, {})
    assert lost.error == "not judged: the judge gave no readable answer"
    assert report.headline()["unjudged"] == 2


def test_both_ways_of_scoring_agree(tasks: list[Task]) -> None:
    task, metric = tasks[0], judged(Moody(tasks[0]))
    trace = Trace(conversation_id=task.id, messages=(*task.prompt, *task.expected), metadata={"start": task.start})
    found = measured([task], metric).examples[0]
    once = score_example(task, trace, metric)
    assert (found.score, found.unjudged, found.error, found.calls) == (once.score, once.unjudged, once.error, once.calls)


def test_a_model_that_judges_unreadably_fails_every_example(tasks: list[Task]) -> None:
    def nonsense(request: Request) -> str:
        return "Ten out of ten!"

    report = measured(tasks, judged(LLMJudge(handle=make_handle(ScriptedLM(nonsense), role="judge"))))
    assert (report.n, report.unjudged, report.failed) == (0, 8, 0)
    with pytest.raises(ModelError, match="not judged: the judge scripted gave no readable answer"):
        require_played(report)


def test_failures_of_the_endpoint_and_of_the_judge_are_told_apart() -> None:
    examples = [
        ExampleScore("a", 1.0),
        ExampleScore("b", None, error="nothing in time"),
        ExampleScore("c", None, error="not judged: no answer", unjudged=True),
    ]
    report = summarize(examples)
    assert (report.n, report.failed, report.unjudged, report.score) == (1, 1, 1, 1.0)


def test_an_unjudged_example_stays_one_in_a_file() -> None:
    example = ExampleScore("c", None, error="not judged: no answer", unjudged=True)
    assert msgspec.json.decode(msgspec.json.encode(example), type=ExampleScore) == example


def prediction(task: Task) -> dspy.Prediction:
    metadata: dict[str, Any] = {"start": task.start, "rungs": []}
    trace = Trace(conversation_id=task.id, messages=(*task.prompt, *task.expected), metadata=metadata)
    return dspy.Prediction(trace=trace)


def test_for_an_optimizer_the_other_parts_speak(tasks: list[Task]) -> None:
    told: list[ExampleScore] = []
    metric = DSPyMetric(judged(Moody(tasks[0])), threshold=0.6, on_example=told.append)
    assert metric(example_of(tasks[0]), prediction(tasks[0])) == 1.0
    assert metric(example_of(tasks[1]), prediction(tasks[1])) == pytest.approx(0.875)
    assert metric(example_of(tasks[0]), prediction(tasks[0]), trace=[]) is True
    assert (metric.scored, metric.unjudged, metric.failed, metric.broken) == (3, 2, 0, 0)
    assert [example.unjudged for example in told] == [True, False, True]
    assert told[0].parts.keys() == {"similarity", "tool_accuracy"}


def test_where_the_judge_is_all_there_is_the_optimizer_gets_0_and_it_is_counted(tasks: list[Task]) -> None:
    metric = DSPyMetric(CombinedMetric({"judge": 1.0}, [Moody(tasks[0])]), threshold=0.6)
    assert metric(example_of(tasks[0]), prediction(tasks[0])) == 0.0
    assert metric(example_of(tasks[0]), prediction(tasks[0]), trace=[]) is False
    assert (metric.unjudged, metric.failed) == (2, 0)
