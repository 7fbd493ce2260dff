"""Who acts."""

from agent_gym.agents.base import Agent
from agent_gym.agents.prompt_agent import PromptAgent

__all__ = ["Agent", "PromptAgent"]
