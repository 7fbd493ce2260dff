"""The tools of a prompt by service: what their arguments share, worked out once for a tool set."""

from collections.abc import Sequence
from functools import lru_cache

from agent_gym.lm.offline.focus import VERBS
from agent_gym.lm.offline.schema import Param, ToolView


class Service:
    """The tools of one service."""

    def __init__(self, name: str, tools: Sequence[ToolView]) -> None:
        self.name, self.tools = name, tuple(tools)
        self.params: dict[str, Param] = {param.name: param for tool in tools for param in tool.params.values()}
        self.nouns = frozenset[str]().union(*(tool.about | tool.intent for tool in tools)) - VERBS
        """Stems of what it is about."""
        self.sides = frozenset(param.side for param in self.params.values() if param.kind == "place")
        """Which ends of a journey its places tell apart."""
        self.deeds = tuple(tool for tool in tools if tool.transactional)

    def ordered(self, focus: ToolView) -> dict[str, Param]:
        """All arguments; where two tools describe one, `focus` is right."""
        return {**self.params, **focus.params}


@lru_cache(maxsize=2048)
def group(tools: tuple[ToolView, ...]) -> dict[str, Service]:
    """Tools by service, in the order of the prompt."""
    found: dict[str, list[ToolView]] = {}
    for tool in tools:
        found.setdefault(tool.service, []).append(tool)
    return {name: Service(name, own) for name, own in found.items()}
