"""How good an answer was."""

from agent_gym.metrics.base import AsyncMetric, Metric, Score, score_async
from agent_gym.metrics.combined import CombinedMetric
from agent_gym.metrics.judge import LLMJudge, OpenAILLMJudge
from agent_gym.metrics.rubric import Rubric
from agent_gym.metrics.similarity import ResponseSimilarity
from agent_gym.metrics.text_similarity import Bleu, ChrF, RougeL
from agent_gym.metrics.tool_accuracy import CallCounts, ToolAccuracy, count_calls

__all__ = [
    "AsyncMetric",
    "Bleu",
    "CallCounts",
    "ChrF",
    "CombinedMetric",
    "LLMJudge",
    "Metric",
    "OpenAILLMJudge",
    "ResponseSimilarity",
    "RougeL",
    "Rubric",
    "Score",
    "ToolAccuracy",
    "count_calls",
    "score_async",
]
