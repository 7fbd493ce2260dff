"""What a run will take, before it takes anything: requests, tokens and cost of every phase, as expected and at most.

    plan = OptimizationRunner("data/sample", "mipro", model="openai/gpt-5-mini").plan()
    plan.requests.expected, plan.cost

The prompts of the drawn examples are written as the agent will write them, and the recorded conversation says how many steps an
answer takes and how long it is. A token is taken for four characters. Nothing is asked of any model, and answers that the cache
may hold already are not taken off. The bound on requests holds for questions (an attempt that fails is repeated); that on
tokens takes every rollout for its longest, and answers for as long as the recorded ones.
"""

import random
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import msgspec

from agent_gym.agents.prompt_agent import act_request, render_context
from agent_gym.environment.replay import MAX_STEPS
from agent_gym.lm.base import Request
from agent_gym.lm.prices import price
from agent_gym.lm.prompt import render_action, render_conversation, render_examples, render_tools, told_date
from agent_gym.messages import Assistant, Message, System
from agent_gym.optimization.effort import Effort, Proposals
from agent_gym.optimization.examples import Examples
from agent_gym.traces.task import Task

CHARACTERS = 4
"""Of a token."""
RUBRIC, VERDICT = 900, 150
"""Tokens of what a judge is asked beside the conversation, and of its answer."""
SAMPLED = 24
"""Training examples that stand for what a worked example is long."""


class Amount(msgspec.Struct, frozen=True):
    """A number as expected, and the most it can be."""

    expected: float
    bound: float

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(self.expected + other.expected, self.bound + other.bound)


NONE = Amount(0, 0)


class PlannedPhase(msgspec.Struct, frozen=True, kw_only=True):
    """What one phase takes of one role's model."""

    phase: str
    role: str
    model: str
    requests: Amount = NONE
    prompt_tokens: Amount = NONE
    completion_tokens: Amount = NONE
    cost: Amount | None = None
    """US dollars; None when the price is not known."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a run takes."""

    strategy: str
    phases: tuple[PlannedPhase, ...]

    def summary(self) -> dict[str, Any]:
        """The phases and their sums, as JSON values."""
        sums = {"requests": self.requests, "tokens": self.tokens, "cost": self.cost}
        return msgspec.to_builtins({"strategy": self.strategy, **sums, "phases": self.phases})

    @property
    def requests(self) -> Amount:
        """Questions, over all phases and roles."""
        return sum((one.requests for one in self.phases), NONE)

    @property
    def tokens(self) -> Amount:
        """Of prompts and answers, over all phases and roles."""
        return sum((one.prompt_tokens + one.completion_tokens for one in self.phases), NONE)

    @property
    def cost(self) -> Amount | None:
        """US dollars; None when a price is not known."""
        known = [one.cost for one in self.phases if one.cost is not None]
        return sum(known, NONE) if len(known) == len(self.phases) else None


class _Sizes(msgspec.Struct, frozen=True):
    """One rollout, or the mean of several: requests and tokens as recorded; the longest step."""

    requests: float
    prompt: float
    completion: float
    longest: float
    answer: float


def plan(
    strategy: str,
    effort: Effort,
    examples: Examples,
    names: Mapping[str, str],
    instruction: str,
    *,
    paid: Collection[str] = (),
) -> Plan:
    """The plan of a run.

    Args:
        names: model name by role: `agent`, and `prompt` and `judge` where there are any.
        instruction: the baseline's.
        paid: phases that another run has paid for by then.
    """
    planner = _Planner(examples, names, instruction)
    test, val = len(examples.test), len(examples.val)
    first = 0 if "baseline" in paid else test
    planner.played("baseline", "test", first, first, 0)
    for plays in effort.plays:
        more = planner.demo * plays.demos + plays.longer
        planner.played("optimize", plays.part, plays.expected, plays.bound, more)
    for proposals in effort.proposals:
        planner.proposed("optimize", proposals)
    tuned = (planner.drawn(round(effort.demos)) if effort.drawn else planner.demo) * effort.demos + effort.longer
    for name, more in {"baseline": 0.0, "optimized": tuned}.items():
        phase = f"validate {name}"
        again = name in effort.validated or phase in paid or (name == "optimized" and not effort.changes)
        planner.played(phase, "val", 0 if again else val, 0 if again else val, more)
    left = test if effort.changes else 0
    planner.played("optimized", "test", left, left, tuned)
    return Plan(strategy=strategy, phases=planner.phases)


