"""An event loop whose clock jumps to whatever comes next: an hour of waiting takes no time, and waiting for nothing fails.

starts = play(lambda clock: scene(RateLimit(60, clock=clock)))
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _Jumping(selectors.SelectSelector):
    """Where the loop would sleep, time passes instead."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("everybody waits, and nothing will ever happen")
        self.now += timeout
        return super().select(0)


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now


def play(scene: Callable[[Callable[[], float]], Coroutine[Any, Any, T]]) -> T:
    """Run the coroutine that `scene` makes of the clock (seconds, from 0)."""
    loop = _Loop()
    try:
        return loop.run_until_complete(scene(loop.time))
    finally:
        loop.close()
