"""Call a tool, ask for what is missing, or answer: the policy itself.

A search is made as soon as its required arguments are known and something is new. Whether a change is first read back is a
habit: the prompt teaches it or does not.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from agent_gym.lm.offline.habits import Habits
from agent_gym.lm.offline.schema import ToolView
from agent_gym.lm.offline.state import State


class Step(NamedTuple):
    """The next thing to do: `call`, `ask`, `confirm`, or a kind of words."""

    kind: str
    tool: ToolView | None = None
    arguments: Mapping[str, str] = MappingProxyType({})
    missing: tuple[str, ...] = ()


def decide(state: State, habits: Habits) -> Step:
    """What to do after the user's words."""
    tool, acts = state.focus, state.user_acts
    if tool is None:
        return Step("more")
    arguments = state.arguments(tool, habits.send_defaults)
    missing = tuple(name for name in tool.required() if name not in arguments)
    closing = "bye" in acts or ("thanks" in acts and not state.new_intent and not state.fresh)
    if tool.transactional:
        return _transact(state, habits, tool, arguments, missing, closing)
    before = state.memory.calls.get(tool.name)
    if before is not None and not (set(arguments.items()) - set(before.items())):
        return _talk(state, tool, arguments, closing)
    if closing:
        return _talk(state, tool, arguments, closing)
    if missing:
        return Step("ask", tool, arguments, missing)
    if before is None or state.fresh & set(tool.params) or state.new_intent:
        return Step("call", tool, arguments)
    return _talk(state, tool, arguments, closing)


def _transact(
    state: State, habits: Habits, tool: ToolView, arguments: dict[str, str], missing: tuple[str, ...], closing: bool
) -> Step:
    acts = state.user_acts
    if state.memory.calls.get(tool.name) == arguments:
        return _talk(state, tool, arguments, closing)
    agrees = "affirm" in acts or not tool.alone
    if (
        state.act == "confirm"
        and agrees
        and not missing
        and "negate" not in acts
        and not (state.fresh and "affirm" not in acts)
    ):
        return Step("call", tool, arguments)
    if closing or (state.act == "offer_intent" and "negate" in acts and not state.fresh):
        return _talk(state, tool, arguments, closing)
    if missing:
        return Step("ask", tool, arguments, missing)
    if habits.confirm_first:
        return Step("confirm", tool, arguments)
    return Step("call", tool, arguments)


def _talk(state: State, tool: ToolView, arguments: dict[str, str], closing: bool) -> Step:
    acts = state.user_acts
    if "question" in acts and "alternatives" not in acts:
        return Step("inform", tool, arguments)
    if "bye" in acts or (closing and state.act == "more"):
        return Step("goodbye", tool)
    if "alternatives" in acts:
        return Step("offer", tool, arguments)
    if "thanks" in acts or state.act in ("notify", "offer_intent"):
        return Step("more", tool)
    if "affirm" in acts and state.act in ("offer", "inform") and not tool.transactional:
        return Step("suggest", tool, arguments)
    return Step("more", tool)
