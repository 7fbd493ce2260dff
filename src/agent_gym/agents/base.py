"""What an agent is: something that, given a conversation and tools, says or calls the next thing.

It never executes a tool; the rollout does. A `System` message carries what the agent is told beside the conversation (the
date).
"""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from agent_gym.messages import Assistant, Message, ToolSpec


class Agent(Protocol):
    """Something that acts.

    Raises:
        AnswerError: when it gave no readable action: the agent's fault.
        ModelError: when its endpoint failed: nobody's fault here.
    """

    async def act(self, messages: Sequence[Message], tools: tuple[ToolSpec, ...]) -> Assistant: ...


@runtime_checkable
class Resampled(Protocol):
    """An agent that can be played again in the same situation: it asks its model anew, where it would else be answered from a
    cache as it was the first time."""

    def resampled(self, sample: str) -> Agent: ...
