"""Who acts."""

from importlib import import_module
from typing import TYPE_CHECKING

from agent_gym.agents.base import Agent
from agent_gym.agents.prompt_agent import PromptAgent

if TYPE_CHECKING:
    from agent_gym.agents.production_ready import ProductionReadyAgent

__all__ = ["Agent", "ProductionReadyAgent", "PromptAgent"]


def __getattr__(name: str) -> object:
    # Structured actions bring pydantic, which whoever plays a prompt does not wait for.
    if name != "ProductionReadyAgent":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module("agent_gym.agents.production_ready"), name)
    globals()[name] = value
    return value
