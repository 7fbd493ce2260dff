"""Which actions there are, and a user's own among them."""

from typing import Any

import pytest
from pydantic import BaseModel, Field, field_validator

import agent_gym.actions
from agent_gym.actions import ACTIONS, ActionRegistry, ActionType, BrokenAction, StructuredAction, find_actions, specs
from agent_gym.errors import ArgumentsError, UsageError
from agent_gym.messages import ToolCall, ToolSpec
from agent_gym.tools import ToolCatalog


class Deploy(BaseModel):
    """Put a service
    on the air."""

    service: str = Field(description="Which")
    copies: int = 1

    @field_validator("copies")
    @classmethod
    def _few(cls, copies: int) -> int:
        if copies > 9:
            raise LookupError("not so many")
        return copies


def nothing(arguments: Deploy, workspace: Any) -> None:
    pass


DEPLOY = ToolSpec(
    "deploy",
    "Put a service on the air.",
    {
        "properties": {"service": {"description": "Which", "type": "string"}, "copies": {"default": 1, "type": "integer"}},
        "required": ["service"],
        "type": "object",
    },
    transactional=True,
)


def test_the_built_in_actions_are_tools_with_schemas() -> None:
    catalog = ToolCatalog(specs())
    assert [*catalog][:6] == [*ActionType]
    assert catalog["read_file"] == ToolSpec(
        "read_file",
        "Read a text file of the workspace.",
        {
            "additionalProperties": False,
            "properties": {"path": {"description": "Where, from the workspace's root: names joined by /", "type": "string"}},
            "required": ["path"],
            "type": "object",
        },
    )
    assert catalog.check(ToolCall("read_file", "{}")) == ["read_file: argument 'path' is missing"]


def test_a_registered_action_is_a_tool_and_is_found_in_texts() -> None:
    registry = ActionRegistry()
    registry.register("deploy", Deploy, nothing)
    assert registry.specs()[-1] == DEPLOY
    text = 'Now {"action_type": "deploy", "parameters": {"service": "shop", "copies": 1}}'
    (found,) = find_actions(text, registry)
    assert found == StructuredAction("deploy", Deploy(service="shop"))
    (unknown,) = find_actions(text)
    assert isinstance(unknown, BrokenAction)


def test_register_action_adds_to_the_default_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ACTIONS, "_kinds", {**{name: ACTIONS[name] for name in ACTIONS}})
    agent_gym.actions.register_action("deploy", Deploy, nothing, transactional=False)
    assert specs()[-1].name == "deploy"
    assert not specs()[-1].transactional
    assert StructuredAction.from_tool_call(ToolCall("deploy", '{"service": "shop"}')).parameters == Deploy(service="shop")


def test_registries_do_not_share_what_is_added() -> None:
    registry = ActionRegistry()
    registry.register("deploy", Deploy, nothing)
    assert len(registry) == len(ActionRegistry()) + 1


@pytest.mark.parametrize("name", ["", "1st", "a b", "a.b", "ä", "x" * 65, "a\n"])
def test_a_name_no_tool_could_have_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="cannot name an action"):
        ActionRegistry().register(name, Deploy, nothing)


@pytest.mark.parametrize("name", ["read_file", "deploy"])
def test_a_name_that_is_taken_is_refused(name: str) -> None:
    registry = ActionRegistry()
    registry.register("deploy", Deploy, nothing)
    with pytest.raises(UsageError, match=f"there already is an action '{name}'"):
        registry.register(name, Deploy, nothing)
    assert registry["read_file"].handler is None


def test_a_model_without_a_schema_is_refused() -> None:
    class Odd(BaseModel, arbitrary_types_allowed=True):
        thing: ActionRegistry

    with pytest.raises(UsageError, match=r"action 'odd'.*gives no JSON schema"):
        ActionRegistry().register("odd", Odd, lambda arguments, workspace: None)


def test_a_check_that_crashes_is_the_agents_arguments_error() -> None:
    registry = ActionRegistry()
    registry.register("deploy", Deploy, nothing)
    with pytest.raises(ArgumentsError, match=r"deploy: the check of its parameters failed \(LookupError\)"):
        registry["deploy"].validated({"service": "shop", "copies": 10})
