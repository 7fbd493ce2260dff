"""What a run may spend: money, questions, time. One budget is shared by all handles of the run.

    budget = Budget(max_cost=5.0, max_requests=2000)
    agent = make_lm("openai/gpt-5-mini", run=run, budget=budget)
    prompt = make_lm("gemini/gemini-3-pro-preview", role="prompt", run=run, budget=budget)

A question counts once, however many attempts it takes, and is counted before it is sent: among any number in flight exactly
`max_requests` are admitted. What it costs is known only when the answer is there; so `max_cost` admits nothing more once that
much has been paid, and what is then under way comes on top. A question that has been sent comes to its end; one that still
waits for its turn (`rate.py`) when the money or the time is gone does not.

What the cache answers is free. A run that was stopped and is started again with a larger budget has spent what it paid before,
in answers and in money; its time begins anew.
"""

import math
import threading
import time
from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path

from agent_gym.errors import BudgetSpent, UsageError
from agent_gym.lm.base import Completion, Model, Request
from agent_gym.lm.cache import CompletionCache
from agent_gym.lm.meter import Price
from agent_gym.lm.usage import PICO

_waits: ContextVar[bool] = ContextVar("agent_gym_waits", default=False)
"""Whether the current question was admitted but not sent yet."""


class Budget:
    """What may be spent, and what was. Used from any thread.

    Args:
        max_cost: US dollars, more than 0.
        max_requests: questions, 1 or more. Those that failed count, and those that were given up: they may have been sent.
        max_seconds: time since the budget was made, more than 0.
        clock: seconds from any fixed moment.

    Raises:
        UsageError: a limit that allows nothing.
    """

    def __init__(
        self,
        max_cost: float | None = None,
        max_requests: int | None = None,
        max_seconds: float | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        for name, limit in {"max_cost": max_cost, "max_requests": max_requests, "max_seconds": max_seconds}.items():
            if limit is not None and not limit > 0:
                raise UsageError(f"{name} is {limit}, which allows nothing; leave it out for no limit")
        self.max_cost = math.inf if max_cost is None else max_cost
        self.max_requests = math.inf if max_requests is None else max_requests
        self.max_seconds = math.inf if max_seconds is None else max_seconds
        self._clock = clock
        self._started = clock()
        self._lock = threading.Lock()
        self._requests = 0
        self._picodollars = 0
        self._refused = 0
        self._unpriced = False
        self._recalled: set[tuple[Path, str]] = set()

    @property
    def requests(self) -> int:
        """Questions that were admitted, those that are under way and those of the run's past included."""
        return self._requests

    @property
    def cost(self) -> float:
        """US dollars paid so far, the run's past included."""
        return self._picodollars / PICO

    @property
    def seconds(self) -> float:
        """Time since the budget was made."""
        return self._clock() - self._started

    @property
    def refused(self) -> int:
        """Questions that were turned away: when there is one, the run is not what it would have been."""
        return self._refused

    @property
    def spent(self) -> str | None:
        """What ran out and at what value, "max_requests of 100"; None while another question would be admitted."""
        if self._requests >= self.max_requests:
            return f"max_requests of {self.max_requests}"
        return self._gone()

    def admit(self) -> None:
        """Count a question that is about to be sent.

        Raises:
            BudgetSpent: the budget does not allow it.
            UsageError: there is a `max_cost`, and an answer whose price nobody knows.
        """
        with self._lock:
            if self._unpriced and self.max_cost < math.inf:
                raise UsageError(
                    "an answer came without its numbers of tokens, so what it cost is not known and --max-cost cannot be kept; "
                    "use --max-requests"
                )
            if (spent := self.spent) is not None:
                raise self._refusal(spent)
            self._requests += 1

    def send(self) -> None:
        """Tell that the current question has waited for its turn and goes now, with each of its attempts.

        Raises:
            BudgetSpent: money or time ran out while it waited; it does not count then.
        """
        if not _waits.get():
            return
        with self._lock:
            if (gone := self._gone()) is not None:
                self._requests -= 1
                raise self._refusal(gone)
        _waits.set(False)

    def pay(self, picodollars: int | None) -> None:
        """Count what an answer cost; None when that is not known."""
        with self._lock:
            if picodollars is None:
                self._unpriced = True
            else:
                self._picodollars += picodollars

    def recall(self, cache: CompletionCache, payer: str) -> None:
        """Count what this payer has paid in the past, when it is named for the first time."""
        with self._lock:
            if not payer or (cache.path, payer) in self._recalled:
                return
            self._recalled.add((cache.path, payer))
            paid = cache.paid(payer)
            self._requests += paid.answers
            self._picodollars += paid.picodollars

    def _gone(self) -> str | None:
        if self._picodollars >= self.max_cost * PICO:
            return f"max_cost of ${self.max_cost:g}"
        if self.seconds >= self.max_seconds:
            return f"max_seconds of {self.max_seconds:g}"
        return None

    def _refusal(self, spent: str) -> BudgetSpent:
        self._refused += 1
        return BudgetSpent(f"the budget is spent: {spent} is reached; with a larger one the same run continues from here")


class Budgeted:
    """A model that is asked as long as there is budget.

    Args:
        model: who is asked, all attempts at a question included.
        budget: what may be spent.
        price: of the model's answers.

    Raises:
        UsageError: the budget is in money, and the price of this model is not known.
    """

    def __init__(self, model: Model, budget: Budget, price: Price) -> None:
        if budget.max_cost < math.inf and price(1, 1) is None:
            raise UsageError(f"the price of {model.name} is not known, so --max-cost cannot be kept; use --max-requests")
        self.name = model.name
        self._model = model
        self._budget = budget

    async def complete(self, request: Request) -> Completion:
        """The answer.

        Raises:
            BudgetSpent: the question was not sent, for the budget does not allow it.
            UsageError: there is a `max_cost`, and an answer whose price nobody knows.
        """
        self._budget.admit()
        token = _waits.set(True)
        try:
            return await self._model.complete(request)
        finally:
            _waits.reset(token)
