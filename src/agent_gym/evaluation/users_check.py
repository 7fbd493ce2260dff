"""How like people a simulated user is: held against the recorded turns of held-out conversations.

Twice. *Teacher-forced*, the user sees the recorded conversation so far and says its turn, which is compared with what the human
said there: what was meant, how long it is, how much is told at once. *On-policy* it talks with an agent that follows the
recorded system's policy: does it get what it wanted, and after how many turns does it stop, compared with the human.

A simulated user holds the goal of the very conversation it is compared in; its words come from other conversations. What is
measured is how a goal is pursued, not whether it is guessed. (The measures of Pietquin and Hastie 2013, table 1, that need no
people.)
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import msgspec

from agent_gym.agents.base import Agent
from agent_gym.environment.dialogue import DialogueEnvironment
from agent_gym.environment.episode import play_episode
from agent_gym.environment.users.base import User, Utterance
from agent_gym.errors import ModelError, UsageError, UserFailed
from agent_gym.evaluation.distances import jensen_shannon, kolmogorov_smirnov, wasserstein
from agent_gym.messages import User as UserMessage
from agent_gym.traces import Trace
from agent_gym.traces.sgd_acts import ActedTurn, SGDActs

MOST = 4
"""Values told at once, from which on they are counted together."""


class Spread(msgspec.Struct, frozen=True):
    """A number measured on both sides."""

    human: float
    """Mean."""
    user: float
    """Mean."""
    ks: float
    """Kolmogorov-Smirnov distance, in [0, 1]."""
    wasserstein: float
    """Earth mover's distance, in the unit of the number."""


class Agreement(msgspec.Struct, frozen=True):
    """What was meant, turn by turn, against the human's turn."""

    precision: float
    recall: float
    f1: float


class ActShare(msgspec.Struct, frozen=True):
    """Of all acts, the share of one, in [0, 1]."""

    human: float
    user: float


class UsersCheck(msgspec.Struct, frozen=True, kw_only=True):
    """How like the recorded people a user is."""

    user: str
    conversations: int
    human_turns: int
    user_turns: int
    """Turns that the user said something in, teacher-forced."""
    stopped_early: int
    """Conversations that it left while the human went on, teacher-forced."""
    failed: int
    """Conversations in which it failed, left out."""
    acts: Mapping[str, ActShare]
    """By the human's share, the largest first; empty for a user that does not say what it means."""
    acts_divergence: float | None
    """Jensen-Shannon, in bits, in [0, 1]; None for a user that does not say what it means."""
    act_agreement: Agreement | None
    """Which acts."""
    slot_agreement: Agreement | None
    """Which acts about which arguments and fields."""
    words: Spread
    """A turn's."""
    slots: Spread | None
    """Values told in one turn."""
    slots_divergence: float | None
    """Of how many are told at once, in bits."""
    turns: Spread
    """User turns of a conversation, on-policy against the record."""
    ended: Mapping[str, int]
    """How the on-policy conversations ended."""
    success: float
    """Of the on-policy conversations, the share that brought about what was wanted."""


class _Turns:
    """What was collected of one side."""

    def __init__(self) -> None:
        self.words: list[float] = []
        self.slots: list[float] = []
        self.acts: Counter[str] = Counter()

    def add(self, text: str, acts: Sequence[str]) -> None:
        self.words.append(len(text.split()))
        self.slots.append(sum(act.startswith("INFORM ") for act in acts))
        self.acts.update(act.partition(" ")[0] for act in acts)


class _Overlap:
    """Acts of two sides, counted turn by turn."""

    def __init__(self) -> None:
        self.both = self.humans = self.users = 0

    def add(self, human: Sequence[str], user: Sequence[str]) -> None:
        self.both += (Counter(human) & Counter(user)).total()
        self.humans += len(human)
        self.users += len(user)

    @property
    def agreement(self) -> Agreement:
        precision = self.both / self.users if self.users else 0.0
        recall = self.both / self.humans if self.humans else 0.0
        return Agreement(precision, recall, 2 * self.both / (self.humans + self.users) if self.humans + self.users else 0.0)


