"""Where tool calls go: a backend has a catalog and answers calls.

A model's fault (an unknown tool, broken JSON, a missing argument) is an answer with an error that the agent sees, never an
exception.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from agent_gym.errors import ArgumentsError
from agent_gym.messages import Tool, ToolCall, ToolResult
from agent_gym.tools.catalog import ToolCatalog


class ToolBackend(Protocol):
    """Something that runs tools. One that waits for the world says so with `blocking = True`, and is called on a thread."""

    @property
    def catalog(self) -> ToolCatalog: ...

    def call(self, name: str, arguments: Mapping[str, Any]) -> ToolResult: ...


def execute(backend: ToolBackend, call: ToolCall) -> Tool:
    """Run one call as a model emitted it; arguments that are no JSON object are answered with an error."""
    try:
        arguments = call.parsed()
    except ArgumentsError as error:
        return ToolResult(error=str(error), source="refused").message(call)
    return backend.call(call.name, arguments).message(call)
