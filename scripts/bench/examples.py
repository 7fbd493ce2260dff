"""Fifty training examples, spread over all services, from the start of a process to their being ready.

    python scripts/bench/examples.py [DATA]

Five fresh processes; the slowest counts. DSPy is not imported: drawing examples does not need it.
"""

import json
import resource
import subprocess
import sys
import time

DATA = "data/raw/schema_guided_dialogue"


def draw(data: str) -> None:
    """What a fresh process does."""
    from agent_gym.traces import SGDLoader
    from agent_gym.traces.draw import draw_tasks

    (tasks,) = draw_tasks(SGDLoader(data), "train", [50])
    found = {
        "examples": len(tasks),
        "services": len({task.service for task in tasks}),
        "dialogues": len({task.trace.conversation_id for task in tasks}),
        "with_calls": sum(bool(task.expected_calls) for task in tasks),
        "dspy_imported": "dspy" in sys.modules,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    print(json.dumps(found))


def main(data: str = DATA) -> None:
    """Measure and print one JSON line."""
    seconds, found = 0.0, {}
    for _ in range(5):
        started = time.perf_counter()
        done = subprocess.run([sys.executable, __file__, "--draw", data], capture_output=True, text=True, check=True)
        seconds = max(seconds, time.perf_counter() - started)
        found = json.loads(done.stdout)
    print(json.dumps({"bench": "examples", **found, "seconds": round(seconds, 2), "bar_s": 3.0, "bar_mb": 400}))


if __name__ == "__main__":
    draw(sys.argv[2]) if sys.argv[1:2] == ["--draw"] else main(*sys.argv[1:])
