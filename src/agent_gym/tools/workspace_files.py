"""Files below one folder, whatever a path says and whatever links lie there.

A path is never handed to the system as a whole. Each name is opened relative to the folder before it, by a handle and without
following links, so that a folder exchanged for a link between check and use changes nothing. Only regular files with a single
name are read or replaced: no links, no second names of outside files, no pipes, sockets or devices. Writes go to a new file
that takes the old one's place in one step; they are not flushed to the disk, because a workspace is scratch.
"""

import errno
import os
import secrets
import stat
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from agent_gym.errors import UsageError
from agent_gym.tools.workspace_paths import Refused, names_of

_FOLDER = getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
# Without O_NONBLOCK, opening a pipe that took a file's place would wait for its writer.
_FILE = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)
_MANY = 10
"""Occurrences beyond which nobody needs the exact number."""


class Folder:
    """The files below `root`.

    Args:
        root: made when it is not there; what lies in it already counts.
        max_files: files and folders at most.
        max_file_bytes: bytes of one file at most, read or written.
        max_total_bytes: bytes of all files together at most.

    Raises:
        UsageError: when `root` cannot be made or is no folder, or the system cannot open files relative to one (Windows).
    """

    def __init__(self, root: Path, *, max_files: int, max_file_bytes: int, max_total_bytes: int) -> None:
        if os.open not in os.supports_dir_fd or not hasattr(os, "O_NOFOLLOW"):
            raise UsageError("a workspace needs a system that opens files relative to a folder: Linux or macOS")
        try:
            root.mkdir(parents=True, exist_ok=True)
            # Links on the way to the root are the owner's own; from here on none is followed.
            self.root = root.resolve(strict=True)
            self._identity = _identity(os.stat(self.root))
        except OSError as error:
            raise UsageError(f"no workspace at {str(root)!r} ({error.strerror}): choose another folder") from error
        self.max_files, self.max_file_bytes, self.max_total_bytes = max_files, max_file_bytes, max_total_bytes
        self._lock = threading.RLock()

    def read(self, path: str) -> bytes:
        """The bytes of a file.

        Raises:
            Refused: when the path leads out, is no regular file, or the file is too large.
            OSError: when the system refuses.
        """
        *parents, name = names_of(path)
        try:
            with self._opened(parents) as folder:
                return self._read(folder, name, path)
        except FileNotFoundError:
            paths = self.paths()
            listed = ", ".join(paths[:_MANY]) + (", …" if len(paths) > _MANY else "")
            raise Refused(f"there is no file {path!r}; there are: {listed or 'none'}") from None

    def write(self, path: str, data: bytes) -> bool:
        """Put a file in its place, whole; whether that changed anything.

        Raises:
            Refused: as `read`; also when there would be too many files or bytes.
            OSError: when the system refuses.
        """
        *parents, name = names_of(path)
        if len(data) > self.max_file_bytes:
            raise Refused(f"{len(data)} bytes are too many for one file: {self.max_file_bytes} at most")
        with self._lock:
            old = self._size(parents, name, path)
            if old == len(data) and self.read(path) == data:
                return False
            self._check_room(len(data) - (old or 0), 0 if old is not None else 1 + len(parents))
            with self._opened(parents, make=True) as folder:
                _replace(folder, name, data)
        return True

    def replace(self, path: str, old: str, new: str) -> tuple[int, bool]:
        """Replace the one place where a text file says `old`; the bytes it then has, and whether that changed anything.

        Raises:
            Refused: as `write`; also when the file is no text, or `old` does not stand in it exactly once.
            OSError: when the system refuses.
        """
        if not old:
            raise Refused("the text to replace is empty: give the words that are to change, or create the file anew")
        with self._lock:
            text = self.text(path)
            if (times := _times(text, old)) != 1:
                often = "nowhere" if not times else f"{times} times" if times < _MANY else f"at least {_MANY} times"
                raise Refused(f"the text to replace stands {often} in {path!r}, not once: copy it, with more around it")
            data = text.replace(old, new, 1).encode()
            return len(data), self.write(path, data)

    def text(self, path: str) -> str:
        """The text of a file.

        Raises:
            Refused: as `read`; also when the file is no UTF-8 text.
            OSError: when the system refuses.
        """
        data = self.read(path)
        try:
            return data.decode()
        except UnicodeDecodeError:
            raise Refused(f"{path!r} is not text ({len(data)} bytes)") from None

    def paths(self) -> tuple[str, ...]:
        """All regular files, sorted; links and what lies behind them are left out."""
        found: list[str] = []
        with self._opened(()) as root:
            for folder, _, names, handle in os.fwalk(".", dir_fd=root):
                at = [] if folder == "." else folder.split("/")[1:]
                for name in names:
                    if stat.S_ISREG(os.stat(name, dir_fd=handle, follow_symlinks=False).st_mode):
                        found.append("/".join([*at, name]))
        return tuple(sorted(found))

    def _check_room(self, more_bytes: int, more_entries: int) -> None:
        entries, size = more_entries, more_bytes
        with self._opened(()) as root:
            for _, folders, names, handle in os.fwalk(".", dir_fd=root):
                entries += len(folders) + len(names)
                if entries > self.max_files:
                    # Not counted to the end: the folder may hold millions.
                    raise Refused(f"the workspace is full: {self.max_files} files and folders at most")
                size += sum(os.stat(name, dir_fd=handle, follow_symlinks=False).st_size for name in names)
        if size > self.max_total_bytes:
            raise Refused(f"the workspace is full: {self.max_total_bytes} bytes at most")

    def _size(self, parents: Sequence[str], name: str, path: str) -> int | None:
        """The bytes of a file that may be replaced; None when there is none."""
        try:
            with self._opened(parents) as folder:
                return _checked(os.stat(name, dir_fd=folder, follow_symlinks=False), path).st_size
        except FileNotFoundError:
            return None

    def _read(self, folder: int, name: str, path: str) -> bytes:
        # Looked at before it is opened, because opening a device can already do something; and again afterwards, because what
        # is opened may no longer be what was looked at.
        _checked(os.stat(name, dir_fd=folder, follow_symlinks=False), path)
        handle = os.open(name, os.O_RDONLY | _FILE, dir_fd=folder)
        with os.fdopen(handle, "rb") as file:
            size = _checked(os.fstat(handle), path).st_size
            data = file.read(self.max_file_bytes + 1) if size <= self.max_file_bytes else b""
        if max(size, len(data)) > self.max_file_bytes:
            raise Refused(f"{path!r} is too large: {max(size, len(data))} bytes, {self.max_file_bytes} at most")
        return data

    @contextmanager
    def _opened(self, names: Sequence[str], *, make: bool = False) -> Generator[int]:
        """A handle of the folder that some names lead to."""
        handle = os.open(self.root, os.O_RDONLY | _FOLDER)
        try:
            if _identity(os.fstat(handle)) != self._identity:
                raise Refused("the workspace's root is no longer the folder it was")
            for name in names:
                inner = _enter(handle, name, make=make)
                os.close(handle)
                handle = inner
            yield handle
        finally:
            os.close(handle)


