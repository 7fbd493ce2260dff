"""One of many episodes: a task is played several times, and each time has a number, a seed and an id of its own.

The seed follows from the run's seed, the task's id and the number of the sample alone. So an episode is the same whenever and
wherever it is played, and whatever else is.
"""

from hashlib import blake2b
from typing import NamedTuple

import msgspec

from agent_gym.agents.base import Agent, Resampled
from agent_gym.environment.dialogue import DialogueEnvironment
from agent_gym.environment.episode import play_episode
from agent_gym.lm.tally import Spent, tallied
from agent_gym.traces import Trace


class Sample(NamedTuple):
    """An episode to be played."""

    task: Trace
    number: int
    """0 for the first time that a task is played."""
    seed: int


def sample_id(task: str, number: int) -> str:
    """The conversation id of a sample: that of its task, and behind the first time ID~1, ID~2, …

    The first has no number in any run, so that a file of one sample can be gone on with to several.
    """
    return f"{task}~{number}" if number else task


def sample_seed(seed: int, task: str, number: int) -> int:
    """The seed of a sample in [0, 2^32), the same in every process."""
    return int.from_bytes(blake2b(f"{seed}\0{number}\0{task}".encode(), digest_size=4).digest(), "big")


async def play_sample(agent: Agent, environment: DialogueEnvironment, sample: Sample) -> Trace:
    """Play an episode to its end; its trace says which sample it is and what its models took.

    Raises:
        BudgetSpent: when a model's budget does not allow another question.
    """
    if sample.number and isinstance(agent, Resampled):
        agent = agent.resampled(f"sample {sample.number}")
    with tallied() as tally:
        trace = await play_episode(agent, environment.episode(sample.task, sample.seed))
    return msgspec.structs.replace(
        trace,
        conversation_id=sample_id(sample.task.conversation_id, sample.number),
        metadata={**trace.metadata, "sample": sample.number, "spent": timeless(tally.spent)},
    )


def timeless(spent: Spent) -> dict[str, int | float | None]:
    """What a rollout took, as its trace says it."""
    # Seconds differ from run to run; everything else on the trace follows from the seed and the answers.
    return {
        "requests": spent.requests,
        "prompt_tokens": spent.prompt_tokens,
        "completion_tokens": spent.completion_tokens,
        "cost": spent.cost,
    }
