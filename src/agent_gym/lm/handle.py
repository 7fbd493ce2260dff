"""A model in use: one role of a run, with cache, budget, meter, retries and rate limit around whatever answers.

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
from agent_gym.lm.budget import Budget, Budgeted
from agent_gym.lm.cache import CompletionCache
from agent_gym.lm.cached import Cached
from agent_gym.lm.loop import hop, on_background, run_sync
from agent_gym.lm.meter import Meter, Metered, Price
from agent_gym.lm.rate import Limited, RateLimit
from agent_gym.lm.retry import Retrying
from agent_gym.lm.tally import count


def unknown_price(prompt_tokens: int | None, completion_tokens: int | None) -> float | None:
    """The price of a model that nobody named."""
    return None


class Handle:
    """A model in use; itself a `Model`.

    Args:
        model: what answers, from the background loop only.
        role: whose questions these are: "agent", "prompt" or "judge".
        meter: where they are counted.
        max_tokens: the limit of a request that names none.
        price: tokens to US dollars.
    """

    def __init__(
        self, model: Model, *, role: str, meter: Meter, max_tokens: int | None = None, price: Price = unknown_price
    ) -> None:
        self.name = model.name
        self.role = role
        self.meter = meter
        self._model = model
        self._max_tokens = max_tokens
        self._price = price

    def __repr__(self) -> str:
        return f"Handle({self.name!r}, role={self.role!r})"

    def __deepcopy__(self, memo: dict[int, object]) -> "Handle":
        # Optimizers copy programs all the time; a copy of a program asks the same model.
        return self

    async def complete(self, request: Request) -> Completion:
        """The answer.

        Raises:
            ModelError: the endpoint failed, after all retries.
            BudgetSpent: the run's budget does not allow the question.
        """
        if self._max_tokens is not None and request.max_tokens is None:
            request = msgspec.structs.replace(request, max_tokens=self._max_tokens)
        asking = self._model.complete(request)
        completion = await (asking if on_background() else hop(asking))
        count(completion, self._price(completion.prompt_tokens, completion.completion_tokens))
        return completion

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
    price: Price = unknown_price,
    budget: Budget | None = None,
    rate: RateLimit | None = None,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> Handle:
    """A handle on any `Model`: a scripted one of a test, or one of your own.

    Args:
        model: what answers.
        role: whose questions these are.
        meter: where they are counted; a new one when not given.
        cache: where answers are kept; None keeps none, and sends equal questions each time.
        endpoint: part of the cache's key: the same name elsewhere is another model.
        run: who pays, together with the role; a run that is started again under the same name replays what it paid for.
        attempts: how often a question is tried, 1 or more.
        max_tokens: the limit of a request that names none.
        price: tokens to US dollars; unknown unless given.
        budget: what the run may spend; share one among its handles.
        rate: how fast it may ask; share one among the handles of one quota.
        sleep: how to wait between attempts; tests pass one that does not.

    Raises:
        UsageError: the budget is in money, and the price is not known.
    """
    meter, budget = meter or Meter(), budget or Budget()
    account = meter.account(role, price, budget.pay)
    sent = model if rate is None else Limited(model, rate, budget.send)
    stack: Model = Budgeted(Metered(Retrying(sent, account, attempts=attempts, sleep=sleep), account), budget, price)
    if cache is not None:
        kept = shared_cache(cache) if isinstance(cache, Path) else cache
        payer = f"{run}/{role}" if run else ""
        budget.recall(kept, payer)
        stack = Cached(stack, kept, account, endpoint=endpoint, run=payer)
    return Handle(stack, role=role, meter=meter, max_tokens=max_tokens, price=price)


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
