"""Files that are written whole or not at all, and faults of the disk found before work starts."""

import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import IO

from agent_gym.errors import UsageError

try:
    import fcntl
except ImportError:
    fcntl = None


@contextmanager
def written_whole(path: Path) -> Generator[IO[bytes]]:
    """A binary file that takes the place of `path` when the block ends well, and leaves no trace when it does not."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    partial = Path(name)
    try:
        with os.fdopen(handle, "wb", buffering=1 << 20) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes files private to the user; what is saved here is meant to be read like any other file.
        partial.chmod(0o666 & ~_umask())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def write_whole(path: Path, data: bytes) -> None:
    """Write `data` to `path` atomically."""
    with written_whole(path) as file:
        file.write(data)


def check_writable(folder: Path, *, room: int = 1_000_000) -> None:
    """Make `folder` and write `room` bytes into it, then remove them.

    Raises:
        UsageError: when the folder cannot be made, is read-only or full; found here, before anything is paid.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".agent-gym-", suffix=".probe") as probe:
            probe.write(b"\0" * room)
            probe.flush()
            os.fsync(probe.fileno())
    except OSError as error:
        raise UsageError(f"cannot write into {str(folder)!r} ({error.strerror}): choose another --output") from error


@contextmanager
def locked(file: FileIO, path: Path) -> Generator[None]:
    """Nobody else who asks gets this open file inside the block; a killed process lets go of it.

    Raises:
        UsageError: when another process holds it.
    """
    if fcntl is None:
        # A lock of this kind outlives a killed process: whoever finds it is told what to delete.
        mark = path.with_name(f".{path.name}.lock")
        try:
            mark.open("x").close()
        except FileExistsError:
            raise UsageError(f"another run is writing {str(path)!r}; when it is not, delete {str(mark)!r}") from None
        try:
            yield
        finally:
            mark.unlink()
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise UsageError(f"another run is writing {str(path)!r}: wait for it, or choose another output") from None
    yield


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