def _enter(folder: int, name: str, *, make: bool) -> int:
    if make:
        with suppress(FileExistsError):
            os.mkdir(name, dir_fd=folder)
    try:
        return os.open(name, os.O_RDONLY | _FOLDER, dir_fd=folder)
    except OSError as error:
        # Systems differ in which of the two they raise for a link that must not be followed.
        if error.errno in (errno.ENOTDIR, errno.ELOOP):
            raise Refused(f"{name!r} is a link or a file, not a folder of the workspace") from None
        raise


def _checked(found: os.stat_result, path: str) -> os.stat_result:
    if stat.S_ISDIR(found.st_mode):
        raise Refused(f"{path!r} is a folder")
    if not stat.S_ISREG(found.st_mode):
        raise Refused(f"{path!r} is a link or a device, not a file of the workspace")
    if found.st_nlink > 1:
        raise Refused(f"{path!r} has a second name, which may lie outside the workspace")
    return found


def _replace(folder: int, name: str, data: bytes) -> None:
    part = f".{secrets.token_hex(8)}.part"
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FILE, 0o644, dir_fd=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(part, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        os.unlink(part, dir_fd=folder)
        raise


def _times(text: str, piece: str) -> int:
    """How often a piece stands in a text, overlaps counted, up to a bound that keeps the search short."""
    times, place = 0, text.find(piece)
    while place >= 0 and times < _MANY:
        times, place = times + 1, text.find(piece, place + 1)
    return times


def _identity(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino
