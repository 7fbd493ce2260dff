"""A task in a workspace: actions are tool calls that earn once, a judge scores the whole, and its failure is never a zero."""

import asyncio
import gc
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from agent_gym.actions import ActionFactory, ActionRegistry, StructuredAction
from agent_gym.environment import MultiTurnEnvironment
from agent_gym.environment.trajectories.trajectory import Trajectory, Turn
from agent_gym.errors import AnswerError, JudgeFailed, ModelError, UsageError, UserFailed
from agent_gym.lm import make_handle, run_sync
from agent_gym.messages import Assistant, System, Tool, ToolCall, User
from agent_gym.metrics import LLMJudge, Score
from agent_gym.testing import ScriptedAgent, ScriptedLM
from agent_gym.tools import Workspace
from agent_gym.traces import Trace, dump_trace, load_trace
from conversations import Scripted

CREATE = ActionFactory.create_file("api_config.json", '{"retries": 3}')
DONE = ActionFactory.complete_task("The config is there.")
CRITERIA = ("task_completion", "action_quality", "efficiency", "creativity")


class Verdict:
    """A judge that gives one score, or fails."""

    def __init__(self, value: float | None) -> None:
        self.value = value
        self.asked: list[tuple[Trace, str | None]] = []

    async def judge_episode(self, trace: Trace, goal: str | None = None) -> Score:
        self.asked.append((trace, goal))
        if self.value is None:
            raise JudgeFailed("the judge's endpoint is down")
        return Score(self.value, {"task_completion": self.value}, "task_completion: fine")


def written(*actions: StructuredAction, words: str = "Sure.") -> str:
    """A text with actions, as an agent writes it."""
    return "\n".join([words, *(f"```json\n{action.to_json()}\n```" for action in actions)])


def played(env: MultiTurnEnvironment, *answers: str | Assistant, goal: str = "Make a config") -> Trajectory:
    """A trajectory with these answers, each to the same words."""

    async def play() -> Trajectory:
        env.start_new_trajectory(goal)
        for answer in answers:
            await env.process_turn("Go on", answer)
        return await env.finalize_trajectory()

    return run_sync(play())


def one_turn(env: MultiTurnEnvironment, answer: str | Assistant) -> tuple[Turn, bool]:
    """The first turn of a new trajectory."""
    env.start_new_trajectory("Make a config")
    return run_sync(env.process_turn("Please create the config", answer))


def test_the_lines_of_the_manual_work_as_they_stand() -> None:
    scores = dict.fromkeys(CRITERIA, 8) | {f"{name}_reason": "Fine." for name in CRITERIA}
    judge = LLMJudge(handle=make_handle(ScriptedLM(lambda request: json.dumps(scores)), role="judge"))
    action = StructuredAction.from_json(CREATE.to_json())

    async def lines() -> Trajectory:
        env = MultiTurnEnvironment(llm_judge=judge)
        trajectory_id = env.start_new_trajectory("Integrate the payments API")
        turn, is_complete = await env.process_turn("Please create the config", f"Sure.\n```json\n{action.to_json()}\n```")
        assert (turn.reward, turn.effects, is_complete) == (0.5, ("changed",), False)
        assert env.workspace.files() == ("api_config.json",)
        turn, is_complete = await env.process_turn("That is all", DONE.to_json())
        assert is_complete
        trajectory = await env.finalize_trajectory()
        assert trajectory.id == trajectory_id
        return trajectory

    trajectory = asyncio.run(lines())
    assert trajectory.final_success is True
    assert trajectory.total_reward == pytest.approx(0.5 + 0.5 + 0.8)
    assert trajectory.to_training_format()["messages"][1]["content"] == "Please create the config"


def test_actions_are_tool_calls_with_results_on_a_trace() -> None:
    trace = played(MultiTurnEnvironment(), written(CREATE), written(DONE)).trace
    assert trace.messages[:3] == (
        User("Go on"),
        Assistant("Sure.", (ToolCall("create_file", '{"path":"api_config.json","content":"{\\"retries\\": 3}"}', "call_1_1"),)),
        Tool("create_file", {"path": "api_config.json", "bytes": 14}, call_id="call_1_1", source="workspace"),
    )
    assert {spec.name for spec in trace.tools} >= {"create_file", "complete_task"}
    assert trace.metadata["rewards"] == [0.0, 0.5, 0.5]
    assert (trace.outcome, trace.scores["success"], trace.scores["reward"]) == ("success", 1.0, 1.0)
    assert load_trace(msgspec.json.decode(msgspec.json.encode(dump_trace(trace)))) == trace


