"""Scripted models and agents: a test that stands on them must know when they are at fault."""

from pathlib import Path

import pytest

from agent_gym.agents import Agent
from agent_gym.environment import ReplayEnvironment
from agent_gym.errors import AnswerError, ModelTimeout
from agent_gym.evaluation import evaluate
from agent_gym.lm import Completion, Model, Request, Turn, make_handle, run_sync
from agent_gym.messages import Assistant, Message, System, User
from agent_gym.metrics import CombinedMetric
from agent_gym.testing import GoldAgent, PositionalAgent, RecordedAgent, ScriptedAgent, ScriptedLM
from agent_gym.tools import Recordings
from agent_gym.traces import SGDLoader, Trace
from agent_gym.traces.sgd_acts import SGDActs
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


@pytest.fixture(scope="module")
def ride(sample: Path) -> tuple[Trace, GoldAgent]:
    """A recorded conversation whose first call needs something that the user was asked for."""
    acts = SGDActs(sample)
    for trace in SGDLoader(sample).load("dev"):
        first = trace.messages[1]
        if isinstance(first, Assistant) and first.content and trace.calls:
            return trace, GoldAgent(trace, acts.of(trace) or ())
    raise AssertionError("the sample holds no such conversation")


def replayed(agent: GoldAgent | PositionalAgent, trace: Trace) -> list[Message]:
    """What the agent does when the user says what it said in the record."""
    seen: list[Message] = []
    for message in trace.messages:
        if isinstance(message, Assistant):
            seen.append(run_sync(agent.act(seen, trace.tools)))
        else:
            seen.append(message)
    return seen


def test_with_the_recorded_user_the_gold_agent_does_what_is_recorded(sample: Path) -> None:
    acts, same = SGDActs(sample), 0
    traces = list(SGDLoader(sample).load("dev"))
    for trace in traces:
        done = replayed(GoldAgent(trace, acts.of(trace) or ()), trace)
        calls = [call for message in done if isinstance(message, Assistant) for call in message.tool_calls]
        same += calls == trace.calls
        assert replayed(PositionalAgent(trace), trace) == list(trace.messages)
    # Where the recorded user told a value in words of its own, the agent asks for it.
    assert same >= 0.8 * len(traces)


def test_the_gold_agent_asks_before_it_calls(ride: tuple[Trace, GoldAgent]) -> None:
    trace, agent = ride
    said: list[Message] = [User("Hello.")]
    for _ in range(3):
        answer = run_sync(agent.act(said, trace.tools))
        assert not answer.tool_calls
        assert answer.content
        said += [answer, User("Hm.")]


def test_agents_at_the_end_of_their_record_ask_for_more(sample: Path) -> None:
    trace = next(SGDLoader(sample).load("dev"))
    for agent in (GoldAgent(trace, ()), PositionalAgent(Trace(conversation_id="chat", messages=()))):
        assert "anything else" in run_sync(agent.act([User("Hello.")], ())).content
    gold = GoldAgent(trace, SGDActs(sample).of(trace) or ())
    replayed(gold, trace)
    assert "anything else" in run_sync(gold.act([*trace.messages, User("And now?")], ())).content
