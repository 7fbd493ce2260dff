"""What a simulated user is: somebody who begins an episode with a goal in mind, and answers what the agent said.

A `User` is frozen and serves thousands of episodes at once; what has been said and wanted in one of them is held by the
`Speaker` that it begins. Same task, same seed, same words of the agent: same words of the user.
"""

from collections.abc import Sequence
from typing import Literal, Protocol

import msgspec

from agent_gym.messages import Message
from agent_gym.traces import Trace

Ended = Literal["", "goal", "patience", "script", "refused"]
"""Why a user leaves: it has what it wanted, it lost patience, the recording ended, or it gave up on what it wanted."""


class Utterance(msgspec.Struct, frozen=True):
    """What a user says."""

    text: str
    ended: Ended = ""
    """Set when these are the last words; empty while the conversation goes on."""
    acts: tuple[str, ...] = ()
    """What was meant, for counting and blame: "INFORM Restaurants_2.city", "REQUEST Restaurants_2.phone_number", "AFFIRM", …"""


class Speaker(Protocol):
    """The user in one episode.

    Raises:
        UserFailed: when it cannot go on; the episode is then spoilt, which is not the agent's fault.
    """

    async def speak(self, messages: Sequence[Message]) -> Utterance:
        """Open the conversation (no messages yet), or answer the agent's words, which are the last message."""
        ...


class User(Protocol):
    """Somebody who can begin an episode."""

    name: str

    def begin(self, task: Trace, seed: int) -> Speaker: ...
