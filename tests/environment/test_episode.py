"""One conversation: the agent acts, tools and user answer, and how it ended and whose fault that was is on the trace."""

import asyncio
import json
import math
import threading
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_gym.environment import Episode, play_episode
from agent_gym.environment.rewards import Reward, make_reward
from agent_gym.environment.users import Ended, ReplayedUser, User
from agent_gym.errors import AnswerError, BudgetSpent, JudgeFailed, ModelTimeout, UsageError, UserFailed
from agent_gym.lm import run_sync
from agent_gym.messages import Assistant, System, Tool, ToolCall, ToolResult
from agent_gym.messages import User as Said
from agent_gym.metrics import Score
from agent_gym.testing import Action, ScriptedAgent
from agent_gym.tools import ToolBackend
from agent_gym.tools.catalog import ToolCatalog
from agent_gym.traces import Trace, dump_trace, load_trace
from conversations import FOUND, RIGHT, TASK, Scripted, tables

ANYTHING = st.text(st.characters())
"""Half surrogate pairs too, unlike `text()` by itself."""


def episode(
    user: User | None = None, reward: Reward | None = None, backend: ToolBackend | None = None, **limits: Any
) -> Episode:
    speaker = (user or ReplayedUser()).begin(TASK, 0)
    return Episode(TASK, backend or tables(TASK), speaker, reward or make_reward(), **limits)


def played(*actions: Action, user: User | None = None, reward: Reward | None = None, **limits: Any) -> Trace:
    return run_sync(play_episode(ScriptedAgent(actions), episode(user, reward, **limits)))


class Unjudged:
    async def of_turn(self, task: Trace, episode: Trace, start: int) -> Score:
        raise JudgeFailed("no verdict")

    async def of_episode(self, task: Trace, episode: Trace) -> Score:
        return Score(1.0)


class Raises:
    catalog = ToolCatalog(TASK.tools)

    def call(self, name: str, arguments: Mapping[str, Any]) -> Any:
        raise OSError("the database is gone")


def test_the_recorded_agent_with_the_recorded_user_gives_the_recorded_conversation() -> None:
    trace = played(*RIGHT)
    spoken = [message for message in trace.messages if not isinstance(message, Tool)]
    assert spoken == [message for message in TASK.messages if not isinstance(message, Tool)]
    assert (trace.outcome, trace.scores["success"], trace.metadata["ended"]) == ("success", 1.0, "script")


def test_an_agent_sees_the_date_and_the_conversation_so_far() -> None:
    agent = ScriptedAgent([*RIGHT])
    run_sync(play_episode(agent, episode()))
    assert agent.seen[0] == (System("Today is Friday, 1 March 2019 (2019-03-01)."), TASK.messages[0])


def test_a_failure_says_what_is_missing_and_is_the_agents_fault() -> None:
    trace = played("Which city?", "I cannot help.")
    assert trace.outcome == "failure"
    assert trace.metadata["fault"] == "agent"
    assert any("BookTable" in one for one in trace.metadata["missing"])


def test_an_unreadable_action_ends_the_episode_as_the_agents_failure() -> None:
    trace = played(AnswerError("nothing readable"))
    assert (trace.outcome, trace.metadata["fault"], trace.error) == ("failure", "agent", "nothing readable")


def test_a_failing_endpoint_spoils_the_episode_and_scores_nothing() -> None:
    trace = played(ModelTimeout("no answer"))
    assert (trace.outcome, trace.metadata["fault"]) == ("spoilt", "endpoint")
    assert not {"success", "reward"} & trace.scores.keys()


def test_a_failing_user_spoils_the_episode() -> None:
    trace = played("Which city?", user=Scripted("Hello", UserFailed("lost for words")))
    assert (trace.outcome, trace.metadata["fault"]) == ("spoilt", "user")
    assert trace.error == "the user failed: lost for words"


def test_a_user_who_fails_at_once_leaves_a_trace_without_a_word() -> None:
    trace = played(user=Scripted(UserFailed("lost for words")))
    assert (trace.messages, trace.outcome) == ((), "spoilt")


