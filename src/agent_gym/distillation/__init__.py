"""Where what an agent does becomes material to train a small model on: rollouts with the exact state before every decision, and
of these, pairs of a better and a worse decision in the same state."""

from agent_gym.distillation.decisions import Decision, decisions
from agent_gym.distillation.preference_file import write_preferences
from agent_gym.distillation.preference_report import PreferenceReport
from agent_gym.distillation.preferences import NoPair, Pair, pairs_of
from agent_gym.distillation.turns import collect_turns, collect_turns_async

__all__ = [
    "Decision",
    "NoPair",
    "Pair",
    "PreferenceReport",
    "collect_turns",
    "collect_turns_async",
    "decisions",
    "pairs_of",
    "write_preferences",
]
