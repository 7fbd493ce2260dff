# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
"""What DSPy's optimizers see: a program that plays tasks, and one metric in every shape they ask for."""

import copy
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dspy
import pytest

from agent_gym.agents.dspy_agent import ActAdapter, SGDAgentModule
from agent_gym.environment import ReplayEnvironment
from agent_gym.errors import ModelTimeout
from agent_gym.evaluation import ExampleScore
from agent_gym.lm import make_handle
from agent_gym.lm.dspy_lm import GymLM
from agent_gym.lm.prompt import parse_action, render_action
from agent_gym.messages import Assistant, Message
from agent_gym.metrics import CombinedMetric
from agent_gym.optimization.compile import quiet
from agent_gym.optimization.program import DSPyMetric, PlayedAgent, example_of
from agent_gym.testing import Answer, ScriptedLM
from agent_gym.tools import Recordings
from agent_gym.traces import SGDLoader, Trace
from agent_gym.traces.draw import draw_tasks
from agent_gym.traces.task import Task

NOTHING = ReplayEnvironment(Recordings(()))


@pytest.fixture(scope="module")
def tasks(sample: Path) -> list[Task]:
    (drawn,) = draw_tasks(SGDLoader(sample), "train", [12])
    return drawn


@pytest.fixture(scope="module")
def task(tasks: list[Task]) -> Task:
    return next(task for task in tasks if task.expected_calls)


def prediction(task: Task, *done: Message, error: str | None = None, fault: str = "agent") -> dspy.Prediction:
    metadata = {"start": task.start, "rungs": [], **({"fault": fault} if error else {})}
    trace = Trace(conversation_id=task.id, messages=(*task.prompt, *done), error=error, metadata=metadata)
    return dspy.Prediction(trace=trace)


def metric(threshold: float = 0.6) -> DSPyMetric:
    return DSPyMetric(CombinedMetric(), threshold=threshold)


def test_programs_are_compared_by_a_float(task: Task) -> None:
    value = metric()(example_of(task), prediction(task, *task.expected))
    assert (type(value), value) == (float, 1.0)


@pytest.mark.parametrize(("threshold", "accepted"), [(0.01, True), (0.25, True), (0.6, False)])
def test_worked_examples_are_chosen_by_a_bool(task: Task, threshold: float, accepted: bool) -> None:
    half = [message for message in task.expected if not isinstance(message, Assistant) or message.tool_calls]
    value = metric()(example_of(task), prediction(task, *half))
    assert 0.25 <= value < 0.6
    chosen = metric(threshold)(example_of(task), prediction(task, *half), trace=[("step", {}, {})])
    assert chosen is accepted


@pytest.mark.parametrize("trace", [[], [("step", {}, {})]], ids=["empty", "of-a-step"])
def test_a_rollout_without_merit_is_no_worked_example(task: Task, trace: list[Any]) -> None:
    assert metric(0.01)(example_of(task), prediction(task, error="wrote nothing"), trace=trace) is False
    assert metric(0.01)(example_of(task), prediction(task, error="timeout", fault="endpoint"), trace=trace) is False


def test_an_optimizer_that_asks_for_words_gets_a_score_and_feedback(task: Task) -> None:
    said = metric()(example_of(task), prediction(task, Assistant("Hm?")), [], "step", [])
    assert isinstance(said, dspy.Prediction)
    assert 0.0 <= said.score < 0.6
    assert f"Expected the call {task.expected_calls[0].name}" in said.feedback
    assert metric()(example_of(task), prediction(task, *task.expected), None, "step", None).feedback == "Right."


def test_feedback_on_an_endpoint_that_failed_says_so(task: Task) -> None:
    said = metric()(example_of(task), prediction(task, error="no answer in 1 s", fault="endpoint"), None, "step", None)
    assert (said.score, said.feedback) == (0.0, "no answer in 1 s")


