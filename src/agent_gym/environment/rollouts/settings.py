"""What decided an episode, in a few words that stand on its trace: no run is gone on with in the file of another."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from hashlib import blake2b
from typing import Any, cast

import msgspec

from agent_gym.agents import PromptAgent
from agent_gym.agents.base import Agent
from agent_gym.environment.dialogue import DialogueEnvironment
from agent_gym.environment.users import LLMUser, User
from agent_gym.errors import UsageError
from agent_gym.metrics import LLMJudge


def settings_of(agent: str, environment: DialogueEnvironment, seed: int, own: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a run, as they look when they are read back.

    Args:
        agent: what `described_agent` says of it.
        own: what the caller knows better, under the same names, or knows besides; JSON values.

    Raises:
        UsageError: when they are no JSON values.
    """
    settings = {
        "agent": agent,
        "user": described_user(environment.user),
        "reward": described(environment.reward),
        "max_turns": environment.max_turns,
        "max_steps": environment.max_steps,
        "seed": seed,
        **own,
    }
    return json_settings(settings)


def json_settings(given: Mapping[str, Any]) -> dict[str, Any]:
    """Settings and this package's version, as they look when they are read back.

    Raises:
        UsageError: when they are no JSON values.
    """
    from agent_gym import __version__

    settings = {"agent-gym": __version__, **given}
    try:
        return msgspec.json.decode(msgspec.json.encode(settings), type=dict[str, Any])
    except TypeError as error:
        raise UsageError(f"settings are put on every trace and must be JSON values ({error}): {dict(given)!r}") from error


def described_user(user: User) -> str:
    """Which user this is: its name, and the model that plays it, if one does."""
    return f"{user.name} {user.model.name}" if isinstance(user, LLMUser) else user.name


def described_agent(agent: Agent) -> str:
    """Which agent this is: a prompt's model, a digest of its texts, its temperature; of any other no more than its class."""
    if not isinstance(agent, PromptAgent):
        return type(agent).__name__
    texts = "\0".join((agent.instruction, agent.examples, agent.sample))
    digest = blake2b(texts.encode(), digest_size=6).hexdigest()
    return f"{agent.model.name} {digest} at temperature {agent.temperature:g}"


def described(value: object) -> str:
    """A value as text that is the same in every process: the fields of dataclasses, a judge's model and rubric, of other
    objects their class."""
    if isinstance(value, str | int | float | None):
        return repr(value)
    if isinstance(value, tuple):
        return f"({', '.join(map(described, cast(tuple[object, ...], value)))})"
    if isinstance(value, LLMJudge):
        return f"LLMJudge({value.handle.name!r}, {value.rubric.mark(value.scale)})"
    if is_dataclass(value):
        inside = ", ".join(f"{field.name}={described(getattr(value, field.name))}" for field in fields(value))
        return f"{type(value).__name__}({inside})"
    return type(value).__name__
