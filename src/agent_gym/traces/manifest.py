"""What a fetched data set consists of: `MANIFEST.json`, one line of account for every file.

{"version": 1, "source": "https://…", "archive": "", "files": {"dev/schema.json": {"bytes": 17204, "sha256": "9f…"}}}
"""

import hashlib
from pathlib import Path

import msgspec

from agent_gym.errors import FileRefused
from agent_gym.files import write_whole

MANIFEST = "MANIFEST.json"
VERSION = 1


class Entry(msgspec.Struct, frozen=True):
    """One file: how long it is, and the digest of its content in hexadecimal digits."""

    bytes: int
    sha256: str


class _Saved(msgspec.Struct):
    version: int
    source: str
    files: dict[str, Entry]
    archive: str = ""


class Manifest:
    """The files of one folder, by their path inside it; every addition is on the disk at once."""

    def __init__(self, folder: Path, saved: _Saved) -> None:
        self._folder, self._saved = folder, saved
        self.source = saved.source
        """Where the last files came from."""
        self.archive = saved.archive
        """The digest of the archive that was unpacked last; empty while one is being unpacked."""

    @classmethod
    def read(cls, folder: Path) -> "Manifest":
        """The manifest of a folder; an empty one when there is none.

        Raises:
            FileRefused: when it is broken, or written by a newer version.
        """
        path = folder / MANIFEST
        if not path.exists():
            return cls(folder, _Saved(VERSION, "", {}))
        try:
            saved = msgspec.json.decode(path.read_bytes(), type=_Saved)
        except msgspec.DecodeError as error:
            raise FileRefused(f"{str(path)!r} cannot be read ({error}): delete it, and the files are fetched anew") from error
        if saved.version > VERSION:
            raise FileRefused(f"{str(path)!r} has version {saved.version}, this program knows {VERSION}: upgrade agent-gym")
        return cls(folder, saved)

    @property
    def files(self) -> dict[str, Entry]:
        return self._saved.files

    def holds(self, name: str) -> bool:
        """The file was recorded, and the disk still has it as it was."""
        entry, path = self.files.get(name), self._folder / name
        return entry is not None and path.is_file() and path.stat().st_size == entry.bytes and digest(path) == entry

    def add(self, name: str, entry: Entry) -> None:
        """Record a finished file."""
        self.files[name] = entry
        self.write()

    def write(self) -> None:
        """Put the manifest on the disk, whole."""
        files = dict(sorted(self.files.items()))
        saved = _Saved(VERSION, self.source, files, self.archive)
        write_whole(self._folder / MANIFEST, msgspec.json.format(msgspec.json.encode(saved), indent=1) + b"\n")


def digest(path: Path) -> Entry:
    """Length and digest of a file."""
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return Entry(path.stat().st_size, sha256)
