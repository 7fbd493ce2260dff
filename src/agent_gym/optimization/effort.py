"""How much the optimizers do, in rollouts and proposals, before any of it is done.

What an optimizer plays follows from its settings, but for what depends on model and data: how many rollouts it takes until
enough of them are good enough for worked examples, how many are repeats of rollouts already played, which cost nothing, and how
much longer prompts become. These are measured with the embedded model, on the sample and on SGD (`scripts/bench/plan.py`), and
stand here as constants. How many different proposals there are is a property of the prompt model: known of the embedded one,
which soon repeats itself; of any other, every proposal is counted as a new one.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from agent_gym.agents.dspy_agent import DRAWS
from agent_gym.lm.offline import OfflineModel
from agent_gym.lm.offline.proposals import INFERRED, INSTRUCTIONS
from agent_gym.optimization.strategies.mipro import Mipro

TRIES = 2.4
"""Rollouts until one is good enough for a worked example: 2.1 on SGD, 2.8 on the sample."""
REPEATED = 0.37
"""Of the rollouts on MIPRO's minibatches, the share that a full evaluation repeats or has played."""
ACCEPTED = 0.07
"""Of GEPA's proposals, those that are played on all validation examples."""
FRESH = 0.65
"""Of the rollouts on SIMBA's batches, those that are no repeats; the embedded model's advice changes nothing."""
STEPS = 1.4
"""Of a rollout, in what SIMBA shows of it."""
LONGER = 60
"""Tokens by which an instruction is longer than the one it was written from."""
SHOWN = 10
"""Training examples in one request of MIPRO's for a summary of the data."""
DESCRIBED = 3
"""MIPRO's requests for one instruction: what the program does, what the step does, the instruction."""
ILLUSTRATED = 3
"""Worked examples in each of them, but for the first instruction's."""

Part = Literal["train", "val"]


@dataclass(frozen=True)
class Plays:
    """Rollouts that are paid for, expected and at most, with so many worked examples in the prompt."""

    part: Part
    expected: float
    bound: float
    demos: float = 0.0
    longer: float = 0.0
    """Tokens by which its instruction is longer than the baseline's."""


@dataclass(frozen=True)
class Proposals:
    """Questions to the prompt model, expected and at most, each showing so many training examples."""

    expected: float
    bound: float
    examples: float = 0.0
    talks: int = 0
    """Of the first training examples, so many without their tools."""
    tokens: int = 600
    """Of the rest of a question."""
    answer: int = 100
    """Tokens."""


@dataclass(frozen=True)
class Effort:
    """What an optimizer does, and what it leaves to be done."""

    plays: tuple[Plays, ...] = ()
    proposals: tuple[Proposals, ...] = ()
    demos: float = 0.0
    """Worked examples of the tuned agent."""
    longer: float = 0.0
    """Tokens by which its instruction is longer than the baseline's."""
    drawn: bool = False
    """Whether the worked examples are those that `LabeledFewShot` draws."""
    validated: tuple[Literal["baseline", "optimized"], ...] = ()
    """Whose validation it has played already."""
    changes: bool = True
    """Whether the tuned agent is another one."""


@dataclass(frozen=True)
class Writes:
    """How many different texts a prompt model writes when it is asked again and again."""

    instructions: float = math.inf
    """From one instruction."""
    rules: float = math.inf
    """From the same examples."""


def writes_of(model: str) -> Writes:
    """What is known of a prompt model; nothing, of any but the embedded one."""
    return Writes(INSTRUCTIONS, INFERRED) if model == OfflineModel.name else Writes()


def effort_of(strategy: Any, train: int, val: int, writes: Writes) -> Effort:
    """What a strategy does on so many training and validation examples."""
    return _EFFORTS[strategy.name](strategy, train, val, writes)


def _different(draws: float, kinds: float) -> float:
    """Of so many draws from equally likely kinds, how many different ones are expected."""
    return draws if math.isinf(kinds) else kinds * (1 - (1 - 1 / kinds) ** draws)


def _baseline(strategy: Any, train: int, val: int, writes: Writes) -> Effort:
    return Effort(changes=False)


def _labeled(strategy: Any, train: int, val: int, writes: Writes) -> Effort:
    return Effort(demos=min(strategy.max_labeled_demos, train), drawn=True)


def _bootstrapping(most: int, labeled: int, train: int, sets: int = 1, rounds: int = 1) -> Plays:
    """The teacher plays, with the labelled examples in its prompt, until it has enough: all there may be for the first set,
    for the others a random number of at least one. An example that fails is played as often as there are rounds."""
    wanted = (most, *[(1 + most) / 2] * (sets - 1)) if most else ()
    tries = 1 + (TRIES - 1) * rounds
    expected = sum(min(tries * one, train * rounds) for one in wanted)
    return Plays("train", expected, sets * train * rounds if most else 0, min(labeled, train))


def _demos(strategy: Any, train: int) -> int:
    return min(max(strategy.max_bootstrapped_demos, strategy.max_labeled_demos), train)


def _bootstrap(strategy: Any, train: int, val: int, writes: Writes) -> Effort:
    most, labeled = strategy.max_bootstrapped_demos, strategy.max_labeled_demos
    return Effort((_bootstrapping(most, labeled, train, rounds=strategy.max_rounds),), demos=_demos(strategy, train))


