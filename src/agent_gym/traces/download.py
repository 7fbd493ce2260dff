"""Files over HTTP, so that nothing that has arrived is ever fetched twice.

Bytes go to a `.part` file beside the target; a cut connection, a busy server or a killed process leaves it there, and the next
attempt asks for the rest with a Range request. The name of the part holds a digest of the address, so that parts of different
sources are never mixed. A finished part is flushed to the disk and takes the target's name in one step.
"""

import asyncio
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from agent_gym.errors import DataError

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession

TRIES = 5
"""Attempts in a row that bring no new byte before a file is given up."""
LONGEST_WAIT = 60.0
"""Seconds; a server that asks for a longer pause is tried again after this one."""
BUSY = (408, 429, 500, 502, 503, 504)
CHUNK = 1 << 18

OnBytes = Callable[[int], None]
"""Told how many bytes have just come in."""


class _Again(Exception):
    """The attempt failed in a way that may pass; `wait` is what the server asked for, in seconds."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


@dataclass(frozen=True)
class Part:
    """A file that is still coming in."""

    path: Path

    @classmethod
    def of(cls, target: Path, url: str) -> "Part":
        """The part of `target` that came from `url`."""
        digest = hashlib.sha256(url.encode()).hexdigest()[:12]
        return cls(target.with_name(f".{target.name}.{digest}.part"))

    @property
    def size(self) -> int:
        """Bytes that have come in."""
        return self.path.stat().st_size if self.path.exists() else 0

    def open(self, start: int) -> BinaryIO:
        """Opened to go on at byte `start`; what stood behind it is dropped."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = self.path.open("r+b" if self.path.exists() else "w+b")
        file.truncate(start)
        file.seek(start)
        return file

    def drop(self) -> None:
        """Begin anew next time."""
        self.path.unlink(missing_ok=True)

    def finish(self, target: Path) -> None:
        """Take the target's place."""
        with self.path.open("r+b") as file:
            os.fsync(file.fileno())
        self.path.replace(target)


def new_session() -> "ClientSession":
    """A session for large files: no total time limit, but a silent server is left after a minute."""
    import aiohttp

    # Compressed transfer would make byte ranges meaningless.
    return aiohttp.ClientSession(
        headers={"Accept-Encoding": "identity"},
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=30, sock_read=60),
        trust_env=True,
    )


async def download(session: "ClientSession", url: str, target: Path, *, backoff: float = 1.0, on_bytes: OnBytes) -> None:
    """Fetch `url` into `target`, going on where an earlier attempt stopped.

    Args:
        session: made by `new_session`.
        url: where the file is.
        target: its place when it is complete; its folder is made when missing.
        backoff: seconds before the second attempt, doubled for each one after that.
        on_bytes: told of every piece that comes in; a negative number takes back what had to be dropped.

    Raises:
        DataError: when the server does not have the file, or after five attempts in a row that brought nothing.
        OSError: when the disk is full or read-only.
    """
    part = Part.of(target, url)
    failures = 0
    while True:
        before = part.size
        try:
            await _attempt(session, url, part, on_bytes)
        except _Again as again:
            failures = 1 if part.size > before else failures + 1
            if failures >= TRIES:
                raise DataError(
                    f"{url} could not be fetched ({again}, {TRIES} times); run the command again to go on"
                ) from again
            pause = backoff * 2 ** (failures - 1) if again.wait is None else again.wait
            await asyncio.sleep(min(pause, LONGEST_WAIT))
        else:
            part.finish(target)
            return


async def _attempt(session: "ClientSession", url: str, part: Part, on_bytes: OnBytes) -> None:
    """Ask once for what is missing.

    Raises:
        _Again: when the file is not complete afterwards.
    """
    import aiohttp

    start = part.size
    try:
        async with session.get(url, headers={"Range": f"bytes={start}-"} if start else {}) as response:
            if response.status == 416:
                if _total(response) != start:
                    part.drop()
                    on_bytes(-start)
                    raise _Again(f"the server has another file than the {start} bytes that came before")
                return
            _check_status(response)
            if response.status == 200 and start:  # the server cannot begin in the middle
                on_bytes(-start)
                start = 0
            await _receive(response, part, start, on_bytes)
            total = _total(response)
    except TimeoutError as error:
        raise _Again("no answer in time") from error
    except aiohttp.InvalidURL as error:
        raise DataError(f"{url!r} is not an address; give one that begins with https://") from error
    except (aiohttp.ClientError, ConnectionError) as error:
        raise _Again(str(error) or type(error).__name__) from error
    if total is not None and part.size != total:
        raise _Again(f"{part.size} of {total} bytes came")


async def _receive(response: "ClientResponse", part: Part, start: int, on_bytes: OnBytes) -> None:
    if response.status == 206:
        begins = response.headers.get("Content-Range", "").removeprefix("bytes ").partition("-")[0]
        if begins != str(start):
            part.drop()
            on_bytes(-start)
            raise _Again(f"asked to go on at byte {start}, the server began at {begins!r}")
    with part.open(start) as file:
        async for piece in response.content.iter_chunked(CHUNK):
            file.write(piece)
            # What was reported must be on the disk: a resumed attempt begins at the part's size.
            file.flush()
            on_bytes(len(piece))


def _check_status(response: "ClientResponse") -> None:
    if response.status in (200, 206):
        return
    if response.status in BUSY:
        wait = response.headers.get("Retry-After", "")
        raise _Again(f"the server answered {response.status}", float(wait) if wait.isdigit() else None)
    raise DataError(
        f"{response.url} answered {response.status} {response.reason}; "
        "check the address, or take a local copy with --from ARCHIVE_OR_FOLDER"
    )


def _total(response: "ClientResponse") -> int | None:
    """The length of the whole file, as far as the server says."""
    if response.status == 200:
        return response.content_length if "Content-Encoding" not in response.headers else None
    total = response.headers.get("Content-Range", "").rpartition("/")[2]
    return int(total) if total.isdigit() else None
