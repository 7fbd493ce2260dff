"""Whole conversations, measured: did the user get what it wanted, what did that take, and whose fault was it where not.

Episodes that the endpoint, the user or a tool spoilt say nothing of the agent: they are counted and left out of the success
rate. Tries of one task resemble each other, so intervals resample tasks, not episodes.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from agent_gym.evaluation.reliability import pass_hat_k
from agent_gym.evaluation.resampling import Estimate
from agent_gym.evaluation.statistics import bootstrap_interval
from agent_gym.traces import Trace


class EpisodeScore(msgspec.Struct, frozen=True, kw_only=True):
    """One episode's outcome."""

    task: str
    sample: int = 0
    success: bool | None
    """None when the episode was spoilt from outside."""
    goal: float
    """Of the pieces of the goal, the share that was reached, in [0, 1]."""
    reward: float | None = None
    """What was earned in all; None when a judge failed or the episode was spoilt."""
    turns: int
    """Of the user."""
    calls: int
    ended: str
    """How: "goal", "patience", "refused", "script" (the user left), "turns", "steps" (a limit), "broken"."""
    fault: str = ""
    """Whose fault a failure was: "agent", "endpoint", "user" or "tool"."""
    unjudged: bool = False
    """A judge was asked for the reward and failed."""
    missing: tuple[str, ...] = ()
    """What of the goal was not reached."""
    error: str | None = None
    tokens: int = 0
    """Of the agent's model, answers from the cache included."""
    cost: float | None = None
    """US dollars; None when the price is not known."""


class EpisodeReport(msgspec.Struct, frozen=True, kw_only=True):
    """What playing whole conversations found. Shares are in [0, 1]; means are over the episodes that count."""

    user: str
    n: int
    """Episodes that count."""
    tasks: int
    """Different conversations among them."""
    spoilt: Mapping[str, int] = {}
    """Episodes left out, by who spoilt them."""
    unjudged: int = 0
    """Episodes whose judge failed: their reward is not known."""
    success: float = 0.0
    interval: tuple[float, float] = (0.0, 0.0)
    """95 % bootstrap interval of the success rate, over tasks."""
    pass_k: tuple[Estimate, ...] = ()
    """pass^1, pass^2, …: the chance that a task succeeds in all of k tries (tau-bench, Yao et al. 2024), over tasks whose
    tries all count."""
    goal: float = 0.0
    reward: float | None = None
    turns: float = 0.0
    calls: float = 0.0
    ended: Mapping[str, int] = {}
    faults: Mapping[str, int] = {}
    """Failures, by whose fault they were; what spoilt an episode is in `spoilt`."""
    tokens: float = 0.0
    cost: float | None = None
    """US dollars an episode, mean; None when a price is not known."""
    episodes: tuple[EpisodeScore, ...] = ()

    def headline(self) -> dict[str, Any]:
        """The report without its episodes, as JSON values."""
        return {name: value for name, value in msgspec.to_builtins(self).items() if name != "episodes"}


def score_episode(trace: Trace) -> EpisodeScore:
    """The outcome of a trace that `play_episode` or `rollout_many` gave."""
    known = trace.metadata
    spent: Mapping[str, Any] = known.get("spent") or {}
    return EpisodeScore(
        task=str(known.get("task", trace.conversation_id)),
        sample=int(known.get("sample", 0)),
        success=None if trace.outcome not in ("success", "failure") else trace.outcome == "success",
        goal=trace.scores.get("goal", 0.0),
        reward=trace.scores.get("reward"),
        turns=int(known.get("turns", 0)),
        calls=len(trace.calls),
        ended=str(known.get("ended", "")),
        fault=str(known.get("fault", "")),
        unjudged="unjudged" in known,
        missing=tuple(known.get("missing", ())),
        error=trace.error,
        tokens=int(spent.get("prompt_tokens", 0)) + int(spent.get("completion_tokens", 0)),
        cost=spent.get("cost"),
    )


def summarize_episodes(episodes: Iterable[EpisodeScore], *, user: str) -> EpisodeReport:
    """Outcomes as a report, in an order of their own: results do not depend on which episode ended first."""
    ordered = sorted(episodes, key=lambda one: (one.task, one.sample))
    counted = [one for one in ordered if one.success is not None]
    tries: dict[str, list[bool]] = defaultdict(list)
    for one in counted:
        tries[one.task].append(bool(one.success))
    rates = [sum(done) / len(done) for done in tries.values()]
    rewards = [one.reward for one in counted if one.reward is not None]
    costs = [one.cost for one in counted if one.cost is not None]
    return EpisodeReport(
        user=user,
        n=len(counted),
        tasks=len(tries),
        spoilt=dict(sorted(Counter(one.fault for one in ordered if one.success is None).items())),
        unjudged=sum(one.unjudged for one in ordered),
        success=_mean(rates),
        interval=bootstrap_interval(rates),
        pass_k=_pass_k(ordered, tries),
        goal=_mean([one.goal for one in counted]),
        reward=_mean(rewards) if rewards else None,
        turns=_mean([one.turns for one in counted]),
        calls=_mean([one.calls for one in counted]),
        ended=dict(sorted(Counter(one.ended for one in counted).items())),
        faults=dict(sorted(Counter(one.fault for one in counted if not one.success).items())),
        tokens=_mean([one.tokens for one in counted]),
        cost=_mean(costs) if costs and len(costs) == len(counted) else None,
        episodes=tuple(ordered),
    )


def _pass_k(ordered: Sequence[EpisodeScore], tries: Mapping[str, Sequence[bool]]) -> tuple[Estimate, ...]:
    asked = Counter(one.task for one in ordered)
    most = max(asked.values(), default=0)
    whole = [done for task, done in tries.items() if len(done) == asked[task] == most]
    return tuple(pass_hat_k(whole, k) for k in range(1, most + 1)) if whole else ()


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if values else 0.0