class _Planner:
    """Adds up phases."""

    def __init__(self, examples: Examples, names: Mapping[str, str], instruction: str) -> None:
        self._tasks = {"train": examples.train, "val": examples.val, "test": examples.test}
        self._names = names
        self._instruction = instruction
        self.demo = _worked_size(examples.train[:: max(len(examples.train) // SAMPLED, 1)])
        """Tokens of a worked example."""
        self._shown = _tokens(sum(_length(task) for task in examples.train) / len(examples.train))
        self._phases: dict[tuple[str, str], PlannedPhase] = {}
        self._sizes: dict[str, _Sizes] = {}

    @property
    def phases(self) -> tuple[PlannedPhase, ...]:
        """In the order of the run."""
        return tuple(self._phases.values())

    def drawn(self, demos: int) -> float:
        """Tokens of a worked example, the mean of those that DSPy's `LabeledFewShot` draws: always with a seed of 0."""
        train = self._tasks["train"]
        return _worked_size(random.Random(0).sample(train, min(demos, len(train))))

    def played(self, phase: str, part: str, expected: float, bound: float, more: float) -> None:
        """Rollouts of a part's examples, with so many tokens in the prompt beside the baseline's."""
        one = self._size(part)
        self._add(
            phase,
            "agent",
            Amount(expected * one.requests, bound * MAX_STEPS),
            Amount(expected * (one.prompt + one.requests * more), bound * MAX_STEPS * (one.longest + more)),
            Amount(expected * one.completion, bound * MAX_STEPS * one.answer),
        )
        if "judge" in self._names:
            asked = one.longest + RUBRIC
            counts = Amount(expected, 2 * bound)
            self._add(phase, "judge", counts, _times(counts, asked), _times(counts, VERDICT))

    def proposed(self, phase: str, proposals: Proposals) -> None:
        """Questions to the prompt model."""
        talks = sum(_length(task, tools=False) for task in self._tasks["train"][: proposals.talks])
        asked = proposals.tokens + proposals.examples * self._shown + _tokens(talks)
        counts = Amount(proposals.expected, proposals.bound)
        self._add(phase, "prompt", counts, _times(counts, asked), _times(counts, proposals.answer))

    def _add(self, phase: str, role: str, requests: Amount, prompt: Amount, completion: Amount) -> None:
        model = self._names[role]
        before = self._phases.get((phase, role)) or PlannedPhase(phase=phase, role=role, model=model, cost=NONE)
        self._phases[phase, role] = PlannedPhase(
            phase=phase,
            role=role,
            model=model,
            requests=before.requests + requests,
            prompt_tokens=before.prompt_tokens + prompt,
            completion_tokens=before.completion_tokens + completion,
            cost=_sum(before.cost, _cost(model, requests, prompt, completion)),
        )

    def _size(self, part: str) -> _Sizes:
        if part not in self._sizes:
            self._sizes[part] = _mean([_recorded(task, self._instruction) for task in self._tasks[part]])
        return self._sizes[part]


def _recorded(task: Task, instruction: str) -> _Sizes:
    """A rollout that does what the recorded system did."""
    context = [System(told_date(task.today))] if task.today else []
    before: list[Message] = [*context, *task.prompt]
    prompts: list[float] = []
    answers: list[float] = []
    for message in task.expected:
        if isinstance(message, Assistant):
            prompts.append(_prompt(act_request(instruction, "", *_told(task, before))))
            answers.append(_tokens(len(render_action(message))))
        before.append(message)
    return _Sizes(len(prompts), sum(prompts), sum(answers), max(prompts, default=0), max(answers, default=0))


def _told(task: Task, messages: Sequence[Message]) -> tuple[str, str, Any]:
    return render_tools(task.tools), render_context(messages), render_conversation(messages)


def _worked(task: Task) -> dict[str, Any]:
    """A training example as a worked example."""
    first = next((message for message in task.expected if isinstance(message, Assistant)), Assistant())
    talk = [{"role": turn.role, "content": turn.content} for turn in render_conversation(task.prompt)]
    return {"conversation": talk, "action": render_action(first)}


def _worked_size(tasks: Sequence[Task]) -> float:
    """Mean tokens of training examples as worked examples."""
    return _tokens(len(render_examples([_worked(task) for task in tasks])) / max(len(tasks), 1))


def _length(task: Task, *, tools: bool = True) -> int:
    """Characters of a training example as a prompt model sees it: tools, conversation with whole results, action."""
    return len(repr({"context": told_date(task.today), "tools": render_tools(task.tools) if tools else "", **_worked(task)}))


def _mean(sizes: Sequence[_Sizes]) -> _Sizes:
    names = _Sizes.__struct_fields__
    return _Sizes(*(sum(getattr(one, name) for one in sizes) / len(sizes) for name in names))


def _prompt(request: Request) -> float:
    return _tokens(sum(len(turn.content) for turn in request.turns))


def _tokens(characters: float) -> float:
    return characters / CHARACTERS


def _times(counts: Amount, each: float) -> Amount:
    return Amount(counts.expected * each, counts.bound * each)


def _sum(left: Amount | None, right: Amount | None) -> Amount | None:
    return None if left is None or right is None else left + right


def _cost(model: str, requests: Amount, prompt: Amount, completion: Amount) -> Amount | None:
    """At the price of an average request: some models' prices go by its size."""

    def of(take: Callable[[Amount], float]) -> float | None:
        count = take(requests)
        if not count:
            return 0.0
        one = price(model, round(take(prompt) / count), round(take(completion) / count))
        return None if one is None else one * count

    expected, bound = of(lambda amount: amount.expected), of(lambda amount: amount.bound)
    return None if expected is None or bound is None else Amount(expected, bound)
