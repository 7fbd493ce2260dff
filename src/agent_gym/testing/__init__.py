"""For tests, ours and those of whoever builds on this package.

Models and agents that do as they are told, and checks that every agent and every environment must pass.
"""

from agent_gym.testing.checks import check_agent, check_environment
from agent_gym.testing.gold import GoldAgent, PositionalAgent
from agent_gym.testing.scripted import Acting, Action, Answer, RecordedAgent, ScriptedAgent, ScriptedLM

__all__ = [
    "Acting",
    "Action",
    "Answer",
    "GoldAgent",
    "PositionalAgent",
    "RecordedAgent",
    "ScriptedAgent",
    "ScriptedLM",
    "check_agent",
    "check_environment",
]
