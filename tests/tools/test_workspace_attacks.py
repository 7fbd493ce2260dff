"""Nothing an agent writes gets out of its workspace or raises."""

import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from action_strategies import actions, paths
from agent_gym.actions import StructuredAction
from agent_gym.tools import Workspace
from sandbox import SMALL, create, do, edit, read, refused
from strategies import json_objects, texts


def write_one(path: str) -> StructuredAction:
    return create(path, "x")


def change_one(path: str) -> StructuredAction:
    return edit(path, "secret", "x")


# What leads out, or is no portable name.
PATHS = {
    "empty": "",
    "a dot": ".",
    "two dots": "..",
    "the file beside": "../outside/canary.txt",
    "down and up": "a/../../outside/canary.txt",
    "up at the end": "a/..",
    "many up": "../" * 20 + "etc/passwd",
    "a dot on the way": "a/./b",
    "absolute": "/etc/passwd",
    "absolute twice": "//etc/passwd",
    "a slash": "/",
    "a slash at the end": "a/",
    "an empty name": "a//b",
    "home": "~",
    "somebody's home": "~root/.ssh/authorized_keys",
    "a tilde on the way": "a/~/b",
    "a drive": "C:\\Windows\\win.ini",
    "a drive with slashes": "C:/Windows/win.ini",
    "a drive's folder": "C:x",
    "a share": "\\\\server\\share\\x",
    "a share with slashes": "//server/share/x",
    "a device path": "\\\\.\\PhysicalDrive0",
    "a long path": "\\\\?\\C:\\x",
    "backslashes up": "..\\outside\\canary.txt",
    "one backslash": "a\\b",
    "a stream": "a.txt::$DATA",
    "a url": "file:///etc/passwd",
    "con": "CON",
    "nul": "a/nul",
    "com1 with an ending": "com1.txt",
    "aux in a folder": "aux.d/x",
    "lpt9": "LpT9",
    "com with a raised digit": "com¹",
    "prn with a blank": "prn .txt",
    "conin": "CONIN$",
    "a byte of zero": "a\0b",
    "a byte of zero at the end": "../outside/canary.txt\0.md",
    "a line end": "a\nb",
    "a bell": "a\x07",
    "delete": "a\x7f",
    "a turned direction": "a\u202etxt.exe",
    "a joiner of no width": "a\u200b",
    "a byte order mark": "\ufeffa",
    "a separator of lines": "a\u2028b",
    "a dot at the end": "a.",
    "blanks at the end": "a  ",
    "a blank first": " /etc/passwd",
    "a folder with a dot at the end": "a./b",
    "three dots": "...",
    "wide dots and slash": "．．／outside／canary.txt",
    "a leader for dots": "\u2025/outside/canary.txt",
    "a sign that holds a slash": "\u2100",
    "a wide colon": "C：x",
    "a wide backslash": "..＼outside",
    "git's folder": ".git/hooks/pre-commit",
    "git's folder loudly": ".GIT/config",
    "git's short name": "git~1/config",
    "a long name": "a" * 256,
    "a long name of few letters": "ß" * 128,
    "a long path of names": "/".join(["abcdefgh"] * 200),
    "too deep": "a/" * 16 + "b",
    "a megabyte": "a/" * 500_000,
}


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
@pytest.mark.parametrize("action", [write_one, read, change_one])
def test_no_path_leads_out(workspace: Workspace, path: str, action: Callable[[str], StructuredAction]) -> None:
    assert "path" in refused(workspace, action(path))
    assert workspace.files() == ()


@pytest.mark.parametrize("path", ["a", ".env", "a b/c d.txt", "ß/文.md", "a...b", "console.log", "com10", "nul_", "x" * 255])
def test_ordinary_names_are_allowed(workspace: Workspace, path: str) -> None:
    assert do(workspace, create(path, "x")).note == "changed"
    assert workspace.files() == (path,)


@pytest.mark.parametrize("path", ["\ud800", "a/\udfff"])
def test_half_a_surrogate_pair_is_no_name(workspace: Workspace, path: str) -> None:
    assert "surrogate" in str(workspace.call("create_file", {"path": path, "content": ""}).error)
    assert "surrogate" in str(workspace.call("create_file", {"path": "a", "content": path}).error)


def link_to_the_file(root: Path, canary_file: Path) -> str:
    (root / "a").symlink_to(canary_file)
    return "a"


def relative_link_to_the_file(root: Path, canary_file: Path) -> str:
    (root / "a").symlink_to("../outside/canary.txt")
    return "a"


def link_to_the_folder(root: Path, canary_file: Path) -> str:
    (root / "a").symlink_to(canary_file.parent)
    return "a/canary.txt"


