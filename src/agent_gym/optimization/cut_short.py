"""A run whose budget ends before it does: what can still be played, which agent is kept, and what is said of it."""

from collections.abc import Callable, Sequence

from agent_gym.agents.base import Agent
from agent_gym.environment import ReplayEnvironment
from agent_gym.errors import BudgetSpent
from agent_gym.evaluation import ExampleScore, Report, evaluate
from agent_gym.evaluation.evaluate import summarize
from agent_gym.metrics import Metric
from agent_gym.optimization.result import on_both
from agent_gym.optimization.so_far import ENOUGH, Found
from agent_gym.traces.task import Task

AGAIN = "the same command with a larger budget continues from there"


async def evaluate_affordable(
    agent: Agent,
    tasks: Sequence[Task],
    metric: Metric,
    environment: ReplayEnvironment,
    *,
    concurrency: int,
    on_example: Callable[[ExampleScore], None],
) -> Report:
    """`evaluate`; when the budget ends, a report of the tasks that were played or can be replayed, perhaps of none."""
    played: dict[str, ExampleScore] = {}

    def keep(example: ExampleScore) -> None:
        played[example.id] = example
        on_example(example)

    try:
        return await evaluate(agent, tasks, metric, environment, concurrency=concurrency, on_example=keep)
    except BudgetSpent:
        # What was asked before is answered still: each of the others is tried by itself.
        for task in tasks:
            if task.id not in played:
                try:
                    await evaluate(agent, [task], metric, environment, on_example=keep)
                except BudgetSpent:
                    continue
    return summarize([played[task.id] for task in tasks if task.id in played])


def why_baseline(baseline: Report, optimized: Report, examples: int, *, partial: bool) -> str | None:
    """Why the baseline is kept, by the validation examples; None when it is not.

    Args:
        examples: how many validation examples there are.
        partial: compare on those that both were played on.
    """
    before, after, both = on_both(baseline, optimized) if partial else (baseline.score, optimized.score, examples)
    if both < min(ENOUGH, examples):
        return f"baseline and optimized agent were both validated on {both} of {examples} examples only, too few to compare"
    if after < before:
        of = f" ({both} of {examples} examples)" if both < examples else ""
        return f"the optimized agent scored {after:.3f} on validation{of}, the baseline {before:.3f}"
    return None


def cut_short(best: Found | None) -> str:
    """What is said of an optimizer that the budget ended."""
    found = (
        f"the best program by then, {best.score:.3f} on {best.examples} validation examples, goes on"
        if best is not None
        else f"no program had been played on {ENOUGH} validation examples, so the baseline goes on"
    )
    return f"the budget was spent while optimizing; {found}"


def compared(baseline: Report, optimized: Report) -> str:
    """What is said of a final measurement that the budget ended."""
    before, after, both = on_both(baseline, optimized)
    if not both:
        return "the saved agent was not measured on held-out examples: what it gains is not known"
    return f"on the {both} held-out examples that both played, the baseline scored {before:.3f}, the saved agent {after:.3f}"
