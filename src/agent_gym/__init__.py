"""Turn conversations into environments, optimize tool-calling agents in them, distill the result into a small model.

    from agent_gym import OptimizationRunner

    result = OptimizationRunner(data_path="data/sample", strategy="bootstrap", model="offline").run()
    print(f"Improvement: {result.improvement_pct:+.1f}%")

The names below are the public door; each room's own names are public too (`from agent_gym.metrics import ...`). A name is
loaded when it is first asked for, so that importing the package costs next to nothing: `agent-gym --help` answers without
DSPy, and a program that only reads traces never loads it.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent_gym.environment import create_environment
    from agent_gym.optimization import OptimizationResult, OptimizationRunner
    from agent_gym.tools import ToolCatalog, ToolMocker
    from agent_gym.traces import SGDLoader, Trace

__version__ = "0.1.0"

__all__ = [
    "OptimizationResult",
    "OptimizationRunner",
    "SGDLoader",
    "ToolCatalog",
    "ToolMocker",
    "Trace",
    "__version__",
    "create_environment",
]

_ROOMS = {
    "OptimizationResult": "agent_gym.optimization",
    "OptimizationRunner": "agent_gym.optimization",
    "SGDLoader": "agent_gym.traces",
    "ToolCatalog": "agent_gym.tools",
    "ToolMocker": "agent_gym.tools",
    "Trace": "agent_gym.traces",
    "create_environment": "agent_gym.environment",
}

# LiteLLM, which DSPy may load, fetches a price list from the internet when it is imported, unless told beforehand not to.
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")


def __getattr__(name: str) -> object:
    room = _ROOMS.get(name)
    if room is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; its public names are {', '.join(__all__)}")
    value: object = getattr(import_module(room), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