def test_a_tool_that_raises_spoils_the_episode() -> None:
    trace = run_sync(play_episode(ScriptedAgent([*RIGHT]), episode(backend=Raises())))
    assert (trace.outcome, trace.metadata["fault"]) == ("spoilt", "tool")
    assert trace.error is not None
    assert "raised OSError: the database is gone" in trace.error


def test_an_agent_that_never_stops_calling_is_stopped() -> None:
    trace = played(*[Assistant("", (FOUND,))] * 9, max_steps=3)
    assert (trace.outcome, trace.metadata["fault"], trace.metadata["ended"]) == ("failure", "agent", "steps")
    assert len(trace.calls) == 3


def test_too_many_turns_truncate_and_do_not_terminate() -> None:
    opened = episode(Scripted("Hello", "And?", "And?"), max_turns=2)
    run_sync(opened.open())
    first, second = run_sync(opened.step("Yes?")), run_sync(opened.step("Yes?"))
    assert (first.terminated, first.truncated, second.terminated, second.truncated) == (False, False, False, True)
    assert opened.trace.metadata["ended"] == "turns"


def test_words_beside_calls_are_said_and_the_agent_goes_on() -> None:
    trace = played(Assistant("One moment.", (FOUND,)), *RIGHT[1:])
    assert trace.outcome == "success"
    assert trace.messages[1] == Assistant("One moment.", (FOUND,))


def test_broken_arguments_are_an_error_the_agent_sees() -> None:
    agent = ScriptedAgent([Assistant("", (ToolCall(FOUND.name, "{"),)), *RIGHT])
    run_sync(play_episode(agent, episode()))
    answer = agent.seen[1][-1]
    assert isinstance(answer, Tool)
    assert answer.error


def test_a_failed_judge_leaves_the_reward_unknown_and_never_zero() -> None:
    opened = episode(reward=Unjudged())
    run_sync(opened.open())
    assert math.isnan(run_sync(opened.step(RIGHT[1])).reward)
    trace = played(*RIGHT, reward=Unjudged())
    assert "reward" not in trace.scores
    assert trace.metadata["unjudged"] == "no verdict"
    assert trace.outcome == "success"


def test_an_episode_takes_nothing_before_it_is_opened_or_after_its_end() -> None:
    fresh = episode()
    with pytest.raises(UsageError, match="not been opened"):
        run_sync(fresh.step("Hello"))
    run_sync(fresh.open())
    with pytest.raises(UsageError, match="opened already"):
        run_sync(fresh.open())
    run_sync(fresh.broke(AnswerError("nothing")))
    with pytest.raises(UsageError, match="is over"):
        run_sync(fresh.step("Hello"))


def test_limits_below_one_are_refused() -> None:
    with pytest.raises(UsageError, match="max_turns=0"):
        episode(max_turns=0)


def test_an_episode_is_a_trace_like_any_other() -> None:
    trace = played(*RIGHT)
    assert load_trace(dump_trace(trace)) == trace


def test_the_users_turns_are_messages_of_the_user() -> None:
    trace = played(*RIGHT)
    assert [message.content for message in trace.messages if isinstance(message, Said)] == [
        message.content for message in TASK.messages if isinstance(message, Said)
    ]


def test_where_nothing_was_wanted_success_is_a_user_who_leaves_content() -> None:
    aimless = Trace(conversation_id="c", messages=(Said("Hi"), Assistant("Hello")), tools=TASK.tools)
    ended: dict[Ended, str] = {"goal": "success", "patience": "failure"}
    for how, outcome in ended.items():
        talk = Episode(aimless, tables(aimless), Scripted("Hi", ended=how).begin(aimless, 0))
        assert run_sync(play_episode(ScriptedAgent(["Hello"]), talk)).outcome == outcome


