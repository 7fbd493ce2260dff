"""A user that plays a conversation pattern: says its lines in order, and looks at what the agent has done before the next one.

Nothing here is a model: which variant is said follows from the seed, where the conversation goes from what the agent did. A
line waits for its happening; meanwhile the user answers what the pattern has an answer for, nudges, and at last loses patience.
"""

import random
from collections.abc import Sequence
from pathlib import Path

from agent_gym.environment.users.base import Utterance
from agent_gym.environment.users.pattern import Happening, Line, Pattern, Reply, load_pattern
from agent_gym.messages import Message
from agent_gym.traces import Trace


class ScriptedUser:
    """Plays a pattern.

    Args:
        pattern: one of `patterns()`, a file of the same form, or a pattern.

    Raises:
        UsageError: when there is none of that name, or the file cannot be read as one.
    """

    name = "scripted"

    def __init__(self, pattern: Pattern | str | Path) -> None:
        self.pattern = pattern if isinstance(pattern, Pattern) else load_pattern(pattern)

    def __repr__(self) -> str:
        return f"ScriptedUser({self.pattern.name!r})"

    def begin(self, task: Trace, seed: int) -> "ScriptedSpeaker":
        """The user of one conversation; what it is about is the pattern's, whatever the task."""
        return ScriptedSpeaker(self.pattern, seed)


class ScriptedSpeaker:
    """Somebody in the middle of a pattern."""

    def __init__(self, pattern: Pattern, seed: int) -> None:
        self._pattern = pattern
        self._random = random.Random(f"{pattern.name} {seed}")
        self._number = -1
        """Index of the line that is being waited for."""
        self._said_at = 0
        self._answered: set[int] = set()
        """Which answers of the line have been given."""
        self._nudges = 0

    async def speak(self, messages: Sequence[Message]) -> Utterance:
        """The next line, an answer, a nudge, or a goodbye."""
        done = tuple(messages)
        if self._number >= 0 and not self._has_happened(self._pattern.lines[self._number], done):
            return self._waits(self._pattern.lines[self._number], done)
        following = self._following(done)
        if following is None:
            return Utterance(self._one_of(self._pattern.farewell), "goal", ("FAREWELL",))
        self._number, self._said_at = following, len(done)
        self._answered.clear()
        return Utterance(self._one_of(self._pattern.lines[following].say), acts=(f"LINE {following + 1}",))

    def _following(self, done: tuple[Message, ...]) -> int | None:
        for number in range(self._number + 1, len(self._pattern.lines)):
            if not _any(self._pattern.lines[number].unless, done):
                return number
        return None

    def _has_happened(self, line: Line, done: tuple[Message, ...]) -> bool:
        return not line.until or _any(line.until, done[self._said_at :] if line.again else done)

    def _waits(self, line: Line, done: tuple[Message, ...]) -> Utterance:
        # Every answer is given once, so what the agent did since the line was said need not be told from what it just did.
        reply = self._reply(line.answers, done[self._said_at :])
        if reply is not None:
            return Utterance(self._one_of(reply.say), acts=(f"ANSWER {self._number + 1}",))
        self._nudges += 1
        if self._nudges > self._pattern.patience:
            return Utterance(self._one_of(self._pattern.gives_up), "patience", ("GIVE UP",))
        return Utterance(self._one_of(line.nudge), acts=(f"NUDGE {self._number + 1}",))

    def _reply(self, answers: Sequence[Reply], recent: tuple[Message, ...]) -> Reply | None:
        for number, answer in enumerate(answers):
            if number not in self._answered and answer.when.in_messages(recent):
                self._answered.add(number)
                return answer
        return None

    def _one_of(self, variants: Sequence[str]) -> str:
        return self._random.choice(variants)


def _any(happenings: Sequence[Happening], done: tuple[Message, ...]) -> bool:
    return any(happening.in_messages(done) for happening in happenings)
