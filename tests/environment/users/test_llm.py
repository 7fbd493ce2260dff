"""A user played by a model."""

import pytest

from agent_gym.environment import Episode, play_episode
from agent_gym.environment.users.llm import LLMUser, render_goal
from agent_gym.errors import ModelTimeout, UsageError, UserFailed
from agent_gym.lm import make_handle, make_lm, run_sync
from agent_gym.lm.tally import tallied
from agent_gym.messages import Assistant, Tool, User
from agent_gym.testing import ScriptedAgent, ScriptedLM
from agent_gym.traces import Goal, Trace
from conversations import RIGHT, TASK, tables


def test_the_model_is_told_what_the_user_wants_and_the_date() -> None:
    lm = ScriptedLM(["I want Thai food."])
    run_sync(LLMUser(lm).begin(TASK, 3).speak(()))
    system = lm.asked[0].turns[0].content
    assert "- cuisine: Thai" in system
    assert "you want to be told: phone number" in system
    assert "1 March 2019" in system


def test_the_model_sees_the_conversation_from_the_other_side_and_no_tools() -> None:
    lm = ScriptedLM(["Oakland"])
    messages = (User("Thai food"), Assistant("", RIGHT[0].tool_calls), Tool("Find", []), Assistant("Where?"))
    run_sync(LLMUser(lm).begin(TASK, 3).speak(messages))
    assert [(turn.role, turn.content) for turn in lm.asked[0].turns[2:]] == [("assistant", "Thai food"), ("user", "Where?")]


def test_seeds_tell_the_draws_apart() -> None:
    lm = ScriptedLM(["a", "b"])
    run_sync(LLMUser(lm).begin(TASK, 3).speak(()))
    run_sync(LLMUser(lm).begin(TASK, 4).speak(()))
    assert lm.asked[0] != lm.asked[1]


@pytest.mark.parametrize(("text", "said", "ended"), [("Bye. [DONE]", "Bye.", "goal"), ("[GIVE UP] No.", "No.", "refused")])
def test_a_mark_ends_the_conversation_and_is_not_said(text: str, said: str, ended: str) -> None:
    utterance = run_sync(LLMUser(ScriptedLM([text])).begin(TASK, 0).speak((User("Hi"), Assistant("Hello"))))
    assert (utterance.text, utterance.ended) == (said, ended)


def test_a_user_without_words_or_without_a_goal_fails() -> None:
    with pytest.raises(UserFailed, match="said nothing"):
        run_sync(LLMUser(ScriptedLM([" "])).begin(TASK, 0).speak(()))
    aimless = Trace(conversation_id="c", messages=(User("Hi"),), goal=Goal())
    with pytest.raises(UserFailed, match="no goal"):
        run_sync(LLMUser(ScriptedLM(["Hi"])).begin(aimless, 0).speak(()))


def test_a_goal_in_words_is_enough() -> None:
    assert render_goal(Trace(conversation_id="c", messages=(), metadata={"goal": "Cancel my order"})) == "Cancel my order"


def test_a_users_failing_endpoint_is_not_the_agents_fault() -> None:
    user = LLMUser(ScriptedLM([ModelTimeout("no answer")])).begin(TASK, 0)
    trace = run_sync(play_episode(ScriptedAgent([]), Episode(TASK, tables(TASK), user)))
    assert trace.metadata["fault"] == "user"


def test_what_the_user_costs_is_not_what_the_agent_costs() -> None:
    user = LLMUser(make_handle(ScriptedLM(lambda request: "Hm. [DONE]"), role="user")).begin(TASK, 0)
    with tallied() as tally:
        run_sync(play_episode(ScriptedAgent(["Hello"]), Episode(TASK, tables(TASK), user)))
    assert tally.spent.requests == 0


def test_the_embedded_model_plays_no_user() -> None:
    with pytest.raises(UsageError, match="take the agenda user"):
        LLMUser(make_lm("offline", role="user"))
