"""What a user may limit of a run, by name: what it spends, and how fast."""

from typing import TypedDict

from agent_gym.lm.budget import Budget
from agent_gym.lm.rate import RateLimit


class Limits(TypedDict, total=False):
    """What is not given, or None, is not limited."""

    max_cost: float | None
    """US dollars."""
    max_requests: int | None
    """Questions; what the cache answers is free."""
    max_seconds: float | None
    requests_per_minute: float | None
    tokens_per_minute: float | None
    """Of prompts and answers together."""
    max_concurrency: int | None
    """Requests in flight at once."""


NAMES = tuple(Limits.__annotations__)


def budget_of(limits: Limits) -> Budget:
    """What may be spent; its time begins now.

    Raises:
        UsageError: a limit that allows nothing.
    """
    return Budget(limits.get("max_cost"), limits.get("max_requests"), limits.get("max_seconds"))


def rate_of(limits: Limits) -> RateLimit:
    """How fast may be asked.

    Raises:
        UsageError: a limit that allows nothing.
    """
    return RateLimit(limits.get("requests_per_minute"), limits.get("tokens_per_minute"), limits.get("max_concurrency"))
