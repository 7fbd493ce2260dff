"""A model in use: one role of a run, with cache, meter and retries around whatever answers.

A handle is awaited from any event loop and called from any thread. The work happens on the process's one background loop
(`loop.py`), so that all of them share its connections and its table of questions in flight.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from threading import Lock
from weakref import WeakValueDictionary

import msgspec

from agent_gym.lm.base import Completion, Model, Request
from agent_gym.lm.cache import CompletionCache
from agent_gym.lm.cached import Cached
from agent_gym.lm.loop import hop, on_background, run_sync
from agent_gym.lm.meter import Meter, Metered, Price
from agent_gym.lm.retry import Retrying


class Handle:
    """A model in use; itself a `Model`.

    Args:
        model: what answers, from the background loop only.
        role: whose questions these are: "agent", "prompt" or "judge".
        meter: where they are counted.
        max_tokens: the limit of a request that names none.
    """

    def __init__(self, model: Model, *, role: str, meter: Meter, max_tokens: int | None = None) -> None:
        self.name = model.name
        self.role = role
        self.meter = meter
        self._model = model
        self._max_tokens = max_tokens

    def __repr__(self) -> str:
        return f"Handle({self.name!r}, role={self.role!r})"

    def __deepcopy__(self, memo: dict[int, object]) -> "Handle":
        # Optimizers copy programs all the time; a copy of a program asks the same model.
        return self

    async def complete(self, request: Request) -> Completion:
        """The answer.

        Raises:
            ModelError: the endpoint failed, after all retries.
        """
        if self._max_tokens is not None and request.max_tokens is None:
            request = msgspec.structs.replace(request, max_tokens=self._max_tokens)
        if on_background():
            return await self._model.complete(request)
        return await hop(self._model.complete(request))

    def complete_sync(self, request: Request) -> Completion:
        """The answer, for synchronous callers; any number of threads may wait at once."""
        return run_sync(self.complete(request))


def make_handle(
    model: Model,
    *,
    role: str = "agent",
    meter: Meter | None = None,
    cache: CompletionCache | Path | None = None,
    endpoint: str = "",
    run: str = "",
    attempts: int = 4,
    max_tokens: int | None = None,
    price: Price = lambda prompt_tokens, completion_tokens: None,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> Handle:
    """A handle on any `Model`: a scripted one of a test, or one of your own.

    Args:
        model: what answers.
        role: whose questions these are.
        meter: where they are counted; a new one when not given.
        cache: where answers are kept; None keeps none, and sends equal questions each time.
        endpoint: part of the cache's key: the same name elsewhere is another model.
        run: who pays; a run that is started again under the same name replays what it paid for.
        attempts: how often a question is tried, 1 or more.
        max_tokens: the limit of a request that names none.
        price: tokens to US dollars; unknown unless given.
        sleep: how to wait between attempts; tests pass one that does not.
    """
    meter = meter or Meter()
    account = meter.account(role, price)
    stack: Model = Metered(Retrying(model, account, attempts=attempts, sleep=sleep), account)
    if cache is not None:
        kept = shared_cache(cache) if isinstance(cache, Path) else cache
        stack = Cached(stack, kept, account, endpoint=endpoint, run=run)
    return Handle(stack, role=role, meter=meter, max_tokens=max_tokens)


_caches: WeakValueDictionary[Path, CompletionCache] = WeakValueDictionary()
_caches_lock = Lock()


def shared_cache(path: Path) -> CompletionCache:
    """The process's one cache over this file, as long as somebody uses it."""
    path = path.expanduser().absolute()
    with _caches_lock:
        cache = _caches.get(path)
        if cache is None:
            cache = _caches[path] = CompletionCache(path)
        return cache
