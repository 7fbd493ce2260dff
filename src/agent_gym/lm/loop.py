"""The doorway from synchronous code: one event loop in a background thread, for the whole process.

Everything below a handle is asynchronous; DSPy's optimizers are not, and call from eight threads and more. They wait here
while their requests overlap on one loop, which therefore holds one pool of connections and one table of requests in flight.

    answer = run_sync(handle.complete(request))     # from any thread
    answer = await handle.complete(request)         # from any event loop; on this one without a detour

A coroutine awaited from another loop hops over and back, which costs 50 microseconds among many requests and 200 for a lone
one; a caller with thousands of them does better to bring its whole coroutine here with `run_sync`.
"""

import asyncio
import atexit
import os
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future, wait
from typing import Any, TypeVar

T = TypeVar("T")

GRACE = 5.0
"""Seconds that an interrupted coroutine has for its `finally` blocks before its caller goes on without it."""


class _Background:
    """A thread that does nothing but run an event loop."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.closing = False
        self.closers: list[Callable[[], Awaitable[object]]] = []
        self.thread = threading.Thread(target=self._serve, name="agent-gym-loop", daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        asyncio.set_event_loop(self.loop)
        while not self.closing:
            try:
                self.loop.run_forever()
            except (KeyboardInterrupt, SystemExit):
                # asyncio lets these two out of the loop after handing them to their task. The task's caller has
                # received them; all others still need the loop.
                continue
        self.loop.close()


_lock = threading.Lock()
_background: _Background | None = None


def background_loop() -> asyncio.AbstractEventLoop:
    """The process's loop, started at first use."""
    global _background
    background = _background
    if background is None:
        with _lock:
            background = _background = _background or _Background()
    return background.loop


def on_background() -> bool:
    """Whether the caller already runs on the background loop."""
    background = _background
    return background is not None and threading.get_ident() == background.thread.ident


def on_close(closer: Callable[[], Awaitable[object]]) -> None:
    """Await `closer()` before the background loop ends; for connections and the like that live on it."""
    background_loop()
    if (background := _background) is not None:
        background.closers.append(closer)


def run_sync(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on the background loop and wait for it; for synchronous callers in any thread.

    An interrupt (Ctrl-C) of the waiting thread cancels the coroutine, gives it up to `GRACE` seconds to clean up, and is
    raised again.

    Raises:
        RuntimeError: when called on the background loop itself, which would wait for itself for ever.
    """
    loop = background_loop()
    if on_background():
        coroutine.close()
        raise RuntimeError("run_sync was called from a coroutine on the background loop; await the coroutine there instead")
    outcome: Future[T] = Future()
    started: list[asyncio.Task[T]] = []

    def start() -> None:
        task = loop.create_task(coroutine)
        started.append(task)
        task.add_done_callback(deliver)

    def deliver(task: asyncio.Task[T]) -> None:
        if task.cancelled():
            outcome.cancel()
            outcome.set_running_or_notify_cancel()  # only this wakes who waits below
        elif (error := task.exception()) is not None:
            outcome.set_exception(error)
        else:
            outcome.set_result(task.result())

    loop.call_soon_threadsafe(start)
    try:
        return outcome.result()
    except BaseException:
        if not outcome.done():
            loop.call_soon_threadsafe(lambda: started[0].cancel())
            wait([outcome], timeout=GRACE)
        raise


async def hop(coroutine: Coroutine[Any, Any, T]) -> T:
    """Await a coroutine that must run on the background loop, from whatever loop this is."""
    if on_background():
        return await coroutine
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(coroutine, background_loop()))


def close() -> None:
    """Cancel what still runs and end the background thread; the next use starts another. Registered to run at exit."""
    global _background
    with _lock:
        background, _background = _background, None
    if background is None or not background.thread.is_alive():
        return

    async def finish() -> None:
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
        await asyncio.gather(*(closer() for closer in background.closers), return_exceptions=True)
        await background.loop.shutdown_asyncgens()
        background.closing = True
        background.loop.stop()

    asyncio.run_coroutine_threadsafe(finish(), background.loop)
    background.thread.join(timeout=GRACE)


def _forget() -> None:
    """A forked child has the parent's memory but not its thread: it starts a loop of its own."""
    global _background, _lock
    _lock = threading.Lock()
    _background = None


atexit.register(close)
if sys.platform != "win32":
    os.register_at_fork(after_in_child=_forget)
