"""`reset` and `step`, as Gymnasium means them."""

from pathlib import Path

import msgspec
import pytest

from agent_gym.environment import DialogueEnvironment, SGDEnvironment
from agent_gym.environment.users import ReplayedUser
from agent_gym.errors import UsageError
from agent_gym.messages import User
from agent_gym.traces import SGDLoader, dump_trace
from conversations import RIGHT, TASK, tables


def environment() -> DialogueEnvironment:
    return DialogueEnvironment([TASK], tables, ReplayedUser())


def test_reset_gives_the_users_first_words_and_the_tools() -> None:
    observation, info = environment().reset(seed=1)
    assert observation.messages[-1] == TASK.messages[0]
    assert observation.tools == TASK.tools
    assert (info["task"], info["turns"]) == ("train/tables", 1)


def test_steps_end_in_a_reward() -> None:
    env = environment()
    env.reset(seed=1)
    steps = [env.step(action) for action in RIGHT]
    assert [(reward, terminated, truncated) for _, reward, terminated, truncated, _ in steps] == [
        (0, False, False),
        (0, False, False),
        (0, False, False),
        (1, True, False),
    ]
    assert steps[-1][-1]["success"] == 1.0
    assert env.trace.outcome == "success"


def test_the_user_answers_words_and_a_tool_answers_a_call() -> None:
    env = environment()
    env.reset(seed=1)
    asked = env.step("Which city?")[0]
    assert isinstance(asked.messages[-1], User)


def test_the_same_seed_gives_the_same_episode_byte_for_byte(sample: Path) -> None:
    def play(seed: int) -> bytes:
        env = SGDEnvironment(sample, "train", user="agenda", limit=12)
        env.reset(seed=seed)
        while True:
            done = env.step("Sorry, could you say that again?")
            if done[2] or done[3]:
                return msgspec.json.encode(dump_trace(env.trace))

    assert play(7) == play(7)
    assert play(7) != play(8)


def test_without_a_seed_the_environment_goes_on_drawing(sample: Path) -> None:
    def drawn() -> list[str]:
        env = SGDEnvironment(sample, "train", user="replay", limit=12)
        return [env.reset(seed=3)[1]["task"], *(env.reset()[1]["task"] for _ in range(5))]

    assert drawn() == drawn()
    assert len(set(drawn())) > 1


def test_a_task_can_be_asked_for_by_name(sample: Path) -> None:
    env = SGDEnvironment(SGDLoader(sample), "train", user="replay", limit=5)
    name = env.tasks[3].conversation_id
    assert env.reset(seed=0, options={"task": name})[1]["task"] == name
    with pytest.raises(UsageError, match="there is no task 'train/none'; there are 5"):
        env.reset(options={"task": "train/none"})


def test_wrong_use_is_told_in_one_line(sample: Path) -> None:
    with pytest.raises(UsageError, match=r"call reset\(\) first"):
        environment().step("Hello")
    with pytest.raises(UsageError, match="at least one task"):
        DialogueEnvironment([], tables, ReplayedUser())
    with pytest.raises(UsageError, match="there is no user 'nobody'"):
        SGDEnvironment(sample, user="nobody")
    with pytest.raises(UsageError, match="too few"):
        SGDEnvironment(sample, user="replay", limit=100_000)
