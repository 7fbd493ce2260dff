"""Many pieces of work at once, each kept as it ends: what whole episodes and single turns have in common.

A piece is a task and the number of the time it is played. What the file holds is not played again; what has ended is written,
counted and let go of; what an outage cut short is counted as lost and not written, so that a rerun plays it and nothing else.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import nullcontext
from hashlib import blake2b
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from agent_gym.environment.rollouts.file import RolloutFile, rollout_file
from agent_gym.environment.rollouts.summary import Counts, RolloutSummary, lost
from agent_gym.errors import BudgetSpent, UsageError
from agent_gym.traces import Trace

T = TypeVar("T")


def require_some(**numbers: int) -> None:
    """Refuse to do something less than once.

    Raises:
        UsageError: when one of the numbers is less than 1.
    """
    if any(value < 1 for value in numbers.values()):
        given = ", ".join(f"{name}={value}" for name, value in numbers.items())
        raise UsageError(f"{' and '.join(numbers)} must be 1 or more, got {given}")


def missing(tasks: Iterable[T], name: Callable[[T], str], samples: int, file: RolloutFile | None) -> Iterator[tuple[T, int]]:
    """Every task with the numbers of its samples, less what the file holds.

    Raises:
        UsageError: for two tasks of one name, when the second comes up.
    """
    met: set[bytes] = set()
    for task in tasks:
        called = name(task)
        digest = blake2b(called.encode(), digest_size=16).digest()
        if digest in met:
            raise UsageError(
                f"two tasks are called {called!r}: give each an id of its own, their samples could not be told apart"
            )
        met.add(digest)
        for number in range(samples):
            if file is None or (called, number) not in file:
                yield task, number


async def play_kept(
    queue: Callable[[RolloutFile | None], Iterator[T]],
    play: Callable[[T], Awaitable[Trace]],
    settings: Mapping[str, Any],
    *,
    concurrency: int,
    output: Path | str | None,
    on_trace: Callable[[Trace], None] | None,
) -> RolloutSummary:
    """Play a queue, as many at once as allowed, and keep what ends.

    Args:
        queue: what is to be played, of the file if there is one.
        play: plays one piece; its trace has in its metadata what `Counts` reads.
        settings: JSON values that are put on every trace, and must be those of the file.
        concurrency, output, on_trace: see `rollout_many`.

    Raises:
        UsageError, FileRefused, BudgetSpent: see `rollout_many`.
    """
    started = time.perf_counter()
    counts = Counts()
    with nullcontext() if output is None else rollout_file(Path(output), settings, counts) as file:

        async def keep(trace: Trace) -> None:
            if (loss := lost(trace)) is not None:
                counts.lose(loss)
            else:
                trace = msgspec.structs.replace(trace, metadata={**trace.metadata, "settings": settings})
                if file is not None:
                    file.append(trace)
                counts.add(trace)
            if on_trace is not None:
                on_trace(trace)
            if file is not None and file.due:
                await asyncio.to_thread(file.sync)

        await _play_all(queue(file), play, keep, concurrency)
    return counts.summary(time.perf_counter() - started)


async def _play_all(
    queue: Iterator[T], play: Callable[[T], Awaitable[Trace]], keep: Callable[[Trace], Awaitable[None]], concurrency: int
) -> None:
    """Play with as many in flight as allowed.

    Raises:
        BudgetSpent: when a budget ran out; what was under way and needed no further question has ended and is kept, and
            nothing more was begun.
    """
    stopped: list[BudgetSpent] = []

    async def lane() -> None:
        for sample in queue:
            if stopped:
                return
            try:
                trace = await play(sample)
            except BudgetSpent as error:
                stopped.append(error)
                return
            await keep(trace)
            # Where nothing is ever waited for, an interrupt still has to get in somewhere.
            await asyncio.sleep(0)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(concurrency):
                group.create_task(lane())
    except ExceptionGroup as errors:
        # What an episode gets wrong is on its trace: this is a fault of the program, and one traceback of it is enough.
        raise errors.exceptions[0] from None
    if stopped:
        raise stopped[0]
