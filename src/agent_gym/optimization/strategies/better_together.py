# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeStubs=false
"""Strategies in sequence, the best state on the way kept."""

from dataclasses import dataclass
from typing import Any, ClassVar

import dspy

from agent_gym.optimization.program import PlayedAgent
from agent_gym.optimization.strategies.base import ANY, Candidate, Workbench, at_least, candidates


@dataclass(frozen=True)
class BetterTogether:
    """BetterTogether, prompt steps only: GEPA rewrites the instruction, then worked examples are searched for it (Soylu et al.,
    2024)."""

    name: ClassVar[str] = "better_together"
    proposes: ClassVar[bool] = True
    packages: ClassVar[tuple[str, ...]] = ("gepa",)

    max_metric_calls: int = 200
    num_candidate_programs: int = 3
    max_bootstrapped_demos: int = 4
    max_labeled_demos: int = 4
    metric_threshold: float = 0.6

    def check(self, num_train: int, num_val: int) -> None:
        """As its steps."""
        at_least("num_train", num_train, 3, self.name)
        at_least("num_val", num_val, 1, self.name)

    def compile(self, program: PlayedAgent, bench: Workbench) -> tuple[PlayedAgent, list[Candidate]]:
        """Tune the program; candidates are the baseline and the state after each step."""
        optimizer = dspy.BetterTogether(
            metric=bench.metric,
            instruction=dspy.GEPA(
                metric=bench.metric,
                reflection_lm=bench.prompt_lm,
                max_metric_calls=self.max_metric_calls,
                num_threads=bench.threads,
                seed=bench.seed,
            ),
            examples=dspy.BootstrapRS(
                metric=bench.metric,
                max_bootstrapped_demos=self.max_bootstrapped_demos,
                max_labeled_demos=self.max_labeled_demos,
                num_candidate_programs=self.num_candidate_programs,
                num_threads=bench.threads,
                max_errors=ANY,
            ),
        )
        # It demands a model on every predictor.
        program.set_lm(bench.agent_lm)
        best: Any = optimizer.compile(
            program,
            trainset=list(bench.train),
            valset=list(bench.val),
            num_threads=bench.threads,
            max_errors=ANY,
            seed=bench.seed,
            strategy="instruction -> examples",
        )
        return best, candidates(best.candidate_programs, len(bench.val))
