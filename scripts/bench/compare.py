"""How long `agent-gym compare` takes over saved results, from the files to the written report.

    python scripts/bench/compare.py [--results 10] [--examples 1000]

The results are made up, of the size that real ones have: ten strategies, each with its scores of the same examples, what was
said and done in each, and prompts. Reading, statistics, rendering and writing count; three runs, the median counts. The bar is
3 seconds.
"""

import argparse
import json
import random
import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from agent_gym.agents.dspy_agent import INSTRUCTION
from agent_gym.evaluation import ExampleScore, Report, summarize
from agent_gym.files import write_whole
from agent_gym.lm import Usage
from agent_gym.lm.tally import Spent
from agent_gym.metrics import CallCounts
from agent_gym.optimization import OptimizationResult
from agent_gym.optimization.compare import compare_results
from agent_gym.optimization.report import render_report

SENTENCE = "There are ten restaurants that serve Italian food in San Jose; would you like the first one, Sino, on Olsen Drive? "
CALL = '{"tool_calls": [{"name": "Restaurants_1-FindRestaurants", "arguments": {"city": "San Jose", "cuisine": "Italian"}}]}'


def report(examples: int, mean: float, seed: int) -> Report:
    """Scores around a mean."""
    drawn = random.Random(seed)
    scored: list[ExampleScore] = []
    for place in range(examples):
        score = min(1.0, max(0.0, drawn.gauss(mean, 0.3)))
        example = ExampleScore(
            f"dev/{place % 20}_{place:05}#3",
            score,
            {"similarity": score, "tool_accuracy": float(drawn.random() < score)},
            CallCounts(1, 1, int(drawn.random() < score)),
            f"Expected the call {CALL}, which was not made." if score < 1 else "",
            service=f"Service{place % 17}_1",
            user=SENTENCE,
            expected=(CALL, SENTENCE),
            played=(SENTENCE, f"{SENTENCE}{seed}"),
            spent=Spent(requests=2, prompt_tokens=1200, completion_tokens=40, cost=0.0002, seconds=drawn.uniform(0.4, 3)),
        )
        scored.append(example)
    return summarize(scored)


def result(place: int, examples: int) -> OptimizationResult:
    """One strategy's saved result."""
    baseline, optimized = report(examples, 0.5, 0), report(examples, 0.5 + 0.01 * place, place)
    return OptimizationResult(
        strategy=f"strategy_{place}",
        options={},
        models={"agent": "offline"},
        seed=0,
        weights={"similarity": 0.5, "tool_accuracy": 0.5},
        data={
            "name": "made up",
            "splits": {"train": "train", "val": "train", "test": "dev"},
            "examples": {"train": [], "val": [], "test": [example.id for example in baseline.examples]},
        },
        packages={},
        baseline=baseline,
        optimized=optimized,
        validation={"baseline": 0.5, "optimized": 0.5},
        kept="optimized",
        initial_prompt=INSTRUCTION,
        optimized_prompt=f"{INSTRUCTION}\n\n{SENTENCE * place}",
        few_shot_demos=(),
        candidates=(),
        usage={"agent": Usage(requests=4 * examples)},
        costs={"agent": 0.0},
        agent_path="agent.json",
        events=(),
        times={"seconds": 60.0},
    )


def main() -> None:
    """Measure and print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=int, default=10)
    parser.add_argument("--examples", type=int, default=1000)
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{place}_result.json" for place in range(options.results)]
        for place, path in enumerate(paths, 1):
            result(place, options.examples).save(path)
        size = sum(path.stat().st_size for path in paths)
        target = Path(folder) / "cmp.json"
        walls: list[dict[str, float]] = []
        for _ in range(3):
            started = time.perf_counter()
            loaded = [OptimizationResult.load(path) for path in paths]
            read = time.perf_counter()
            comparison = compare_results(loaded)
            compared = time.perf_counter()
            comparison.save(target)
            write_whole(target.with_suffix(".html"), render_report(comparison).encode())
            ended = time.perf_counter()
            walls.append(
                {"read": read - started, "compare": compared - read, "write": ended - compared, "all": ended - started}
            )
        report_size = target.with_suffix(".html").stat().st_size
    medians = {name: statistics.median(wall[name] for wall in walls) for name in walls[0]}
    print(
        json.dumps(
            {
                "bench": "compare",
                "results": options.results,
                "examples": options.examples,
                "files_mb": round(size / 1e6, 1),
                "report_kb": round(report_size / 1e3),
                **{f"{name}_s": round(seconds, 3) for name, seconds in medians.items()},
                "bar_s": 3,
            }
        )
    )


if __name__ == "__main__":
    main()
