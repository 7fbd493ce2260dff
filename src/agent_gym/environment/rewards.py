"""What an agent earns: how good it was, and when that is paid.

    make_reward("ground_truth")                         1 at the end when the goal was reached, else 0
    make_reward("ground_truth", "turn")                 the share of the goal that each turn brought about
    make_reward("judge", "both", judge=LLMJudge())      a judge's score of every turn, and of the whole conversation
    make_reward("combined", judge=LLMJudge())           the mean of goal and judge

A reward is anything with these two methods. What a turn is paid is known when the agent has spoken; what the episode is paid,
when it is over.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, get_args

from agent_gym.environment.goals.achievement import Achievement
from agent_gym.environment.goals.success import achieved
from agent_gym.errors import UsageError
from agent_gym.metrics import LLMJudge, Score
from agent_gym.traces import Trace
from agent_gym.traces.task import Task

NOTHING = Score(0.0)
CONTENT = ("goal", "script")
"""How a user leaves who misses nothing: what a success is where the goal holds nothing that could be counted."""
Mode = Literal["ground_truth", "judge", "combined"]
Paid = Literal["turn", "end", "both"]


class Reward(Protocol):
    """What is earned: a score in [0, 1] each time.

    Raises:
        JudgeFailed: when a judge gave no score; the reward is then not known, and never 0.
    """

    async def of_turn(self, task: Trace, episode: Trace, start: int) -> Score:
        """For the agent's turn behind the user's message at index `start`, which is the last turn so far."""
        ...

    async def of_episode(self, task: Trace, episode: Trace) -> Score:
        """For the whole conversation, when it is over."""
        ...


@dataclass(frozen=True)
class NoReward:
    """Nothing is earned: where only what happened counts."""

    async def of_turn(self, task: Trace, episode: Trace, start: int) -> Score:
        """Nothing."""
        return NOTHING

    async def of_episode(self, task: Trace, episode: Trace) -> Score:
        """Nothing."""
        return NOTHING


@dataclass(frozen=True)
class GroundTruth:
    """The goal itself.

    A turn is paid the share of the goal that it brought about, so that the turns of a success sum to 1; an episode is paid 1
    for a success and 0 otherwise.
    """

    async def of_turn(self, task: Trace, episode: Trace, start: int) -> Score:
        """The share of the goal that is reached now and was not before."""
        reached = achieved(task, episode).share
        return Score(reached - achieved(task, _until(episode, start)).share if start else reached)

    async def of_episode(self, task: Trace, episode: Trace) -> Score:
        """Whether the goal was reached."""
        return Score(float(is_success(achieved(task, episode), episode)))


@dataclass(frozen=True)
class Judged:
    """A judge's score; it does not see the goal of a turn, and is told the goal of an episode."""

    judge: LLMJudge

    async def of_turn(self, task: Trace, episode: Trace, start: int) -> Score:
        """The judge's score of what the agent did in its last turn."""
        return await self.judge.ascore(Task(episode, start, len(episode.messages)), episode)

    async def of_episode(self, task: Trace, episode: Trace) -> Score:
        """The judge's score of the conversation."""
        return await self.judge.judge_episode(episode, task.goal)


@dataclass(frozen=True)
class Combined:
    """The mean of several rewards."""

    rewards: tuple[Reward, ...]

    async def of_turn(self, task: Trace, episode: Trace, start: int) -> Score:
        """Mean of the turn's rewards."""
        return _mean([await reward.of_turn(task, episode, start) for reward in self.rewards])

    async def of_episode(self, task: Trace, episode: Trace) -> Score:
        """Mean of the episode's rewards."""
        return _mean([await reward.of_episode(task, episode) for reward in self.rewards])


@dataclass(frozen=True)
class PaidWhen:
    """Another reward, paid for turns only, at the end only, or both."""

    reward: Reward
    paid: Paid

    async def of_turn(self, task: Trace, episode: Trace, start: int) -> Score:
        """The turn's reward, where turns are paid."""
        return NOTHING if self.paid == "end" else await self.reward.of_turn(task, episode, start)

    async def of_episode(self, task: Trace, episode: Trace) -> Score:
        """The episode's reward, where the end is paid."""
        return NOTHING if self.paid == "turn" else await self.reward.of_episode(task, episode)


def make_reward(mode: Mode = "ground_truth", paid: Paid = "end", *, judge: LLMJudge | None = None) -> Reward:
    """A reward by its name.

    Raises:
        UsageError: for an unknown mode or time, or a mode that asks a judge where there is none.
    """
    if mode not in get_args(Mode) or paid not in get_args(Paid):
        known = f"modes are {', '.join(get_args(Mode))}; paid are {', '.join(get_args(Paid))}"
        raise UsageError(f"there is no reward {mode!r} paid {paid!r}: {known}")
    if mode == "ground_truth":
        return PaidWhen(GroundTruth(), paid)
    if judge is None:
        raise UsageError(f"reward {mode!r} asks a judge: give one, e.g. judge=LLMJudge(...)")
    return PaidWhen(Judged(judge) if mode == "judge" else Combined((GroundTruth(), Judged(judge))), paid)


def is_success(reached: Achievement, episode: Trace) -> bool:
    """Whether an episode that is over, in which so much was reached, is a success: nothing broke, and nothing is missing."""
    known = episode.metadata
    content = reached.wanted > 0 or known.get("ended") in CONTENT
    return reached.success and content and episode.error is None and not known.get("fault")


def _mean(scores: Sequence[Score]) -> Score:
    value = sum(score.value for score in scores) / len(scores)
    parts = {name: part for score in scores for name, part in score.parts.items()}
    return Score(value, parts, " ".join(score.reason for score in scores if score.reason))


def _until(episode: Trace, start: int) -> Trace:
    return Trace(conversation_id=episode.conversation_id, messages=episode.messages[:start], metadata=episode.metadata)
