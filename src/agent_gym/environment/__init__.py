"""Where an agent is played."""

from agent_gym.environment.replay import ReplayEnvironment, play
from agent_gym.environment.rollout import drive_sync, rollout

__all__ = ["ReplayEnvironment", "drive_sync", "play", "rollout"]