def test_the_same_action_earns_once_in_a_trajectory_and_again_in_the_next() -> None:
    env = MultiTurnEnvironment()
    again = StructuredAction.of("create_file", {"content": '{"retries": 3}', "path": "api_config.json"})
    other = ActionFactory.create_file("api_config.json", "{}")
    trajectory = played(env, written(CREATE, CREATE), written(other), written(again))
    assert [turn.reward for turn in trajectory.turns] == [0.5, 0.5, 0.0]
    assert trajectory.turns[2].effects == ("changed",)
    assert played(env, written(CREATE)).total_reward == 0.5


def test_what_has_no_effect_earns_nothing() -> None:
    refused = ActionFactory.read_file("../secret")
    trajectory = played(MultiTurnEnvironment(), written(refused), written(CREATE), written(CREATE), written(words="Nothing."))
    assert [turn.effects for turn in trajectory.turns] == [("refused",), ("changed",), ("unchanged",), ()]
    assert trajectory.total_reward == 0.5


def test_the_agent_sees_results_and_errors_with_the_next_turn() -> None:
    env = MultiTurnEnvironment(system="Work.")
    turn, _ = one_turn(
        env, 'I try {"action_type": "create_file", "parameters": {"path": 3}} and {"action_type": "edit_file", "par'
    )
    assert turn.effects == ("broken", "broken")
    errors = [result.error or "" for result in turn.results]
    assert "path: Input should be a valid string; content: Field required" in errors[0]
    assert errors[1].startswith("broken action: ")
    assert turn.assistant.content == "I try\nand"
    assert env.messages == (System("Work.\n\nTask: Make a config"), *turn.messages)
    assert env.tools == tuple(env.workspace.catalog.values())


def test_the_message_of_an_agent_is_taken_as_well_as_text() -> None:
    calls = (ToolCall("create_file", '{"path": "a", "content": ""}'), ToolCall("read_file", "{"), ToolCall("fly", "{}"))
    turn, _ = one_turn(MultiTurnEnvironment(), Assistant("Yes.", calls))
    assert (turn.text, turn.effects, turn.reward) == ("Yes.", ("changed", "broken", "refused"), 0.5)
    assert [call.id for call in turn.assistant.tool_calls] == ["call_1_1", "call_1_2", "call_1_3"]


def test_a_limit_cuts_a_trajectory_short() -> None:
    env = MultiTurnEnvironment(max_turns=1, max_actions=1)
    turn, is_complete = one_turn(env, written(CREATE, DONE))
    assert (turn.effects, is_complete) == (("changed", "refused"), True)
    assert "a message may hold 1 actions" in (turn.results[1].error or "")
    trajectory = run_sync(env.finalize_trajectory())
    assert (trajectory.ended, trajectory.final_success) == ("turns", False)
    assert trajectory.trace.metadata["truncated"] is True


@pytest.mark.parametrize(
    ("value", "completes", "success"), [(0.5, True, True), (0.4, True, False), (0.9, False, False), (0.0, False, False)]
)
def test_success_is_a_completed_task_that_the_judge_scored_at_the_threshold(
    value: float, completes: bool, success: bool
) -> None:
    judge = Verdict(value)
    trajectory = played(MultiTurnEnvironment(judge, judge_weight=2), written(DONE) if completes else "No.", goal="Do it")
    assert trajectory.final_success is success
    assert trajectory.judge_reward == 2 * value
    assert trajectory.trace.metadata["judge"]["reason"] == "task_completion: fine"
    assert [(trace.messages, goal) for trace, goal in judge.asked] == [(trajectory.trace.messages, "Do it")]


def test_a_judge_that_fails_is_never_a_zero() -> None:
    trajectory = played(MultiTurnEnvironment(Verdict(None)), written(CREATE, DONE))
    assert (trajectory.judge, trajectory.final_success, trajectory.trace.outcome) == (None, None, "unknown")
    assert math.isnan(trajectory.total_reward)
    assert trajectory.action_reward == 1.0
    assert trajectory.unjudged == trajectory.trace.metadata["unjudged"] == "the judge's endpoint is down"
    assert trajectory.trace.metadata["rewards"] == [0.0, 1.0, None]
    assert "reward" not in trajectory.trace.scores
    assert {"reward", "success", "scores"}.isdisjoint(trajectory.to_training_format())
    assert played(MultiTurnEnvironment(Verdict(None)), "No.").final_success is False


def test_a_trajectory_without_turns_is_a_failure_that_no_judge_is_asked_about() -> None:
    judge = Verdict(1.0)
    trajectory = played(MultiTurnEnvironment(judge))
    assert (trajectory.final_success, trajectory.total_reward, judge.asked) == (False, 0.0, [])
    assert [message["role"] for message in trajectory.to_training_format()["messages"]] == ["system"]


