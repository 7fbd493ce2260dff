"""One action: a type and parameters that a model of that type has validated.

    {"action_type": "create_file", "parameters": {"path": "a.json", "content": "{}"}}

is its JSON; `to_tool_call()` is the same thing as every metric, judge and rollout knows it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self, cast

import msgspec
from pydantic import BaseModel

from agent_gym.actions.json_text import decoded, fault_of
from agent_gym.actions.parameters import ActionType
from agent_gym.actions.registry import ACTIONS, ActionRegistry
from agent_gym.errors import ArgumentsError
from agent_gym.messages import ToolCall

TYPE = "action_type"
NAMES = ("name", "tool", "action", "type")
"""Keys under which plain tool calls name their tool."""
GIVEN = ("parameters", "arguments", "args")
"""Keys under which they hold its arguments: an object, or the JSON text of one."""


@dataclass(frozen=True, eq=False)
class StructuredAction:
    """An action an agent may take. Two are equal when they ask for the same: same type, same parameters, defaults filled in."""

    type: str
    """An `ActionType`, or the name of a registered action."""
    parameters: BaseModel
    arguments: str = field(init=False, repr=False)
    """The parameters as JSON text, defaults left out."""

    def __post_init__(self) -> None:
        try:
            given: Any = self.parameters.model_dump(mode="json", by_alias=True, exclude_defaults=True)
            text = msgspec.json.encode(given).decode()
        except Exception as error:
            # A user's own model may serialize itself, and fail.
            raise ArgumentsError(f"{self.type}: its parameters cannot be written as JSON ({type(error).__name__})") from error
        object.__setattr__(self, "arguments", text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StructuredAction) and self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash(self._identity())

    def _identity(self) -> tuple[str, bytes]:
        return str(self.type), msgspec.json.encode(msgspec.json.decode(self.arguments), order="deterministic")

    def to_json(self) -> str:
        """The action as one JSON object, as an agent writes it."""
        return f'{{"{TYPE}": {msgspec.json.encode(str(self.type)).decode()}, "parameters": {self.arguments}}}'

    @classmethod
    def from_json(cls, text: str, registry: ActionRegistry = ACTIONS) -> Self:
        """Read an action from its JSON, or from that of a plain tool call: `{"name": …, "arguments": {…}}`.

        Raises:
            ArgumentsError: when the text is not one JSON object, or no action the registry knows, or its parameters are wrong.
        """
        value = decoded(text)
        if not isinstance(value, dict) or (named := named_in(cast(dict[str, Any], value))) is None:
            raise ArgumentsError(f'not an action, which is {{"{TYPE}": …, "parameters": {{…}}}}: {text[:200]!a}')
        if fault := fault_of(value):
            raise ArgumentsError(f"{fault}: {text[:200]!a}")
        return cls.of(*named, registry)

    @classmethod
    def from_tool_call(cls, call: ToolCall, registry: ActionRegistry = ACTIONS) -> Self:
        """The action that a tool call asks for.

        Raises:
            ArgumentsError: as `from_json`.
        """
        return cls.of(call.name, call.arguments, registry)

    @classmethod
    def of(cls, name: str, given: Any, registry: ActionRegistry = ACTIONS) -> Self:
        """The action of a name with the parameters given: an object, or the JSON text of one.

        Raises:
            ArgumentsError: when there is no such action, or its parameters are wrong.
        """
        kind = registry.kind(name)
        arguments: Any = decoded(given) if isinstance(given, str) else given
        if not isinstance(arguments, Mapping):
            raise ArgumentsError(f"{name}: its parameters are {'missing' if arguments is None else 'no JSON object'}")
        return cls(kind.name, kind.validated(cast(Mapping[str, Any], arguments)))

    def to_tool_call(self, id: str = "") -> ToolCall:  # noqa: A002  # the field's own name
        """The action as a tool call."""
        return ToolCall(str(self.type), self.arguments, id)


def named_in(value: Mapping[str, Any]) -> tuple[str, Any] | None:
    """Name and parameters, if an object has the shape of an action or a tool call; parameters that are missing are None."""
    given: Any = next((value[key] for key in GIVEN if key in value), None)
    if isinstance(name := value.get(TYPE), str):
        return name, given
    name = next((value[key] for key in NAMES if isinstance(value.get(key), str)), None)
    return (str(name), cast(Any, given)) if name is not None and isinstance(given, dict | str) else None


class ActionFactory:
    """Makes the built-in actions.

    Raises:
        ArgumentsError: when a parameter is not what its action takes.
    """

    @staticmethod
    def create_file(path: str, content: str) -> StructuredAction:
        """Write a file, whole."""
        return StructuredAction.of(ActionType.CREATE_FILE, {"path": path, "content": content})

    @staticmethod
    def read_file(path: str) -> StructuredAction:
        """Read a file."""
        return StructuredAction.of(ActionType.READ_FILE, {"path": path})

    @staticmethod
    def edit_file(path: str, old: str, new: str) -> StructuredAction:
        """Replace the one place where a file says `old`."""
        return StructuredAction.of(ActionType.EDIT_FILE, {"path": path, "old": old, "new": new})

    @staticmethod
    def api_call(method: str, url: str, headers: Mapping[str, str] | None = None, body: Any = None) -> StructuredAction:
        """Send an HTTP request; a body that is not text is sent as JSON."""
        given = {"headers": None if headers is None else dict(headers), "body": body}
        return StructuredAction.of(ActionType.API_CALL, {"method": method, "url": url, **given})

    @staticmethod
    def complete_task(summary: str) -> StructuredAction:
        """Say that the task is done."""
        return StructuredAction.of(ActionType.COMPLETE_TASK, {"summary": summary})

    @staticmethod
    def ask_user(question: str) -> StructuredAction:
        """Ask the user."""
        return StructuredAction.of(ActionType.ASK_USER, {"question": question})
