"""The workspace: actions are done, their effects are known, limits hold."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from agent_gym.actions import ActionFactory, ActionRegistry
from agent_gym.errors import UsageError
from agent_gym.messages import ToolCall, ToolResult
from agent_gym.tools import ToolCatalog, Workspace, execute, had_effect
from sandbox import create, do, edit, read, refused


def test_a_file_is_created_read_and_edited(workspace: Workspace) -> None:
    assert do(workspace, create("notes/plan.md", "one two")) == done({"path": "notes/plan.md", "bytes": 7}, "changed")
    assert do(workspace, edit("notes/plan.md", "two", "drei ß")) == done({"path": "notes/plan.md", "bytes": 11}, "changed")
    assert do(workspace, read("notes/plan.md")) == done({"path": "notes/plan.md", "content": "one drei ß"}, "read")
    assert workspace.files() == ("notes/plan.md",)
    assert (workspace.root / "notes/plan.md").read_text() == "one drei ß"


def done(value: Any, note: str) -> ToolResult:
    return ToolResult(value, source="workspace", note=note)


def test_doing_the_same_again_has_no_effect(workspace: Workspace) -> None:
    twice = [create("a", "x"), ActionFactory.complete_task("done"), ActionFactory.ask_user("which?")]
    assert [had_effect(do(workspace, action)) for action in twice] == [True, True, True]
    assert [do(workspace, action).note for action in twice] == ["unchanged"] * 3
    assert do(workspace, edit("a", "x", "x")).note == "unchanged"
    assert do(workspace, create("a", "y")).note == "changed"


def test_the_task_is_completed_once_and_questions_are_kept(workspace: Workspace) -> None:
    assert (workspace.summary, workspace.questions) == (None, ())
    assert do(workspace, ActionFactory.complete_task("built")).value == {"summary": "built"}
    assert do(workspace, ActionFactory.complete_task("built more")) == done({"summary": "built"}, "unchanged")
    assert do(workspace, ActionFactory.ask_user("which?")).value == {"question": "which?"}
    do(workspace, ActionFactory.ask_user("where?"))
    assert (workspace.summary, workspace.questions) == ("built", ("which?", "where?"))


def test_a_workspace_is_a_tool_backend_like_any_other(workspace: Workspace) -> None:
    assert execute(workspace, create("a", "x").to_tool_call("1")).call_id == "1"
    assert execute(workspace, ToolCall("create_file", "{")).error
    assert [*workspace.catalog] == ["create_file", "read_file", "edit_file", "complete_task", "ask_user"]


def test_api_call_is_offered_when_a_host_is_allowed(tmp_path: Path) -> None:
    assert "api_call" in Workspace(tmp_path / "root", hosts=["api.example.com"]).catalog
    assert refused(Workspace(tmp_path / "root"), ActionFactory.api_call("GET", "http://localhost/")).startswith(
        "the network is off"
    )


EDITS: dict[str, tuple[str, str]] = {
    "the old text is nowhere": ("z", "stands nowhere in 'a'"),
    "the old text is there twice": ("b", "stands 2 times in 'a'"),
    "overlaps count": ("xx", "stands 3 times in 'a'"),
    "the old text is empty": ("", "is empty"),
}


@pytest.mark.parametrize(("old", "said"), EDITS.values(), ids=EDITS)
def test_an_edit_needs_one_place(workspace: Workspace, old: str, said: str) -> None:
    do(workspace, create("a", "abbc xxxx"))
    assert said in refused(workspace, edit("a", old, "y"))
    assert do(workspace, read("a")).value["content"] == "abbc xxxx"


def test_many_places_are_not_counted_to_the_end(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "root")
    do(workspace, create("a", "a" * 1_000_000))
    assert "at least 10 times" in refused(workspace, edit("a", "a" * 500_000, "b"))


def test_a_missing_file_is_answered_with_those_that_are_there(workspace: Workspace) -> None:
    assert refused(workspace, read("b")) == "there is no file 'b'; there are: none"
    do(workspace, create("a", ""))
    assert refused(workspace, edit("c/b", "x", "y")) == "there is no file 'c/b'; there are: a"


def test_large_contents_many_files_and_full_workspaces_are_refused(workspace: Workspace) -> None:
    assert "101 bytes are too many" in refused(workspace, create("a", "x" * 101))
    assert "102 bytes" in refused(workspace, create("a", "ß" * 51))
    for name in "ab":
        do(workspace, create(name, "x" * 100))
    assert "250 bytes at most" in refused(workspace, create("c", "x" * 51))
    assert do(workspace, create("a", "y" * 100)).note == "changed"
    assert "101 bytes" in refused(workspace, edit("a", "y" * 100, "y" * 101))
    assert "5 files and folders at most" in refused(workspace, create("c/d/e/f", ""))
    assert do(workspace, create("c/d", "")).note == "changed"
    do(workspace, create("e", ""))
    assert "5 files and folders at most" in refused(workspace, create("f", ""))
    assert workspace.files() == ("a", "b", "c/d", "e")


def test_a_large_file_that_was_there_is_not_read(workspace: Workspace) -> None:
    (workspace.root / "a").write_bytes(b"x" * 101)
    assert refused(workspace, read("a")) == "'a' is too large: 101 bytes, 100 at most"


@pytest.mark.parametrize("data", [b"\xff\xfe", b"\x89PNG\r\n\x1a\n", b"\xed\xa0\x80"])
def test_what_is_no_text_is_not_shown(workspace: Workspace, data: bytes) -> None:
    (workspace.root / "a").write_bytes(data)
    assert refused(workspace, read("a")) == f"'a' is not text ({len(data)} bytes)"
    assert "not text" in refused(workspace, edit("a", "x", "y"))


def test_a_write_that_fails_leaves_the_old_file(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    do(workspace, create("a", "old"))

    def full(*args: Any, **named: Any) -> None:
        raise OSError(28, "No space left on device", str(workspace.root))

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        assert refused(workspace, create("a", "new")) == "create_file: the system refuses (No space left on device)"
    assert [path.name for path in workspace.root.iterdir()] == ["a"]
    assert do(workspace, read("a")).value["content"] == "old"


def test_a_root_that_is_no_folder_is_the_users_fault(canary_file: Path) -> None:
    with pytest.raises(UsageError, match=r"no workspace at .*canary.txt.*choose another folder"):
        Workspace(canary_file)


def test_a_root_behind_a_link_is_the_users_own_choice(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    workspace = Workspace(tmp_path / "link/root")
    do(workspace, create("a", "x"))
    assert (tmp_path / "real/root/a").read_text() == "x"


class Deploy(BaseModel):
    """Put a service on the air."""

    service: str


def own(handler: Callable[[Deploy, Any], Any], root: Path, *, transactional: bool = True) -> ToolResult:
    """The answer of an action of the user's own."""
    registry = ActionRegistry()
    registry.register("deploy", Deploy, handler, transactional=transactional)
    return Workspace(root, actions=registry).call("deploy", {"service": "shop"})


