"""How much of a recorded search comes back when the calling dialogue's own recordings are left out.

    python scripts/bench/mocker_recall.py [DATA] [SPLIT]

Row recall: of all rows recorded by the split's search calls, the share that the mocker's other rungs return for the same call.
Whole results: of the searches that returned rows, the share whose rows all come back.
"""

import resource
import sys
import time
from collections import Counter
from typing import Any

import msgspec

from agent_gym.messages import ToolCall
from agent_gym.tools import Recordings, ToolCatalog, ToolMocker
from agent_gym.tools.recordings import answered_calls
from agent_gym.traces import SGDLoader


def main(data: str = "data/raw/schema_guided_dialogue", split: str = "train") -> None:
    """Measure and print one JSON line."""
    started = time.perf_counter()
    loader = SGDLoader(data)
    catalog = ToolCatalog.from_sgd(loader)
    recordings = Recordings()
    searches: list[tuple[str, ToolCall, Any]] = []
    for trace in loader.load(split):
        recordings.add(trace)
        searches += [
            (trace.conversation_id, call, answer.result)
            for call, answer in answered_calls(trace)
            if not catalog[call.name].transactional
        ]
    loaded = time.perf_counter()
    mocker = ToolMocker(catalog, recordings)
    rows = found = filled = whole = 0
    rungs: Counter[str] = Counter()
    for conversation, call, recorded in searches:
        answer = mocker.from_others(catalog[call.name], call.parsed(), without=conversation)
        rungs[answer.source] += 1
        given = [msgspec.json.encode(row, order="sorted") for row in answer.value]
        back = sum(msgspec.json.encode(row, order="sorted") in given for row in recorded)
        rows, found = rows + len(recorded), found + back
        filled += bool(recorded)
        whole += bool(recorded) and back == len(recorded)
    print(
        msgspec.json.encode(
            {
                "bench": "mocker_recall",
                "split": split,
                "searches": len(searches),
                "rows": rows,
                "row_recall": round(found / rows, 4),
                "whole_results": round(whole / filled, 4),
                "rungs": dict(rungs),
                "load_s": round(loaded - started, 2),
                "answer_s": round(time.perf_counter() - loaded, 2),
                "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            }
        ).decode()
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