def test_a_training_row_is_chat_with_objects_for_arguments() -> None:
    broken = '{"action_type": "create_file", "parameters": {}}'
    answers = (written(CREATE), broken, f"Again: {broken} {ActionFactory.read_file('none').to_json()}", written(DONE, words=""))
    row = played(MultiTurnEnvironment(Verdict(1.0)), *answers).to_training_format()
    messages = row["messages"]
    assert [message["role"] for message in messages] == "system user assistant tool user assistant tool user assistant".split()
    assert messages[2]["tool_calls"] == [
        {
            "id": "call_1_1",
            "type": "function",
            "function": {"name": "create_file", "arguments": {"path": "api_config.json", "content": '{"retries": 3}'}},
        }
    ]
    assert messages[3] == {
        "role": "tool",
        "tool_call_id": "call_1_1",
        "name": "create_file",
        "content": '{"path": "api_config.json", "bytes": 14}',
    }
    assert [call["function"]["name"] for call in messages[5]["tool_calls"]] == ["read_file"]
    assert json.loads(messages[6]["content"]).keys() == {"error"}
    assert row["tools"][0]["function"]["name"] == "create_file"
    assert (row["reward"], row["success"], row["broken_actions"], row["scores"]) == (
        2.0,
        True,
        2,
        {"judge": 1.0, "task_completion": 1.0},
    )
    assert json.loads(json.dumps(row, allow_nan=False)) == row


@given(st.lists(st.text() | st.sampled_from([written(CREATE), '{"action_type": "', "```json", '{"name": "fly"}', "\ud800"])))
def test_no_text_makes_a_turn_raise_or_a_row_unwritable(answers: list[str]) -> None:
    env = MultiTurnEnvironment()
    trajectory = played(env, *answers[:20])
    env.close()
    assert load_trace(msgspec.json.decode(msgspec.json.encode(dump_trace(trajectory.trace)))) == trajectory.trace
    row = trajectory.to_training_format()
    json.dumps(row, allow_nan=False).encode()
    assert all(isinstance(call["function"]["arguments"], dict) for call in _calls(row))
    assert row["messages"][-1]["role"] in ("system", "assistant")
    assert all(message["content"] or "tool_calls" in message for message in row["messages"] if message["role"] == "tool")


def _calls(row: dict[str, Any]) -> list[dict[str, Any]]:
    return [call for message in row["messages"] for call in message.get("tool_calls", [])]


def test_a_users_own_action_earns_too(tmp_path: Path) -> None:
    class Deploy(BaseModel):
        """Put a service on the air."""

        service: str

    def deploy(asked: Deploy, workspace: Workspace) -> dict[str, str]:
        return {"deployed": asked.service}

    actions = ActionRegistry()
    actions.register("deploy", Deploy, deploy)
    env = MultiTurnEnvironment(workspace=lambda folder: Workspace(folder, actions=actions), root=tmp_path)
    turn, _ = one_turn(env, '{"action_type": "deploy", "parameters": {"service": "shop"}}')
    assert (turn.results[0].result, turn.reward) == ({"deployed": "shop"}, 0.5)


def test_many_trajectories_at_once_share_nothing() -> None:
    async def one(number: int) -> tuple[str, tuple[str, ...], float]:
        with MultiTurnEnvironment() as env:
            env.start_new_trajectory("Write a file")
            await env.process_turn("Go", written(ActionFactory.create_file(f"{number}.txt", "")))
            await asyncio.sleep(0)
            await env.process_turn("Go", written(CREATE, ActionFactory.read_file(f"{number}.txt")))
            files = env.workspace.files()
            trajectory = await env.finalize_trajectory()
            return trajectory.id, files, trajectory.total_reward

    async def all_of_them() -> Sequence[tuple[str, tuple[str, ...], float]]:
        return await asyncio.gather(*(one(number) for number in range(20)))

    ended = run_sync(all_of_them())
    assert [files for _, files, _ in ended] == [tuple(sorted((f"{number}.txt", "api_config.json"))) for number in range(20)]
    assert {total for _, _, total in ended} == {1.5}
    assert len({name for name, _, _ in ended}) == 20


def test_a_temporary_folder_is_there_until_the_next_trajectory_the_end_or_nobody_needs_it() -> None:
    env = MultiTurnEnvironment()
    played(env, written(CREATE))
    first = env.workspace.root
    assert (first / "api_config.json").is_file()
    played(env, "Nothing.")
    second = env.workspace.root
    assert (first.exists(), [*second.iterdir()]) == (False, [])
    env.close()
    assert not second.exists()
    env.start_new_trajectory("Once more")
    third = env.workspace.root
    del env
    gc.collect()
    assert not third.exists()


def test_folders_under_a_root_stay(tmp_path: Path) -> None:
    with MultiTurnEnvironment(root=tmp_path / "kept") as env:
        played(env, written(CREATE))
        played(env, written(CREATE))
    assert len([*(tmp_path / "kept").glob("*/api_config.json")]) == 2


