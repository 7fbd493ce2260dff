"""NAME=VALUE on the command line."""

from collections.abc import Sequence
from typing import Any

from agent_gym.errors import UsageError


def read_options(given: Sequence[str]) -> dict[str, Any]:
    """NAME=VALUE pairs; a value that reads as a number is one."""
    return {name: _value(value) for name, value in map(_pair, given)}


def read_weights(text: str | None) -> dict[str, float] | None:
    """`similarity=0.3,tool_accuracy=0.7` as numbers; None for None.

    Raises:
        UsageError: when it is something else.
    """
    if text is None:
        return None
    weights = dict(map(_pair, text.split(",")))
    try:
        return {name: float(value) for name, value in weights.items()}
    except ValueError:
        raise UsageError(f"--weights {text!r}: a weight is a number, e.g. similarity=0.3,tool_accuracy=0.7") from None


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise UsageError(f"{text!r} is not of the form NAME=VALUE")
    return name.strip(), value.strip()


def _value(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def read_budget(text: str | None) -> dict[str, Any]:
    """`300` as requests, `0.50usd` as US dollars, that a strategy may spend to optimize; nothing for None.

    Raises:
        UsageError: when it is something else.
    """
    if text is None:
        return {}
    amount, usd, rest = text.lower().partition("usd")
    try:
        if rest:
            raise ValueError(rest)
        return {"optimize_cost": float(amount)} if usd else {"optimize_requests": int(amount)}
    except ValueError:
        raise UsageError(f"--equal-budget {text!r} is neither a number of requests, as 300, nor a price, as 0.50usd") from None
