"""What `--dry-run` says, against the run that follows: planned requests and tokens divided by those that were asked.

    python scripts/bench/plan.py [DATA] [--sizes 50,40,100] [--seeds 3] [--strategies mipro,gepa]

Every run with the embedded model, its cache empty at the start. Each strategy gets one line: its ratios at each seed, their
range, and the seeds at which the run came out with the baseline's own prompt, whose last phase costs nothing. The bars are 0.8
to 1.2 for requests and 0.7 to 1.3 for tokens; `above_bound` counts the runs that took more than the plan's bound.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from agent_gym.optimization import OptimizationResult, OptimizationRunner
from agent_gym.optimization.plan import Plan
from agent_gym.optimization.strategies import STRATEGIES

DATA = "data/raw/schema_guided_dialogue"
REQUESTS, TOKENS = 0.2, 0.3


def run(data: str, strategy: str, sizes: Sequence[int], seed: int) -> tuple[Plan, OptimizationResult]:
    """A plan, and what became of it."""
    train, val, test = sizes
    with TemporaryDirectory() as folder:
        runner = OptimizationRunner(
            data,
            strategy,
            num_train=train,
            num_val=val,
            num_test=test,
            model="offline",
            seed=seed,
            output_path=Path(folder) / "agent.json",
            cache=Path(folder) / "cache.sqlite",
        )
        return runner.plan(), runner.run()


def measure(data: str, strategy: str, sizes: Sequence[int], seeds: int) -> dict[str, object]:
    """All seeds of a strategy."""
    requests: list[float] = []
    tokens: list[float] = []
    unchanged: list[int] = []
    above = 0
    for seed in range(seeds):
        plan, result = run(data, strategy, sizes, seed)
        asked = sum(used.requests for used in result.usage.values())
        read = sum(used.prompt_tokens + used.completion_tokens for used in result.usage.values())
        requests.append(round(plan.requests.expected / asked, 2))
        tokens.append(round(plan.tokens.expected / read, 2))
        above += asked > plan.requests.bound or read > plan.tokens.bound
        if result.optimized_prompt == result.initial_prompt and not result.few_shot_demos:
            unchanged.append(seed)
    within = [abs(asked - 1) <= REQUESTS and abs(read - 1) <= TOKENS for asked, read in zip(requests, tokens, strict=True)]
    return {
        "bench": "plan",
        "data": Path(data).name,
        "sizes": list(sizes),
        "strategy": strategy,
        "requests": [min(requests), max(requests)],
        "tokens": [min(tokens), max(tokens)],
        "by_seed": {"requests": requests, "tokens": tokens},
        "within": f"{sum(within)} of {seeds}",
        "baseline_came_out": unchanged,
        "above_bound": above,
    }


def main() -> None:
    """Measure and print one JSON line a strategy."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", default=DATA)
    parser.add_argument("--sizes", default="50,40,100", help="training, validation and test examples")
    parser.add_argument("--seeds", type=int, default=3, help="how many, from 0")
    parser.add_argument("--strategies", default=",".join(STRATEGIES))
    given = parser.parse_args()
    sizes = [int(size) for size in given.sizes.split(",")]
    for strategy in given.strategies.split(","):
        print(json.dumps(measure(given.data, strategy, sizes, given.seeds)), flush=True)


if __name__ == "__main__":
    main()
