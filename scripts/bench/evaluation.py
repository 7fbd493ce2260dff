"""Evaluation over HTTP: how near it comes to the ideal rate, and what a request costs in CPU.

    python scripts/bench/evaluation.py [--latency 0.2] [--in-flight 32] [--examples 320] [--data DATA]

The whole path of a real evaluation: examples of `dev`, the agent's prompt, cache on disk, meter, retries, the client, the
answer read and scored. The endpoint is `fake_server.py` in a process of its own; it answers with words, so that an example is
one request. The ideal rate is requests in flight divided by the latency. Five runs, the median counts.
"""

import argparse
import json
import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from fake_server import running

from agent_gym.agents.dspy_agent import SGDAgentModule
from agent_gym.environment import ReplayEnvironment
from agent_gym.evaluation import evaluate
from agent_gym.lm import make_lm, run_sync
from agent_gym.metrics import CombinedMetric
from agent_gym.tools import Recordings
from agent_gym.traces import SGDLoader
from agent_gym.traces.draw import draw_tasks


def main() -> None:
    """Measure and print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--latency", type=float, default=0.2, help="seconds until the endpoint answers")
    parser.add_argument("--in-flight", type=int, default=32)
    parser.add_argument("--examples", type=int, default=320)
    parser.add_argument("--data", default="data/raw/schema_guided_dialogue")
    options = parser.parse_args()
    (tasks,) = draw_tasks(SGDLoader(options.data), "dev", [options.examples])
    walls: list[float] = []
    cpus: list[float] = []
    with running(options.latency) as base:
        for _ in range(5):
            with TemporaryDirectory() as folder:
                handle = make_lm("openai/fake", api_base=base, cache=Path(folder) / "completions.sqlite")
                playing = evaluate(
                    SGDAgentModule().agent(handle),
                    tasks,
                    CombinedMetric(),
                    ReplayEnvironment(Recordings()),
                    concurrency=options.in_flight,
                )
                wall, cpu = time.perf_counter(), time.process_time()
                report = run_sync(playing)
                walls.append(time.perf_counter() - wall)
                cpus.append(time.process_time() - cpu)
                assert report.n == len(tasks)
                assert handle.meter.snapshot()["agent"].requests == len(tasks)
    ideal = len(tasks) * options.latency / options.in_flight
    print(
        json.dumps(
            {
                "bench": "evaluation",
                "examples": len(tasks),
                "in_flight": options.in_flight,
                "latency_s": options.latency,
                "ideal_s": round(ideal, 3),
                "median_s": round(statistics.median(walls), 3),
                "share_of_ideal_rate": round(ideal / statistics.median(walls), 3),
                "cpu_ms_per_request": round(1000 * statistics.median(cpus) / len(tasks), 2),
            }
        )
    )


if __name__ == "__main__":
    main()
