"""A data set taken out of an archive or a folder that somebody handed over.

An archive is looked through to its end before the first byte is written. One entry with an absolute path, a `..`, a link, a
device, or more data than any such set holds, and the archive is refused whole: what is wrong in one place is not to be trusted
in another. Entries are written by our own code under names that were checked, never by the archive library.
"""

import gzip
import lzma
import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Protocol

from agent_gym.errors import UsageError

SPLITS = ("train", "dev", "test")
MOST_BYTES = 4 << 30
"""Refuse what unpacks to more; the whole public data set is a tenth of it."""
MOST_ENTRIES = 50_000

Opened = tuple[str, IO[bytes]]
_VARIANT = re.compile(r"(?:.*/)?(sgd_x/data/[^/]+/(?:train|dev|test)/schema\.json)")
_BROKEN = (tarfile.TarError, zipfile.BadZipFile, gzip.BadGzipFile, lzma.LZMAError, zlib.error, EOFError, NotImplementedError)


class Source(Protocol):
    """Files by their path inside the source, with forward slashes."""

    def names(self) -> list[str]:
        """Every file."""
        ...

    def read(self, names: Iterable[str]) -> Iterator[Opened]:
        """Those files, opened one after the other, in the order in which they are cheap to reach."""
        ...


@contextmanager
def open_source(path: Path) -> Generator[Source]:
    """The source at `path`: a folder, or a tar (plain, gz, bz2, xz) or zip archive that was found harmless.

    Raises:
        UsageError: when there is nothing, when it is no archive or a broken one, or when it is refused.
    """
    if path.is_dir():
        yield _Folder(path)
        return
    if not path.is_file():
        raise UsageError(f"{str(path)!r} does not exist: give an archive (tar.gz, tar.xz, zip), a folder or an address")
    try:
        if _begins_with(path, b"PK"):
            with zipfile.ZipFile(path) as archive:
                yield _Zip(archive, path.name)
        else:
            with tarfile.open(path) as archive:
                yield _Tar(archive, path.name)
    except _BROKEN as error:
        reason = str(error).partition("\n")[0].strip(":") or type(error).__name__
        raise UsageError(
            f"{str(path)!r} is no whole tar.gz, tar.xz or zip archive ({reason}): fetch or make it again"
        ) from error


def _begins_with(path: Path, magic: bytes) -> bool:
    # zipfile.is_zipfile looks at the end, and takes a tar that holds a zip for one.
    with path.open("rb") as file:
        return file.read(len(magic)) == magic


def find_root(names: Iterable[str]) -> PurePosixPath | None:
    """The folder that holds the data set: the uppermost one with a split's `schema.json` and at least one dialogue file.

    A paraphrase of it in `sgd_x/data` is none: its splits would take the place of the original ones.
    """
    paths = [PurePosixPath(name) for name in names]
    with_schema = {path.parent.parent for path in paths if path.name == "schema.json" and path.parent.name in SPLITS}
    with_dialogues = {path.parent.parent for path in paths if path.match("dialogues_*.json") and path.parent.name in SPLITS}
    roots = [root for root in with_schema & with_dialogues if root.parent.parts[-2:] != ("sgd_x", "data")]
    return min(roots, key=lambda root: (len(root.parts), str(root)), default=None)


def find_variants(names: Iterable[str]) -> dict[str, str]:
    """The paraphrased schemas of SGD-X: their names in the source, and in the data set; of two copies the uppermost."""
    found: dict[str, str] = {}
    for name in sorted(names, key=lambda name: (name.count("/"), name)):
        if match := _VARIANT.fullmatch(name):
            found.setdefault(match[1], name)
    return {name: target for target, name in found.items()}


def wanted(name: PurePosixPath) -> bool:
    """Of a data set only dialogues, schemas, read-me and licence are taken."""
    return name.suffix == ".json" or name.name.startswith(("README", "LICENSE"))


