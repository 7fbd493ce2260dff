"""How much the optimizers do, in rollouts and proposals, before any of it is done.

What an optimizer plays follows from its settings, but for two things, which depend on model and data: how many rollouts it
takes until enough of them are good enough for worked examples, and how many are repeats of rollouts already played, which cost
nothing. These are measured with the embedded model, on the sample and on SGD, and stand here as constants. That model writes
few different instructions; where others write more (GEPA, InferRules), every proposal is counted as a new one.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from agent_gym.agents.dspy_agent import DRAWS
from agent_gym.optimization.strategies.mipro import Mipro

TRIES = 2.3
"""Rollouts until one is good enough for a worked example: 1.8 on SGD, 3.3 on the sample."""
REPEATED = 0.37
"""Of the rollouts on MIPRO's minibatches, the share that a full evaluation repeats or has played."""
ACCEPTED = 0.1
"""Of GEPA's proposals, those that are played on all validation examples."""
FRESH = 0.62
"""Of SIMBA's rollouts, those that are no repeats."""
SHOWN = 10
"""Training examples in one request of MIPRO's for a summary of the data."""
EXPLAINED = 3
"""MIPRO's requests for one instruction: what the program does, what the step does, the instruction."""

Part = Literal["train", "val"]


@dataclass(frozen=True)
class Plays:
    """Rollouts that are paid for, expected and at most, with so many worked examples in the prompt."""

    part: Part
    expected: float
    bound: float
    demos: float = 0.0


@dataclass(frozen=True)
class Proposals:
    """Questions to the prompt model, expected and at most, each showing so many training examples."""

    expected: float
    bound: float
    examples: float = 0.0
    tokens: int = 600
    """Of the rest of a question."""
    answer: int = 100
    """Tokens."""


@dataclass(frozen=True)
class Effort:
    """What an optimizer does, and what it leaves to be done."""

    plays: tuple[Plays, ...] = ()
    proposals: tuple[Proposals, ...] = ()
    demos: int = 0
    """Worked examples of the tuned agent."""
    validated: tuple[Literal["baseline", "optimized"], ...] = ()
    """Whose validation it has played already."""
    changes: bool = True
    """Whether the tuned agent is another one."""


def effort_of(strategy: Any, train: int, val: int) -> Effort:
    """What a strategy does on so many training and validation examples."""
    return _EFFORTS[strategy.name](strategy, train, val)


def _baseline(strategy: Any, train: int, val: int) -> Effort:
    return Effort(changes=False)


def _labeled(strategy: Any, train: int, val: int) -> Effort:
    return Effort(demos=min(strategy.max_labeled_demos, train))


def _bootstrapping(strategy: Any, train: int, sets: int = 1, share: float = 1.0) -> Plays:
    """The teacher plays, with the labelled examples in its prompt, until it has enough; `share` of the most there may be."""
    wanted = strategy.max_bootstrapped_demos
    expected = min(TRIES * wanted * share, train)
    rounds = getattr(strategy, "max_rounds", 1)
    return Plays("train", sets * expected, sets * train * rounds if wanted else 0, min(strategy.max_labeled_demos, train))


def _demos(strategy: Any, train: int) -> int:
    return min(max(strategy.max_bootstrapped_demos, strategy.max_labeled_demos), train)


def _bootstrap(strategy: Any, train: int, val: int) -> Effort:
    return Effort((_bootstrapping(strategy, train),), demos=_demos(strategy, train))


def _search(strategy: Any, train: int, val: int) -> tuple[Plays, ...]:
    """The bare program, the labelled examples, and sets of bootstrapped ones: one as they come, the others of random size."""
    sets, demos = strategy.num_candidate_programs + 1, _demos(strategy, train)
    return (
        _bootstrapping(strategy, train, sets, 0.65),
        Plays("val", val, val),
        Plays("val", (sets + 1) * val, (sets + 1) * val, demos),
    )


