"""Loading and converting all of train and dev, against the time of `orjson.loads` over the same bytes in the same run.

    python scripts/bench/load.py [DATA]

Both are timed three times, in turn, with the files in the page cache; the medians count. Peak memory is that of the conversion
alone, measured in a process of its own.
"""

import json
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

DATA = "data/raw/schema_guided_dialogue"


def convert(data: str) -> dict[str, int]:
    """Read everything as traces, one at a time."""
    from agent_gym.traces import SGDLoader

    loader = SGDLoader(data)
    for split in ("train", "dev"):
        for _ in loader.load(split):
            pass
    report = loader.report
    return {"dialogues": report.dialogues, "turns": report.turns, "calls": report.tool_calls, "unreadable": report.unreadable}


def parse(files: list[Path]) -> None:
    """What any reader of these files has to do at least."""
    import orjson

    for file in files:
        orjson.loads(file.read_bytes())


def timed(work: object, *given: object) -> float:
    started = time.perf_counter()
    work(*given)  # type: ignore[operator]
    return time.perf_counter() - started


def main(data: str = DATA) -> None:
    """Measure and print one JSON line."""
    files = [file for split in ("train", "dev") for file in sorted(Path(data, split).glob("dialogues_*.json"))]
    counts = convert(data)
    parsing, converting = zip(*((timed(parse, files), timed(convert, data)) for _ in range(3)), strict=True)
    alone = subprocess.run([sys.executable, __file__, "--peak", data], capture_output=True, text=True, check=True)
    print(
        json.dumps(
            {
                "bench": "load",
                **counts,
                "mb": round(sum(file.stat().st_size for file in files) / 1e6, 1),
                "orjson_s": round(statistics.median(parsing), 3),
                "load_s": round(statistics.median(converting), 3),
                "ratio": round(statistics.median(converting) / statistics.median(parsing), 2),
                "bar": 2.0,
                "peak_mb": int(alone.stdout),
            }
        )
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--peak"]:
        convert(sys.argv[2])
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
    else:
        main(*sys.argv[1:])
