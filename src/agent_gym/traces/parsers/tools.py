"""Tool definitions as logs hold them, read as tool specs.

    [{"type": "function", "function": {"name": "lookup", "description": "Find an order.", "parameters": {"type": "object"}}}]

The inner object may also stand alone. What a provider runs by itself (a web search) is no function and is left out.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import msgspec

from agent_gym.errors import DataError
from agent_gym.messages import ToolSpec
from agent_gym.traces.line import BROKEN
from agent_gym.traces.parsers.row import Problem, Unreadable, problem_of
from agent_gym.traces.trace import load_trace


class Function(msgspec.Struct, gc=False):
    """What can be called."""

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None


class Definition(msgspec.Struct, gc=False):
    """An entry of a list of tools, in either spelling."""

    type: str = "function"
    function: Function | None = None
    name: str | None = None
    description: str | None = None
    parameters: dict[str, Any] | None = None


_DEFINITIONS = msgspec.json.Decoder(list[Definition])


@lru_cache(maxsize=64)
def read_tools(raw: bytes, path: str) -> tuple[ToolSpec, ...]:
    """The tools of a JSON list that stands at `path` of a row; null is none. The same list is read once.

    Raises:
        Unreadable: when it is no list of tools.
    """
    if raw == b"null":
        return ()
    try:
        return specs_of(_DEFINITIONS.decode(raw), path)
    except BROKEN as error:
        raise Unreadable([problem_of(error, path)]) from error


def specs_of(definitions: Sequence[Definition], path: str) -> tuple[ToolSpec, ...]:
    """The functions among some definitions.

    Raises:
        Unreadable: when one has no name, or its parameters are no JSON schema.
    """
    specs: list[dict[str, Any]] = []
    for index, one in enumerate(definitions):
        function = one.function
        if function is None:
            if one.name is None and one.type != "function":
                continue
            if one.name is None:
                raise Unreadable([Problem(f"{path}[{index}]", "a function without a name")])
            function = Function(one.name, one.description, one.parameters)
        specs.append(
            {"name": function.name, "description": function.description or "", "parameters": function.parameters or {}}
        )
    try:
        # Through the door that the written file will go through when it is read.
        return load_trace({"conversation_id": "", "messages": [], "tools": specs}).tools
    except DataError as error:
        raise Unreadable([Problem(path, str(error).removeprefix("trace '', "))]) from error
