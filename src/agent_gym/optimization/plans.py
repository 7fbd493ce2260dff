"""What a comparison will take: the plans of its runs, of which the later ones find the baseline paid for."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agent_gym.errors import UsageError
from agent_gym.optimization.plan import Plan
from agent_gym.optimization.runner import OptimizationRunner

BASELINE = ("baseline", "validate baseline")


def plan_strategies(
    data_path: str | Path,
    strategies: Sequence[str],
    *,
    repeats: int = 1,
    output_path: str | Path = "checkpoints/compare.json",
    **options: Any,
) -> list[Plan]:
    """The plans of the runs that `compare_strategies` with the same arguments would make, in their order.

    Raises:
        UsageError: for what can be known to go wrong, of any of the runs.
    """
    if repeats < 1:
        raise UsageError(f"repeats must be 1 or more, got {repeats}")
    output = Path(output_path)
    plans: list[Plan] = []
    paid: set[tuple[str, int]] = set()
    for strategy in strategies:
        for repeat in range(repeats):
            named = output.with_name(f"{output.stem}_{strategy}_{repeat}.json")
            runner = OptimizationRunner(data_path, strategy, repeat=repeat, output_path=named, **options)
            plans.append(runner.plan(paid=[phase for phase in BASELINE if (phase, repeat) in paid]))
            paid |= {(phase, repeat) for phase in BASELINE}
    return plans