def _random_search(strategy: Any, train: int, val: int) -> Effort:
    return Effort(_search(strategy, train, val), demos=_demos(strategy, train), validated=("baseline", "optimized"))


def _mipro(strategy: Mipro, train: int, val: int) -> Effort:
    sets, instructions, trials = strategy.settings
    batch = min(strategy.minibatch_size, val)
    full = math.ceil(trials / strategy.minibatch_full_eval_steps)
    demos = _demos(strategy, train)
    bootstrapped = max(sets - 2, 0) if demos else 0
    return Effort(
        (
            _bootstrapping(strategy, train, bootstrapped, 0.65),
            Plays("val", val, val),
            Plays("val", trials * batch * (1 - REPEATED) + full * val, trials * batch + (full + 1) * val, 0.65 * demos),
        ),
        (
            Proposals(math.ceil(train / SHOWN), DRAWS * math.ceil(train / SHOWN), min(SHOWN, train)),
            Proposals(1 + EXPLAINED * instructions, DRAWS * (1 + EXPLAINED * instructions), tokens=1800),
        ),
        demos=demos,
        validated=("baseline", "optimized"),
    )


def _reflections(strategy: Any, train: int, val: int, batch: int) -> tuple[Plays, Proposals]:
    calls = strategy.max_metric_calls
    asked = calls / (2 * batch + ACCEPTED * val)
    # Each proposal is played against its parent on a minibatch; most parents have played theirs before.
    fresh = max(calls - val - asked * batch, 0) + min(asked * batch, train)
    # The candidate under way is finished: two minibatches and all validation examples.
    bound = calls + 2 * batch + val
    return (
        Plays("val", fresh, bound),
        Proposals(asked, DRAWS * math.ceil(calls / batch), batch, tokens=400, answer=200),
    )


def _gepa(strategy: Any, train: int, val: int) -> Effort:
    plays, proposals = _reflections(strategy, train, val, strategy.reflection_minibatch_size)
    return Effort((Plays("val", val, val), plays), (proposals,), validated=("baseline", "optimized"))


def _simba(strategy: Any, train: int, val: int) -> Effort:
    batches = strategy.max_steps * strategy.bsize * (2 * strategy.num_candidates + 1)
    played = batches + (strategy.max_steps + 1) * train
    proposed = strategy.max_steps * strategy.num_candidates
    return Effort(
        (Plays("train", FRESH * played, played, 0.5),),
        (Proposals(strategy.max_steps, DRAWS * proposed, 3),),
        demos=min(1, strategy.max_demos),
    )


def _copro(strategy: Any, train: int, val: int) -> Effort:
    programs, proposed = strategy.breadth * strategy.depth, strategy.breadth * strategy.depth - 1
    return Effort(
        (Plays("val", programs * val, programs * val),),
        (Proposals(proposed, DRAWS * proposed),),
        validated=("baseline", "optimized"),
    )


def _infer_rules(strategy: Any, train: int, val: int) -> Effort:
    rules = strategy.num_candidates
    return Effort(
        (
            _bootstrapping(strategy, train),
            Plays("val", rules * val, rules * val, _demos(strategy, train)),
        ),
        (Proposals(rules, DRAWS * rules, min(strategy.rule_examples, train) / 4),),
        demos=_demos(strategy, train),
        validated=("optimized",),
    )


def _better_together(strategy: Any, train: int, val: int) -> Effort:
    plays, proposals = _reflections(strategy, train, val, 3)
    return Effort(
        (plays, *_search(strategy, train, val)),
        (proposals,),
        demos=_demos(strategy, train),
        validated=("baseline", "optimized"),
    )


_EFFORTS: Mapping[str, Callable[[Any, int, int], Effort]] = {
    "baseline": _baseline,
    "labeled": _labeled,
    "bootstrap": _bootstrap,
    "bootstrap_random_search": _random_search,
    "mipro": _mipro,
    "gepa": _gepa,
    "simba": _simba,
    "copro": _copro,
    "infer_rules": _infer_rules,
    "better_together": _better_together,
}
