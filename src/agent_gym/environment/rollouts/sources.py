"""Where a run's agent and environment come from: they are given as they are, or as functions that make them.

A function is what can be sent to another process; what it makes often cannot, for it holds threads, connections, a model.
"""

from collections.abc import Callable
from typing import TypeVar, cast

from agent_gym.agents.base import Agent
from agent_gym.environment.dialogue import DialogueEnvironment

T = TypeVar("T")

AgentSource = Agent | Callable[[], Agent]
EnvironmentSource = DialogueEnvironment | Callable[[], DialogueEnvironment]


def makes_agent(source: AgentSource) -> bool:
    """Whether this is a function or class that makes an agent, rather than an agent."""
    return isinstance(source, type) or not hasattr(source, "act")


def made_agent(source: AgentSource) -> Agent:
    """The agent, made if it has to be."""
    return cast(Callable[[], Agent], source)() if makes_agent(source) else cast(Agent, source)


def made_environment(source: EnvironmentSource) -> DialogueEnvironment:
    """The environment, made if it has to be."""
    return source if isinstance(source, DialogueEnvironment) else source()
