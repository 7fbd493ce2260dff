"""What tests of the sandbox share: a workspace with little room, the network with one host, and how to ask."""

from collections.abc import Sequence
from typing import Any

from agent_gym.actions import ActionFactory, StructuredAction
from agent_gym.messages import ToolResult
from agent_gym.tools import Limits, ToolBackend, Workspace, had_effect
from agent_gym.tools.web import Web
from agent_gym.tools.web_requests import METHODS
from raw_server import RawServer

CANARY = "a secret outside"
HOST = "api.example.com"
SMALL = Limits(files=5, file_bytes=100, total_bytes=250)
create, read, edit = ActionFactory.create_file, ActionFactory.read_file, ActionFactory.edit_file


def do(workspace: ToolBackend, action: StructuredAction) -> ToolResult:
    return workspace.call(action.type, action.to_tool_call().parsed())


def refused(workspace: Workspace, action: StructuredAction) -> str:
    """Why an action was not done."""
    result = do(workspace, action)
    assert (result.value, result.source, result.note, had_effect(result)) == (None, "refused", "", False)
    assert result.error
    assert CANARY not in result.error
    assert str(workspace.root) not in result.error
    return result.error


def here(host: str, port: int) -> list[str]:
    """Every name is this machine."""
    return ["127.0.0.1"]


def web_to(server: RawServer, methods: Sequence[str] = METHODS, **options: Any) -> Web:
    """The network with one private host at the server's port."""
    return Web(private_hosts=[f"{HOST}:{server.port}"], methods=methods, resolve=here, **options)


def at(server: RawServer, path: str = "/", host: str = HOST) -> str:
    """The URL of a path there."""
    return f"http://{host}:{server.port}{path}"
