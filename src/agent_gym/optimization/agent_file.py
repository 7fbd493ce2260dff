# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
"""An optimized agent on disk: DSPy's own program state, with a name and a version, without secrets and without a pickle.

The state of a model never gets into the file: DSPy leaves only `api_key` out of it, not headers, tokens or credentials in an
address. Model and endpoint are chosen anew whenever the agent is loaded.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import dspy
import msgspec
from dspy.utils.saving import get_dependency_versions

from agent_gym.agents.dspy_agent import DEMO_FIELDS, SGDAgentModule
from agent_gym.errors import FileRefused
from agent_gym.files import write_whole
from agent_gym.optimization.result import read_kind

AGENT_VERSION = 1
KIND = "agent-gym agent"


class _Demo(msgspec.Struct):
    conversation: list[dict[str, str]]
    action: str


class _Signature(msgspec.Struct):
    instructions: str


class _Step(msgspec.Struct):
    signature: _Signature
    demos: list[_Demo]


def save_agent(agent: SGDAgentModule, path: Path) -> None:
    """Write an agent atomically; DSPy's `load` reads the file too."""
    agent = clean(agent)
    # The metadata is what DSPy's own `load` looks for.
    metadata = {"dependency_versions": get_dependency_versions()}
    state: dict[str, Any] = {"kind": KIND, "version": AGENT_VERSION, **agent.dump_state(), "metadata": metadata}
    write_whole(path, msgspec.json.format(msgspec.json.encode(state), indent=1) + b"\n")


def clean(agent: SGDAgentModule) -> SGDAgentModule:
    """A copy that holds no model, no optimizer's notes, and of its worked examples only what stands in the prompt."""
    return made_of(agent.instruction, agent.demos)


def made_of(instruction: str, demos: Iterable[Mapping[str, Any]]) -> SGDAgentModule:
    """The agent of an instruction and worked examples."""
    agent = SGDAgentModule()
    signature: Any = agent.step.signature
    agent.step.signature = signature.with_instructions(instruction)
    agent.step.demos = [dspy.Example(**{name: demo[name] for name in DEMO_FIELDS}) for demo in demos]
    return agent


def load_agent(path: str | Path) -> SGDAgentModule:
    """Read a saved agent.

    Raises:
        FileRefused: when the file is absent, truncated, of a newer version, or not an agent.
    """
    value = read_kind(Path(path), KIND, AGENT_VERSION)
    try:
        # Read by our own hand: DSPy's `load_state` would follow what a file says of a model.
        step = msgspec.convert(value.get("step"), _Step)
    except msgspec.ValidationError as error:
        raise FileRefused(f"{path} is not a whole agent ({error}): optimize again") from error
    return made_of(step.signature.instructions, [msgspec.to_builtins(demo) for demo in step.demos])