class _Forced:
    """The teacher-forced half of the check."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.human, self.simulated = _Turns(), _Turns()
        self.by_act, self.by_slot = _Overlap(), _Overlap()
        self.early = 0
        self.failed: set[str] = set()

    async def hold(self, task: Trace, turns: Sequence[ActedTurn], seed: int) -> None:
        """One conversation."""
        try:
            said = await self._said(task, seed)
        except (UserFailed, ModelError):
            self.failed.add(task.conversation_id)
            return
        spoken = [message.content for message in task.messages if isinstance(message, UserMessage)]
        meant = [acts_of(turn) for turn in turns if turn.user]
        for text, acts, own in zip(spoken, meant, [*said, *[None] * len(spoken)], strict=False):
            self.human.add(text, acts)
            if own is not None:
                self.simulated.add(own.text, own.acts)
            mine = own.acts if own is not None else ()
            self.by_slot.add(acts, mine)
            self.by_act.add(sorted({act.partition(" ")[0] for act in acts}), sorted({act.partition(" ")[0] for act in mine}))
        self.early += len(said) < len(spoken)

    async def _said(self, task: Trace, seed: int) -> list[Utterance]:
        speaker = self.user.begin(task, seed)
        said: list[Utterance] = []
        for at, message in enumerate(task.messages):
            if isinstance(message, UserMessage):
                said.append(await speaker.speak(task.messages[:at]))
                if said[-1].ended:
                    break
        return said


def acts_of(turn: ActedTurn) -> tuple[str, ...]:
    """What a recorded user meant by a turn, in the words of `Utterance.acts`."""
    return tuple(
        f"INFORM_INTENT {frame.intent}"
        if act.act == "INFORM_INTENT"
        else f"{act.act} {frame.service}.{act.slot}"
        if act.slot
        else act.act
        for frame in turn.frames
        for act in frame.acts
    )


async def check_users(
    environment: DialogueEnvironment,
    acts: SGDActs,
    agent: Callable[[Trace], Agent],
    *,
    seed: int = 0,
    threads: int = 32,
    on_conversation: Callable[[], None] = lambda: None,
) -> UsersCheck:
    """Hold the user of an environment against the humans of its recorded conversations.

    Args:
        acts: what the humans meant.
        agent: makes the agent of one on-policy conversation, such as `testing.GoldAgent`.
        threads: conversations under way at once.

    Raises:
        UsageError: when no conversation has annotated turns.
        ModelError: when the user failed in all of them.
    """
    tasks = [(task, turns) for task in environment.tasks if (turns := acts.of(task)) is not None]
    if not tasks:
        raise UsageError("none of the conversations has annotated acts: only SGD folders can be checked")
    forced = _Forced(environment.user)
    episodes: list[Trace] = []
    free = asyncio.Semaphore(threads)

    async def one(task: Trace, turns: Sequence[ActedTurn]) -> None:
        async with free:
            await forced.hold(task, turns, seed)
            episodes.append(await play_episode(agent(task), environment.episode(task, seed)))
            on_conversation()

    await asyncio.gather(*(one(task, turns) for task, turns in tasks))
    if len(forced.failed) == len(tasks):
        raise ModelError(f"the user {environment.user.name!r} failed in all of {len(tasks)} conversations")
    return _result(environment.user.name, [task for task, _ in tasks], forced, episodes)


def _result(name: str, tasks: Sequence[Trace], forced: _Forced, episodes: Sequence[Trace]) -> UsersCheck:
    human, user = forced.human, forced.simulated
    speaks_acts = bool(user.acts)
    # What the user spoilt counts against it; what a tool or the agent spoilt says nothing about it.
    played = [episode for episode in episodes if episode.metadata.get("fault") not in ("tool", "endpoint")]
    recorded = [float(sum(isinstance(message, UserMessage) for message in task.messages)) for task in tasks]
    turns = [float(episode.metadata["turns"]) for episode in played]
    told, telling = (
        Counter(min(MOST, int(count)) for count in human.slots),
        Counter(min(MOST, int(count)) for count in user.slots),
    )
    return UsersCheck(
        user=name,
        conversations=len(tasks),
        human_turns=len(human.words),
        user_turns=len(user.words),
        stopped_early=forced.early,
        failed=len(forced.failed),
        acts=_shares(human.acts, user.acts) if speaks_acts else {},
        acts_divergence=jensen_shannon(human.acts, user.acts) if speaks_acts else None,
        act_agreement=forced.by_act.agreement if speaks_acts else None,
        slot_agreement=forced.by_slot.agreement if speaks_acts else None,
        words=_spread(human.words, user.words),
        slots=_spread(human.slots, user.slots) if speaks_acts else None,
        slots_divergence=jensen_shannon(told, telling) if speaks_acts else None,
        turns=_spread(recorded, turns),
        ended=dict(Counter(str(episode.metadata.get("ended")) for episode in episodes).most_common()),
        success=sum(episode.outcome == "success" for episode in played) / len(played) if played else 0.0,
    )


def _shares(human: Counter[str], user: Counter[str]) -> dict[str, ActShare]:
    names = sorted({*human, *user}, key=lambda act: (-human[act], act))
    return {act: ActShare(human[act] / max(1, human.total()), user[act] / max(1, user.total())) for act in names}


def _spread(human: Sequence[float], user: Sequence[float]) -> Spread:
    def mean(values: Sequence[float]) -> float:
        return sum(values) / len(values) if values else 0.0

    return Spread(mean(human), mean(user), kolmogorov_smirnov(human, user), wasserstein(human, user))
