"""Results of optimizations that never ran: the scores are what a test says they are."""

from collections.abc import Mapping, Sequence
from typing import Any

from agent_gym.evaluation import ExampleScore, Report, summarize
from agent_gym.lm import Usage
from agent_gym.lm.tally import Spent
from agent_gym.metrics import CallCounts
from agent_gym.optimization import OptimizationResult

SERVICES = ("Bikes_1", "Bikes_2", "Ferries_1")
SPENT = Spent(requests=1, prompt_tokens=90, completion_tokens=10, cost=0.001, seconds=0.5)
WEIGHTS = {"similarity": 0.5, "tool_accuracy": 0.5}


def report(scores: Sequence[float | None], *, words: str = "played", spent: Spent = SPENT) -> Report:
    """A report of these scores; None is an example that the endpoint failed."""
    return summarize([_example(index, score, words, spent) for index, score in enumerate(scores)])


def _example(index: int, score: float | None, words: str, spent: Spent) -> ExampleScore:
    if score is None:
        return ExampleScore(f"dev/1_{index:05}#1", None, error="nothing in time")
    return ExampleScore(
        f"dev/1_{index:05}#1",
        score,
        {"similarity": score, "tool_accuracy": score},
        CallCounts(1, 1, int(score >= 1)),
        "" if score >= 1 else "Expected another call.",
        service=SERVICES[index % len(SERVICES)],
        user=f"Please do {index}.",
        expected=(f"recorded {index}",),
        played=(f"{words} {index}",),
        spent=spent,
    )


def result(
    strategy: str,
    baseline: Sequence[float | None],
    optimized: Sequence[float | None],
    *,
    repeat: int = 0,
    weights: Mapping[str, float] = WEIGHTS,
    **fields: Any,
) -> OptimizationResult:
    """What such a run would have saved."""
    before, after = report(baseline, words="baseline"), report(optimized, words=strategy)
    made: dict[str, Any] = {
        "strategy": strategy,
        "options": {},
        "models": {"agent": "offline"},
        "seed": 0,
        "repeat": repeat,
        "weights": weights,
        "data": {
            "name": "sample",
            "fingerprint": "",
            "splits": {"train": "train", "val": "train", "test": "dev"},
            "examples": {"train": [], "val": [], "test": [example.id for example in before.examples]},
            "with_calls": {},
        },
        "packages": {},
        "baseline": before,
        "optimized": after,
        "validation": {},
        "kept": "optimized",
        "initial_prompt": "Help.",
        "optimized_prompt": f"Help, says {strategy}.",
        "few_shot_demos": ({"conversation": [], "action": "Hm?"},),
        "candidates": (),
        "usage": {"agent": Usage(requests=10, prompt_tokens=900, completion_tokens=100, picodollars=250_000_000_000)},
        "costs": {"agent": 0.25},
        "agent_path": "agent.json",
        "events": (),
        "times": {"seconds": 2.0},
    }
    return OptimizationResult(**{**made, **fields})
