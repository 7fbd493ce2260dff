"""Logs of one's own as an environment."""

from pathlib import Path

import pytest

from agent_gym.environment import RecordedEnvironment, SGDEnvironment
from agent_gym.errors import UsageError
from agent_gym.messages import Assistant, Tool, User
from agent_gym.traces import TraceLoader, read_traces
from exported_logs import exported

SERVICE = Path(__file__).resolve().parents[2] / "scripts" / "customer_service.jsonl"


def test_the_recorded_answers_reach_the_goal_of_a_log() -> None:
    env = RecordedEnvironment(SERVICE, "train", user="replay")
    assert {task.conversation_id for task in env.tasks} < {trace.conversation_id for trace in read_traces(SERVICE)}
    for task in env.tasks:
        _, info = env.reset(seed=1, options={"task": task.conversation_id})
        for message in task.messages:
            if isinstance(message, Assistant):
                _, _, terminated, truncated, info = env.step(message)
                if terminated or truncated:
                    break
        assert info["success"] == 1.0, task.conversation_id


def test_a_user_of_logs_wants_what_was_called_and_says_it_in_plain_words(sample: Path, tmp_path: Path) -> None:
    env = RecordedEnvironment(TraceLoader(exported(sample, tmp_path, bare=True)), user="agenda", limit=5)
    opened, info = env.reset(seed=3)
    first = opened.messages[-1]
    assert isinstance(first, User)
    assert first.content.startswith("I would like to ")
    task = next(task for task in env.tasks if task.conversation_id == info["task"])
    answered = env.step(Assistant("", tuple(task.calls[:1])))[0].messages[-1]
    assert isinstance(answered, Tool)
    assert answered.source == "recorded"


def test_an_environment_of_sgd_takes_nothing_else(sample: Path) -> None:
    assert isinstance(SGDEnvironment(sample, limit=2), RecordedEnvironment)
    with pytest.raises(UsageError, match="no SGD data in "):
        SGDEnvironment(SERVICE)
