"""How fast a run asks: requests a minute, tokens a minute, requests in flight. One limit is shared by all handles of a quota.

    rate = RateLimit(requests_per_minute=300, tokens_per_minute=200_000, max_concurrency=8)
    agent = make_lm("openai/gpt-5-mini", rate=rate)
    judge = make_lm("openai/gpt-5-mini", role="judge", rate=rate)

Every attempt waits for its turn, first come, first served. In any 60 seconds at most `requests_per_minute` are sent, evenly:
no more at once than belong to one second, or one.

The tokens of a request are estimated before it is sent (a quarter of its characters, and the mean of its handle's last answers)
and set right by what the endpoint counted. A request of more than a second's worth goes when a second's worth is there, and
those behind it wait for the rest. So in any 60 seconds the tokens stay below the limit plus the largest request, and no request
is too large to be sent.

When the endpoint answers 429 and says how long to wait, nobody is sent before that.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from weakref import WeakKeyDictionary

from agent_gym.errors import RateLimited, UsageError
from agent_gym.lm.base import Completion, Model, Request

LONGEST_PAUSE = 120.0
"""Seconds; who is asked for more is not waited for (`Retrying` gives up on it too), and each request learns so itself."""
UNSEEN = 256
"""Tokens of an answer when none has been seen and the request names no limit."""
RECENT = 32
"""Answers that the mean of their tokens looks back on."""
SOON = 1e-6
"""Seconds that are not waited for: a clock cannot tell them apart."""
NAP = 1.0
"""Seconds after which who is next looks again, for an answer may have been shorter than was thought."""


class RateLimit:
    """How fast may be asked. Its handles' requests meet here; what is not given is not limited.

    Args:
        requests_per_minute: attempts, more than 0; 0.5 is one in two minutes.
        tokens_per_minute: of prompts and answers together, more than 0.
        max_concurrency: requests in flight, 1 or more.
        clock: seconds from any fixed moment.
        sleep: how to wait; as the clock, for tests.

    Raises:
        UsageError: a limit that allows nothing.
    """

    def __init__(
        self,
        requests_per_minute: float | None = None,
        tokens_per_minute: float | None = None,
        max_concurrency: int | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        given = {
            "requests_per_minute": requests_per_minute,
            "tokens_per_minute": tokens_per_minute,
            "max_concurrency": max_concurrency,
        }
        for name, limit in given.items():
            if limit is not None and not limit > 0:
                raise UsageError(f"{name} is {limit}, which allows nothing; leave it out for no limit")
        self._requests = None if requests_per_minute is None else _Flow(requests_per_minute)
        self._tokens = None if tokens_per_minute is None else _Flow(tokens_per_minute)
        self._places = max_concurrency
        self._clock = clock
        self._sleep = sleep
        self._closed_until = float("-inf")
        self._lines: WeakKeyDictionary[asyncio.AbstractEventLoop, _Line] = WeakKeyDictionary()

    @asynccontextmanager
    async def turn(self, tokens: float, go: Callable[[], object] = lambda: None) -> AsyncGenerator[None]:
        """Wait for one's turn; within the context, the request is in flight.

        Args:
            tokens: how many the request is thought to take.
            go: called when the turn has come; when it raises, the turn is the next one's.
        """
        line = self._line()
        async with line.places:
            async with line.head:
                while (delay := self._delay(tokens)) > SOON:
                    await self._sleep(min(delay, NAP))
                go()
                self._let_through(1, tokens)
            yield

    def correct(self, tokens: float) -> None:
        """Count tokens that were not thought of; fewer than 0 when there were less than was thought."""
        self._let_through(0, tokens)

    def pause(self, seconds: float) -> None:
        """Send nobody for so long."""
        if seconds <= LONGEST_PAUSE:
            self._closed_until = max(self._closed_until, self._clock() + seconds)

    def _delay(self, tokens: float) -> float:
        now = self._clock()
        waits = [self._closed_until - now]
        if self._requests is not None:
            waits.append(self._requests.wait(1, now))
        if self._tokens is not None:
            waits.append(self._tokens.wait(tokens, now))
        return max(waits)

    def _let_through(self, requests: float, tokens: float) -> None:
        now = self._clock()
        if self._requests is not None:
            self._requests.take(requests, now)
        if self._tokens is not None:
            self._tokens.take(tokens, now)

    def _line(self) -> "_Line":
        running = asyncio.get_running_loop()
        line = self._lines.get(running)
        if line is None:
            line = self._lines[running] = _Line(self._places)
        return line


class _Line:
    """Those who wait, on one event loop: asyncio's locks serve in the order of arrival."""

    def __init__(self, places: int | None) -> None:
        self.places: AbstractAsyncContextManager[None] = nullcontext() if places is None else asyncio.Semaphore(places)
        self.head = asyncio.Lock()


class _Flow:
    """So much a minute, and one second's worth (but at least one) at once.

    What is let through within 60 seconds is at most the second's worth that was ready and what flowed in meanwhile: the rate is
    such that both together are the limit.
    """

    def __init__(self, per_minute: float) -> None:
        self._ready = max(1.0, per_minute / 60)
        self._rate = (per_minute - (self._ready - 1)) / 60
        self._due = float("-inf")

    def wait(self, amount: float, now: float) -> float:
        """Seconds until so much may pass; what is more than can be ready goes when all is, and is made up for afterwards."""
        return self._paid(now) + min(amount, self._ready) / self._rate - now

    def take(self, amount: float, now: float) -> None:
        """Let so much pass; fewer than 0 gives back."""
        self._due = self._paid(now) + amount / self._rate

    def _paid(self, now: float) -> float:
        """The moment at which time had made up for all that passed, no earlier than lets one second's worth be ready."""
        return max(self._due, now - self._ready / self._rate)


class Limited:
    """A model that is asked no faster than allowed. What Metered says of latency includes the wait.

    Args:
        model: who is asked, one attempt at a time.
        rate: how fast.
        go: called before each attempt is sent, when its turn has come; it may raise.
    """

    def __init__(self, model: Model, rate: RateLimit, go: Callable[[], object] = lambda: None) -> None:
        self.name = model.name
        self._model = model
        self._rate = rate
        self._go = go
        self._answers = 0
        self._length = 0.0

    async def complete(self, request: Request) -> Completion:
        """The answer, in its turn."""
        estimate = self._estimate(request)
        async with self._rate.turn(estimate, self._go):
            try:
                completion = await self._model.complete(request)
            except RateLimited as error:
                self._rate.pause(error.retry_after or 0.0)
                raise
        self._learn(completion, estimate)
        return completion

    def _estimate(self, request: Request) -> float:
        limit = request.max_tokens
        length = self._length if self._answers else limit or UNSEEN
        return sum(len(turn.content) for turn in request.turns) / 4 + (length if limit is None else min(length, limit))

    def _learn(self, completion: Completion, estimate: float) -> None:
        if completion.completion_tokens is None:
            return
        self._answers = min(self._answers + 1, RECENT)
        self._length += (completion.completion_tokens - self._length) / self._answers
        if completion.prompt_tokens is not None:
            self._rate.correct(completion.prompt_tokens + completion.completion_tokens - estimate)