def link_in_the_middle(root: Path, canary_file: Path) -> str:
    (root / "b").mkdir()
    (root / "b/a").symlink_to(canary_file.parent.parent)
    return "b/a/outside/canary.txt"


def link_to_a_link(root: Path, canary_file: Path) -> str:
    (root / "b").symlink_to(canary_file.parent)
    (root / "a").symlink_to("b")
    return "a/canary.txt"


def link_inside(root: Path, canary_file: Path) -> str:
    (root / "b").write_text("secret")
    (root / "a").symlink_to("b")
    return "a"


def link_to_itself(root: Path, canary_file: Path) -> str:
    (root / "a").symlink_to("a")
    return "a"


def link_to_nothing(root: Path, canary_file: Path) -> str:
    (root / "a").symlink_to(canary_file.parent / "new.txt")
    return "a"


def link_to_the_root_of_all(root: Path, canary_file: Path) -> str:
    (root / "a").symlink_to("/")
    return "a/etc/passwd"


def second_name(root: Path, canary_file: Path) -> str:
    os.link(canary_file, root / "a")
    return "a"


def pipe(root: Path, canary_file: Path) -> str:
    os.mkfifo(root / "a")
    return "a"


def unix_socket(root: Path, canary_file: Path) -> str:
    # The address of a socket may be no longer than a hundred bytes.
    here = Path.cwd()
    os.chdir(root)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("a")
    os.chdir(here)
    return "a"


def folder(root: Path, canary_file: Path) -> str:
    (root / "a").mkdir()
    return "a"


def file_on_the_way(root: Path, canary_file: Path) -> str:
    (root / "a").write_text("secret")
    return "a/b"


PLANTED = [
    *(link_to_the_file, relative_link_to_the_file, link_to_the_folder, link_in_the_middle, link_to_a_link, link_inside),
    *(link_to_itself, link_to_nothing, link_to_the_root_of_all, second_name, pipe, unix_socket, folder, file_on_the_way),
]


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
@pytest.mark.parametrize("action", [write_one, read, change_one])
def test_what_lies_in_the_folder_leads_nowhere(
    workspace: Workspace, canary_file: Path, plant: Callable[[Path, Path], str], action: Callable[[str], StructuredAction]
) -> None:
    path = plant(workspace.root, canary_file)
    assert refused(workspace, action(path))


def test_a_device_is_not_read(workspace: Workspace) -> None:
    (workspace.root / "a").symlink_to("/dev/zero")
    assert "link or a device" in refused(workspace, read("a"))


def test_a_root_that_was_exchanged_is_not_entered(workspace: Workspace, canary_file: Path) -> None:
    workspace.root.rename(workspace.root.with_name("moved"))
    workspace.root.symlink_to(canary_file.parent)
    assert refused(workspace, read("canary.txt"))
    workspace.root.unlink()
    workspace.root.mkdir()
    assert "no longer the folder it was" in refused(workspace, create("a", "x"))


def test_a_folder_exchanged_for_a_link_between_check_and_use_leads_nowhere(
    workspace: Workspace, canary_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    do(workspace, create("a/canary.txt", "inside"))
    real = os.open

    def exchanging(path: Any, *args: Any, **named: Any) -> int:
        if path == "a":
            (workspace.root / "a").rename(workspace.root / "b")
            (workspace.root / "a").symlink_to(canary_file.parent)
            monkeypatch.setattr(os, "open", real)
        return real(path, *args, **named)

    monkeypatch.setattr(os, "open", exchanging)
    assert "link" in refused(workspace, read("a/canary.txt"))


def test_a_file_exchanged_for_a_link_between_check_and_use_is_not_read(
    workspace: Workspace, canary_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    do(workspace, create("a", "inside"))
    real = os.open

    def exchanging(path: Any, *args: Any, **named: Any) -> int:
        if path == "a":
            (workspace.root / "a").unlink()
            (workspace.root / "a").symlink_to(canary_file)
        return real(path, *args, **named)

    monkeypatch.setattr(os, "open", exchanging)
    assert refused(workspace, read("a"))


@given(one=st.one_of(actions, st.builds(read, paths)))
def test_no_action_raises_or_gets_out(one: StructuredAction, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside")
    workspace = Workspace(outside / "root", limits=SMALL)
    (workspace.root / "link").symlink_to(outside)
    (workspace.root / "folder").mkdir()
    result = do(workspace, one)
    assert (result.error is None) == bool(result.note)
    assert [path.name for path in outside.iterdir()] == ["root"]
    shutil.rmtree(outside)


@given(name=texts | st.sampled_from(["create_file", "read_file", "edit_file", "api_call"]), arguments=json_objects)
def test_no_call_raises(name: str, arguments: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> None:
    result = Workspace(tmp_path_factory.getbasetemp() / "shared").call(name, arguments)
    assert result.error
