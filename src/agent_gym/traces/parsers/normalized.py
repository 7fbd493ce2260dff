"""Normalized JSON, the format of this package (`docs/trace_schema.md`):

    {"conversation_id": "conv_001",
     "messages": [{"role": "user", "content": "Where is my order?"},
                  {"role": "assistant", "content": "", "tool_calls": [{"name": "lookup", "arguments": {"id": 7}}]},
                  {"role": "tool", "name": "lookup", "result": {"status": "sent"}}]}

A conversation without `conversation_id` is given one.
"""

import re
from typing import Any, cast

import msgspec

from agent_gym.errors import DataError
from agent_gym.traces.line import BROKEN, decode_trace
from agent_gym.traces.parsers.row import Problem, Row, Unreadable, one_by_one, problem_of
from agent_gym.traces.trace import Trace, load_trace

_FAULT = re.compile(r"(?:trace .*?: )?((?:Expected|Object|Invalid).*?)(?: - at `\$([^`]*)`)?; the format is in .*", re.DOTALL)


def parse_normalized(row: Row) -> Trace:
    """One row.

    Raises:
        Unreadable: when it is no trace.
    """
    try:
        return decode_trace(row.data)
    except DataError as error:
        fault = error
    try:
        value: Any = msgspec.json.decode(row.data)
    except BROKEN as error:
        raise Unreadable([problem_of(error)]) from error
    if isinstance(value, dict) and "conversation_id" not in value:
        fields = {**cast(dict[str, Any], value), "conversation_id": row.place.conversation_id}
        try:
            return load_trace(fields)
        except DataError as error:
            value, fault = fields, error
    raise Unreadable(_problems(value, fault)) from fault


def _problems(value: Any, fault: DataError) -> list[Problem]:
    first = _problem(fault)
    messages = cast(dict[str, Any], value).get("messages") if isinstance(value, dict) else None
    problems: list[Problem] = []
    for index, message in enumerate(cast(list[Any], messages) if isinstance(messages, list) else []):
        try:
            load_trace({"conversation_id": "", "messages": [message]})
        except DataError as error:
            problem = _problem(error)
            problems.append(Problem(problem.path.replace("[0]", f"[{index}]", 1), problem.reason))
    return problems if any(first.path == problem.path for problem in problems) else [first, *problems]


def _problem(error: DataError) -> Problem:
    found = _FAULT.fullmatch(str(error))
    return Problem("$" + (found[2] or ""), found[1]) if found else Problem("$", str(error))


normalized = one_by_one(parse_normalized)
