"""How good an agent is, and how sure that is."""

from agent_gym.evaluation.evaluate import ExampleScore, Report, evaluate, require_played, summarize
from agent_gym.evaluation.statistics import bootstrap_interval

__all__ = ["ExampleScore", "Report", "bootstrap_interval", "evaluate", "require_played", "summarize"]
