# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeStubs=false
"""What a strategy is, and what it works with.

A strategy checks what it needs before the first request and then compiles. A new one is a class in a file of this folder and
its name in `STRATEGIES`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import dspy

from agent_gym.errors import UsageError
from agent_gym.optimization.program import PlayedAgent

ANY = 1
"""Errors after which DSPy gives up: a rollout that fails is no error here, so that one is a fault of the program."""


@dataclass(frozen=True)
class Workbench:
    """What a strategy works with."""

    train: Sequence[dspy.Example]
    val: Sequence[dspy.Example]
    metric: Callable[..., Any]
    agent_lm: dspy.LM
    prompt_lm: dspy.LM
    threads: int
    seed: int


@dataclass(frozen=True)
class Candidate:
    """A program that was tried."""

    program: PlayedAgent
    score: float
    """Mean score in [0, 1] on the validation examples it was tried on."""
    examples: int
    """How many those were."""


class Strategy(Protocol):
    """Turns a program into a better one."""

    name: ClassVar[str]
    proposes: ClassVar[bool]
    """Whether it asks the prompt model for instructions."""
    packages: ClassVar[tuple[str, ...]]
    """What must be installed."""

    @property
    def metric_threshold(self) -> float: ...

    def check(self, num_train: int, num_val: int) -> None: ...

    def compile(self, program: PlayedAgent, bench: Workbench) -> tuple[PlayedAgent, list[Candidate]]: ...


class Unthresholded:
    """A strategy that takes no rollout as a worked example, so that no score has to be good enough for one."""

    @property
    def metric_threshold(self) -> float:
        """A perfect score, which is never asked for."""
        return 1.0


def at_least(what: str, value: int, least: int, strategy: str) -> None:
    """Refuse a number of examples that a strategy cannot work with.

    Raises:
        UsageError: naming the number and the least it may be.
    """
    if value < least:
        raise UsageError(f"{strategy} needs {what} of {least} or more, got {value}")


def candidates(found: Sequence[Any], examples: int) -> list[Candidate]:
    """DSPy's records of programs and scores (in percent) as candidates; one that was never scored is left out."""
    return [Candidate(one["program"], one["score"] / 100, examples) for one in found if one["score"] is not None]
