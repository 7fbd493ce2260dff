"""How an agent is tuned: one small class a strategy over DSPy's own optimizer, its fields the options it takes."""

from collections.abc import Mapping
from dataclasses import MISSING, asdict, fields
from importlib.util import find_spec
from typing import Any

from agent_gym.errors import UsageError
from agent_gym.optimization.strategies.base import Candidate, Strategy, Workbench
from agent_gym.optimization.strategies.better_together import BetterTogether
from agent_gym.optimization.strategies.few_shot import Baseline, Bootstrap, BootstrapRandomSearch, Labeled
from agent_gym.optimization.strategies.instructions import Copro, Gepa, InferRules
from agent_gym.optimization.strategies.mipro import Mipro
from agent_gym.optimization.strategies.simba import Simba

__all__ = ["STRATEGIES", "Candidate", "Strategy", "Workbench", "check_packages", "make_strategy", "options_of"]

STRATEGIES: Mapping[str, type[Strategy]] = {
    one.name: one
    for one in (
        Baseline,
        Labeled,
        Bootstrap,
        BootstrapRandomSearch,
        Mipro,
        Gepa,
        Simba,
        Copro,
        InferRules,
        BetterTogether,
    )
}


def make_strategy(name: str, options: Mapping[str, Any]) -> Strategy:
    """A strategy by name, with its options.

    Raises:
        UsageError: for an unknown strategy or option, or a value of the wrong type or out of range.
    """
    found: Any = STRATEGIES.get(name)
    if found is None:
        raise UsageError(f"there is no strategy {name!r}; there are: {', '.join(STRATEGIES)}")
    known = {field.name: field for field in fields(found)}
    for option, value in options.items():
        if option not in known:
            raise UsageError(f"{name} has no option {option!r}; it takes: {', '.join(known)}")
        default = known[option].default
        if default is not MISSING and (isinstance(value, bool) or not isinstance(value, _kinds(default))):
            raise UsageError(f"{name}: {option} is {value!r}, expected {type(default).__name__} such as {default!r}")
        _in_range(name, option, value)
    return found(**options)


def check_packages(strategy: Strategy) -> None:
    """Find out before the first request what would fail after twenty.

    Raises:
        UsageError: naming what to install.
    """
    if missing := [package for package in strategy.packages if find_spec(package) is None]:
        raise UsageError(f"{strategy.name} needs {' and '.join(missing)}: pip install {' '.join(missing)}")


def options_of(strategy: Any) -> dict[str, Any]:
    """The options a strategy runs with, defaults included."""
    return asdict(strategy)


def _kinds(default: object) -> tuple[type, ...]:
    return (int, float) if isinstance(default, float) else (type(default),)


def _in_range(strategy: str, option: str, value: Any) -> None:
    """A share is in (0, 1]; of worked examples there may be none, of everything else one at least."""
    if isinstance(value, str):
        return
    if option == "metric_threshold":
        if not 0 < value <= 1:
            raise UsageError(f"{strategy}: metric_threshold is {value!r}, expected a score above 0 and up to 1")
    elif value < (least := 0 if option.endswith("_demos") else 1):
        raise UsageError(f"{strategy}: {option} is {value!r}, expected {least} or more")
