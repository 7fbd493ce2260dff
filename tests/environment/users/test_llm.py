"""A user played by a model."""

import json
from collections import Counter
from typing import Any

import msgspec
import pytest

from agent_gym.environment import DialogueEnvironment, Episode, play_episode, rollout_many
from agent_gym.environment.rewards import make_reward
from agent_gym.environment.users.llm import LLMUser, render_goal
from agent_gym.errors import ModelTimeout, UsageError, UserFailed
from agent_gym.lm import make_handle, make_lm, run_sync
from agent_gym.lm.tally import tallied
from agent_gym.messages import Assistant, Tool, User
from agent_gym.metrics import LLMJudge
from agent_gym.testing import ScriptedAgent, ScriptedLM
from agent_gym.traces import Goal, Trace
from conversations import RIGHT, TASK, tables
from servers import FAULTS, Asked, Faults, ModelServer


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


@pytest.mark.parametrize(
    ("text", "ended"), [("Bye. [Done]", "goal"), ("Bye. **[DONE]**", "goal"), ("No. [GIVE_UP]", "refused"), ("I am done.", "")]
)
def test_a_mark_is_known_in_the_forms_that_models_write(text: str, ended: str) -> None:
    utterance = run_sync(LLMUser(ScriptedLM([text])).begin(TASK, 0).speak((User("Hi"), Assistant("Hello"))))
    assert utterance.ended == ended
    assert "[" not in utterance.text
    assert "*" not in utterance.text


def test_roles_alternate_whatever_the_agent_says_or_does_not() -> None:
    lm = ScriptedLM(["Oakland"])
    messages = (
        User("Hi"),
        Assistant("One moment.", RIGHT[0].tool_calls),
        Tool("Find", []),
        Assistant("Where?"),
        User("Here"),
        Assistant(""),
    )
    run_sync(LLMUser(lm).begin(TASK, 0).speak(messages))
    assert [(turn.role, turn.content) for turn in lm.asked[0].turns[2:]] == [
        ("assistant", "Hi"),
        ("user", "One moment.\nWhere?"),
        ("assistant", "Here"),
        ("user", "(The agent says nothing.)"),
    ]


CRITERIA = ("task_completion", "action_quality", "efficiency", "creativity")
VERDICT = json.dumps({name: value for one in CRITERIA for name, value in ((f"{one}_reason", "good"), (one, 8))})


def test_at_a_faulty_endpoint_episodes_are_spoilt_or_unjudged_and_never_zeros() -> None:
    def reply(asked: Asked) -> str:
        if "You are a person" not in asked.turns[0][1]:
            return VERDICT
        return "Table 5, please." if sum(role == "assistant" for role, _ in asked.turns) < 2 else "Bye. [DONE]"

    kinds = [one for one in FAULTS if one != "timeout"]
    with ModelServer(reply, faults=Faults(share=0.3, kinds=kinds)) as server:
        asked: dict[str, Any] = {"api_base": server.openai, "cache": None, "attempts": 1, "api_key": "none"}
        judge = LLMJudge(handle=make_lm("openai/any", role="judge", **asked))
        user = LLMUser(make_lm("openai/any", role="user", **asked))
        aimed = msgspec.structs.replace(TASK, messages=TASK.messages[:1], metadata={})
        tasks = [
            msgspec.structs.replace(aimed, conversation_id=f"t{number}", metadata={"goal": str(number)}) for number in range(40)
        ]
        played: list[Trace] = []
        environment = DialogueEnvironment(tasks, tables, user, make_reward("judge", "both", judge=judge))
        agent = ScriptedAgent(lambda messages, tools: f"Yes {len(messages)}?")
        rollout_many(agent, environment, concurrency=16, on_trace=played.append)
    faults = Counter((trace.outcome, "unjudged" in trace.metadata, trace.scores.get("reward")) for trace in played)
    good = ("success", False, pytest.approx(2.4))
    assert sum(faults.values()) == 40
    assert faults["spoilt", False, None] + faults["spoilt", True, None] > 0
    assert faults["success", True, None] > 0
    assert all(
        key in (("spoilt", False, None), ("spoilt", True, None), ("success", True, None)) or key == good for key in faults
    )
