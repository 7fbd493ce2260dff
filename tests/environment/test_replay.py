"""A recorded turn is put to an agent: act, tools answer, act again; what fails is on the trace."""

import json
import threading
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_gym.agents import PromptAgent
from agent_gym.environment import ReplayEnvironment, drive_sync, play, rollout
from agent_gym.environment.replay import MAX_STEPS
from agent_gym.errors import AnswerError, ModelTimeout
from agent_gym.evaluation.evaluate import score_example
from agent_gym.lm import run_sync
from agent_gym.messages import Assistant, System, Tool, ToolCall
from agent_gym.metrics import CombinedMetric
from agent_gym.testing import Action, RecordedAgent, ScriptedAgent, ScriptedLM
from agent_gym.tools import RUNGS, Recordings
from agent_gym.traces import SGDLoader, Trace
from agent_gym.traces.draw import draw_tasks
from agent_gym.traces.task import Task

NOTHING = Recordings(())


@pytest.fixture(scope="module")
def tasks(sample: Path) -> list[Task]:
    (drawn,) = draw_tasks(SGDLoader(sample), "train", [30])
    return drawn


@pytest.fixture(scope="module")
def environment(sample: Path) -> ReplayEnvironment:
    return ReplayEnvironment(lambda: Recordings(SGDLoader(sample).load("train")))


@pytest.fixture(scope="module")
def calling(tasks: list[Task]) -> Task:
    """A task whose recorded answer makes a call."""
    return next(task for task in tasks if task.expected_calls)


def played(task: Task, *actions: Action, environment: ReplayEnvironment | None = None) -> tuple[Trace, ScriptedAgent]:
    agent = ScriptedAgent(actions)
    steps = (environment or ReplayEnvironment(NOTHING)).play(task)
    return run_sync(rollout(agent, task, steps)), agent


def call(task: Task) -> Assistant:
    return Assistant("", (task.expected_calls[0],))


def test_words_end_the_turn(calling: Task) -> None:
    trace, agent = played(calling, "Which city?")
    assert trace.messages == (*calling.prompt, Assistant("Which city?"))
    assert trace.error is None
    assert len(agent.seen) == 1


def test_a_call_is_answered_and_the_agent_acts_again(calling: Task) -> None:
    trace, agent = played(calling, call(calling), "Here you are.")
    answer = trace.messages[calling.start + 2]
    assert isinstance(answer, Tool)
    assert answer.source == "recorded"
    recorded = next(message for message in calling.expected if isinstance(message, Tool))
    assert answer.result == recorded.result
    assert agent.seen[1][-1] == answer
    assert trace.metadata["rungs"] == ["recorded"]


def test_all_calls_of_one_step_are_answered_in_order(calling: Task) -> None:
    wrong = ToolCall("Nobody-Nothing", "{}", "second")
    trace, agent = played(calling, Assistant("", (calling.expected_calls[0], wrong)), "Done.")
    answers = [message for message in agent.seen[1] if isinstance(message, Tool)][-2:]
    assert [answer.name for answer in answers] == [calling.expected_calls[0].name, "Nobody-Nothing"]
    assert answers[1].error == "there is no tool 'Nobody-Nothing'"
    assert answers[1].call_id == "second"
    assert trace.metadata["rungs"] == ["recorded", "refused"]


def test_the_agent_sees_the_date_and_the_trace_keeps_only_the_conversation(calling: Task) -> None:
    trace, agent = played(calling, "Hello")
    told, *seen = agent.seen[0]
    assert isinstance(told, System)
    assert told.content.startswith("Today is ")
    assert calling.today in told.content
    assert tuple(seen) == calling.prompt
    assert not any(isinstance(message, System) for message in trace.messages)


@pytest.mark.parametrize(
    ("today", "told"),
    [
        ("2019-03-01", "Today is Friday, 1 March 2019 (2019-03-01)."),
        ("the day after", "Today is the day after."),
    ],
)
def test_the_date_is_told_with_its_weekday(calling: Task, today: str, told: str) -> None:
    task = dated(calling, {"date": today})
    assert next(play(task, ReplayEnvironment(NOTHING).backend(task)))[0] == System(told)


def test_without_a_date_nothing_is_told(calling: Task) -> None:
    task = dated(calling, {})
    assert next(play(task, ReplayEnvironment(NOTHING).backend(task)))[0] == task.prompt[0]


