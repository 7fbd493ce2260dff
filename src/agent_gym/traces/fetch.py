"""The public data set, brought to this machine once and accounted for.

    report = fetch(Path("data/raw/schema_guided_dialogue"))                    # from its repository, at a pinned commit
    report = fetch(Path("data/raw/schema_guided_dialogue"), "sgd.tar.xz")      # from a local archive, folder, or other address

`MANIFEST.json` in the folder names every file with its size and SHA-256. What it names and the disk still holds is not fetched
again, so an interrupted fetch is continued by running it again. Copies may be incomplete: an archive brings what it has. One
that has only the paraphrased schemas of SGD-X adds them to a data set that is there.
"""

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from agent_gym.errors import DataError, UsageError
from agent_gym.files import written_whole
from agent_gym.traces.archive import SPLITS, Source, find_root, find_variants, open_source, wanted
from agent_gym.traces.download import download, new_session
from agent_gym.traces.manifest import MANIFEST, Entry, Manifest, digest

if TYPE_CHECKING:
    from aiohttp import ClientSession

COMMIT = "e852981ae34990f4358979625854259302feaa78"
BASE_URL = f"https://raw.githubusercontent.com/google-research-datasets/dstc8-schema-guided-dialogue/{COMMIT}"
DIALOGUE_FILES = {"train": 127, "dev": 20, "test": 34}
"""How many dialogue files each split of the public data set has."""
IN_FLIGHT = 4


@dataclass(frozen=True)
class Progress:
    """How far a fetch has come."""

    file: str
    """The file that has just grown or been finished."""
    files_done: int
    files_total: int | None
    """None while an archive that holds them is still being fetched."""
    bytes_done: int
    """Of the files fetched by this run, those that are still coming in included."""


@dataclass(frozen=True)
class FetchReport:
    """What a fetch did."""

    folder: Path
    source: str
    fetched: int
    """Files brought by this run."""
    kept: int
    """Files that were there already."""
    bytes: int
    """Of the fetched files."""


OnProgress = Callable[[Progress], None]


def fetch(
    to: Path,
    source: str | None = None,
    *,
    base_url: str = BASE_URL,
    progress: OnProgress | None = None,
    backoff: float = 1.0,
) -> FetchReport:
    """Bring Schema-Guided Dialogue into the folder `to`.

    Args:
        to: the folder; made when missing. Other files in it are left alone.
        source: a local archive (tar.gz, tar.xz, zip), a folder, or the http(s) address of an archive; None downloads the
            files from `base_url`, four at a time.
        base_url: where the data set lies unpacked.
        progress: called in this thread for every piece that comes in.
        backoff: seconds before a failed request is tried again, doubled with every further failure.

    Raises:
        UsageError: the source does not exist, is no archive, is refused, holds no such data set, or `to` cannot be written.
        DataError: a file could not be fetched; what has come in is kept, and the next run goes on from there.
    """
    with _disk_faults_named(to):
        to.mkdir(parents=True, exist_ok=True)
        meter = _Meter(progress)
        manifest = Manifest.read(to)
        if source is None:
            return asyncio.run(_fetch_files(to, base_url.rstrip("/"), manifest, meter, backoff))
        if source.startswith(("http://", "https://")):
            return _fetch_archive(to, source, manifest, meter, backoff)
        return _unpack(to, Path(source), Path(source).name, manifest, meter)


def public_files() -> list[str]:
    """Every file of the public data set, schemas and licence first."""
    names = ["README.md", "LICENSE.txt", *(f"{split}/schema.json" for split in DIALOGUE_FILES)]
    return names + [f"{split}/dialogues_{n:03d}.json" for split, most in DIALOGUE_FILES.items() for n in range(1, most + 1)]


async def _fetch_files(to: Path, base_url: str, manifest: Manifest, meter: "_Meter", backoff: float) -> FetchReport:
    names = public_files()
    missing = [name for name in names if not manifest.holds(name)]
    meter.expect(len(names), done=len(names) - len(missing))
    manifest.source = base_url
    queue = iter(missing)

    async def work(session: "ClientSession") -> None:
        for name in queue:  # shared by the workers: each name is taken once
            await download(session, f"{base_url}/{name}", to / name, backoff=backoff, on_bytes=meter.bytes_of(name))
            manifest.add(name, _checked(to, name, base_url))
            meter.finished(name)

    async with new_session() as session:
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(IN_FLIGHT):
                    group.create_task(work(session))
        except BaseExceptionGroup as failed:
            raise failed.exceptions[0] from None
    return FetchReport(to, base_url, len(missing), len(names) - len(missing), meter.bytes)