def test_a_backend_that_waits_does_not_hold_up_other_conversations() -> None:
    opened = threading.Event()

    class Waits:
        catalog = ToolCatalog(TASK.tools)
        blocking = True

        def call(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
            assert opened.wait(30), "the other conversation never went on"
            return ToolResult([])

    async def together() -> None:
        waiting = play_episode(ScriptedAgent([*RIGHT]), episode(backend=Waits()))
        other = play_episode(ScriptedAgent(["Ok"] * 5), episode())

        async def then_open() -> None:
            await other
            opened.set()

        await asyncio.gather(waiting, then_open())

    run_sync(together())


def test_endless_calls_terminate_as_a_failure_and_earn_what_they_brought_about() -> None:
    opened = episode(reward=make_reward("ground_truth", "turn"), max_steps=1)
    run_sync(opened.open())
    run_sync(opened.step("Which city?"))
    ended = run_sync(opened.step(RIGHT[2]))
    assert (ended.terminated, ended.truncated, ended.reward) == (True, False, 0.5)


def test_a_turn_that_the_agent_breaks_off_earns_what_it_brought_about() -> None:
    trace = played(*RIGHT[:3], AnswerError("unreadable"), reward=make_reward("ground_truth", "turn"))
    assert trace.metadata["rewards"] == [0, 0, 0, 0, 0.5]
    assert trace.scores["reward"] == trace.scores["goal"]


@pytest.mark.parametrize("last", [AnswerError("unreadable"), ModelTimeout("no answer")])
def test_no_judge_is_asked_about_a_turn_in_which_nothing_was_done(last: Action) -> None:
    assert "unjudged" not in played(last, reward=Unjudged()).metadata


def test_a_user_who_leaves_before_the_agent_has_spoken_spoils_the_episode() -> None:
    aimless = Trace(conversation_id="c", messages=(Said("Hi"), Assistant("Hello")), tools=TASK.tools)
    for task in (TASK, aimless):
        talk = Episode(task, tables(task), Scripted(ended="goal").begin(task, 0), make_reward())
        trace = run_sync(play_episode(ScriptedAgent([]), talk))
        assert (trace.outcome, trace.metadata["fault"], "reward" in trace.scores) == ("spoilt", "user", False)


def test_the_reward_and_the_outcome_agree_where_nothing_was_wanted() -> None:
    aimless = Trace(conversation_id="c", messages=(Said("Hi"), Assistant("Hello")), tools=TASK.tools)
    talk = Episode(aimless, tables(aimless), Scripted("Hi", ended="patience").begin(aimless, 0), make_reward())
    trace = run_sync(play_episode(ScriptedAgent(["Hello"]), talk))
    assert (trace.outcome, trace.scores["reward"]) == ("failure", 0.0)


class Broke:
    """A user, a tool or a judge for whose model there is no budget."""

    catalog = ToolCatalog(TASK.tools)

    def call(self, name: str, arguments: Mapping[str, Any]) -> Any:
        raise BudgetSpent("the budget is spent")

    async def of_turn(self, task: Trace, episode: Trace, start: int) -> Score:
        raise BudgetSpent("the budget is spent")

    of_episode = of_turn


@pytest.mark.parametrize(("options", "action"), [({"backend": Broke()}, RIGHT[0]), ({"reward": Broke()}, RIGHT[1])])
def test_a_spent_budget_is_nobodys_fault_and_leaves_an_episode_that_takes_no_more(
    options: dict[str, Any], action: Assistant
) -> None:
    opened = episode(**options)
    run_sync(opened.open())
    with pytest.raises(BudgetSpent):
        run_sync(opened.step(action))
    assert opened.trace.outcome is None
    with pytest.raises(UsageError, match="was cut short: begin another one"):
        run_sync(opened.step(action))


def test_what_is_no_action_is_refused_and_changes_nothing() -> None:
    opened = episode()
    run_sync(opened.open())
    nothing: Any = {"content": "Hello"}
    with pytest.raises(UsageError, match="an action is an Assistant message or its words, got a dict"):
        run_sync(opened.step(nothing))
    assert run_sync(opened.step("Hello")).info["turns"] == 2


def test_a_step_says_that_a_judge_failed() -> None:
    opened = episode(reward=Unjudged())
    run_sync(opened.open())
    assert run_sync(opened.step(RIGHT[1])).info["unjudged"] == "no verdict"


@given(ANYTHING, ANYTHING, ANYTHING)
@settings(max_examples=50)
def test_nothing_that_an_agent_says_or_calls_raises_and_all_of_it_can_be_written(said: str, name: str, arguments: str) -> None:
    odd = Assistant(said, (ToolCall(name, arguments),))
    trace = played(odd, Assistant(said), Assistant("", (ToolCall(FOUND.name, arguments),)), "Ok", max_turns=3)
    assert load_trace(json.loads(json.dumps(dump_trace(trace)))) == trace