@dataclass(frozen=True)
class _Folder:
    path: Path

    def names(self) -> list[str]:
        return sorted(file.relative_to(self.path).as_posix() for file in self.path.rglob("*") if file.is_file())

    def read(self, names: Iterable[str]) -> Iterator[Opened]:
        for name in names:
            with (self.path / name).open("rb") as file:
                yield name, file


class _Tar:
    def __init__(self, archive: tarfile.TarFile, title: str) -> None:
        self._archive = archive
        guard = _Guard(title)
        self._members: dict[str, tarfile.TarInfo] = {}
        for member in archive:  # not getmembers(): a bomb is refused at its header, before its data is unpacked
            kind = "" if member.isreg() or member.isdir() else _tar_kind(member)
            name = guard.admit(member.name, member.size, kind)
            if member.isreg():
                self._members[name] = member
        # The end of a compressed stream, where its checksums are, lies behind the last entry.
        while archive.fileobj and (rest := archive.fileobj.read(1 << 20)):
            guard.admit("", len(rest), "")

    def names(self) -> list[str]:
        return list(self._members)

    def read(self, names: Iterable[str]) -> Iterator[Opened]:
        # In the order of the archive: going back in a compressed stream means unpacking it anew.
        for name in sorted(names, key=lambda name: self._members[name].offset_data):
            file = self._archive.extractfile(self._members[name])
            assert file is not None, "only regular files were kept"
            with file:
                yield name, file


def _tar_kind(member: tarfile.TarInfo) -> str:
    if member.issym():
        return "a symbolic link"
    if member.islnk():
        return "a hard link"
    return "a device" if member.isdev() else "an entry of unknown kind"


class _Zip:
    def __init__(self, archive: zipfile.ZipFile, title: str) -> None:
        self._archive = archive
        guard = _Guard(title)
        self._members: dict[str, zipfile.ZipInfo] = {}
        for member in archive.infolist():
            name = guard.admit(member.orig_filename, member.file_size, _zip_kind(member))
            if not member.is_dir():
                self._members[name] = member

    def names(self) -> list[str]:
        return list(self._members)

    def read(self, names: Iterable[str]) -> Iterator[Opened]:
        for name in names:
            with self._archive.open(self._members[name]) as file:
                yield name, file


def _zip_kind(member: zipfile.ZipInfo) -> str:
    mode = member.external_attr >> 16
    if stat.S_ISLNK(mode):
        return "a symbolic link"
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "a device"
    return "an encrypted file" if member.flag_bits & 1 else ""


class _Guard:
    """Judges the entries of one archive, one after the other."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._bytes = self._entries = 0

    def admit(self, name: str, size: int, kind: str) -> str:
        """The entry's name, made plain.

        Args:
            name: as it stands in the archive.
            size: bytes it unpacks to.
            kind: what it is, if it is anything but a file or a folder.

        Raises:
            UsageError: when the archive is to be refused.
        """
        self._bytes += size
        self._entries += 1
        plain = name.replace("\\", "/")  # a Windows tool writes these; read as a separator, `..\\` cannot slip by
        parts = plain.split("/")
        if kind:
            self._refuse(f"{kind}, {name!r}")
        if plain.startswith("/") or re.match("[A-Za-z]:", plain):
            self._refuse(f"the absolute path {name!r}")
        if ".." in parts:
            self._refuse(f"the path {name!r}, which climbs out of its folder")
        if not plain.isprintable():
            self._refuse(f"the unprintable name {name!r}")
        if self._bytes > MOST_BYTES or self._entries > MOST_ENTRIES:
            self._refuse(f"more than {MOST_BYTES >> 30} GiB or {MOST_ENTRIES} entries")
        return PurePosixPath(plain).as_posix()

    def _refuse(self, what: str) -> None:
        raise UsageError(
            f"the archive {self._title!r} holds {what}: refused whole, nothing was written; use one with plain files only"
        )
