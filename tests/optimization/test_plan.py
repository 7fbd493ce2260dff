"""What a plan says comes true: within a fifth of the requests and three tenths of the tokens, and never above the bound."""

from collections.abc import Callable
from pathlib import Path

import pytest

from agent_gym.agents.dspy_agent import INSTRUCTION
from agent_gym.lm.base import Request, Turn
from agent_gym.lm.handle import Handle
from agent_gym.lm.offline.proposals import INFERRED, INSTRUCTIONS, instruct, propose
from agent_gym.optimization import OptimizationResult, OptimizationRunner
from agent_gym.optimization.plan import Plan
from agent_gym.optimization.plans import plan_strategies
from agent_gym.optimization.strategies import STRATEGIES

Prepare = Callable[..., OptimizationRunner]


def asked(result: OptimizationResult) -> int:
    return sum(usage.requests for usage in result.usage.values())


def tokens(result: OptimizationResult) -> int:
    return sum(usage.prompt_tokens + usage.completion_tokens for usage in result.usage.values())


def comes_true(plan: Plan, result: OptimizationResult) -> None:
    assert plan.requests.expected == pytest.approx(asked(result), rel=0.2)
    assert plan.tokens.expected == pytest.approx(tokens(result), rel=0.3)
    assert asked(result) <= plan.requests.bound
    assert tokens(result) <= plan.tokens.bound


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_plan_comes_true(prepare: Prepare, strategy: str) -> None:
    runner = prepare(strategy=strategy, num_train=50, num_val=40, num_test=60)
    comes_true(runner.plan(), runner.run())


@pytest.mark.parametrize("strategy", ["bootstrap", "mipro", "gepa", "infer_rules"])
def test_plans_of_small_runs_come_true_on_average(prepare: Prepare, tmp_path: Path, strategy: str) -> None:
    # One run may end with the baseline, and pay nothing to measure it again, or search long for worked examples.
    plans: list[Plan] = []
    results: list[OptimizationResult] = []
    for seed in range(5):
        own = {"seed": seed, "cache": tmp_path / f"{seed}.sqlite"}
        runner = prepare(strategy=strategy, num_train=20, num_val=12, num_test=20, **own)
        plans.append(runner.plan())
        results.append(runner.run())
        assert asked(results[-1]) <= plans[-1].requests.bound
        assert tokens(results[-1]) <= plans[-1].tokens.bound
    assert sum(plan.requests.expected for plan in plans) == pytest.approx(sum(map(asked, results)), rel=0.2)
    assert sum(plan.tokens.expected for plan in plans) == pytest.approx(sum(map(tokens, results)), rel=0.3)


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["mipro", "gepa", "infer_rules"])
def test_a_plan_comes_true_on_real_dialogues(prepare: Prepare, sgd: Path, strategy: str) -> None:
    runner = prepare(data_path=sgd, strategy=strategy, num_train=50, num_val=40, num_test=100)
    comes_true(runner.plan(), runner.run())


def test_a_prompt_model_that_is_not_known_to_repeat_itself_is_planned_to_write_something_new_each_time(
    prepare: Prepare,
) -> None:
    sizes = {"num_train": 20, "num_val": 12}
    here = prepare(strategy="infer_rules", **sizes).plan()
    elsewhere = prepare(
        strategy="infer_rules", prompt_model="openai/stand-in", api_base="http://localhost:1/v1", **sizes
    ).plan()
    proposals = 4
    assert elsewhere.requests.expected - here.requests.expected > (proposals - INFERRED) * sizes["num_val"]
    assert elsewhere.requests.bound == here.requests.bound


def test_the_embedded_model_writes_as_many_different_instructions_as_it_is_planned_to() -> None:
    again = [len({instruct(instruct(INSTRUCTION, first), seed) for seed in range(1000)}) for first in range(40)]
    assert sum(again) / len(again) == pytest.approx(INSTRUCTIONS, rel=0.2)


def test_the_embedded_model_infers_the_same_rules_each_time() -> None:
    system = "Your output fields are:\n1. `natural_language_rules` (str):\nAll interactions will be structured so."
    turns = (Turn("system", system), Turn("user", "[[ ## examples_text ## ]]\nA table for two."))
    assert len({propose(Request(turns=turns, sample=str(draw))) for draw in range(20)}) == INFERRED


def test_planning_asks_nothing(prepare: Prepare, monkeypatch: pytest.MonkeyPatch) -> None:
    requests: list[object] = []

    async def complete(self: Handle, request: object) -> None:
        requests.append(request)

    monkeypatch.setattr(Handle, "complete", complete)
    for strategy in STRATEGIES:
        runner = prepare(strategy=strategy, num_train=16)
        runner.plan()
        assert not runner.meter.snapshot().get("agent", None) or runner.meter.snapshot()["agent"].requests == 0
    assert not requests


def test_every_phase_of_the_run_is_in_the_plan(prepare: Prepare) -> None:
    runner = prepare(strategy="mipro")
    planned = [one.phase for one in runner.plan().phases if one.role == "agent"]
    run = [event.phase for event in runner.run().events if event.kind == "phase_finished"]
    assert planned == run[1:]


def test_a_known_price_makes_a_cost_and_an_unknown_one_is_said_to_be_unknown(prepare: Prepare) -> None:
    known = prepare(model="openai/gpt-5-mini", api_base="http://localhost:1/v1").plan()
    assert known.cost is not None
    assert 0 < known.cost.expected < known.cost.bound
    assert prepare(model="openai/stand-in", api_base="http://localhost:1/v1").plan().cost is None
    free = prepare().plan()
    assert free.cost is not None
    assert free.cost.bound == 0


def test_a_judge_is_in_the_plan(prepare: Prepare) -> None:
    phases = prepare(weights={"judge": 1.0}, model="openai/stand-in", api_base="http://localhost:1/v1").plan().phases
    first = next(one for one in phases if one.role == "judge")
    assert (first.phase, first.requests.expected) == ("baseline", 8)


def test_runs_that_are_compared_pay_for_the_baseline_once(sample: Path, tmp_path: Path) -> None:
    sizes = {"num_train": 10, "num_val": 6, "num_test": 8}
    output = tmp_path / "cmp.json"
    one, other = plan_strategies(sample, ["labeled", "bootstrap"], output_path=output, model="offline", **sizes)
    spent = {plan.strategy: {each.phase: each.requests.expected for each in plan.phases} for plan in (one, other)}
    assert spent["labeled"]["baseline"] > 0 == spent["bootstrap"]["baseline"]
    assert spent["labeled"]["validate baseline"] > 0 == spent["bootstrap"]["validate baseline"]
