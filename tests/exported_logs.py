"""Logs as a user brings them: conversations of a data set as rows of an OpenAI log, imported."""

import json
from pathlib import Path
from typing import Any

from agent_gym.traces import SGDLoader, to_openai
from agent_gym.traces.importing import import_logs


def exported(data: Path, folder: Path, *, bare: bool = False) -> Path:
    """A file of traces, `logs.jsonl` having been imported.

    Args:
        bare: the log names no tools and no metadata, and its ids are numbers.
    """
    loader = SGDLoader(data)
    rows: list[dict[str, Any]] = [to_openai(trace) for split in loader.splits() for trace in loader.load(split)]
    if bare:
        rows = [{"conversation_id": str(number), "messages": row["messages"]} for number, row in enumerate(rows)]
    (folder / "logs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    import_logs([folder / "logs.jsonl"], folder / "traces.jsonl")
    return folder / "traces.jsonl"
