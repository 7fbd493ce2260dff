"""What no test of the sandbox may touch: a file outside the workspace, a server on this machine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent_gym.tools import Workspace
from raw_server import RawServer
from sandbox import CANARY, SMALL


@pytest.fixture
def canary_file(tmp_path: Path) -> Iterator[Path]:
    """A file outside the root, unchanged and alone when the test is over."""
    outside = tmp_path / "outside"
    outside.mkdir()
    path = outside / "canary.txt"
    path.write_text(CANARY)
    before = _listing(outside)
    yield path
    assert path.read_text() == CANARY
    assert _listing(outside) == before
    assert {found.name for found in tmp_path.iterdir()} <= {"outside", "root", "moved", "cache"}


@pytest.fixture
def workspace(tmp_path: Path, canary_file: Path) -> Workspace:
    """A workspace beside it."""
    return Workspace(tmp_path / "root", limits=SMALL)


@pytest.fixture
def server() -> Iterator[RawServer]:
    """A server that may be reached."""
    with RawServer() as server:
        yield server


@pytest.fixture
def canary() -> Iterator[RawServer]:
    """A server on this machine that nobody may reach."""
    with RawServer() as server:
        yield server
        assert server.asked == []


def _listing(folder: Path) -> list[tuple[str, int]]:
    return sorted((path.name, path.stat().st_mtime_ns) for path in folder.iterdir())
