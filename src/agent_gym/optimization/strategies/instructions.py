# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeStubs=false
"""Strategies that rewrite the instruction."""

from dataclasses import dataclass
from typing import Any, ClassVar

import dspy
from dspy.teleprompt import InferRules as StockInferRules

from agent_gym.optimization.program import PlayedAgent
from agent_gym.optimization.strategies.base import ANY, Candidate, Unthresholded, Workbench, at_least, candidates


@dataclass(frozen=True)
class Gepa(Unthresholded):
    """GEPA: the prompt model reads what went wrong, call by call, and rewrites the instruction (Agrawal et al., 2025)."""

    name: ClassVar[str] = "gepa"
    proposes: ClassVar[bool] = True
    packages: ClassVar[tuple[str, ...]] = ("gepa",)

    max_metric_calls: int = 300
    """Rollouts it may spend; the candidate under way is finished."""
    reflection_minibatch_size: int = 3

    def check(self, num_train: int, num_val: int) -> None:
        """It reflects on some examples and compares on others."""
        at_least("num_train", num_train, self.reflection_minibatch_size, self.name)
        at_least("num_val", num_val, 1, self.name)

    def compile(self, program: PlayedAgent, bench: Workbench) -> tuple[PlayedAgent, list[Candidate]]:
        """Tune the program; candidates are the instructions that were played on all validation examples."""
        optimizer = dspy.GEPA(
            metric=bench.metric,
            reflection_lm=bench.prompt_lm,
            max_metric_calls=self.max_metric_calls,
            reflection_minibatch_size=self.reflection_minibatch_size,
            num_threads=bench.threads,
            track_stats=True,
            seed=bench.seed,
        )
        best: Any = optimizer.compile(program, trainset=list(bench.train), valset=list(bench.val))
        found = best.detailed_results
        scores = zip(found.candidates, found.val_aggregate_scores, strict=True)
        return best, [Candidate(one, score, len(bench.val)) for one, score in scores]


@dataclass(frozen=True)
class Copro(Unthresholded):
    """COPRO: rounds of proposed instructions, each round built on the best of the last (Opsahl-Ong et al., EMNLP 2024)."""

    name: ClassVar[str] = "copro"
    proposes: ClassVar[bool] = True
    packages: ClassVar[tuple[str, ...]] = ()

    breadth: int = 4
    depth: int = 2

    def check(self, num_train: int, num_val: int) -> None:
        """It plays every proposal on all validation examples."""
        at_least("num_val", num_val, 1, self.name)
        at_least("breadth", self.breadth, 2, self.name)

    def compile(self, program: PlayedAgent, bench: Workbench) -> tuple[PlayedAgent, list[Candidate]]:
        """Tune the program. It learns from no example, so it is given those to choose by."""
        optimizer = dspy.COPRO(prompt_model=bench.prompt_lm, metric=bench.metric, breadth=self.breadth, depth=self.depth)
        settings = {"num_threads": bench.threads, "display_progress": False}
        best: Any = optimizer.compile(program, trainset=list(bench.val), eval_kwargs=settings)
        return best, candidates(best.candidate_programs, len(bench.val))


@dataclass(frozen=True)
class InferRules:
    """InferRules: the prompt model writes rules that the training examples follow, and the best set is kept."""

    name: ClassVar[str] = "infer_rules"
    proposes: ClassVar[bool] = True
    packages: ClassVar[tuple[str, ...]] = ()

    num_candidates: int = 4
    num_rules: int = 10
    max_bootstrapped_demos: int = 4
    max_labeled_demos: int = 4
    rule_examples: int = 12
    """Training examples that the prompt model reads: all fifty would be 100,000 characters and more."""
    metric_threshold: float = 0.6

    def check(self, num_train: int, num_val: int) -> None:
        """It reads some examples and compares on others."""
        at_least("num_train", num_train, 1, self.name)
        at_least("num_val", num_val, 1, self.name)

    def compile(self, program: PlayedAgent, bench: Workbench) -> tuple[PlayedAgent, list[Candidate]]:
        """Tune the program."""
        optimizer = _Rules(
            num_candidates=self.num_candidates,
            num_rules=self.num_rules,
            num_threads=bench.threads,
            metric=bench.metric,
            max_bootstrapped_demos=self.max_bootstrapped_demos,
            max_labeled_demos=self.max_labeled_demos,
            max_errors=ANY,
        )
        optimizer.rule_examples = self.rule_examples
        # The rules come from the prompt model; the worked examples are still the agent's own.
        optimizer.rules_induction_program.teacher_settings = {"lm": bench.prompt_lm}
        # A copy: the agent that came in is still to be measured as it was.
        program = program.deepcopy()
        own_signature(program)
        best: Any = optimizer.compile(program, trainset=list(bench.train), valset=list(bench.val))
        return best, candidates(optimizer.tried, len(bench.val))


class _Rules(StockInferRules):
    """The stock optimizer writes each set of rules into the one signature that all its programs share, so that whichever it
    keeps ends with the last set: here every program is given a signature of its own before it is played."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.tried: list[dict[str, Any]] = []
        self.rule_examples = 12

    def get_predictor_demos(self, trainset: Any, predictor: Any) -> Any:
        return super().get_predictor_demos(trainset[: self.rule_examples], predictor)

    def induce_natural_language_rules(self, predictor: Any, trainset: Any) -> Any:
        # The stock one asserts that an error is DSPy's own, so that an endpoint's reads as a fault of the program.
        demos = self.get_predictor_demos(trainset, predictor)
        return self.rules_induction_program(self.format_examples(demos, predictor.signature))

    def format_examples(self, demos: Any, signature: Any) -> str:
        # The catalog of every example is most of the text and none of the rule.
        return super().format_examples([{**demo, "tools": "(as given)"} for demo in demos], signature)

    def evaluate_program(self, program: Any, dataset: Any) -> float:
        own_signature(program)
        score = super().evaluate_program(program, dataset)
        self.tried.append({"program": program, "score": score})
        return score


def own_signature(program: PlayedAgent) -> None:
    """Give a program a signature that no other program, and not the agent's class, has."""
    step = program.agent.step
    signature: Any = step.signature
    step.signature = signature.with_instructions(signature.instructions)
