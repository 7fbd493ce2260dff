"""How good an answer was."""

from agent_gym.metrics.base import Metric, Score
from agent_gym.metrics.combined import CombinedMetric
from agent_gym.metrics.similarity import ResponseSimilarity
from agent_gym.metrics.tool_accuracy import CallCounts, ToolAccuracy, count_calls

__all__ = ["CallCounts", "CombinedMetric", "Metric", "ResponseSimilarity", "Score", "ToolAccuracy", "count_calls"]
