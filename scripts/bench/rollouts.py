"""Whole episodes at once: how near they come to the ideal rate over HTTP, what they cost in CPU, and whether memory grows.

    python scripts/bench/rollouts.py [--latency 0.2] [--in-flight 64] [--episodes 2000] [--data DATA]

First, the path of a real run: goals of `dev`, the agenda user, the agent's prompt, meter, retries, the client, the answer read,
rewards, the file of rollouts. Only the answer cache is left out: many episodes open alike, it would answer them for nothing.
The endpoint is `fake_server.py` in a process of its own; it answers with words: each step of the agent is one request. The
ideal time is requests times latency divided by requests in flight: the ramp at the beginning and the idle places at the end,
where the last episodes have no others beside them, count against the run. Three runs, the median counts.

Then, in a process that has done nothing else, ten thousand episodes of the same user with an agent that says the same words at
once: CPU for each, and the memory that the process holds. 2,000 goals are played five times over, with another seed each time:
after 2,000 episodes every goal has been met, and what is remembered of texts (in tables of bounded size) is there.
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

from fake_server import running

from agent_gym.agents.dspy_agent import SGDAgentModule
from agent_gym.environment import SGDEnvironment, rollout_many
from agent_gym.lm import make_lm
from agent_gym.messages import Assistant, Message, ToolSpec

WORDS = "Which city should I search in?"
GOALS, ROUNDS = 2_000, 5


class Words:
    """Says the same, and waits for nothing."""

    async def act(self, messages: Sequence[Message], tools: tuple[ToolSpec, ...]) -> Assistant:
        return Assistant(WORDS)


def over_http(environment: SGDEnvironment, *, episodes: int, latency: float, in_flight: int) -> dict[str, float]:
    """The share of the ideal rate."""
    tasks = environment.tasks[:episodes]
    shares: list[float] = []
    walls: list[float] = []
    cpus: list[float] = []
    requests = 0
    with running(latency, WORDS) as base:
        for _ in range(3):
            with TemporaryDirectory() as folder:
                handle = make_lm("openai/fake", api_base=base, cache=None)
                agent = SGDAgentModule().agent(handle)
                output = Path(folder) / "rollouts.jsonl"
                wall, cpu = time.perf_counter(), time.process_time()
                summary = rollout_many(agent, environment, tasks=tasks, concurrency=in_flight, output=output)
                wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
                assert summary.episodes == len(tasks)
                requests = handle.meter.snapshot()["agent"].requests
                assert requests == summary.requests
                shares.append(requests * latency / in_flight / wall)
                walls.append(wall)
                cpus.append(1000 * cpu / requests)
    return {
        "episodes": len(tasks),
        "requests": requests,
        "in_flight": in_flight,
        "latency_s": latency,
        "median_s": round(statistics.median(walls), 2),
        "share_of_ideal_rate": round(statistics.median(shares), 3),
        "cpu_ms_per_request": round(statistics.median(cpus), 2),
    }


def in_process(environment: SGDEnvironment) -> dict[str, float]:
    """CPU and memory of ten thousand episodes."""
    tasks, held = environment.tasks[:GOALS], list[float]()
    episodes = turns = 0
    cpu = time.process_time()
    for seed in range(ROUNDS):
        with TemporaryDirectory() as folder:
            summary = rollout_many(Words(), environment, tasks=tasks, seed=seed, output=Path(folder) / "rollouts.jsonl")
        episodes, turns = episodes + summary.episodes, turns + summary.turns
        held.append(megabytes())
    cpu = 1000 * (time.process_time() - cpu)
    assert episodes == ROUNDS * len(tasks)
    return {
        "episodes_in_process": episodes,
        "turns": turns,
        "cpu_ms_per_episode": round(cpu / episodes, 2),
        "cpu_ms_per_turn": round(cpu / turns, 3),
        f"mb_after_{episodes // ROUNDS}": held[0],
        f"mb_after_{episodes}": held[-1],
    }


def megabytes() -> float:
    """Memory that this process holds now; Linux."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6)


def main() -> None:
    """Measure and print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--latency", type=float, default=0.2, help="seconds until the endpoint answers")
    parser.add_argument("--in-flight", type=int, default=64)
    parser.add_argument("--episodes", type=int, default=2000)
    parser.add_argument("--data", default="data/raw/schema_guided_dialogue")
    options = parser.parse_args()
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as other:
        alone = other.submit(measured_alone, options.data).result()
    environment = made(options.data)
    http = over_http(environment, episodes=options.episodes, latency=options.latency, in_flight=options.in_flight)
    print(json.dumps({"bench": "rollouts", **http, **alone}))


def made(data: str) -> SGDEnvironment:
    """The environment; its user has read its phrases, which happens once for a process."""
    environment = SGDEnvironment(data, "dev")
    rollout_many(Words(), environment, tasks=environment.tasks[:1])
    return environment


def measured_alone(data: str) -> dict[str, float]:
    """What `in_process` measures."""
    return in_process(made(data))


if __name__ == "__main__":
    main()
