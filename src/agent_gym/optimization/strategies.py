# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeStubs=false
"""How an agent is tuned: one small class a strategy, its fields the options it takes.

A strategy checks what it needs before the first request and then compiles. A new one is a class here and its name in
`STRATEGIES`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, fields
from importlib.util import find_spec
from typing import Any, ClassVar, Literal, Protocol

import dspy

from agent_gym.errors import UsageError
from agent_gym.optimization.program import PlayedAgent


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
        _at_least("num_train", num_train, 1, self.name)

    def compile(self, program: PlayedAgent, bench: Workbench) -> tuple[PlayedAgent, list[Candidate]]:
        """Tune the program; the only candidate is the result itself, which the runner compares with the baseline."""
        optimizer = dspy.BootstrapFewShot(
            metric=bench.metric,
            max_bootstrapped_demos=self.max_bootstrapped_demos,
            max_labeled_demos=self.max_labeled_demos,
            max_rounds=self.max_rounds,
            max_errors=_NEVER,
        )
        tuned: Any = optimizer.compile(program, trainset=list(bench.train))
        return tuned, []


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

    def check(self, num_train: int, num_val: int) -> None:
        """It bootstraps from some examples and compares on others."""
        _at_least("num_train", num_train, 2, self.name)
        _at_least("num_val", num_val, 2, self.name)
        if self.auto not in self._SETTINGS:
            raise UsageError(f"mipro: auto is {self.auto!r}, not one of {', '.join(self._SETTINGS)}")
        if self.max_bootstrapped_demos == 0 and self.max_labeled_demos > 0:
            raise UsageError(
                "mipro: max_labeled_demos without max_bootstrapped_demos crashes DSPy's search (dspy#9938): "
                "set both to 0, or max_bootstrapped_demos to 1 or more"
            )

    def compile(self, program: PlayedAgent, bench: Workbench) -> tuple[PlayedAgent, list[Candidate]]:
        """Tune the program; candidates are all programs tried, on however many examples."""
        demo_sets, instructions, trials = self._SETTINGS[self.auto]
        optimizer = dspy.MIPROv2(
            metric=bench.metric,
            prompt_model=bench.prompt_lm,
            task_model=bench.agent_lm,
            max_bootstrapped_demos=self.max_bootstrapped_demos,
            max_labeled_demos=self.max_labeled_demos,
            auto=None,
            num_candidates=demo_sets,
            num_threads=bench.threads,
            max_errors=_NEVER,
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
        tried = [(one, len(bench.val)) for one in best.candidate_programs]
        tried += [(one, min(self.minibatch_size, len(bench.val))) for one in best.mb_candidate_programs]
        return best, [Candidate(one["program"], one["score"] / 100, examples) for one, examples in tried]


STRATEGIES: Mapping[str, type[Strategy]] = {one.name: one for one in (Bootstrap, Mipro)}

_NEVER = 10**9
"""DSPy gives up after ten errors; here errors are counted, shown and lived with."""


def make_strategy(name: str, options: Mapping[str, Any]) -> Strategy:
    """A strategy by name, with its options.

    Raises:
        UsageError: for an unknown strategy or option, or a value of the wrong type or out of range.
    """
    found: Any = STRATEGIES.get(name)
    if found is None:
        raise UsageError(f"there is no strategy {name!r}; there are: {', '.join(STRATEGIES)}")
    known = {field.name: field for field in fields(found)}
    for option, value in options.items():
        if option not in known:
            raise UsageError(f"{name} has no option {option!r}; it takes: {', '.join(known)}")
        default = known[option].default
        if default is not MISSING and (isinstance(value, bool) or not isinstance(value, _kinds(default))):
            raise UsageError(f"{name}: {option} is {value!r}, expected {type(default).__name__} such as {default!r}")
        _in_range(name, option, value)
    return found(**options)


def check_packages(strategy: Strategy) -> None:
    """Find out before the first request what would fail after twenty.

    Raises:
        UsageError: naming what to install.
    """
    if missing := [package for package in strategy.packages if find_spec(package) is None]:
        raise UsageError(f"{strategy.name} needs {' and '.join(missing)}: pip install {' '.join(missing)}")


def options_of(strategy: Any) -> dict[str, Any]:
    """The options a strategy runs with, defaults included."""
    return asdict(strategy)


def _kinds(default: Any) -> tuple[type, ...]:
    return (int, float) if isinstance(default, float) else (type(default),)


def _in_range(strategy: str, option: str, value: Any) -> None:
    """A share is in (0, 1]; of worked examples there may be none, of everything else one at least."""
    if isinstance(value, str):
        return
    if option == "metric_threshold":
        if not 0 < value <= 1:
            raise UsageError(f"{strategy}: metric_threshold is {value!r}, expected a score above 0 and up to 1")
    elif value < (least := 0 if option.endswith("_demos") else 1):
        raise UsageError(f"{strategy}: {option} is {value!r}, expected {least} or more")


def _at_least(what: str, value: int, least: int, strategy: str) -> None:
    if value < least:
        raise UsageError(f"{strategy} needs {what} of {least} or more, got {value}")
