"""What a request costs: CPU of our side, and how near a full pipe of requests comes to the ideal rate.

    python scripts/bench/lm_request.py --latency 0.05 --in-flight 32

The endpoint is `fake_server.py` in a process of its own. The ideal rate is requests in flight divided by the latency. `native`
runs the caller's coroutine on the background loop (`run_sync`), `hop` awaits the same handle from a loop of its own, `threads`
calls it from as many threads, as DSPy's optimizers do. Cached: no; each prompt is new and as long as a real one (12,000
characters). Prints one JSON line.
"""

import argparse
import asyncio
import json
import os
import platform
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from fake_server import running

from agent_gym.lm import Handle, Request, Turn, make_lm, run_sync

SYSTEM = "Decide the next step of the dialogue. " * 316


def questions(count: int, label: str) -> Iterator[Request]:
    for number in range(count):
        yield Request(turns=(Turn("system", SYSTEM), Turn("user", f"{label} {number}: find me a place to eat")))


async def ask_all(handle: Handle, requests: Iterator[Request], in_flight: int) -> None:
    async def ask() -> None:
        for request in requests:
            await handle.complete(request)

    await asyncio.gather(*(ask() for _ in range(in_flight)))


def native(handle: Handle, requests: Iterator[Request], in_flight: int) -> None:
    run_sync(ask_all(handle, requests, in_flight))


def hop(handle: Handle, requests: Iterator[Request], in_flight: int) -> None:
    asyncio.run(ask_all(handle, requests, in_flight))


def threads(handle: Handle, requests: Iterator[Request], in_flight: int) -> None:
    with ThreadPoolExecutor(in_flight) as pool:
        list(pool.map(handle.complete_sync, requests))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--latency", type=float, default=0.05, help="seconds until the endpoint answers")
    parser.add_argument("--in-flight", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=4.0, help="how long each way is measured, about")
    parser.add_argument("--no-cache", action="store_true", help="leave the answers on disk out of it")
    options = parser.parse_args()
    count = max(int(options.seconds * options.in_flight / options.latency), options.in_flight)
    result: dict[str, object] = {
        "benchmark": "lm_request",
        "latency_s": options.latency,
        "in_flight": options.in_flight,
        "requests": count,
        "cache": not options.no_cache,
        "cpus": os.cpu_count(),
        "python": platform.python_version(),
    }
    with TemporaryDirectory() as folder, running(options.latency) as base:
        cache = None if options.no_cache else Path(folder) / "completions.sqlite"
        handle = make_lm("openai/fake", api_base=base, cache=cache)
        for way in (native, hop, threads):
            way(handle, questions(2 * options.in_flight, f"warm up {way.__name__}"), options.in_flight)
            wall, cpu = time.perf_counter(), time.process_time()
            way(handle, questions(count, way.__name__), options.in_flight)
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            ideal = count * options.latency / options.in_flight
            result[way.__name__] = {"efficiency": round(ideal / wall, 3), "cpu_ms": round(cpu / count * 1000, 3)}
        usage = handle.meter.snapshot()["agent"]
        assert usage.failures == 0, usage
    json.dump(result, sys.stdout)
    print()


if __name__ == "__main__":
    main()
