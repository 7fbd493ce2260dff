# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeStubs=false
"""Worked examples and rules from the examples on which the agent is least sure."""

from dataclasses import dataclass
from typing import Any, ClassVar

import dspy

from agent_gym.optimization.program import PlayedAgent
from agent_gym.optimization.strategies.base import Candidate, Unthresholded, Workbench, at_least


@dataclass(frozen=True)
class Simba(Unthresholded):
    """SIMBA: plays a batch several times at temperature 1, and learns from examples that sometimes go well (DSPy, 2025).

    Smaller than DSPy's defaults, which play 3,678 rollouts for 50 examples.
    """

    name: ClassVar[str] = "simba"
    proposes: ClassVar[bool] = True
    packages: ClassVar[tuple[str, ...]] = ("numpy",)

    bsize: int = 16
    num_candidates: int = 3
    max_steps: int = 3
    max_demos: int = 4

    def check(self, num_train: int, num_val: int) -> None:
        """A batch must not be larger than the training set."""
        at_least("num_train", num_train, self.bsize, self.name)

    def compile(self, program: PlayedAgent, bench: Workbench) -> tuple[PlayedAgent, list[Candidate]]:
        """Tune the program; candidates are the winners of the batches, on all training examples."""
        optimizer = dspy.SIMBA(
            metric=bench.metric,
            prompt_model=bench.prompt_lm,
            bsize=self.bsize,
            num_candidates=self.num_candidates,
            max_steps=self.max_steps,
            max_demos=self.max_demos,
            num_threads=bench.threads,
        )
        best: Any = optimizer.compile(program, trainset=list(bench.train), seed=bench.seed)
        return best, [Candidate(one["program"], one["score"], len(bench.train)) for one in best.candidate_programs]