def test_an_action_of_ones_own_is_done_by_its_handler(tmp_path: Path) -> None:
    def deploy(arguments: Deploy, workspace: Workspace) -> Any:
        workspace.call("create_file", {"path": "log", "content": arguments.service})
        return {"deployed": arguments.service, "files": workspace.files()}

    assert own(deploy, tmp_path / "root") == done({"deployed": "shop", "files": ["log"]}, "changed")
    assert own(lambda arguments, workspace: arguments, tmp_path) == done({"service": "shop"}, "changed")
    assert own(lambda arguments, workspace: None, tmp_path, transactional=False) == done(None, "read")


def test_a_handler_may_say_itself_that_nothing_changed(tmp_path: Path) -> None:
    answer = done({"deployed": "before"}, "unchanged")
    assert own(lambda arguments, workspace: answer, tmp_path) == answer


def fails(arguments: Deploy, workspace: Workspace) -> None:
    raise KeyError("no such \ud800 service")


def gives_no_json(arguments: Deploy, workspace: Workspace) -> object:
    return object()


def gives_what_is_too_deep(arguments: Deploy, workspace: Workspace) -> object:
    value: list[Any] = []
    for _ in range(100):
        value = [value]
    return value


@pytest.mark.parametrize("handler", [fails, gives_no_json, gives_what_is_too_deep], ids=lambda handler: handler.__name__)
def test_what_goes_wrong_in_a_handler_is_an_error_that_the_agent_sees(
    handler: Callable[[Deploy, Any], Any], tmp_path: Path
) -> None:
    result = own(handler, tmp_path)
    assert str(result.error).startswith("deploy failed (")
    assert not had_effect(result)
    assert str(result.error).encode()


def test_an_action_registered_later_is_offered_at_once(tmp_path: Path) -> None:
    registry = ActionRegistry()
    workspace = Workspace(tmp_path, actions=registry)
    registry.register("deploy", Deploy, lambda arguments, workspace: None)
    assert isinstance(workspace.catalog, ToolCatalog)
    assert "deploy" in workspace.catalog
