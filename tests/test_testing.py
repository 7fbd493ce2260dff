"""Scripted models and agents: a test that stands on them must know when they are at fault."""

from pathlib import Path

import pytest

from agent_gym.agents import Agent
from agent_gym.environment import ReplayEnvironment
from agent_gym.errors import AnswerError, ModelTimeout
from agent_gym.evaluation import evaluate
from agent_gym.lm import Completion, Model, Request, Turn, make_handle, run_sync
from agent_gym.messages import Assistant, System, User
from agent_gym.metrics import CombinedMetric
from agent_gym.testing import RecordedAgent, ScriptedAgent, ScriptedLM
from agent_gym.tools import Recordings
from agent_gym.traces import SGDLoader
from agent_gym.traces.task import Task, tasks_of

HELLO = Request(turns=(Turn("user", "Hello"),))


@pytest.fixture(scope="module")
def tasks(sample: Path) -> list[Task]:
    return [task for trace, _ in zip(SGDLoader(sample).load("dev"), range(10), strict=False) for task in tasks_of(trace)]


def test_a_list_of_answers_is_given_in_turn() -> None:
    model: Model = ScriptedLM(["one", Completion(text="two", finish="length")])
    assert run_sync(model.complete(HELLO)) == Completion(text="one")
    assert run_sync(model.complete(HELLO)) == Completion(text="two", finish="length")


def test_a_function_answers_for_ever_and_every_request_is_kept() -> None:
    model = ScriptedLM(lambda request: f"{request.turns[-1].content}, you", name="parrot")
    assert [run_sync(model.complete(HELLO)).text for _ in range(3)] == ["Hello, you"] * 3
    assert model.asked == [HELLO] * 3
    assert model.name == "parrot"


def test_an_error_in_the_script_is_raised_where_it_stands() -> None:
    model = ScriptedLM([ModelTimeout("nothing in 1 s"), "at last"])
    with pytest.raises(ModelTimeout):
        run_sync(model.complete(HELLO))
    assert run_sync(model.complete(HELLO)).text == "at last"


def test_a_script_at_its_end_says_what_it_was_asked() -> None:
    model = ScriptedLM(["one"])
    run_sync(model.complete(HELLO))
    with pytest.raises(AssertionError, match=r"the script ended after 1, and was asked for one more: .*Hello"):
        run_sync(model.complete(HELLO))


def test_a_scripted_model_takes_a_cache_and_a_meter_like_any_other(tmp_path: Path) -> None:
    handle = make_handle(ScriptedLM(["one"]), cache=tmp_path / "completions.sqlite")
    assert handle.complete_sync(HELLO).text == handle.complete_sync(HELLO).text == "one"
    assert handle.meter.snapshot()["agent"].cache_hits == 1


def test_a_list_of_actions_is_done_in_turn_and_what_was_seen_is_kept() -> None:
    agent: Agent = ScriptedAgent(["Which city?", Assistant("Sino?")])
    assert run_sync(agent.act((User("Hi"),), ())) == Assistant("Which city?")
    assert run_sync(agent.act((User("San Jose"),), ())) == Assistant("Sino?")
    assert isinstance(agent, ScriptedAgent)
    assert agent.seen == [(User("Hi"),), (User("San Jose"),)]


@pytest.mark.parametrize("error", [AnswerError("wrote nothing"), ModelTimeout("nothing in 1 s")])
def test_an_error_in_a_list_of_actions_is_raised(error: AnswerError | ModelTimeout) -> None:
    with pytest.raises(type(error)):
        run_sync(ScriptedAgent([error]).act((User("Hi"),), ()))


def test_a_function_acts_on_what_it_sees() -> None:
    agent = ScriptedAgent(lambda messages, tools: f"{len(messages)} messages, {len(tools)} tools")
    assert run_sync(agent.act((System("Today"), User("Hi")), ())) == Assistant("2 messages, 0 tools")


def test_a_list_of_actions_at_its_end_is_a_mistake_of_the_test() -> None:
    with pytest.raises(AssertionError, match="the script ended after 0"):
        run_sync(ScriptedAgent([]).act((User("Hi"),), ()))


def test_the_recorded_agent_scores_1_in_every_turn_of_a_conversation(tasks: list[Task]) -> None:
    playing = evaluate(RecordedAgent(tasks), tasks, CombinedMetric(), ReplayEnvironment(Recordings(())))
    report = run_sync(playing)
    assert {example.score for example in report.examples} == {1.0}
    assert report.n == len(tasks)


def test_the_recorded_agent_breaks_off_where_nothing_is_recorded(tasks: list[Task]) -> None:
    with pytest.raises(AnswerError, match="nothing is recorded for this conversation"):
        run_sync(RecordedAgent(tasks).act((User("Something else"),), ()))