def _checked(to: Path, name: str, base_url: str) -> Entry:
    """The entry of a file that has come in.

    Raises:
        DataError: when it is not what was asked for, as when a gateway answered with a page of its own.
    """
    path = to / name
    if name.endswith(".json"):
        with path.open("rb") as file:
            start = file.read(64).lstrip()
        if not start.startswith(b"["):
            path.unlink()
            raise DataError(
                f"{base_url}/{name} is no JSON list, it begins {start[:20]!r}: a gateway's page? Use --from with a local copy"
            )
    return digest(path)


def _fetch_archive(to: Path, url: str, manifest: Manifest, meter: "_Meter", backoff: float) -> FetchReport:
    if not urlsplit(url).netloc:
        raise UsageError(f"{url!r} names no server; give the whole address of an archive")
    title = PurePosixPath(urlsplit(url).path).name or "archive"
    archive = to / f".{title}.archive"

    async def bring() -> None:
        async with new_session() as session:
            await download(session, url, archive, backoff=backoff, on_bytes=meter.bytes_of(title))

    try:
        asyncio.run(bring())
        meter.bytes = 0
        return _unpack(to, archive, url, manifest, meter)
    finally:
        archive.unlink(missing_ok=True)


def _unpack(to: Path, path: Path, title: str, manifest: Manifest, meter: "_Meter") -> FetchReport:
    """Take the data set out of an archive or folder; the very archive that was unpacked last is not unpacked again."""
    if path.resolve() == to.resolve():
        raise UsageError(f"{title!r} is the folder to bring the data set into: name another source, or none to download")
    mark = f"sha256:{digest(path).sha256}" if path.is_file() else ""
    if mark and manifest.archive == mark and all(manifest.holds(name) for name in manifest.files):
        meter.expect(len(manifest.files), done=len(manifest.files))
        return FetchReport(to, title, 0, len(manifest.files), 0)
    with open_source(path) as source:
        taken = _names_to_take(source, title, to)
        meter.expect(len(taken), done=0)
        manifest.source, manifest.archive = title, ""  # until the last file is out
        for name, stream in source.read(taken):
            target = to / taken[name]
            target.parent.mkdir(parents=True, exist_ok=True)
            with written_whole(target) as file:
                while piece := stream.read(1 << 20):
                    file.write(piece)
                    meter.bytes_of(taken[name])(len(piece))
            manifest.add(taken[name], digest(target))
            meter.finished(taken[name])
    manifest.archive = mark
    manifest.write()
    return FetchReport(to, title, len(taken), 0, meter.bytes)


def _names_to_take(source: Source, title: str, to: Path) -> dict[str, str]:
    """The wanted files: their names in the source, and in the data set."""
    names = source.names()
    root = find_root(names)
    if root is None:
        if variants := find_variants(names):
            if any((to / split / "schema.json").is_file() for split in SPLITS):
                return variants
            raise UsageError(
                f"{title!r} holds only paraphrases of Schema-Guided Dialogue's schemas, and {str(to)!r} has no data set "
                "to put them beside: bring that first (`agent-gym data fetch`), then these"
            )
        raise UsageError(
            f"no Schema-Guided Dialogue among the {len(names)} files of {title!r}: "
            "expected a folder with train, dev or test, and in it schema.json and dialogues_001.json or others"
        )
    inside = [PurePosixPath(name) for name in names if PurePosixPath(name).is_relative_to(root)]
    taken = {path.as_posix(): path.relative_to(root).as_posix() for path in inside if wanted(path)}
    return {name: target for name, target in taken.items() if target != MANIFEST}


class _Meter:
    """Counts files and bytes, and tells whoever wants to know."""

    def __init__(self, report: OnProgress | None) -> None:
        self._report = report
        self._done = 0
        self._total: int | None = None
        self.bytes = 0

    def expect(self, total: int, *, done: int) -> None:
        self._total, self._done = total, done
        self._tell("")

    def bytes_of(self, name: str) -> Callable[[int], None]:
        def came(count: int) -> None:
            self.bytes += count
            self._tell(name)

        return came

    def finished(self, name: str) -> None:
        self._done += 1
        self._tell(name)

    def _tell(self, name: str) -> None:
        if self._report:
            self._report(Progress(name, self._done, self._total, self.bytes))


@contextmanager
def _disk_faults_named(to: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise UsageError(
            f"cannot bring the data set into {str(to)!r} ({error}): make room, or choose another folder"
        ) from error
