"""A data set: conversations in splits, from which examples are drawn without reading all of them.

Two kinds: Schema-Guided Dialogue (`SGDLoader`) and files of traces (`TraceLoader`); `open_data` tells them apart. What
optimizes, measures or plays asks for a data set and for no more than stands here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from agent_gym.traces.trace import Trace

F = TypeVar("F")


@dataclass
class LoadReport(Generic[F]):
    """What one loader has read so far."""

    files: int = 0
    dialogues: int = 0
    turns: int = 0
    tool_calls: int = 0
    services: set[str] = field(default_factory=set[str])
    faults: list[F] = field(default_factory=list[F])

    @property
    def unreadable(self) -> int:
        """How many dialogues or whole files could not be read."""
        return len(self.faults)


@dataclass(frozen=True, slots=True)
class DialogueHead:
    """Where a dialogue stands and what it is about, known without keeping its turns."""

    file: Path
    index: int
    """Of the dialogue in an SGD file, counted from 0; of the line in a file of traces, counted from 1."""
    conversation_id: str
    services: tuple[str, ...]
    start: int = 0
    """Of a line: the byte at which it begins."""


class DataSet(Protocol):
    """Conversations in splits."""

    @property
    def path(self) -> Path:
        """Where it lies."""
        ...

    @property
    def name(self) -> str:
        """What it is called in results and reports."""
        ...

    @property
    def report(self) -> LoadReport[Any]:
        """What has been read so far, and what could not be; each fault prints as one line."""
        ...

    def splits(self) -> list[str]:
        """The splits that are there."""
        ...

    def load(self, split: str) -> Iterator[Trace]:
        """The conversations of a split, one at a time.

        Raises:
            UsageError: when the split is not there.
        """
        ...

    def heads(self, split: str) -> list[DialogueHead]:
        """All conversations of a split without their messages: what to choose from.

        Raises:
            UsageError: when the split is not there.
        """
        ...

    def read(self, split: str, heads: Sequence[DialogueHead]) -> list[Trace]:
        """The conversations behind some heads, in the order of the heads; one that cannot be read is left out."""
        ...

    def everything(self) -> Iterator[Trace]:
        """Every readable conversation of every split; neither they nor the others are counted in `report`."""
        ...
