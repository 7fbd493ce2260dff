"""SGD's schemas read as tools: one intent of one service is one tool.

Intent names repeat across services, so a tool is called `SERVICE-INTENT` (`Restaurants_1-FindRestaurants`). Required slots are
required; optional slots carry their default; the values of a categorical slot are an enum, those of any other slot only
examples, which are left out of the prompt.
"""

import re
from pathlib import Path
from typing import Any

import msgspec

from agent_gym.errors import DataError
from agent_gym.messages import ToolSpec

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


class _Slot(msgspec.Struct, frozen=True):
    name: str
    description: str = ""
    is_categorical: bool = False
    possible_values: list[str] = []


class _Intent(msgspec.Struct, frozen=True):
    name: str
    description: str = ""
    is_transactional: bool = False
    required_slots: list[str] = []
    optional_slots: dict[str, str] = {}
    result_slots: list[str] = []


class SGDService(msgspec.Struct, frozen=True):
    """One entry of a `schema.json`."""

    service_name: str
    slots: list[_Slot]
    intents: list[_Intent]
    description: str = ""

    def tools(self) -> tuple[ToolSpec, ...]:
        """A tool for each intent, in the schema's order."""
        slots = {slot.name: slot for slot in self.slots}
        return tuple(self._tool(intent, slots) for intent in self.intents)

    def _tool(self, intent: _Intent, slots: dict[str, _Slot]) -> ToolSpec:
        name = tool_name(self.service_name, intent.name)
        if not _NAME.fullmatch(name):
            raise DataError(f"tool name {name!r} is not within {_NAME.pattern}: rename the service or the intent")
        arguments = [*intent.required_slots, *intent.optional_slots]
        if unknown := [slot for slot in arguments if slot not in slots]:
            raise DataError(f"{name}: slot {unknown[0]!r} is used by the intent but not described by the service")
        return ToolSpec(
            name=name,
            description=f"{intent.description} ({self.description})",
            parameters={
                "type": "object",
                "properties": {slot: _property(slots[slot], intent.optional_slots.get(slot)) for slot in arguments},
                "required": list(intent.required_slots),
                "additionalProperties": False,
            },
            transactional=intent.is_transactional,
            results=tuple(intent.result_slots),
        )


def tool_name(service: str, intent: str) -> str:
    """The tool that an intent of a service is."""
    return f"{service}-{intent}"


def _property(slot: _Slot, default: str | None) -> dict[str, Any]:
    shape: dict[str, Any] = {"type": "string", "description": slot.description}
    if slot.is_categorical:
        # A default such as "dontcare" is a legal value too.
        extra = [default] if default is not None and default not in slot.possible_values else []
        shape["enum"] = [*slot.possible_values, *extra]
    if default is not None:
        shape["default"] = default
    return shape


def read_tools(path: Path) -> dict[str, tuple[ToolSpec, ...]]:
    """Service name to its tools, of one `schema.json`.

    Raises:
        DataError: when the file is absent, not in SGD's format or contradicts itself.
    """
    try:
        services = msgspec.json.decode(path.read_bytes(), type=list[SGDService])
    except FileNotFoundError as error:
        raise DataError(f"{path} is missing: every split of SGD has a schema.json") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, OSError) as error:
        raise DataError(f"{path} is not an SGD schema: {error}") from error
    tools: dict[str, tuple[ToolSpec, ...]] = {}
    for service in services:
        if service.service_name in tools:
            raise DataError(f"{path}: two services are called {service.service_name!r}: rename one of them")
        try:
            tools[service.service_name] = service.tools()
        except DataError as error:
            raise DataError(f"{path}: {error}") from error
    return tools
