"""Files that are written whole or not at all."""

import os
import resource
import stat
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent_gym.errors import UsageError
from agent_gym.files import check_writable, write_whole, written_whole


@contextmanager
def disk_with_room_for(size: int) -> Generator[None]:
    """No file may grow beyond some bytes: to a writer, a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_what_was_written_is_there(tmp_path: Path) -> None:
    write_whole(tmp_path / "result.json", b"{}")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("result.json", b"{}")]


def test_a_reader_sees_the_old_file_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    write_whole(path, b"old")
    with written_whole(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("fault", [ValueError, KeyboardInterrupt])
def test_a_fault_leaves_the_old_file_and_no_trace(tmp_path: Path, fault: type[BaseException]) -> None:
    path = tmp_path / "result.json"
    write_whole(path, b"old")
    with pytest.raises(fault), written_whole(path) as file:
        raise fault(file.write(b"half"))
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("result.json", b"old")]


def test_a_disk_that_fills_up_leaves_the_old_file_and_no_trace(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    write_whole(path, b"old")
    with disk_with_room_for(1000), pytest.raises(OSError, match="File too large"):
        write_whole(path, b"x" * 2000)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("result.json", b"old")]


def test_a_folder_in_the_way_is_kept(tmp_path: Path) -> None:
    (tmp_path / "result.json").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_whole(tmp_path / "result.json", b"{}")
    assert [path.name for path in tmp_path.iterdir()] == ["result.json"]


def test_others_may_read_the_file_as_any_other(tmp_path: Path) -> None:
    mask = os.umask(0o027)
    try:
        write_whole(tmp_path / "result.json", b"{}")
    finally:
        assert os.umask(mask) == 0o027
    assert stat.S_IMODE((tmp_path / "result.json").stat().st_mode) == 0o640


def test_a_writable_folder_is_made_and_left_empty(tmp_path: Path) -> None:
    check_writable(tmp_path / "new" / "folder")
    assert list((tmp_path / "new" / "folder").iterdir()) == []


def test_a_full_disk_is_found_before_the_work(tmp_path: Path) -> None:
    with disk_with_room_for(1000), pytest.raises(UsageError, match=r"cannot write into .* \(File too large\): choose another"):
        check_writable(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UsageError, match=r"cannot write into '.*file/folder' \(Not a directory\)"):
        check_writable(tmp_path / "file" / "folder")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_found_before_the_work(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(UsageError, match="Permission denied"):
        check_writable(tmp_path)
