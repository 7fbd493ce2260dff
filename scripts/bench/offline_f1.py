"""The embedded model on real examples it was not trained on: call F1 before and after `bootstrap`.

    python scripts/bench/offline_f1.py [DATA] [SEED]

200 examples of `dev`, 50 training examples of `train`, as `agent-gym optimize` runs it; the cache is empty at the start.
"""

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from agent_gym.optimization import OptimizationRunner

DATA = "data/raw/schema_guided_dialogue"


def main(data: str = DATA, seed: str = "0") -> None:
    """Measure and print one JSON line."""
    with TemporaryDirectory() as folder:
        result = OptimizationRunner(
            data,
            "bootstrap",
            num_train=50,
            num_test=200,
            seed=int(seed),
            model="offline",
            output_path=Path(folder) / "agent.json",
            cache=Path(folder) / "cache.sqlite",
        ).run()
    before, after = result.baseline, result.optimized
    print(
        json.dumps(
            {
                "bench": "offline_f1",
                "examples": before.n,
                "with_calls": result.data["with_calls"]["test"],
                "seed": result.seed,
                "baseline_f1": round(before.call_f1, 3),
                "bar": 0.25,
                "bootstrap_f1": round(after.call_f1, 3),
                "gain": round(after.call_f1 - before.call_f1, 3),
                "bar_gain": 0.05,
                "kept": result.kept,
                "precision": [round(before.call_precision, 3), round(after.call_precision, 3)],
                "recall": [round(before.call_recall, 3), round(after.call_recall, 3)],
                "score": [round(before.score, 3), round(after.score, 3)],
                "similarity": [round(before.parts["similarity"], 3), round(after.parts["similarity"], 3)],
                "tool_accuracy": [round(before.parts["tool_accuracy"], 3), round(after.parts["tool_accuracy"], 3)],
            }
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
