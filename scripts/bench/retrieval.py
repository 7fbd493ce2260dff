"""Time and memory of the index over recorded turns, and of asking it.

    python scripts/bench/retrieval.py [DATA]

The index is built over the train split and asked with 1,000 user turns of the dev split, drawn at random, four neighbours each.
`same_domain` is the share of neighbours about the same kind of service, `same_step` the share whose recorded answer begins with
the same intent's call, or with words where no call is due.
"""

import resource
import statistics
import sys
import time
from random import Random

import msgspec

from agent_gym.traces import SGDLoader
from agent_gym.traces.retrieval import TurnIndex
from agent_gym.traces.task import Task, tasks_of


def main(data: str = "data/raw/schema_guided_dialogue") -> None:
    """Measure and print one JSON line."""
    loader = SGDLoader(data)
    traces = list(loader.load("train"))
    questions = Random(0).sample([task for trace in loader.load("dev") for task in tasks_of(trace)], 1000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.perf_counter()
    index = TurnIndex(traces)
    built = time.perf_counter() - started
    times: list[float] = []
    same_domain = same_step = found = 0
    for question in questions:
        started = time.perf_counter()
        neighbours = index.nearest(question.prompt, 4)
        times.append((time.perf_counter() - started) * 1000)
        found += len(neighbours)
        same_domain += sum(_domain(neighbour.task) == _domain(question) for neighbour in neighbours)
        same_step += sum(_step(neighbour.task) == _step(question) for neighbour in neighbours)
    print(
        msgspec.json.encode(
            {
                "bench": "retrieval",
                "dialogues": len(traces),
                "turns": len(index),
                "build_s": round(built, 2),
                "index_mb": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024,
                "questions": len(questions),
                "median_ms": round(statistics.median(times), 2),
                "p95_ms": round(statistics.quantiles(times, n=20)[18], 2),
                "same_domain": round(same_domain / found, 3),
                "same_step": round(same_step / found, 3),
            }
        ).decode()
    )


def _domain(task: Task) -> str:
    return task.service.split("_")[0]


def _step(task: Task) -> str:
    return next((call.name.rpartition("-")[2] for call in task.expected_calls), "words")


if __name__ == "__main__":
    main(*sys.argv[1:])
