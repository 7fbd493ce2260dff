"""The models of a run, by role (who plays, proposes, judges, and what embeds): they share a meter, a quota and a cache."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from agent_gym.lm.budget import Budget
from agent_gym.lm.embedder import Embed, make_embedder
from agent_gym.lm.handle import Handle
from agent_gym.lm.meter import Meter
from agent_gym.lm.model import base_of, make_lm
from agent_gym.lm.rate import RateLimit


@dataclass(frozen=True)
class Roles:
    """Makes a handle for a role.

    Args:
        names: role to model; None for the default one.
        api_base: another endpoint, of those that are not `offline`; where all are, it is refused as a mistake.
        meter: where requests are counted.
        rate: how fast all of them may be asked.
        cache: where answers are kept.
        timeout: seconds for one attempt.
        attempts: how often a question is tried.
    """

    names: Mapping[str, str | None]
    api_base: str | None
    meter: Meter
    rate: RateLimit
    cache: Path | Literal["default"] | None = "default"
    timeout: float = 120.0
    attempts: int = 4

    def handle(self, role: str, budget: Budget, run: str = "") -> Handle:
        """A handle on a role's model.

        Raises:
            UsageError: what `make_lm` refuses.
        """
        return make_lm(
            self.names[role],
            role=role,
            api_base=base_of(self.names[role], self.api_base, self.names.values()),
            meter=self.meter,
            cache=self.cache,
            run=run,
            timeout=self.timeout,
            attempts=self.attempts,
            budget=budget,
            rate=self.rate,
        )

    def embedder(self, budget: Budget, run: str = "") -> Callable[[str], Embed]:
        """Makes a function that embeds, from a model's name; what it refuses is what `make_embedder` does."""
        return partial(
            make_embedder,
            meter=self.meter,
            cache=self.cache,
            run=run,
            timeout=self.timeout,
            attempts=self.attempts,
            budget=budget,
            rate=self.rate,
        )
