# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeStubs=false
"""Instructions and worked examples, searched together."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import dspy

from agent_gym.errors import UsageError
from agent_gym.optimization.program import PlayedAgent
from agent_gym.optimization.strategies.base import ANY, Candidate, Workbench, at_least, candidates


@dataclass(frozen=True)
class Mipro:
    """MIPROv2: instructions and sets of worked examples, searched together (Opsahl-Ong et al., EMNLP 2024).

    The numbers of candidates and trials are those of DSPy's `auto` settings. Trials play minibatches and the best are played on
    all validation examples, also where DSPy would play everything every time: with small sets that is two thirds of the bill.
    """

    name: ClassVar[str] = "mipro"
    proposes: ClassVar[bool] = True
    packages: ClassVar[tuple[str, ...]] = ("optuna", "numpy")

    auto: Literal["light", "medium", "heavy"] = "light"
    max_bootstrapped_demos: int = 4
    max_labeled_demos: int = 4
    minibatch_size: int = 8
    minibatch_full_eval_steps: int = 5
    metric_threshold: float = 0.6

    _SETTINGS: ClassVar[Mapping[str, tuple[int, int, int]]] = {"light": (6, 3, 10), "medium": (12, 6, 18), "heavy": (18, 9, 27)}
    """Sets of worked examples, instructions, trials."""

    @property
    def settings(self) -> tuple[int, int, int]:
        """Sets of worked examples, instructions, trials."""
        return self._SETTINGS[self.auto]

    def check(self, num_train: int, num_val: int) -> None:
        """It bootstraps from some examples and compares on others."""
        at_least("num_train", num_train, 2, self.name)
        at_least("num_val", num_val, 2, self.name)
        if self.auto not in self._SETTINGS:
            raise UsageError(f"mipro: auto is {self.auto!r}, not one of {', '.join(self._SETTINGS)}")
        if self.max_bootstrapped_demos == 0 and self.max_labeled_demos > 0:
            raise UsageError(
                "mipro: max_labeled_demos without max_bootstrapped_demos crashes DSPy's search (dspy#9938): "
                "set both to 0, or max_bootstrapped_demos to 1 or more"
            )

    def compile(self, program: PlayedAgent, bench: Workbench) -> tuple[PlayedAgent, list[Candidate]]:
        """Tune the program; candidates are all programs tried, on however many examples."""
        demo_sets, instructions, trials = self.settings
        optimizer = dspy.MIPROv2(
            metric=bench.metric,
            prompt_model=bench.prompt_lm,
            task_model=bench.agent_lm,
            max_bootstrapped_demos=self.max_bootstrapped_demos,
            max_labeled_demos=self.max_labeled_demos,
            auto=None,
            num_candidates=demo_sets,
            num_threads=bench.threads,
            max_errors=ANY,
            # MIPROv2 reads a seed of 0 as "not given" and takes 9 (dspy#10321).
            seed=bench.seed + 1,
        )
        optimizer.num_instruct_candidates = instructions
        best: Any = optimizer.compile(
            program,
            trainset=list(bench.train),
            valset=list(bench.val),
            num_trials=trials,
            minibatch=True,
            minibatch_size=min(self.minibatch_size, len(bench.val)),
            minibatch_full_eval_steps=self.minibatch_full_eval_steps,
        )
        tried = candidates(best.candidate_programs, len(bench.val))
        tried += candidates(best.mb_candidate_programs, min(self.minibatch_size, len(bench.val)))
        return best, tried
