"""Models for tests that need no endpoint."""

import asyncio
from collections.abc import Callable

from agent_gym.errors import ModelError
from agent_gym.lm import Completion, Request, Turn

Outcome = Completion | ModelError


class Scripted:
    """Answers with what it is given, in turn, the last one for ever; keeps what it was asked."""

    name = "scripted"

    def __init__(self, *outcomes: Outcome) -> None:
        self._outcomes = [*outcomes]
        self.asked: list[Request] = []

    async def complete(self, request: Request) -> Completion:
        self.asked.append(request)
        outcome = self._outcomes[0] if len(self._outcomes) == 1 else self._outcomes.pop(0)
        if isinstance(outcome, ModelError):
            raise outcome
        return outcome


class Echo:
    """Repeats the last turn."""

    name = "echo"

    def __init__(self, answer: Callable[[Request], str] = lambda request: request.turns[-1].content) -> None:
        self._answer = answer
        self.asked: list[Request] = []

    async def complete(self, request: Request) -> Completion:
        self.asked.append(request)
        return Completion(text=self._answer(request), prompt_tokens=10, completion_tokens=2)


class Gate:
    """Answers nobody until it is opened."""

    name = "gate"

    def __init__(self, outcome: Outcome) -> None:
        self._outcome = outcome
        self._open = asyncio.Event()
        self.asked = 0

    def open(self) -> None:
        self._open.set()

    async def complete(self, request: Request) -> Completion:
        self.asked += 1
        await self._open.wait()
        if isinstance(self._outcome, ModelError):
            raise self._outcome
        return self._outcome


def ask(text: str = "Hello", *, temperature: float | None = 0.0, max_tokens: int | None = None, sample: str = "") -> Request:
    return Request(turns=(Turn("user", text),), temperature=temperature, max_tokens=max_tokens, sample=sample)


def said(text: str = "Hi", *, finish: str = "stop", prompt: int | None = 10, written: int | None = 2) -> Completion:
    return Completion(text=text, finish=finish, prompt_tokens=prompt, completion_tokens=written)


class Waits:
    """A sleep that only notes how long it would have been."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
