"""Who talks with the agent."""

from agent_gym.environment.users.agenda import AgendaUser
from agent_gym.environment.users.base import Ended, Speaker, User, Utterance
from agent_gym.environment.users.llm import LLMUser
from agent_gym.environment.users.pattern import patterns
from agent_gym.environment.users.replayed import ReplayedUser
from agent_gym.environment.users.scripted import ScriptedUser

__all__ = ["AgendaUser", "Ended", "LLMUser", "ReplayedUser", "ScriptedUser", "Speaker", "User", "Utterance", "patterns"]
