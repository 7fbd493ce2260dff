"""The main job on the sample, with the embedded model: baseline, bootstrap, mipro. No key, no network, no data set needed.

    scripts/demo        (which runs this in the repository's root)

Leaves `checkpoints/demo_bootstrap.json`, `checkpoints/demo_mipro.json` and a result beside each. Running it again replays the
answers from the cache.
"""

import sys
import time

from agent_gym.cli.show import print_reports
from agent_gym.cli.terminal import ProgressLines, console, mistakes_in_one_line
from agent_gym.optimization import OptimizationResult, OptimizationRunner


def optimize(strategy: str) -> OptimizationResult:
    """One strategy on the sample."""
    print(f"\n{strategy}", file=sys.stderr)
    with ProgressLines() as progress:
        return OptimizationRunner(
            data_path="data/sample",
            strategy=strategy,
            num_train=50,
            num_val=40,
            num_test=60,
            output_path=f"checkpoints/demo_{strategy}.json",
            model="offline",
            on_event=progress,
        ).run()


def main() -> None:
    """Run both strategies and print them side by side."""
    started = time.perf_counter()
    with mistakes_in_one_line(again="the same command continues"):
        results = {strategy: optimize(strategy) for strategy in ("bootstrap", "mipro")}
        out = console()
        out.print("\nThe offline model is a schema-guided policy, not a neural model: the scores show that the pipeline works.")
        reports = {"baseline": results["bootstrap"].baseline, **{name: result.optimized for name, result in results.items()}}
        print_reports(out, reports, {})
        for name, result in results.items():
            out.print(f"{name}: {result.improvement_pct:+.1f}%, kept: {result.kept}")
        print(f"\n{time.perf_counter() - started:.0f} s. Look closer:")
        for name in results:
            print(f"  .venv/bin/agent-gym show checkpoints/demo_{name}_result.json")


if __name__ == "__main__":
    main()
