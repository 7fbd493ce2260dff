"""What a run learns from, chooses by and is measured on."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

import msgspec

from agent_gym.errors import UsageError
from agent_gym.traces import dump_trace
from agent_gym.traces.dataset import DataSet
from agent_gym.traces.draw import draw_tasks
from agent_gym.traces.task import Task

SIZES = ("num_train", "num_val", "num_test")


@dataclass(frozen=True)
class Examples:
    """Three lists of tasks; no two tasks share a dialogue."""

    train: list[Task]
    val: list[Task]
    test: list[Task]

    @cached_property
    def fingerprint(self) -> str:
        """A digest of the content of all examples."""
        digest = hashlib.sha256()
        for task in (*self.train, *self.val, *self.test):
            digest.update(task.id.encode())
            digest.update(msgspec.json.encode(dump_trace(task.trace), order="deterministic"))
        return digest.hexdigest()


def draw_examples(data: DataSet, sizes: tuple[int, int, int], *, split: str | None = None, seed: int = 0) -> Examples:
    """Training and validation from `train`, test from `dev`, or all three from one split.

    Args:
        sizes: how many to train, validate and test on.

    Raises:
        UsageError: when a split is absent or too small.
    """
    if split is not None:
        return Examples(*draw_tasks(data, split, sizes, seed=seed, named=SIZES))
    splits = data.splits()
    if missing := [name for name in ("train", "dev") if name not in splits]:
        raise UsageError(
            f"{str(data.path)!r} has no {missing[0]!r} split to draw examples from: "
            f"draw all from one it has, --split {splits[0]}"
        )
    lists: list[list[Task]] = []
    short: list[str] = []
    for name, part in (("train", slice(2)), ("dev", slice(2, 3))):
        try:
            lists += draw_tasks(data, name, sizes[part], seed=seed, named=SIZES[part])
        except UsageError as error:
            short.append(str(error))
    if short:
        # Of small logs both are too few: said at once.
        raise UsageError("; ".join(short))
    return Examples(*lists)


def draw_of(repeat: int) -> str:
    """What tells the requests of a repeat apart from those of the others; the run itself has nothing to be told apart by."""
    return f"repeat {repeat}" if repeat else ""
