"""Gigabytes, written beside the thread that makes them, and kept aside until they can be finished.

What the system does for a write (find memory, copy, wait for the disk) takes as long as reading the log does, and holds up no
other thread: so another thread asks for it.
"""

import os
import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import IO, Self

_BLOCK = 1 << 20
_MOST_BLOCKS = 3
_PIECE = 64 << 20
_READ = 1 << 14
"""Little, because what is put into it may be a hundred times as long."""


class Behind:
    """Writes what it is given, in order, by a thread of its own; when the `with` block ends well, all is written.

    Raises:
        OSError: what `write` raised, from one of the calls that follow, at the latest at the end of the block.
    """

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write
        self._thread = ThreadPoolExecutor(1)
        self._begun: deque[Future[None]] = deque()
        self._texts: list[bytes] = []
        self._size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *raised: object) -> None:
        try:
            if kind is None:
                self._hand_over()
                for begun in self._begun:
                    begun.result()
        finally:
            self._thread.shutdown()

    def write(self, text: bytes) -> None:
        """Write, soon."""
        self._texts.append(text)
        self._size += len(text)
        if self._size >= _BLOCK:
            self._hand_over()

    def _hand_over(self) -> None:
        if len(self._begun) >= _MOST_BLOCKS:
            self._begun.popleft().result()
        self._begun.append(self._thread.submit(self._write_all, self._texts))
        self._texts, self._size = [], 0

    def _write_all(self, texts: list[bytes]) -> None:
        self._write(b"".join(texts))


class Waiting:
    """Text that cannot be finished yet, in files without names: several, so that what was read makes room for its copy."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pieces: list[IO[bytes]] = []
        self._room = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        for piece in self._pieces:
            piece.close()

    def write(self, text: bytes) -> None:
        """Add some."""
        if self._room <= 0:
            self._pieces.append(tempfile.TemporaryFile(dir=self._folder))  # noqa: SIM115  # closed at the end of the block
            self._room = _PIECE
        self._room -= len(text)
        self._pieces[-1].write(text)

    def blocks(self) -> Iterator[bytes]:
        """All of it, in order, once: a file is gone as soon as it was read."""
        for piece in self._pieces:
            with piece:
                piece.seek(0)
                while block := piece.read(_READ):
                    yield block


def write_early(file: IO[bytes], text: bytes) -> None:
    """Write, and have the system begin to bring to the disk what it holds of the file: in the end nothing is left to wait for.

    It also takes the memory of what is on the disk for what comes next, instead of looking for more.
    """
    file.write(text)
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
