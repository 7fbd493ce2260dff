"""What an agent can call, and what answers when it does."""

from agent_gym.tools.base import ToolBackend, execute
from agent_gym.tools.catalog import ToolCatalog
from agent_gym.tools.mocker import RUNGS, ToolMocker
from agent_gym.tools.recordings import Recordings

__all__ = ["RUNGS", "Recordings", "ToolBackend", "ToolCatalog", "ToolMocker", "execute"]