@pytest.mark.parametrize("nothing", [None, dspy.Prediction(), dspy.Prediction(trace="gone")])
def test_a_program_that_gave_no_rollout_scores_0(task: Task, nothing: Any) -> None:
    scorer = metric()
    assert scorer(example_of(task), nothing) == 0.0
    assert (scorer.scored, scorer.failed, scorer.broken) == (1, 0, 1)


def test_failures_are_counted_and_every_outcome_is_told(task: Task) -> None:
    told: list[ExampleScore] = []
    scorer = DSPyMetric(CombinedMetric(), threshold=0.6, on_example=told.append)
    for one in (prediction(task, *task.expected), prediction(task, error="x"), prediction(task, error="y", fault="endpoint")):
        scorer(example_of(task), one)
    assert (scorer.scored, scorer.failed, scorer.broken) == (3, 1, 1)
    assert [outcome.score for outcome in told] == [1.0, 0.0, None]


def test_copies_of_the_metric_count_together(task: Task) -> None:
    scorer = metric()
    threads = [threading.Thread(target=copy.deepcopy(scorer), args=(example_of(task), None)) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert scorer.scored == 16


def test_an_example_carries_its_task_and_the_fields_of_a_worked_example(task: Task) -> None:
    example = example_of(task)
    assert example.inputs().toDict() == {"task": task}
    first = next(message for message in task.expected if isinstance(message, Assistant))
    assert parse_action(example.action).tool_calls[0].parsed() == first.tool_calls[0].parsed()
    assert example.action == render_action(first)
    assert {"context", "tools", "conversation", "action"} < {*example.keys()}


def play(tasks: Sequence[Task], model: ScriptedLM, *, threads: int = 1) -> tuple[PlayedAgent, list[Any]]:
    program = PlayedAgent(SGDAgentModule(), NOTHING)
    with dspy.context(lm=GymLM(make_handle(model, attempts=1)), adapter=ActAdapter(), trace=None), quiet():
        evaluate = dspy.Evaluate(
            devset=[example_of(task) for task in tasks], metric=metric(), num_threads=threads, max_errors=1
        )
        return program, [outcome for _, outcome, _ in evaluate(program).results]


def test_the_program_plays_whole_tasks(tasks: list[Task]) -> None:
    _, outcomes = play(tasks, ScriptedLM(lambda request: "Is there anything else?"), threads=4)
    assert [outcome.trace.conversation_id for outcome in outcomes] == [task.id for task in tasks]
    assert {outcome.trace.messages[-1].content for outcome in outcomes} == {"Is there anything else?"}


@pytest.mark.parametrize(("answer", "fault"), [('{"tool_calls": []}', "agent"), (ModelTimeout("nothing in 1 s"), "endpoint")])
def test_what_fails_is_on_the_trace_of_the_prediction(task: Task, answer: Answer, fault: str) -> None:
    program, (outcome,) = play([task], ScriptedLM([answer]))
    assert outcome.trace.metadata["fault"] == fault
    assert program.faults == []


def test_a_fault_of_the_program_is_kept_though_dspy_takes_it_for_a_0(tasks: list[Task]) -> None:
    def broken(request: object) -> Answer:
        raise ZeroDivisionError

    program = PlayedAgent(SGDAgentModule(), NOTHING)
    evaluate = dspy.Evaluate(devset=[example_of(tasks[0])], metric=metric(), num_threads=2, max_errors=100)
    with dspy.context(lm=GymLM(make_handle(ScriptedLM(broken))), adapter=ActAdapter(), trace=None), quiet():
        assert evaluate(program.deepcopy()).score == 0.0
    assert [type(fault) for fault in program.faults] == [ZeroDivisionError]


def test_candidates_share_the_environment(task: Task) -> None:
    program = PlayedAgent(SGDAgentModule(), NOTHING)
    copied = program.deepcopy()
    assert [name for name, _ in copied.named_predictors()] == ["agent.step"]
    assert copied.faults is program.faults
