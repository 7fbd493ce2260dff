"""A run whose budget ends before it does: exact to the request, honest about what it is, and continued by a larger budget."""

from collections.abc import Callable
from pathlib import Path

import pytest

from agent_gym.errors import BudgetSpent, UsageError
from agent_gym.optimization import OptimizationResult, OptimizationRunner
from agent_gym.optimization.agent_file import load_agent
from agent_gym.optimization.measure import measure
from agent_gym.optimization.so_far import SoFar
from agent_gym.optimization.strategies import STRATEGIES
from servers import ModelServer
from stand_in import StandIn

Prepare = Callable[..., OptimizationRunner]
PROGRAM = ("Do it.", [{"conversation": "Shall I?", "action": "Yes."}])


def asked(result: OptimizationResult) -> int:
    return sum(usage.requests for usage in result.usage.values())


@pytest.fixture
def limited(prepare: Prepare, tmp_path: Path) -> Callable[..., OptimizationResult]:
    """Runs with a cache that only runs of the same folder share."""

    def run(folder: str, strategy: str, max_requests: int | None = None, **options: object) -> OptimizationResult:
        where = {"output_path": tmp_path / folder / "agent.json", "cache": tmp_path / f"{folder}.sqlite"}
        sizes = {"num_train": 16, "num_val": 10}
        return prepare(strategy=strategy, max_requests=max_requests, **{**where, **sizes, **options}).run()

    return run


def test_before_the_baseline_is_measured_there_is_nothing_to_save(
    limited: Callable[..., OptimizationResult], tmp_path: Path
) -> None:
    with pytest.raises(BudgetSpent, match="max_requests of 3 is reached"):
        limited("few", "bootstrap", 3)
    assert not [*(tmp_path / "few").iterdir()]


@pytest.mark.parametrize("strategy", [*STRATEGIES])
def test_a_run_is_stopped_anywhere_to_the_request_and_continues_to_the_unbroken_result(
    limited: Callable[..., OptimizationResult], tmp_path: Path, strategy: str
) -> None:
    whole = limited("whole", strategy)
    assert not whole.partial
    needed, baseline = asked(whole), sum(one.spent.requests for one in whole.baseline.examples)
    for limit in sorted({baseline, (baseline + needed) // 2, needed - 1}):
        stopped = limited("stopped", strategy, limit)
        assert stopped.partial
        assert asked(stopped) == limit
        assert any(f"max_requests of {limit} is reached; the same command" in note for note in stopped.notes)
        assert load_agent(tmp_path / "stopped" / "agent.json").instruction == stopped.optimized_prompt
        assert OptimizationResult.load(tmp_path / "stopped" / "agent_result.json").partial
    continued = limited("stopped", strategy, needed)
    assert continued.timeless() == whole.timeless()
    assert (
        continued.usage["agent"].transport.replayed >= needed - 1 - continued.usage.get("prompt", whole.usage["agent"]).requests
    )


def test_the_best_program_so_far_is_saved(limited: Callable[..., OptimizationResult]) -> None:
    whole = limited("whole", "bootstrap_random_search")
    last = whole.events[-1].usage["agent"].requests
    stopped = limited("stopped", "bootstrap_random_search", asked(whole) - last)
    assert stopped.kept == "optimized"
    assert stopped.few_shot_demos == whole.few_shot_demos
    assert stopped.optimized.n == 0
    assert stopped.improvement_pct == 0
    assert "the saved agent was not measured on held-out examples: what it gains is not known" in stopped.notes


def test_a_partial_improvement_is_on_the_examples_that_both_played(limited: Callable[..., OptimizationResult]) -> None:
    stopped = limited("stopped", "labeled", asked(limited("whole", "labeled")) - 2)
    assert 0 < stopped.optimized.n < stopped.baseline.n
    before = {one.id: one.score or 0.0 for one in stopped.baseline.examples}
    after = {one.id: one.score or 0.0 for one in stopped.optimized.examples}
    was = sum(before[example] for example in after)
    assert stopped.improvement_pct == pytest.approx(100 * (sum(after.values()) - was) / was)


def test_money_stops_a_run_too(limited: Callable[..., OptimizationResult], sample: Path) -> None:
    with ModelServer(StandIn(sample)) as server:
        model = {"model": "openai/gpt-5-mini", "api_base": server.openai}
        whole = limited("whole", "mipro", **model)
        cost = sum(cost or 0.0 for cost in whole.costs.values())
        stopped = limited("stopped", "mipro", max_cost=cost / 2, threads=1, **model)
        sent = len(server.asked)
        continued = limited("stopped", "mipro", **model)
        assert len(server.asked) - sent == asked(whole) - asked(stopped)
    assert stopped.partial
    assert continued.timeless() == whole.timeless()


def test_a_price_that_nobody_knows_cannot_be_kept(prepare: Prepare, sample: Path) -> None:
    with pytest.raises(UsageError, match="use --max-requests"):
        prepare(model="openai/stand-in", api_base="http://localhost:1/v1", max_cost=1.0)


@pytest.mark.parametrize("limit", ["max_cost", "max_requests", "max_seconds", "requests_per_minute", "max_concurrency"])
def test_a_limit_that_allows_nothing_is_refused(prepare: Prepare, limit: str) -> None:
    with pytest.raises(UsageError, match=f"{limit} is 0"):
        prepare(**{limit: 0})


def test_measuring_keeps_to_its_budget(sample: Path) -> None:
    with pytest.raises(BudgetSpent, match="max_requests of 2"):
        measure(None, sample, limit=8, model="offline", max_requests=2)
    report, usage = measure(None, sample, limit=8, model="offline")
    assert report.n == 8
    assert usage["agent"].cache_hits == 2


def test_the_best_so_far_is_the_best_of_those_with_most_examples() -> None:
    so_far = SoFar(map(str, range(20)))
    few, good, bad = (so_far.enter(name, []) for name in ("few", "good", "bad"))
    for example in range(8):
        so_far.score(good, str(example), 0.5)
        so_far.score(bad, str(example), 0.4)
    so_far.score(few, "1", 1.0)
    so_far.score(few, "an example to learn from", 1.0)
    assert so_far.best is not None
    assert (so_far.best.instruction, so_far.best.score, so_far.best.examples) == ("good", 0.5, 8)


def test_too_few_examples_say_nothing_and_nothing_is_written_after_the_budget_is_spent() -> None:
    so_far = SoFar(["1", "2"])
    program = so_far.enter(*PROGRAM)
    so_far.score(program, "1", 1.0)
    assert so_far.best is None
    so_far.stop(BudgetSpent("first"))
    so_far.stop(BudgetSpent("second"))
    so_far.score(program, "2", 1.0)
    assert so_far.best is None
    with pytest.raises(BudgetSpent, match="first"), so_far.rollout():
        pass
