"""Importing and checking logs, against the time of `orjson.loads` over the same lines in the same run.

    python scripts/bench/import_logs.py [--gigabytes 0.2] [--tools shared|none] [--redact] [--array]

Writes OpenAI chat messages of that size into a temporary folder: a system prompt of 1 kB, 1 to 5 user turns, answers of 350
characters, single, parallel and broken tool calls; seven tools on every line, or none, so that they are inferred. Each of the
three works runs in a process of its own, three times in turn; the medians count, and the greatest peak of memory. The file is
in the page cache.
"""

import argparse
import json
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

RUNS = 3
WORDS = "the order that came last week is still not here and my account says it was sent to another city by train".split()


def tool(number: int) -> dict[str, Any]:
    """A tool as OpenAI's requests describe it."""
    fields = {name: {"type": "string", "description": " ".join(WORDS[:6])} for name in ("order_id", "city", "status", "note")}
    parameters = {"type": "object", "properties": fields, "required": ["order_id"], "additionalProperties": False}
    return {
        "type": "function",
        "function": {"name": f"tool_{number}", "description": " ".join(WORDS), "parameters": parameters},
    }


def conversation(draw: random.Random, number: int, tools: list[dict[str, Any]]) -> dict[str, Any]:
    """One row."""

    def words(fewest: int, most: int) -> str:
        return " ".join(draw.choices(WORDS, k=draw.randint(fewest, most)))

    messages: list[dict[str, Any]] = [{"role": "system", "content": words(150, 300)}]
    for turn in range(draw.randint(1, 5)):
        messages.append({"role": "user", "content": f"{words(3, 40)}. My number is +1 408 247 {number % 10_000:04}."})
        if draw.random() < 0.6:
            calls = [
                {
                    "id": f"call_{number}_{turn}_{index}",
                    "type": "function",
                    "function": {
                        "name": f"tool_{draw.randrange(7)}",
                        "arguments": json.dumps(
                            {
                                "order_id": f"A-{draw.randrange(10**6)}",
                                "city": draw.choice(WORDS),
                                "status": draw.choice(WORDS[:4]),
                            }
                        )[: -1 if draw.random() < 0.01 else None],
                    },
                }
                for index in range(draw.choice((1, 1, 2)))
            ]
            messages.append({"role": "assistant", "content": None, "tool_calls": calls})
            for call in reversed(calls):
                rows = [
                    {
                        "order_id": f"A-{draw.randrange(10**6)}",
                        "note": words(3, 30),
                        "price": draw.randrange(10**4) / 100,
                        "open": draw.random() < 0.5,
                    }
                    for _ in range(draw.randint(0, 3))
                ]
                messages.append({"role": "tool", "tool_call_id": call["id"], "content": json.dumps(rows)})
        messages.append({"role": "assistant", "content": words(20, 120)})
    return {"messages": messages, **({"tools": tools} if tools else {})}


def write(path: Path, size: int, tools: list[dict[str, Any]], array: bool) -> int:
    """Rows until the file has that size; how many."""
    draw = random.Random(0)
    # A thousand different conversations: making them must not take longer than measuring.
    lines = [json.dumps(conversation(draw, number, tools)).encode() for number in range(1000)]
    count, written = 0, 0
    with path.open("wb") as file:
        file.write(b"[" if array else b"")
        while written < size:
            line = lines[count % len(lines)]
            written += file.write((b",\n" if array and count else b"") + line + (b"" if array else b"\n"))
            count += 1
        file.write(b"]\n" if array else b"")
    return count


def work(name: str, path: Path, redact: bool) -> None:
    """What is measured, in a process of its own; prints seconds and the peak of memory in MB."""
    if name == "orjson":
        import orjson

        started = time.perf_counter()
        with path.open("rb") as file:
            for line in file if path.suffix == ".jsonl" else (file.read(),):
                orjson.loads(line)
    else:
        from agent_gym.traces.importing import check_logs, import_logs

        started = time.perf_counter()
        if name == "check":
            tally = check_logs([path], on_fault=print)
            assert not tally.faults
        else:
            report = import_logs([path], path.with_name("traces.jsonl"), redact=redact)
            assert not report.skipped
    print(time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def measured(name: str, path: Path, redact: bool) -> tuple[float, float]:
    """Seconds and megabytes."""
    command = [sys.executable, __file__, "--work", name, str(path), *(["--redact"] if redact else [])]
    seconds, peak = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return float(seconds), float(peak)


def main() -> None:
    """Measure and print one JSON line."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--gigabytes", type=float, default=0.2)
    options.add_argument("--tools", choices=("shared", "none"), default="shared")
    options.add_argument("--redact", action="store_true")
    options.add_argument("--array", action="store_true", help="one JSON array instead of JSON lines")
    options.add_argument("--work", nargs=2, help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.work:
        work(chosen.work[0], Path(chosen.work[1]), chosen.redact)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "logs.json" if chosen.array else "logs.jsonl")
        tools = [tool(number) for number in range(7)] if chosen.tools == "shared" else []
        rows = write(path, int(chosen.gigabytes * 1e9), tools, chosen.array)
        names = ("orjson", "import", "check")
        runs = [{name: measured(name, path, chosen.redact) for name in names} for _ in range(RUNS)]
        written = path.with_name("traces.jsonl").stat().st_size
    seconds = {name: statistics.median(run[name][0] for run in runs) for name in names}
    print(
        json.dumps(
            {
                "bench": "import_logs",
                "gigabytes": chosen.gigabytes,
                "tools": chosen.tools,
                "redact": chosen.redact,
                "array": chosen.array,
                "rows": rows,
                "written_gb": round(written / 1e9, 3),
                **{f"{name}_s": round(value, 2) for name, value in seconds.items()},
                "import_ratio": round(seconds["import"] / seconds["orjson"], 2),
                "check_ratio": round(seconds["check"] / seconds["orjson"], 2),
                "bar": 3.0,
                **{f"{name}_peak_mb": round(max(run[name][1] for run in runs)) for name in ("import", "check")},
                "bar_mb": 300,
            }
        )
    )


if __name__ == "__main__":
    main()
