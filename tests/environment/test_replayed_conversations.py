"""Replaying a recorded conversation reproduces it: what the recorded agent does with the recorded user is the recording."""

from pathlib import Path

import pytest

from agent_gym.environment import SGDEnvironment, play_episode
from agent_gym.lm import run_sync
from agent_gym.messages import Assistant, Tool
from agent_gym.testing import PositionalAgent
from agent_gym.traces import Trace


async def replayed(env: SGDEnvironment) -> list[tuple[Trace, Trace]]:
    """Every conversation, and what became of it."""
    return [(task, await play_episode(PositionalAgent(task), env.episode(task))) for task in env.tasks]


@pytest.mark.parametrize("split", ["train", "dev"])
def test_every_conversation_of_the_sample_comes_back(sample: Path, split: str) -> None:
    for recorded, played in run_sync(replayed(SGDEnvironment(sample, split, user="replay"))):
        assert played.messages == recorded.messages


@pytest.mark.real
@pytest.mark.slow
def test_real_conversations_come_back_but_for_a_call_that_was_answered_in_two_ways(sgd: Path) -> None:
    different = 0
    for recorded, played in run_sync(replayed(SGDEnvironment(sgd, "dev", user="replay"))):
        assert len(played.messages) == len(recorded.messages)
        for at, (was, now) in enumerate(zip(recorded.messages, played.messages, strict=True)):
            if was == now:
                continue
            # Same call, same answer, always: the first one it was given.
            call = recorded.messages[at - 1]
            assert isinstance(was, Tool)
            assert isinstance(call, Assistant)
            assert any(same_call(call, earlier) for earlier in recorded.messages[: at - 1])
            different += 1
    assert different < 50


def same_call(one: Assistant, other: object) -> bool:
    """Whether two messages ask the same."""
    if not isinstance(other, Assistant) or not other.tool_calls:
        return False
    (mine, *_), (theirs, *_) = one.tool_calls, other.tool_calls
    return mine.name == theirs.name and mine.parsed() == theirs.parsed()