def test_a_workspace_begins_with_the_files_given(tmp_path: Path) -> None:
    env = MultiTurnEnvironment(workspace=Workspace(tmp_path / "mine"))
    env.start_new_trajectory("Mend it", files={"src/client.py": "old"})
    turn, _ = run_sync(env.process_turn("Go", written(ActionFactory.edit_file("src/client.py", "old", "new"))))
    assert (turn.reward, (tmp_path / "mine/src/client.py").read_text()) == (0.5, "new")


def test_wrong_use_is_one_clear_line(tmp_path: Path) -> None:
    env = MultiTurnEnvironment(workspace=Workspace(tmp_path))
    with pytest.raises(UsageError, match=r"no trajectory is under way: call start_new_trajectory\(goal\) first"):
        run_sync(env.process_turn("Hello", "Hello"))
    with pytest.raises(UsageError, match="there is no workspace"):
        _ = env.workspace
    env.start_new_trajectory("One", trajectory_id="one")
    with pytest.raises(UsageError, match=r"trajectory 'one' is under way: finalize_trajectory\(\) it before starting another"):
        env.start_new_trajectory("Two")
    run_sync(env.process_turn("Done?", written(DONE)))
    with pytest.raises(UsageError, match=r"trajectory 'one' is over \(completed\): finalize_trajectory\(\) it"):
        run_sync(env.process_turn("More", "No."))
    run_sync(env.finalize_trajectory())
    with pytest.raises(UsageError, match="no trajectory is under way"):
        run_sync(env.finalize_trajectory())
    with pytest.raises(UsageError, match="the workspace given has had its trajectory"):
        env.start_new_trajectory("Two")


def test_two_turns_at_once_are_refused() -> None:
    async def both() -> list[object]:
        with MultiTurnEnvironment() as env:
            env.start_new_trajectory("Race")
            turns = (env.process_turn("Go", written(CREATE)) for _ in range(2))
            return [*await asyncio.gather(*turns, return_exceptions=True)]

    first, second = run_sync(both())
    assert isinstance(first, tuple)
    assert isinstance(second, UsageError)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"max_turns": 0}, "max_turns=0"),
        ({"max_actions": 0}, "max_actions=0"),
        ({"success_threshold": 1.5}, r"in \[0, 1\]"),
        ({"action_reward": math.nan}, "finite"),
    ],
)
def test_numbers_that_make_no_sense_are_refused(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        MultiTurnEnvironment(**wrong)


def test_files_to_begin_with_that_cannot_be_are_refused() -> None:
    env = MultiTurnEnvironment()
    with pytest.raises(UsageError, match=r"the workspace refuses '\.\./up'"):
        env.start_new_trajectory("Climb", files={"../up": ""})
    assert env.start_new_trajectory("Stay")


def test_an_agent_and_a_user_play_to_the_end() -> None:
    agent = ScriptedAgent([Assistant("", (CREATE.to_tool_call(),)), "It is there."])
    env = MultiTurnEnvironment(Verdict(0.6))
    trajectory = run_sync(env.play(agent, Scripted("Make a.json", "Thanks?"), "Make it", seed=4, trajectory_id="it"))
    assert [type(message).__name__ for message in trajectory.trace.messages] == [
        *("User", "Assistant", "Tool", "User", "Assistant")
    ]
    assert (trajectory.ended, trajectory.judge_reward) == ("stopped", 0.6)
    facts = trajectory.trace.metadata
    assert (facts["user"], facts["seed"], facts["user_left"]) == ("scripted", 4, "goal")
    assert agent.seen[1][0] == System(trajectory.system)
    assert agent.seen[1][-1] == User("Thanks?")


@pytest.mark.parametrize(
    ("error", "fault", "success"), [(AnswerError("nothing"), "agent", False), (ModelError("down"), "endpoint", None)]
)
def test_an_agent_that_breaks_off_lands_on_the_trace(error: AnswerError | ModelError, fault: str, success: bool | None) -> None:
    judge = Verdict(1.0)
    trajectory = run_sync(MultiTurnEnvironment(judge).play(ScriptedAgent([error]), Scripted("Hello"), "Greet"))
    assert (trajectory.ended, trajectory.final_success, judge.asked) == ("broken", success, [])
    assert (trajectory.trace.error, trajectory.trace.metadata["fault"]) == (str(error), fault)
    assert math.isnan(trajectory.total_reward) is (success is None)


def test_a_user_that_fails_spoils_the_trajectory() -> None:
    trajectory = run_sync(MultiTurnEnvironment().play(ScriptedAgent([]), Scripted(UserFailed("nothing to say")), "Greet"))
    assert (trajectory.final_success, trajectory.trace.metadata["fault"]) == (None, "user")
    assert trajectory.trace.error == "the user failed: nothing to say"
