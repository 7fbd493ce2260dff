"""What one piece of work, a rollout say, asks of its models, whoever pays for it.

The meter counts what a run paid; a tally counts what the work takes: answers from the cache count as what they cost when they
were bought. So the price and the latency of a turn are known also where every answer was replayed.

    with tallied() as tally:
        await rollout(...)
    tally.prompt_tokens, tally.cost, tally.seconds
"""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

import msgspec

from agent_gym.lm.base import Completion


class Spent(msgspec.Struct, frozen=True, kw_only=True):
    """What a piece of work took."""

    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float | None = 0.0
    """US dollars; None when the price of an answer is not known."""
    seconds: float | None = 0.0
    """Time the answers took when they were bought; None when that is not known of one of them."""


class Tally:
    """A running `Spent`."""

    def __init__(self) -> None:
        self.spent = Spent()

    def add(self, completion: Completion, cost: float | None) -> None:
        """Count an answer."""
        spent = self.spent
        self.spent = Spent(
            requests=spent.requests + 1,
            prompt_tokens=spent.prompt_tokens + (completion.prompt_tokens or 0),
            completion_tokens=spent.completion_tokens + (completion.completion_tokens or 0),
            cost=None if spent.cost is None or cost is None else spent.cost + cost,
            seconds=None if spent.seconds is None or completion.seconds is None else spent.seconds + completion.seconds,
        )


_tally: ContextVar[Tally | None] = ContextVar("agent_gym_tally", default=None)


@contextmanager
def tallied() -> Generator[Tally]:
    """Count what is asked inside the block, in this task or thread."""
    tally = Tally()
    token = _tally.set(tally)
    try:
        yield tally
    finally:
        _tally.reset(token)


def count(completion: Completion, cost: float | None) -> None:
    """Count an answer in the block around the caller, if there is one."""
    if (tally := _tally.get()) is not None:
        tally.add(completion, cost)
