"""What an optimizer has found so far: the programs it has played, and how they did on the validation examples.

An optimizer that runs out of budget ends with an error and takes its finds with it; so they are written down as they are made.
"""

import hashlib
import threading
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import Any, NamedTuple

import msgspec

from agent_gym.errors import BudgetSpent

ENOUGH = 8
"""Validation examples that say something about a program; all of them where there are fewer."""


class Found(NamedTuple):
    """A program and its mean score, in [0, 1], on so many validation examples."""

    instruction: str
    demos: list[dict[str, Any]]
    score: float
    examples: int


class SoFar:
    """Scores by program and example until the budget is spent. Used from any thread.

    Args:
        validation: ids of the examples that count.
    """

    def __init__(self, validation: Iterable[str]) -> None:
        self._validation = {*validation}
        self._programs: dict[bytes, tuple[str, list[dict[str, Any]]]] = {}
        self._scores: dict[bytes, dict[str, float]] = {}
        self._spent: BudgetSpent | None = None
        self._lock = threading.Lock()
        self._under_way = 0
        self._ended = threading.Condition()

    @property
    def spent(self) -> BudgetSpent | None:
        """The first refusal; None as long as there was none."""
        return self._spent

    def stop(self, error: BudgetSpent) -> None:
        """Write nothing down any more: a question was refused."""
        with self._lock:
            self._spent = self._spent or error

    @contextmanager
    def rollout(self) -> Generator[None]:
        """A rollout that is under way.

        Raises:
            BudgetSpent: a question was refused before: no rollout begins any more.
        """
        if self._spent is not None:
            raise self._spent
        with self._ended:
            self._under_way += 1
        try:
            yield
        finally:
            with self._ended:
                self._under_way -= 1
                self._ended.notify_all()

    def settle(self) -> None:
        """Wait for the rollouts under way: an optimizer that gives up leaves its threads behind."""
        with self._ended:
            self._ended.wait_for(lambda: not self._under_way)

    def enter(self, instruction: str, demos: list[dict[str, Any]]) -> bytes:
        """The digest under which this program's scores are kept."""
        digest = hashlib.sha256(msgspec.json.encode([instruction, demos])).digest()
        with self._lock:
            self._programs.setdefault(digest, (instruction, demos))
        return digest

    def score(self, program: bytes, example: str, score: float) -> None:
        """Write down how a program did on an example; of two plays the later counts."""
        with self._lock:
            if self._spent is None and example in self._validation:
                self._scores.setdefault(program, {})[example] = score

    @property
    def found(self) -> list[Found]:
        """The programs that were played on validation examples, in the order of their first play."""
        with self._lock:
            return [
                Found(*self._programs[digest], sum(scores.values()) / len(scores), len(scores))
                for digest, scores in self._scores.items()
            ]

    @property
    def best(self) -> Found | None:
        """The best of those played on the most examples; None when no program was played on enough of them."""
        found = self.found
        most = max((one.examples for one in found), default=0)
        if most < min(ENOUGH, len(self._validation)):
            return None
        return max((one for one in found if one.examples == most), key=lambda one: one.score)
