"""Episodes for many at once: users that say what their seed tells them, agents that answer what they hear.

Everything here is made by functions of a module, so that it can be made in another process too.
"""

import asyncio
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random

from agent_gym.environment.dialogue import DialogueEnvironment
from agent_gym.environment.rewards import Reward
from agent_gym.environment.users.base import Utterance
from agent_gym.errors import BudgetSpent
from agent_gym.messages import Assistant, Message, ToolSpec, User
from agent_gym.tools import Recordings, ToolCatalog, ToolMocker
from agent_gym.traces import Trace

NOTHING = Recordings(())


class Caller:
    """A user of one to four turns, who says numbers."""

    name = "caller"

    def begin(self, task: Trace, seed: int) -> "CallerSpeaker":
        return CallerSpeaker(task, seed)


class CallerSpeaker:
    def __init__(self, task: Trace, seed: int) -> None:
        random = Random(seed)
        self._words = [f"{task.conversation_id} {random.randrange(1000)}" for _ in range(random.randrange(1, 5))]

    async def speak(self, messages: Sequence[Message]) -> Utterance:
        said = sum(isinstance(message, User) for message in messages)
        return Utterance("", "goal") if said == len(self._words) else Utterance(self._words[said])


class Parrot:
    """Says what it heard, after as many turns of the event loop as its delays say for the task; counts who is in flight."""

    def __init__(self, delays: Mapping[str, int] | None = None) -> None:
        self._delays = delays or {}
        self.flying = self.most = 0

    async def act(self, messages: Sequence[Message], tools: tuple[ToolSpec, ...]) -> Assistant:
        heard = messages[-1]
        assert isinstance(heard, User)
        self.flying += 1
        self.most = max(self.most, self.flying)
        for _ in range(1 + self._delays.get(heard.content.split()[0], 0)):
            await asyncio.sleep(0)
        self.flying -= 1
        return Assistant(f"You said: {heard.content}")


class Fragile(Parrot):
    """Takes its process down with it at one task, the first time only."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._mark = folder / "killed"

    async def act(self, messages: Sequence[Message], tools: tuple[ToolSpec, ...]) -> Assistant:
        if "t7" in str(messages[-1]) and not self._mark.exists():
            self._mark.write_text(str(os.getpid()))
            os.kill(os.getpid(), signal.SIGKILL)
        return await super().act(messages, tools)


class Mortal(Parrot):
    """Never survives a word."""

    async def act(self, messages: Sequence[Message], tools: tuple[ToolSpec, ...]) -> Assistant:
        os._exit(1)


class Poor(Parrot):
    """Can afford one task and no other."""

    async def act(self, messages: Sequence[Message], tools: tuple[ToolSpec, ...]) -> Assistant:
        if "t0 " not in str(messages[-1]):
            raise BudgetSpent("the budget of 1 request is spent")
        return await super().act(messages, tools)


class Faulty(Parrot):
    """Has a bug."""

    async def act(self, messages: Sequence[Message], tools: tuple[ToolSpec, ...]) -> Assistant:
        raise ZeroDivisionError("a fault of the program")


def tasks(count: int) -> list[Trace]:
    return [Trace(conversation_id=f"t{number}", messages=(User("hello"), Assistant("hi"))) for number in range(count)]


def tools(task: Trace) -> ToolMocker:
    return ToolMocker(ToolCatalog(task.tools), NOTHING, task)


def environment(count: int = 20, reward: Reward | None = None) -> DialogueEnvironment:
    return DialogueEnvironment(tasks(count), tools, Caller(), reward)


def lines(path: Path) -> set[bytes]:
    """The lines of a file, each of them whole and there once."""
    found = path.read_bytes().splitlines(keepends=True)
    assert all(line.endswith(b"\n") for line in found)
    assert len(set(found)) == len(found)
    return set(found)


Make = Callable[[], Parrot]
