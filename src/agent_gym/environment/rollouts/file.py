"""The file in which rollouts are kept while they are played: a run that was killed goes on where it was.

JSON lines, one whole episode a line, as `read_traces` reads them; each says under `metadata.settings` how it was played. A line
is appended in one write when its episode is over, so a killed process leaves at most one torn line at the end. Opening the file
again cuts that line off, finds the episodes that are there, and refuses a file that was played with other settings: two halves
that are right by themselves would make a whole that is wrong. One process writes at a time.
"""

import os
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from hashlib import blake2b
from io import FileIO
from pathlib import Path
from typing import Any

import msgspec

from agent_gym.environment.rollouts.summary import Counts, Rollout
from agent_gym.errors import FileRefused, UsageError
from agent_gym.files import check_writable, locked
from agent_gym.traces import Trace
from agent_gym.traces.trace import dump_trace

SYNCED = 10.0
"""Seconds of work that a power cut may cost; a kill of the process alone costs none."""
_BEGINNING = b'{"conversation_id":'
_decoder = msgspec.json.Decoder(Rollout)


@contextmanager
def rollout_file(path: Path, settings: Mapping[str, Any], counts: Counts) -> Generator["RolloutFile"]:
    """A file of rollouts, locked and open for appending inside the block.

    Args:
        path: is made if it is missing, its folder too.
        settings: what decided the episodes, as JSON values; the file's own must be the same.
        counts: is told of the episodes that the file holds already.

    Raises:
        FileRefused: the file holds something else than rollouts, or rollouts with other settings; it is left as it is.
        UsageError: it cannot be written, or another run is writing it.
    """
    check_writable(path.parent)
    if path.exists() and not path.is_file():
        raise UsageError(f"rollouts cannot be kept in {str(path)!r}: it is not a file; choose another output")
    try:
        file = path.open("ab", buffering=0)
    except OSError as error:
        raise _unwritable(path, error) from error
    with file, locked(file, path):
        rollouts = RolloutFile(path, file, settings, counts)
        try:
            yield rollouts
        finally:
            rollouts.sync()


class RolloutFile:
    """The episodes in a file; see `rollout_file`."""

    def __init__(self, path: Path, file: FileIO, settings: Mapping[str, Any], counts: Counts) -> None:
        self.path = path
        self._file = file
        self._settings = dict(settings)
        self._known: set[bytes] = set()
        self._synced = time.monotonic()
        self._length = self._read(counts)

    def __contains__(self, sample: tuple[str, int]) -> bool:
        """Whether the file held this sample, a task's id and a number, when it was opened."""
        return _key(*sample) in self._known

    def append(self, trace: Trace) -> None:
        """Keep an episode.

        Raises:
            UsageError: when the disk is full; the lines before stay whole.
        """
        line = msgspec.json.encode(dump_trace(trace)) + b"\n"
        try:
            written = self._file.write(line)
            if written < len(line):
                # The disk took a part of it: the next write says why.
                self._file.write(line[written:])
        except OSError as error:
            self._file.truncate(self._length)
            raise _unwritable(self.path, error) from error
        self._length += len(line)

    @property
    def due(self) -> bool:
        """Whether `sync` has not been called for some time."""
        return time.monotonic() - self._synced > SYNCED

    def sync(self) -> None:
        """Wait until the disk has it, so that a power cut costs nothing either; from any thread."""
        self._synced = time.monotonic()
        os.fsync(self._file.fileno())

    def _read(self, counts: Counts) -> int:
        """Find the episodes that are there and cut off a torn line; returns the length of the file in bytes."""
        whole = 0
        with self.path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if not line.endswith(b"\n") and self._is_torn(line):
                    self._file.truncate(whole)
                    break
                if line.strip():
                    self._find(line, number, counts)
                whole += len(line)
                if not line.endswith(b"\n"):
                    whole += self._file.write(b"\n")
        return whole

    def _is_torn(self, line: bytes) -> bool:
        # Only what can be our own is ever cut off.
        if not (line.startswith(_BEGINNING) or _BEGINNING.startswith(line)):
            return False
        try:
            msgspec.json.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return True
        except RecursionError:
            return False
        return False

    def _find(self, line: bytes, number: int, counts: Counts) -> None:
        try:
            found = _decoder.decode(line)
            told = found.metadata
            key, settings = _key(told["task"], told["sample"]), told["settings"]
            self._require_same(settings, number)
            if key not in self._known:
                self._known.add(key)
                counts.add(found, resumed=True)
        except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise self._refused(number, "is no rollout") from error

    def _require_same(self, settings: dict[str, Any], number: int) -> None:
        if settings == self._settings:
            return
        names = [name for name in {**settings, **self._settings} if settings.get(name) != self._settings.get(name)]
        differing = "; ".join(f"{name}: {settings.get(name)!r} there, {self._settings.get(name)!r} here" for name in names)
        raise self._refused(number, f"was played with other settings ({differing})")

    def _refused(self, number: int, why: str) -> FileRefused:
        return FileRefused(f"{self.path}, line {number}, {why}: choose another output, or move this file away")


def _unwritable(path: Path, error: OSError) -> UsageError:
    return UsageError(
        f"rollouts cannot be kept in {str(path)!r} ({error.strerror}): make room and run again, or choose another output"
    )


def _key(task: str, sample: int) -> bytes:
    # Of a million episodes only their digests are held, 16 bytes each.
    return blake2b(f"{sample}\0{task}".encode(), digest_size=16).digest()
