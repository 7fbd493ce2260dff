"""Which format a file is in, read off its first rows."""

from collections.abc import Iterable
from itertools import islice
from typing import Any, cast

import msgspec

from agent_gym.traces.line import BROKEN
from agent_gym.traces.parsers.otel import is_otel
from agent_gym.traces.parsers.row import Fault, Row

LOOKED_AT = 50
"""Rows that are read to tell formats apart: conversations without tools look alike in two of them."""


def format_of(rows: Iterable[Row | Fault]) -> str | None:
    """The name of the format, None when the first rows are of none."""
    guess: str | None = None
    for row in islice(rows, LOOKED_AT):
        if isinstance(row, Fault):
            continue
        try:
            value = msgspec.json.decode(row.data)
        except BROKEN:
            continue
        if not isinstance(value, dict):
            continue
        fields = cast(dict[str, Any], value)
        if is_otel(fields):
            return "otel"
        if isinstance(fields.get("conversations"), list):
            return "sharegpt"
        messages = fields.get("messages")
        if isinstance(messages, list):
            if told := _told(cast(list[Any], messages)):
                return told
            guess = guess or ("normalized" if "conversation_id" in fields else "openai")
    return guess


def _told(messages: list[Any]) -> str | None:
    """What only one of the two formats with `messages` would write."""
    for message in messages:
        if not isinstance(message, dict):
            continue
        fields = cast(dict[str, Any], message)
        if isinstance(fields.get("content"), list) or fields.keys() & {"tool_call_id", "function_call", "refusal", "weight"}:
            return "openai"
        if fields.get("role") in ("developer", "function"):
            return "openai"
        if fields.get("role") == "tool":
            return "openai" if "content" in fields else "normalized"
        calls = fields.get("tool_calls")
        for call in cast(list[Any], calls) if isinstance(calls, list) else []:
            return "openai" if isinstance(call, dict) and "function" in call else "normalized"
    return None
