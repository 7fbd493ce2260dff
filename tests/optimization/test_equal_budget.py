"""Strategies that may spend the same: what they do with it, and what is refused."""

from pathlib import Path
from typing import Any

import pytest

from agent_gym.errors import UsageError
from agent_gym.optimization import OptimizationResult, OptimizationRunner
from agent_gym.optimization.compare import compare_strategies
from commands import run

SIZES: dict[str, Any] = {"num_train": 20, "num_val": 12, "num_test": 12, "model": "offline", "threads": 4}


def optimizing(path: Path) -> int:
    """Requests of the phase in which a strategy worked."""
    result = OptimizationResult.load(path)
    phase = next(event for event in result.events if event.kind == "phase_finished" and event.phase == "optimize")
    return sum(used.requests for used in phase.usage.values())


def test_no_strategy_spends_more_than_its_share(sample: Path, tmp_path: Path) -> None:
    comparison = compare_strategies(
        sample, ["labeled", "mipro", "copro"], output_path=tmp_path / "cmp.json", optimize_requests=40, **SIZES
    )
    assert {one.name for one in comparison.contenders} == {"baseline", "labeled", "mipro", "copro"}
    spent = {name: optimizing(tmp_path / f"cmp_{name}_0_result.json") for name in ("labeled", "mipro", "copro")}
    assert spent["labeled"] == 0
    assert spent["mipro"] <= 40
    assert spent["copro"] <= 40
    notes = OptimizationResult.load(tmp_path / "cmp_copro_0_result.json").notes
    assert any("the budget was spent while optimizing" in note for note in notes)


def test_measuring_is_not_part_of_the_share(sample: Path, tmp_path: Path) -> None:
    result = OptimizationRunner(sample, "copro", output_path=tmp_path / "a.json", optimize_requests=30, **SIZES).run()
    assert (result.baseline.n, result.optimized.n, result.partial) == (12, 12, False)
    assert result.usage["agent"].requests > 30


@pytest.mark.parametrize(
    "wrong", [{"optimize_requests": 0}, {"optimize_cost": -1.0}, {"optimize_requests": 5, "max_requests": 9}]
)
def test_a_share_that_makes_no_sense_is_refused(sample: Path, tmp_path: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        OptimizationRunner(sample, "labeled", output_path=tmp_path / "a.json", **SIZES, **wrong)


@pytest.mark.parametrize("text", ["much", "3.5", "1usdt"])
def test_the_command_line_says_what_a_share_looks_like(text: str, tmp_path: Path) -> None:
    ran = run("compare", "--strategies", "labeled", "--equal-budget", text, folder=tmp_path)
    assert ran.code == 2
    assert "as 300, nor a price, as 0.50usd" in ran.err
