"""The words that pass between user, agent and tools.

Frozen data, no behaviour beyond reading itself. `ToolCall.arguments` stays the raw JSON text exactly as a model emitted it;
`call.parsed()` is the second step and may fail. The types are msgspec structs rather than pydantic models because a data set
is a quarter of a million of them: building one costs 0.1 microseconds instead of 2 (`docs/benchmarks.md`).

    User("Book a table at Sino")
    Assistant("", (ToolCall("Restaurants_2-ReserveRestaurant", '{"restaurant_name": "Sino"}'),))
    Tool("Restaurants_2-ReserveRestaurant", result=[{"restaurant_name": "Sino", "phone_number": "408-247-8880"}])
    Assistant("Done. Their phone number is 408-247-8880.")
"""

from collections.abc import Iterable, Mapping
from typing import Any, cast

import msgspec

from agent_gym.errors import ArgumentsError


class ToolCall(msgspec.Struct, frozen=True, gc=False):
    """A request to run a tool."""

    name: str
    arguments: str = "{}"
    """Raw JSON text, exactly as it was emitted."""
    id: str = ""
    accepted: Mapping[str, tuple[str, ...]] = {}
    """For a recorded call: per argument, every value known to mean the same ("2019-03-08": "next Friday", "the 8th")."""

    def parsed(self) -> dict[str, Any]:
        """The arguments as an object.

        Raises:
            ArgumentsError: when the raw text is not one JSON object, or is nested too deep.
        """
        try:
            value = msgspec.json.decode(self.arguments)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise ArgumentsError(f"{self.name}: arguments are not JSON ({error}): {self.arguments[:200]!r}") from error
        if not isinstance(value, dict):
            raise ArgumentsError(f"{self.name}: arguments are not a JSON object: {self.arguments[:200]!r}")
        if self.arguments.count("[") + self.arguments.count("{") > _DEEPEST and _is_deep(value):
            raise ArgumentsError(f"{self.name}: arguments are nested deeper than {_DEEPEST} levels: {self.arguments[:200]!r}")
        return cast(dict[str, Any], value)


_DEEPEST = 64
"""Levels of nesting that arguments may have: more than any schema asks for, far less than readers of them can stand."""


def _is_deep(value: Any) -> bool:
    level: list[Any] = [value]
    for _ in range(_DEEPEST):
        level = [item for one in level for item in _inside(one)]
        if not level:
            return False
    return any(isinstance(item, dict | list) for item in level)


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return cast(dict[str, Any], value).values()
    return cast(list[Any], value) if isinstance(value, list) else ()


class System(msgspec.Struct, frozen=True, gc=False, tag_field="role", tag="system"):
    """An instruction to the agent."""

    content: str


class User(msgspec.Struct, frozen=True, gc=False, tag_field="role", tag="user"):
    """What the user said."""

    content: str


class Assistant(msgspec.Struct, frozen=True, gc=False, tag_field="role", tag="assistant"):
    """What the agent said, the tools it called, or both."""

    content: str = ""
    tool_calls: tuple[ToolCall, ...] = ()


def writable(action: Assistant) -> Assistant:
    """The action as it can be written to a file: half of a surrogate pair, which no file holds, becomes a question mark."""
    try:
        msgspec.json.encode(action)
    except UnicodeEncodeError:
        calls = tuple(
            ToolCall(_whole(call.name), _whole(call.arguments), _whole(call.id), call.accepted) for call in action.tool_calls
        )
        return Assistant(_whole(action.content), calls)
    return action


def _whole(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


class Tool(msgspec.Struct, frozen=True, gc=False, tag_field="role", tag="tool", omit_defaults=True):
    """What a tool answered: any JSON value, or an error that the agent sees."""

    name: str
    result: Any = None
    error: str | None = None
    call_id: str = ""
    source: str = ""
    """Where the answer came from (a rung of `ToolMocker`), empty when a live tool gave it."""


Message = System | User | Assistant | Tool


class ToolSpec(msgspec.Struct, frozen=True):
    """What an agent may call. `parameters` is a JSON schema of type object."""

    name: str
    description: str = ""
    parameters: dict[str, Any] = msgspec.field(default_factory=dict[str, Any])
    transactional: bool = False
    """It changes the world (a booking), it does not only look something up."""
    results: tuple[str, ...] = ()
    """Names of the fields that a row of its result may hold."""

    def __hash__(self) -> int:
        # `parameters` is a dict: two specs of one name and description are told apart by equality, not by the hash.
        return hash((self.name, self.description))


class ToolResult(msgspec.Struct, frozen=True):
    """What a tool backend answers: a value, or an error that is shown to the agent. It never raises for a model's fault."""

    value: Any = None
    error: str | None = None
    source: str = ""
    """Which part of the backend answered, e.g. a rung of `ToolMocker`."""
    note: str = ""
    """What else is known of the answer ("given 3 of 4 times"); never shown to the agent."""

    def message(self, call: ToolCall) -> Tool:
        """The answer as a message of the conversation."""
        return Tool(call.name, self.value, self.error, call.id, self.source)
