"""Which actions there are: the built-in ones and a user's own, each a name, a pydantic model, and a schema made from it.

    class Deploy(BaseModel):
        \"\"\"Put a service on the air.\"\"\"
        service: str

    register_action("deploy", Deploy, lambda arguments, workspace: {"deployed": arguments.service})

Actions are tool calls: `specs()` gives them as tool specs, so the same catalogs, metrics, judges and rollouts serve them.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from agent_gym.actions.json_text import fault_of
from agent_gym.actions.parameters import ActionType, ApiCall, AskUser, CompleteTask, CreateFile, EditFile, ReadFile
from agent_gym.errors import ArgumentsError, UsageError
from agent_gym.messages import ToolSpec

M = TypeVar("M", bound=BaseModel)
Handler = Callable[[Any, Any], Any]
"""Does an action: the validated parameters and the workspace in, any JSON value out; what it raises the agent sees."""
_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_-]{0,63}")


@dataclass(frozen=True)
class ActionKind:
    """One action that can be done."""

    name: str
    parameters: type[BaseModel]
    handler: Handler | None
    """None for the built-in actions, which the workspace does itself."""
    spec: ToolSpec

    def validated(self, arguments: Mapping[str, Any]) -> BaseModel:
        """The arguments as this action's model.

        Raises:
            ArgumentsError: when one is missing, unknown or of the wrong kind; names each, shows no value.
        """
        # A dict as it is: it may remember a key that stood twice.
        plain = arguments if isinstance(arguments, dict) else dict(arguments)
        if fault := fault_of(plain):
            raise ArgumentsError(f"{self.name}: {fault}")
        try:
            return self.parameters.model_validate(plain)
        except ValidationError as error:
            faults = error.errors(include_url=False, include_input=False, include_context=False)
            listed = "; ".join(f"{'.'.join(map(str, fault['loc'])) or 'parameters'}: {fault['msg']}" for fault in faults[:10])
            raise ArgumentsError(f"{self.name}: {listed}") from None
        except Exception as error:
            # A validator of a user's own model may raise anything; an agent's words must not crash the run.
            raise ArgumentsError(f"{self.name}: the check of its parameters failed ({type(error).__name__})") from error


def _kind(name: str, parameters: type[BaseModel], handler: Handler | None, *, transactional: bool) -> ActionKind:
    schema = parameters.model_json_schema()
    description = " ".join(str(schema.pop("description", "")).split())
    properties: dict[str, Any] = schema.get("properties", {})
    for shape in (schema, *properties.values()):
        # Pydantic's titles only repeat the names.
        shape.pop("title", None)
    return ActionKind(name, parameters, handler, ToolSpec(name, description, schema, transactional))


BUILT_IN = (
    _kind(ActionType.CREATE_FILE, CreateFile, None, transactional=True),
    _kind(ActionType.READ_FILE, ReadFile, None, transactional=False),
    _kind(ActionType.EDIT_FILE, EditFile, None, transactional=True),
    _kind(ActionType.API_CALL, ApiCall, None, transactional=True),
    _kind(ActionType.COMPLETE_TASK, CompleteTask, None, transactional=True),
    _kind(ActionType.ASK_USER, AskUser, None, transactional=False),
)


class ActionRegistry(Mapping[str, ActionKind]):
    """Actions by name: the built-in ones first, then a user's own in the order of registration."""

    def __init__(self) -> None:
        self._kinds: dict[str, ActionKind] = {kind.name: kind for kind in BUILT_IN}

    def __getitem__(self, name: str) -> ActionKind:
        return self._kinds[name]

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._kinds))

    def __len__(self) -> int:
        return len(self._kinds)

    def register(
        self, name: str, parameters: type[M], handler: Callable[[M, Any], Any], *, transactional: bool = True
    ) -> ActionKind:
        """Add an action. Its model's docstring is its description, its model's fields are what an agent must give.

        Args:
            name: up to 64 letters, digits, `_` and `-`, the first a letter.
            parameters: a pydantic model.
            handler: does it; given the validated model and the workspace, it returns any JSON value. What it raises is an error
                that the agent sees.
            transactional: it changes the world, it does not only look something up.

        Raises:
            UsageError: when the name cannot be a tool's name, is taken by another action, or the model has no JSON schema.
        """
        if not _NAME.fullmatch(name):
            raise UsageError(f"{name!r} cannot name an action: use up to 64 letters, digits, _ and -, the first a letter")
        try:
            kind = _kind(name, parameters, handler, transactional=transactional)
        except Exception as error:
            raise UsageError(f"action {name!r}: {parameters!r} gives no JSON schema ({error})") from error
        if self._kinds.setdefault(name, kind) is not kind:
            raise UsageError(f"there already is an action {name!r}: choose another name, or an ActionRegistry of your own")
        return kind

    def specs(self) -> tuple[ToolSpec, ...]:
        """The actions as tool specs, for a catalog."""
        return tuple(kind.spec for kind in tuple(self._kinds.values()))

    def kind(self, name: str) -> ActionKind:
        """The action of a name.

        Raises:
            ArgumentsError: when there is none; names those that there are.
        """
        if (found := self._kinds.get(name)) is None:
            raise ArgumentsError(f"there is no action {name[:64]!a}; there are: {', '.join(self._kinds)}")
        return found


ACTIONS = ActionRegistry()
"""What `register_action` adds to, and what is used where no registry is named."""


def register_action(name: str, parameters: type[M], handler: Callable[[M, Any], Any], *, transactional: bool = True) -> None:
    """Add an action to the default registry; see `ActionRegistry.register`."""
    ACTIONS.register(name, parameters, handler, transactional=transactional)


def specs(registry: ActionRegistry = ACTIONS) -> tuple[ToolSpec, ...]:
    """The actions as tool specs."""
    return registry.specs()
