# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeStubs=false
"""Strategies that change the worked examples and leave the instruction alone."""

from dataclasses import dataclass
from typing import Any, ClassVar

import dspy

from agent_gym.optimization.program import PlayedAgent
from agent_gym.optimization.strategies.base import ANY, Candidate, Unthresholded, Workbench, at_least, candidates


@dataclass(frozen=True)
class Baseline(Unthresholded):
    """The agent as it is: what the others are held against."""

    name: ClassVar[str] = "baseline"
    proposes: ClassVar[bool] = False
    packages: ClassVar[tuple[str, ...]] = ()

    def check(self, num_train: int, num_val: int) -> None:
        """It needs nothing."""

    def compile(self, program: PlayedAgent, bench: Workbench) -> tuple[PlayedAgent, list[Candidate]]:
        """The program itself."""
        return program, []


@dataclass(frozen=True)
class Labeled(Unthresholded):
    """LabeledFewShot: recorded first steps of training examples, drawn at random, become worked examples. Asks no model."""

    name: ClassVar[str] = "labeled"
    proposes: ClassVar[bool] = False
    packages: ClassVar[tuple[str, ...]] = ()

    max_labeled_demos: int = 8

    def check(self, num_train: int, num_val: int) -> None:
        """One example is enough."""
        at_least("num_train", num_train, 1, self.name)

    def compile(self, program: PlayedAgent, bench: Workbench) -> tuple[PlayedAgent, list[Candidate]]:
        """Tune the program."""
        tuned: Any = dspy.LabeledFewShot(k=self.max_labeled_demos).compile(program, trainset=list(bench.train))
        return tuned, []


@dataclass(frozen=True)
class Bootstrap:
    """BootstrapFewShot: rollouts that went well become worked examples (Khattab et al., 2024).

    Unlike DSPy's own defaults at most 8 examples, not 16, stand in the prompt: they are paid with every request.
    """

    name: ClassVar[str] = "bootstrap"
    proposes: ClassVar[bool] = False
    packages: ClassVar[tuple[str, ...]] = ()

    max_bootstrapped_demos: int = 4
    max_labeled_demos: int = 8
    max_rounds: int = 1
    metric_threshold: float = 0.6

    def check(self, num_train: int, num_val: int) -> None:
        """One example is enough."""
        at_least("num_train", num_train, 1, self.name)

    def compile(self, program: PlayedAgent, bench: Workbench) -> tuple[PlayedAgent, list[Candidate]]:
        """Tune the program; the only candidate is the result itself, which the runner compares with the baseline."""
        optimizer = dspy.BootstrapFewShot(
            metric=bench.metric,
            max_bootstrapped_demos=self.max_bootstrapped_demos,
            max_labeled_demos=self.max_labeled_demos,
            max_rounds=self.max_rounds,
            max_errors=ANY,
        )
        tuned: Any = optimizer.compile(program, trainset=list(bench.train))
        return tuned, []


@dataclass(frozen=True)
class BootstrapRandomSearch:
    """BootstrapFewShotWithRandomSearch: several sets of worked examples, the best on the validation examples (Khattab et al.,
    2024)."""

    name: ClassVar[str] = "bootstrap_random_search"
    proposes: ClassVar[bool] = False
    packages: ClassVar[tuple[str, ...]] = ()

    max_bootstrapped_demos: int = 4
    max_labeled_demos: int = 8
    num_candidate_programs: int = 6
    metric_threshold: float = 0.6

    def check(self, num_train: int, num_val: int) -> None:
        """It bootstraps from some examples and compares on others."""
        at_least("num_train", num_train, 1, self.name)
        at_least("num_val", num_val, 1, self.name)

    def compile(self, program: PlayedAgent, bench: Workbench) -> tuple[PlayedAgent, list[Candidate]]:
        """Tune the program; candidates are the sets tried, the empty one and the labelled one among them."""
        optimizer = dspy.BootstrapRS(
            metric=bench.metric,
            max_bootstrapped_demos=self.max_bootstrapped_demos,
            max_labeled_demos=self.max_labeled_demos,
            num_candidate_programs=self.num_candidate_programs,
            num_threads=bench.threads,
            max_errors=ANY,
        )
        # Without validation examples of its own it would choose by those it learned from.
        best: Any = optimizer.compile(program, trainset=list(bench.train), valset=list(bench.val))
        return best, candidates(best.candidate_programs, len(bench.val))