def _search(strategy: Any, train: int, val: int, longer: float = 0.0) -> tuple[Plays, ...]:
    """The bare program, the labelled examples, and sets of bootstrapped ones: one as they come, the others of random size."""
    sets, demos = strategy.num_candidate_programs + 1, _demos(strategy, train)
    return (
        _bootstrapping(strategy.max_bootstrapped_demos, strategy.max_labeled_demos, train, sets),
        Plays("val", val, val),
        Plays("val", (sets + 1) * val, (sets + 1) * val, demos, longer),
    )


def _random_search(strategy: Any, train: int, val: int, writes: Writes) -> Effort:
    return Effort(_search(strategy, train, val), demos=_demos(strategy, train), validated=("baseline", "optimized"))


def _mipro(strategy: Mipro, train: int, val: int, writes: Writes) -> Effort:
    sets, instructions, trials = strategy.settings
    batch = min(strategy.minibatch_size, val)
    full = math.ceil(trials / strategy.minibatch_full_eval_steps)
    # One of the sets is empty, and one of the instructions is the baseline's.
    demos, longer = _demos(strategy, train) * (1 - 1 / sets), LONGER * (1 - 1 / instructions)
    # Another one is the labelled examples; without any in the prompt, there are still those that proposals show.
    bootstrapped = sets - 2 if strategy.max_labeled_demos else sets - 1
    # Few programs have been played on everything before long.
    unplayed = ((sets if demos else 1) * instructions - 1) * val
    played = min(trials * batch * (1 - REPEATED) + full * val, unplayed)
    batches = math.ceil(train / SHOWN)
    illustrated = DESCRIBED * (instructions - 1)
    return Effort(
        (
            _bootstrapping(strategy.max_bootstrapped_demos or ILLUSTRATED, strategy.max_labeled_demos, train, bootstrapped),
            Plays("val", val, val),
            Plays("val", played, trials * batch + (full + 1) * val, demos, longer),
        ),
        (
            Proposals(batches, DRAWS * batches, min(SHOWN, train), tokens=300),
            Proposals(1 + DESCRIBED, DRAWS * (1 + DESCRIBED), tokens=1000),
            Proposals(illustrated, DRAWS * illustrated, ILLUSTRATED, tokens=1200),
        ),
        demos=demos,
        longer=longer,
        validated=("baseline", "optimized"),
    )


def _reflections(strategy: Any, train: int, val: int, batch: int, writes: Writes) -> tuple[Plays, Proposals]:
    calls = strategy.max_metric_calls
    asked = max(calls - val, 0) / (2 * batch + ACCEPTED * val)
    # Each proposal is played against its parent on a minibatch; most parents have played theirs before.
    played = _different(asked * batch, writes.instructions * train) + min(asked * batch, train)
    # The candidate under way is finished: two minibatches and all validation examples.
    bound = calls + 2 * batch + val
    return (
        # An instruction is written from one that was written before.
        Plays("val", played + ACCEPTED * asked * val, bound, longer=1.5 * LONGER),
        # Beside the example itself, the feedback on it, and it stands there as JSON in JSON.
        Proposals(asked, DRAWS * math.ceil(calls / batch), batch, tokens=500 + 150 * batch, answer=200),
    )


def _gepa(strategy: Any, train: int, val: int, writes: Writes) -> Effort:
    plays, proposals = _reflections(strategy, train, val, strategy.reflection_minibatch_size, writes)
    return Effort((Plays("val", val, val), plays), (proposals,), longer=1.5 * LONGER, validated=("baseline", "optimized"))


def _simba(strategy: Any, train: int, val: int, writes: Writes) -> Effort:
    batches = strategy.max_steps * strategy.bsize * (2 * strategy.num_candidates + 1)
    # The winner of each batch and the baseline, on all that they have not played yet.
    last = (strategy.max_steps + 1) * train
    unplayed = last - strategy.max_steps * strategy.bsize - min(strategy.bsize, train)
    proposed = strategy.max_steps * strategy.num_candidates
    return Effort(
        # It learns from the examples that differ most, which are longer than others.
        (Plays("train", FRESH * batches + unplayed, batches + last, 0.9 if strategy.max_demos else 0),),
        (Proposals(strategy.max_steps, DRAWS * proposed, 1 + 2 * STEPS, tokens=1000),),
        demos=min(2, strategy.max_demos),
    )


def _copro(strategy: Any, train: int, val: int, writes: Writes) -> Effort:
    programs, proposed = strategy.breadth * strategy.depth, strategy.breadth * strategy.depth - 1
    return Effort(
        (Plays("val", programs * val, programs * val, longer=LONGER),),
        (Proposals(proposed, DRAWS * proposed, answer=140),),
        longer=LONGER,
        validated=("baseline", "optimized"),
    )


def _infer_rules(strategy: Any, train: int, val: int, writes: Writes) -> Effort:
    rules, demos, answer = strategy.num_candidates, _demos(strategy, train), 140
    return Effort(
        (
            _bootstrapping(strategy.max_bootstrapped_demos, strategy.max_labeled_demos, train),
            Plays("val", _different(rules, writes.rules) * val, rules * val, demos, answer),
        ),
        (Proposals(rules, DRAWS * rules, talks=min(strategy.rule_examples, train), answer=answer),),
        demos=demos,
        longer=answer,
        validated=("optimized",),
    )


def _better_together(strategy: Any, train: int, val: int, writes: Writes) -> Effort:
    plays, proposals = _reflections(strategy, train, val, 3, writes)
    return Effort(
        (plays, *_search(strategy, train, val, plays.longer)),
        (proposals,),
        demos=_demos(strategy, train),
        longer=plays.longer,
        validated=("baseline", "optimized"),
    )


_EFFORTS: Mapping[str, Callable[[Any, int, int, Writes], Effort]] = {
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
