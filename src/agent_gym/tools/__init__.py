"""What an agent can call, and what answers when it does."""

from importlib import import_module
from typing import TYPE_CHECKING

from agent_gym.tools.base import ToolBackend, execute
from agent_gym.tools.catalog import ToolCatalog
from agent_gym.tools.mocker import RUNGS, ToolMocker
from agent_gym.tools.recordings import Recordings

if TYPE_CHECKING:
    from agent_gym.tools.workspace import Limits, Workspace, had_effect

__all__ = [
    "RUNGS",
    "Limits",
    "Recordings",
    "ToolBackend",
    "ToolCatalog",
    "ToolMocker",
    "Workspace",
    "execute",
    "had_effect",
]


def __getattr__(name: str) -> object:
    # The workspace brings pydantic, which whoever only replays recordings does not wait for.
    if name not in ("Limits", "Workspace", "had_effect"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module("agent_gym.tools.workspace"), name)
    globals()[name] = value
    return value
