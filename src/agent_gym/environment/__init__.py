"""Where an agent is played."""

from importlib import import_module
from typing import TYPE_CHECKING

from agent_gym.environment.asking.create import create_environment
from agent_gym.environment.dialogue import DialogueEnvironment
from agent_gym.environment.episode import Episode, play_episode
from agent_gym.environment.recorded import RecordedEnvironment
from agent_gym.environment.replay import ReplayEnvironment, play
from agent_gym.environment.rollout import drive_sync, rollout
from agent_gym.environment.rollouts.cluster import RayCluster
from agent_gym.environment.rollouts.many import rollout_many, rollout_many_async
from agent_gym.environment.rollouts.summary import RolloutSummary
from agent_gym.environment.sgd import SGDEnvironment

if TYPE_CHECKING:
    from agent_gym.environment.trajectories.multi_turn import MultiTurnEnvironment

__all__ = [
    "DialogueEnvironment",
    "Episode",
    "MultiTurnEnvironment",
    "RayCluster",
    "RecordedEnvironment",
    "ReplayEnvironment",
    "RolloutSummary",
    "SGDEnvironment",
    "create_environment",
    "drive_sync",
    "play",
    "play_episode",
    "rollout",
    "rollout_many",
    "rollout_many_async",
]


def __getattr__(name: str) -> object:
    # Structured actions bring pydantic, which whoever plays dialogues does not wait for.
    if name != "MultiTurnEnvironment":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module("agent_gym.environment.trajectories.multi_turn"), name)
    globals()[name] = value
    return value
