"""A user that says what the recorded user said, whatever the agent answers.

Good for holding an agent against the recording turn by turn. Once the agent has left the recorded path the words may no longer
fit: `evaluation/paths.py` says where that happened.
"""

from collections.abc import Iterator, Sequence

from agent_gym.environment.users.base import Utterance
from agent_gym.errors import UserFailed
from agent_gym.messages import Message, User
from agent_gym.traces import Trace


class ReplayedUser:
    """Speaks the recorded turns in their order, and leaves with the last one that was answered."""

    name = "replay"

    def begin(self, task: Trace, seed: int) -> "ReplayedSpeaker":
        """The user of a recorded conversation; the seed changes nothing."""
        return ReplayedSpeaker(task)


class ReplayedSpeaker:
    """The recorded user of one conversation."""

    def __init__(self, task: Trace) -> None:
        self._words: Iterator[str] = (message.content for message in task.messages if isinstance(message, User))
        self._id = task.conversation_id

    async def speak(self, messages: Sequence[Message]) -> Utterance:
        """The next recorded words."""
        words = next(self._words, None)
        if words is None and not messages:
            raise UserFailed(f"conversation {self._id!r} holds no words of a user to replay")
        return Utterance("", "script") if words is None else Utterance(words)
