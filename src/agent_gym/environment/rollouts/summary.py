"""What many episodes came to: running counts, so that ten thousand of them take no more memory than ten.

An episode is *whole* when it came to its end, whatever the agent made of it. One that an outage cut short (of the agent's
endpoint, the user, a tool, the judge) is *lost*: it says nothing of anyone, and is played again when the run is started again.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import msgspec

from agent_gym.environment.episode import SPOILING
from agent_gym.traces import Trace

SHOWN = 20
"""Lost episodes that a summary names."""


class Lost(msgspec.Struct, frozen=True):
    """An episode that an outage cut short."""

    conversation_id: str
    fault: str
    """Whose it was: "endpoint", "user", "tool" or "judge"."""
    error: str


class RolloutSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What a run found; of a file that was gone on with, the episodes of the earlier runs too."""

    episodes: int = 0
    """Whole episodes."""
    resumed: int = 0
    """Of these, those that the file held already."""
    lost: int = 0
    """Episodes that an outage cut short; a rerun plays them again."""
    losses: tuple[Lost, ...] = ()
    """The first of them."""
    outcomes: Mapping[str, int] = {}
    """Whole episodes by outcome: "success", "failure", and "spoilt" by the user or a tool."""
    faults: Mapping[str, int] = {}
    """Whole episodes that were no success, by whose fault that was."""
    ended: Mapping[str, int] = {}
    """Whole episodes by how they ended."""
    success: float | None = None
    """Of the whole episodes that were not spoilt, the share that succeeded, in [0, 1]; None when there are none."""
    reward: float | None = None
    """Mean reward of the whole episodes whose reward is known; None when there are none."""
    turns: int = 0
    """User turns of all whole episodes."""
    calls: int = 0
    """Tool calls of all whole episodes."""
    requests: int = 0
    """Requests to the models of all whole episodes, answers from the cache included; so are tokens and cost."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float | None = 0.0
    """US dollars; None when the price of an answer is not known."""
    seconds: float = 0.0
    """Wall-clock time of this run."""


class Rollout(msgspec.Struct, frozen=True):
    """What is read of an episode's trace to count it."""

    conversation_id: str
    metadata: dict[str, Any]
    outcome: str | None = None
    scores: dict[str, float] = {}


class Counts:
    """A running `RolloutSummary`."""

    def __init__(self) -> None:
        self._episodes = self._resumed = self._lost = self._turns = self._calls = 0
        self._losses: list[Lost] = []
        self._outcomes: Counter[str] = Counter()
        self._faults: Counter[str] = Counter()
        self._ended: Counter[str] = Counter()
        self._rewards, self._reward = 0, 0.0
        self._spent: Counter[str] = Counter()
        self._cost: float | None = 0.0

    def add(self, rollout: Rollout | Trace, *, resumed: bool = False) -> None:
        """Count a whole episode."""
        told = rollout.metadata
        self._episodes += 1
        self._resumed += resumed
        self._turns += told["turns"]
        self._calls += len(told["rungs"])
        self._outcomes[rollout.outcome or ""] += 1
        self._ended[told["ended"]] += 1
        if fault := told.get("fault"):
            self._faults[fault] += 1
        if (reward := rollout.scores.get("reward")) is not None:
            self._rewards += 1
            self._reward += reward
        spent = told["spent"]
        for name in ("requests", "prompt_tokens", "completion_tokens"):
            self._spent[name] += spent[name]
        cost = spent["cost"]
        self._cost = None if self._cost is None or cost is None else self._cost + cost

    def lose(self, lost: Lost) -> None:
        """Count an episode that was cut short."""
        self._lost += 1
        if len(self._losses) < SHOWN:
            self._losses.append(lost)

    def summary(self, seconds: float) -> RolloutSummary:
        """The counts so far."""
        judged = self._outcomes["success"] + self._outcomes["failure"]
        return RolloutSummary(
            episodes=self._episodes,
            resumed=self._resumed,
            lost=self._lost,
            losses=tuple(self._losses),
            outcomes=dict(sorted(self._outcomes.items())),
            faults=dict(sorted(self._faults.items())),
            ended=dict(sorted(self._ended.items())),
            success=self._outcomes["success"] / judged if judged else None,
            reward=self._reward / self._rewards if self._rewards else None,
            turns=self._turns,
            calls=self._calls,
            requests=self._spent["requests"],
            prompt_tokens=self._spent["prompt_tokens"],
            completion_tokens=self._spent["completion_tokens"],
            cost=self._cost,
            seconds=seconds,
        )


def lost(trace: Trace) -> Lost | None:
    """What cut an episode short, if it was an outage."""
    fault = str(trace.metadata.get("fault", ""))
    if trace.error is not None and fault in SPOILING:
        return Lost(trace.conversation_id, fault, trace.error)
    if (unjudged := trace.metadata.get("unjudged")) is not None:
        return Lost(trace.conversation_id, "judge", str(unjudged))
    return None