def dated(task: Task, metadata: dict[str, Any]) -> Task:
    return msgspec.structs.replace(task, trace=msgspec.structs.replace(task.trace, metadata=metadata))


def test_the_agent_may_call_only_the_tools_of_its_own_conversation(tasks: list[Task], calling: Task) -> None:
    own = {tool.name for tool in calling.tools}
    other = next(task for task in tasks if task.expected_calls and task.expected_calls[0].name not in own)
    trace, _ = played(calling, call(other), "Sorry.")
    assert trace.metadata["rungs"] == ["refused"]


def test_an_agent_that_never_comes_to_an_end_is_stopped_after_four_steps(calling: Task) -> None:
    trace, agent = played(calling, *[call(calling)] * 9)
    assert len(agent.seen) == MAX_STEPS == 4
    assert trace.error == "the agent still calls tools after 4 steps"
    assert trace.metadata["fault"] == "agent"
    assert len(trace.metadata["rungs"]) == 4


def test_an_unreadable_answer_is_the_agents_fault_and_what_was_done_before_is_kept(calling: Task) -> None:
    trace, _ = played(calling, call(calling), AnswerError("neither words nor a call: '{}'"))
    assert trace.error == "neither words nor a call: '{}'"
    assert trace.metadata["fault"] == "agent"
    assert len(trace.messages) == calling.start + 3


def test_an_endpoint_that_fails_is_the_endpoints_fault(calling: Task) -> None:
    trace, _ = played(calling, ModelTimeout("no answer within 120 s"))
    assert trace.error == "no answer within 120 s"
    assert trace.metadata["fault"] == "endpoint"
    assert trace.messages == calling.prompt


def test_a_fault_of_the_program_is_not_taken_for_a_bad_rollout(calling: Task) -> None:
    def broken(messages: object, tools: object) -> Action:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_sync(rollout(ScriptedAgent(broken), calling, ReplayEnvironment(NOTHING).play(calling)))


def test_both_drivers_play_alike(tasks: list[Task], environment: ReplayEnvironment) -> None:
    for task in tasks:
        agent = RecordedAgent([task])
        asynchronous = run_sync(rollout(agent, task, environment.play(task)))
        assert (
            drive_sync(environment.play(task), lambda messages, agent=agent: run_sync(agent.act(messages, ()))) == asynchronous
        )


def test_a_synchronous_agents_errors_land_on_the_trace_too(calling: Task) -> None:
    def act(messages: object) -> Assistant:
        raise AnswerError("the model wrote nothing")

    assert drive_sync(ReplayEnvironment(NOTHING).play(calling), act).metadata["fault"] == "agent"


def test_recordings_are_read_when_first_needed_and_only_once(calling: Task) -> None:
    reads: list[str] = []

    def read() -> Recordings:
        reads.append("read")
        return NOTHING

    environment = ReplayEnvironment(read)
    played(calling, call(calling), "The conversation knows this answer itself.", environment=environment)
    assert reads == []
    threads = [threading.Thread(target=environment.recordings) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert reads == ["read"]


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(st.data())
def test_whatever_a_model_writes_ends_in_a_trace_that_can_be_scored(
    tasks: list[Task], environment: ReplayEnvironment, data: st.DataObject
) -> None:
    task = data.draw(st.sampled_from(tasks))
    name = st.sampled_from([*(tool.name for tool in task.tools), "Nobody-Nothing"])
    slot = st.sampled_from([slot for tool in task.tools for slot in tool.parameters["properties"]]) | st.text(max_size=4)
    arguments = st.dictionaries(slot, json_values, max_size=4) | json_values
    call = st.fixed_dictionaries({"name": name, "arguments": arguments})
    answer = st.lists(call, max_size=3).map(lambda calls: json.dumps({"tool_calls": calls})) | st.text(max_size=20)
    agent = PromptAgent(ScriptedLM(data.draw(st.lists(answer, min_size=4, max_size=4))), "Be brief.")
    trace = run_sync(rollout(agent, task, environment.play(task)))
    assert trace.messages[: task.start + 1] == task.prompt
    assert set(trace.metadata["rungs"]) <= {*RUNGS}
    scored = score_example(task, trace, CombinedMetric())
    assert scored.score is not None
    assert 0.0 <= scored.score <= 1.0
    assert trace.error is None or (scored.score == 0.0 and trace.metadata["fault"] == "agent")
