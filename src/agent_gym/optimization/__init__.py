"""How an agent gets better."""

from agent_gym.optimization.result import OptimizationResult
from agent_gym.optimization.runner import OptimizationRunner

__all__ = ["OptimizationResult", "OptimizationRunner"]
