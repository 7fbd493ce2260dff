# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
"""An optimized agent on disk: DSPy's own program state, with a name and a version, without secrets and without a pickle.

The state of a model never gets into the file: DSPy leaves only `api_key` out of it, not headers, tokens or credentials in an
address. Model and endpoint are chosen anew whenever the agent is loaded.
"""

from pathlib import Path
from typing import Any

import msgspec
from dspy.utils.saving import get_dependency_versions

from agent_gym.agents.dspy_agent import DEMO_FIELDS, SGDAgentModule
from agent_gym.errors import FileRefused
from agent_gym.files import write_whole
from agent_gym.optimization.result import read_kind

AGENT_VERSION = 1
KIND = "agent-gym agent"


def save_agent(agent: SGDAgentModule, path: Path) -> None:
    """Write an agent atomically; DSPy's `load` reads the file too."""
    agent = clean(agent)
    # The metadata is what DSPy's own `load` looks for.
    metadata = {"dependency_versions": get_dependency_versions()}
    state: dict[str, Any] = {"kind": KIND, "version": AGENT_VERSION, **agent.dump_state(), "metadata": metadata}
    write_whole(path, msgspec.json.format(msgspec.json.encode(state), indent=1) + b"\n")


def clean(agent: SGDAgentModule) -> SGDAgentModule:
    """A copy that holds no model, no optimizer's notes, and of its worked examples only what stands in the prompt."""
    import dspy

    copy = SGDAgentModule()
    signature: Any = copy.step.signature
    copy.step.signature = signature.with_instructions(agent.instruction)
    copy.step.demos = [dspy.Example(**{name: demo[name] for name in DEMO_FIELDS}) for demo in agent.demos]
    return copy


def load_agent(path: str | Path) -> SGDAgentModule:
    """Read a saved agent.

    Raises:
        FileRefused: when the file is absent, truncated, of a newer version, or not an agent.
    """
    value = read_kind(Path(path), KIND, AGENT_VERSION)
    agent = SGDAgentModule()
    try:
        agent.load_state({name: value[name] for name, _ in agent.named_parameters()})
        return clean(agent)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FileRefused(f"{path} is not a whole agent ({type(error).__name__}: {error}): optimize again") from error
