"""What each built-in action takes, as pydantic models: their JSON schemas are what an agent is shown."""

from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from agent_gym.actions.json_text import fault_of


class ActionType(StrEnum):
    """The actions that every workspace knows."""

    CREATE_FILE = "create_file"
    READ_FILE = "read_file"
    EDIT_FILE = "edit_file"
    API_CALL = "api_call"
    COMPLETE_TASK = "complete_task"
    ASK_USER = "ask_user"


class Parameters(BaseModel):
    """What the models of the built-in actions share: frozen, nothing converted, nothing unknown accepted."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)


class CreateFile(Parameters):
    """Write a file of the workspace, whole; an older one of that name is replaced."""

    path: str = Field(description="Where, from the workspace's root: names joined by /")
    content: str = Field(description="The whole text")


class ReadFile(Parameters):
    """Read a text file of the workspace."""

    path: str = Field(description="Where, from the workspace's root: names joined by /")


class EditFile(Parameters):
    """Replace one piece of a text file by another."""

    path: str = Field(description="Where, from the workspace's root: names joined by /")
    old: str = Field(description="The text to replace; it must stand in the file exactly once")
    new: str = Field(description="The text that takes its place")


class ApiCall(Parameters):
    """Send an HTTP request to one of the allowed hosts."""

    method: str = Field(description="GET, POST, ...")
    url: str = Field(description="http:// or https://")
    headers: dict[str, str] | None = Field(default=None, repr=False, description="Header names and values")
    body: Any = Field(default=None, repr=False, description="Text sent as it stands, or any other JSON value sent as JSON")

    @field_validator("body")
    @classmethod
    def _is_json(cls, body: Any) -> Any:
        if fault := fault_of(body):
            raise ValueError(fault)
        return body


class CompleteTask(Parameters):
    """Say that the task is done."""

    summary: str = Field(description="What was done")


class AskUser(Parameters):
    """Ask the user for what only they know."""

    question: str = Field(description="The question")
