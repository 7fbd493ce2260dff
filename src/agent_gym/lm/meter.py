"""What the models of a run were asked and what it cost, by role: agent, prompt, judge.

    meter = Meter()
    before = meter.snapshot()
    ...
    spent = meter.snapshot()["agent"] - before["agent"]
    spent.requests, spent.cost, spent.transport.latency(0.95)

Used from any thread: DSPy's optimizers ask from many.
"""

import threading
import time
from collections.abc import Callable

import msgspec

from agent_gym.errors import ModelError
from agent_gym.lm.base import Completion, Model, Request
from agent_gym.lm.faults import kind
from agent_gym.lm.usage import PICO, TRANSPORT_COUNTS, USAGE_COUNTS, Transport, Usage, latency_step

Price = Callable[[int | None, int | None], float | None]
"""(prompt tokens, completion tokens) to US dollars; None when the price is not known."""
Bill = Callable[[int | None], object]
"""Told what an answer cost, in picodollars; None when its price is not known."""


class _Totals:
    """The running sums of one role."""

    def __init__(self) -> None:
        self.usage: dict[str, int] = dict.fromkeys(USAGE_COUNTS, 0)
        self.transport: dict[str, int] = dict.fromkeys(TRANSPORT_COUNTS, 0)
        self.faults: dict[str, int] = {}
        self.latencies: dict[int, int] = {}

    def freeze(self) -> Usage:
        transport = Transport(**self.transport, faults=dict(self.faults), latencies=dict(self.latencies))
        return Usage(**self.usage, transport=transport)


class Meter:
    """Counts for every role; used from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._roles: dict[str, _Totals] = {}
        self._charged: set[bytes] = set()

    def __deepcopy__(self, memo: dict[int, object]) -> "Meter":
        return self

    def account(self, role: str, price: Price, bill: Bill = lambda picodollars: None) -> "Account":
        """Where the model of a role writes what it does. Two models in one role share its sums, each at its own price.

        Args:
            role: whose questions these are.
            price: what an answer costs.
            bill: told whenever something is paid; not when it is replayed.
        """
        with self._lock:
            return Account(self._lock, self._roles.setdefault(role, _Totals()), self._charged, price, bill)

    def snapshot(self) -> dict[str, Usage]:
        """The sums so far, by role."""
        with self._lock:
            return {role: self._roles[role].freeze() for role in sorted(self._roles)}


class Account:
    """One model's pen in the meter."""

    def __init__(self, lock: threading.Lock, totals: _Totals, charged: set[bytes], price: Price, bill: Bill) -> None:
        self._lock = lock
        self._totals = totals
        self._charged = charged
        self._price = price
        self._bill = bill

    def picodollars(self, completion: Completion) -> int | None:
        """What an answer costs, in 10^-12 US dollars; None when its price is not known."""
        price = self._price(completion.prompt_tokens, completion.completion_tokens)
        return None if price is None else round(price * PICO)

    def answered(self, completion: Completion, nanoseconds: int | None) -> None:
        """A question was paid for; without nanoseconds, in this run's past."""
        cost = self.picodollars(completion)
        with self._lock:
            self._totals.usage["requests"] += 1
            self._add_tokens(completion, cost)
            if nanoseconds is None:
                self._totals.transport["replayed"] += 1
            else:
                self._add_time(nanoseconds)
                step = latency_step(nanoseconds)
                self._totals.latencies[step] = self._totals.latencies.get(step, 0) + 1
        if nanoseconds is not None:
            self._bill(cost)

    def failed(self, nanoseconds: int) -> None:
        """A question got no answer."""
        with self._lock:
            self._totals.usage["requests"] += 1
            self._totals.usage["failures"] += 1
            self._add_time(nanoseconds)

    def wasted(self, completion: Completion) -> None:
        """Tokens were paid for an answer of no use, to a question that stays without one."""
        cost = self.picodollars(completion)
        with self._lock:
            self._add_tokens(completion, cost)
        self._bill(cost)

    def hit(self) -> None:
        """A question cost nothing."""
        with self._lock:
            self._totals.usage["cache_hits"] += 1

    def fault(self, error: ModelError, *, retried: bool) -> None:
        """An attempt failed."""
        with self._lock:
            self._totals.faults[kind(error)] = self._totals.faults.get(kind(error), 0) + 1
            self._totals.transport["retries"] += retried

    def claim(self, key: bytes) -> bool:
        """Whether this is the first time the meter is charged for this question."""
        with self._lock:
            first = key not in self._charged
            self._charged.add(key)
            return first

    def _add_tokens(self, completion: Completion, cost: int | None) -> None:
        usage = self._totals.usage
        usage["prompt_tokens"] += completion.prompt_tokens or 0
        usage["completion_tokens"] += completion.completion_tokens or 0
        usage["reasoning_tokens"] += completion.reasoning_tokens or 0
        if cost is None:
            usage["unpriced"] += 1
        else:
            usage["picodollars"] += cost

    def _add_time(self, nanoseconds: int) -> None:
        self._totals.transport["nanoseconds"] += nanoseconds


class Metered:
    """A model whose answers are counted and timed."""

    def __init__(self, model: Model, account: Account) -> None:
        self.name = model.name
        self._model = model
        self._account = account

    async def complete(self, request: Request) -> Completion:
        """Ask, and write down what it took, waiting between attempts included."""
        started = time.perf_counter_ns()
        try:
            completion = await self._model.complete(request)
        except ModelError:
            self._account.failed(time.perf_counter_ns() - started)
            raise
        took = time.perf_counter_ns() - started
        self._account.answered(completion, took)
        return msgspec.structs.replace(completion, seconds=round(took / 1e9, 6))
