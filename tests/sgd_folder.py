"""A small data set in SGD's format that a test may break: one split, two files of three dialogues, taken from the sample."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

Json = Any
Change = Callable[[Json], object]


class SGDFolder:
    """The folder, and its files as JSON."""

    def __init__(self, path: Path, sample: Path) -> None:
        self.path = path
        self.split = path / "train"
        self.split.mkdir(parents=True)
        self.schema = self.split / "schema.json"
        self.schema.write_bytes((sample / "train" / "schema.json").read_bytes())
        dialogues: list[Json] = msgspec.json.decode((sample / "train" / "dialogues_001.json").read_bytes())
        for number in (1, 2):
            self.write(number, dialogues[3 * number - 3 : 3 * number])

    def file(self, number: int) -> Path:
        """A file of dialogues."""
        return self.split / f"dialogues_{number:03}.json"

    def read(self, number: int) -> list[Json]:
        """The dialogues of a file."""
        return msgspec.json.decode(self.file(number).read_bytes())

    def write(self, number: int, dialogues: Json) -> None:
        """Replace a file."""
        self.file(number).write_bytes(msgspec.json.encode(dialogues))

    def change(self, dialogue: int, change: Change) -> None:
        """Change one dialogue of the first file."""
        dialogues = self.read(1)
        change(dialogues[dialogue])
        self.write(1, dialogues)

    def change_schema(self, change: Change) -> None:
        """Change the services."""
        services: list[Json] = msgspec.json.decode(self.schema.read_bytes())
        change(services)
        self.schema.write_bytes(msgspec.json.encode(services))

    @property
    def ids(self) -> list[str]:
        """The names of all dialogues."""
        return [dialogue["dialogue_id"] for number in (1, 2) for dialogue in self.read(number)]


def put(*path: Any, value: Any) -> Change:
    """A change that sets what stands at a path of names and numbers."""

    def change(item: Json) -> None:
        for step in path[:-1]:
            item = item[step]
        item[path[-1]] = value

    return change


def drop(*path: Any) -> Change:
    """A change that takes away what stands at a path."""

    def change(item: Json) -> None:
        for step in path[:-1]:
            item = item[step]
        del item[path[-1]]

    return change
