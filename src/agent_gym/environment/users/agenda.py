"""A user with an agenda: it holds a goal, and answers what the agent actually said.

Agenda-based simulation (Schatzmann et al. 2007) over the recorded goals of SGD. No model: the goal says what is wanted, the
mind (`mind.py`) what to do next, the phrases of a corpus how people say it. Same task, same seed, same words of the agent: same
words of the user.
"""

import random
from collections.abc import Callable, Sequence
from pathlib import Path

from agent_gym.environment.users.base import Utterance
from agent_gym.environment.users.goal import AgendaGoal, plan, plan_without_acts
from agent_gym.environment.users.mind import Mind
from agent_gym.environment.users.phrases import PhraseBook, read_phrases
from agent_gym.errors import UsageError, UserFailed
from agent_gym.messages import Message
from agent_gym.traces import DataSet, Trace
from agent_gym.traces.sgd import is_sgd
from agent_gym.traces.sgd_acts import SGDActs

PATIENCE = 3
"""Turns without progress that the user bears."""


class AgendaUser:
    """Pursues the goal of a recorded conversation.

    Args:
        acts: what was meant in the recorded conversations; without it goals are read from their calls alone.
        phrases: how people say things, or a function that reads it when it is first needed; plain words when left out.
        patience: turns without progress after which the user leaves.
    """

    name = "agenda"

    def __init__(
        self,
        acts: SGDActs | None = None,
        phrases: PhraseBook | Callable[[], PhraseBook] | None = None,
        *,
        patience: int = PATIENCE,
    ) -> None:
        if patience < 1:
            raise UsageError(f"a user bears one turn without progress at least, got patience={patience}")
        self.patience = patience
        self._acts = acts
        self._phrases: PhraseBook | Callable[[], PhraseBook] = PhraseBook() if phrases is None else phrases

    @classmethod
    def of(cls, data: DataSet | str | Path, *, patience: int = PATIENCE) -> "AgendaUser":
        """The user of a data set. Of SGD: goals from its annotations, phrases from its train split; both are read when needed.
        Of logs, which have neither: goals from their calls, plain words.
        """
        folder = Path(data) if isinstance(data, str | Path) else data.path
        if not is_sgd(folder):
            return cls(patience=patience)
        return cls(SGDActs(folder), lambda: read_phrases(folder.resolve()), patience=patience)

    def goal(self, task: Trace) -> AgendaGoal:
        """What the user of a recorded conversation wants."""
        turns = self._acts.of(task) if self._acts is not None else None
        return plan(task, turns) if turns is not None else plan_without_acts(task)

    def phrases(self) -> PhraseBook:
        """How the user says things."""
        if not isinstance(self._phrases, PhraseBook):
            self._phrases = self._phrases()
        return self._phrases

    def begin(self, task: Trace, seed: int) -> "AgendaSpeaker":
        """The user in one episode."""
        mind = Mind(self.goal(task), task, self.patience)
        return AgendaSpeaker(mind, self.phrases(), random.Random(f"{seed}/{task.conversation_id}"))


class AgendaSpeaker:
    """The user in one episode."""

    def __init__(self, mind: Mind, phrases: PhraseBook, rng: random.Random) -> None:
        self._mind, self._phrases, self._rng = mind, phrases, rng

    async def speak(self, messages: Sequence[Message]) -> Utterance:
        """What the user says next.

        Raises:
            UserFailed: when the conversation holds nothing that a user could want.
        """
        return self.say(messages)

    def say(self, messages: Sequence[Message]) -> Utterance:
        """`speak`, outside an event loop."""
        if not self._mind.now.goal.errands:
            raise UserFailed("the conversation holds no call and no goal: nothing that a user could want")
        meant, ended = self._mind.answer(messages)
        return Utterance(self._phrases.say(meant, self._rng), ended, tuple(map(str, meant)))
