"""Faults that may pass are tried again: later each time, never all at once, and never sooner than the endpoint asked.

An answer that is empty or cut off is such a fault too: nothing behind this point sees one. The tokens of useless attempts were
paid for, so they are added to the answer that came in the end.
"""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random

import msgspec

from agent_gym.errors import ModelError
from agent_gym.lm.base import Completion, Model, Request
from agent_gym.lm.faults import Blocked, CutOff, EmptyAnswer
from agent_gym.lm.meter import Account

CUT_OFF = "length"
FILTERED = frozenset({"content_filter", "SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII"})
"""Words of the providers for an answer that their content filter stopped."""


def flaw(request: Request, completion: Completion) -> ModelError | None:
    """What makes an answer useless, if anything does."""
    if completion.finish == CUT_OFF:
        fault = CutOff(f"answer cut off after {completion.completion_tokens} tokens; ask for more with max_tokens")
        # At temperature 0 the same question is cut off at the same place: asking again would only be paid again.
        budget, used = request.max_tokens, completion.completion_tokens
        fault.retryable = not (request.temperature == 0 and budget is not None and used is not None and used >= budget)
        return fault
    if completion.text.strip():
        return None
    if completion.finish in FILTERED:
        return Blocked(f"the provider's content filter stopped the answer: {completion.finish}")
    return EmptyAnswer(f"empty message (finish: {completion.finish})")


class Retrying:
    """A model that is asked up to `attempts` times.

    Args:
        model: who is asked.
        account: where faults and retries are counted.
        attempts: 1 or more; 1 never tries again.
        base_delay: seconds before the second attempt, doubled for each one after it, with a random half taken off.
        longest_delay: seconds that no delay of ours exceeds.
        longest_wait: seconds that the endpoint may ask for; a longer wish ends the request.
        check: what makes an answer a fault.
        seed: of the random part of the delays.
        sleep: how to wait; tests pass one that does not.
    """

    def __init__(
        self,
        model: Model,
        account: Account,
        *,
        attempts: int = 4,
        base_delay: float = 0.5,
        longest_delay: float = 30.0,
        longest_wait: float = 120.0,
        check: Callable[[Request, Completion], ModelError | None] = flaw,
        seed: int = 0,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self.name = model.name
        self._model = model
        self._account = account
        self._attempts = attempts
        self._base_delay = base_delay
        self._longest_delay = longest_delay
        self._longest_wait = longest_wait
        self._check = check
        self._random = Random(seed)
        self._sleep = sleep

    async def complete(self, request: Request) -> Completion:
        """Ask until an answer is whole.

        Raises:
            ModelError: what the last attempt met.
        """
        useless: Completion | None = None
        attempt = 0
        while True:
            attempt += 1
            completion, fault = await self._attempt(request)
            if completion is not None and useless is not None:
                completion = _with_tokens_of(completion, useless)
            if completion is not None and fault is None:
                return completion
            assert fault is not None
            useless = completion or useless
            delay = self._delay(fault, attempt)
            self._account.fault(fault, retried=delay is not None)
            if delay is None:
                break
            await self._sleep(delay)
        if useless is not None:
            self._account.wasted(useless)
        if attempt > 1:
            fault.args = (f"{fault} (attempt {attempt} of {self._attempts})",)
        raise fault

    async def _attempt(self, request: Request) -> tuple[Completion | None, ModelError | None]:
        try:
            completion = await self._model.complete(request)
        except ModelError as error:
            return None, error
        return completion, self._check(request, completion)

    def _delay(self, fault: ModelError, attempt: int) -> float | None:
        """Seconds to wait before the next attempt; None when there shall be none."""
        if attempt >= self._attempts or not fault.retryable:
            return None
        if fault.retry_after is None:
            delay = min(self._base_delay * 2 ** (attempt - 1), self._longest_delay)
            return delay * self._random.uniform(0.5, 1.0)
        if fault.retry_after > self._longest_wait:
            return None
        # Never sooner than asked; spread out, or all that were sent away together come back together.
        return fault.retry_after * self._random.uniform(1.0, 1.25)


def _with_tokens_of(completion: Completion, useless: Completion) -> Completion:
    def both(a: int | None, b: int | None) -> int | None:
        return None if a is None or b is None else a + b

    return msgspec.structs.replace(
        completion,
        prompt_tokens=both(completion.prompt_tokens, useless.prompt_tokens),
        completion_tokens=both(completion.completion_tokens, useless.completion_tokens),
        reasoning_tokens=(completion.reasoning_tokens or 0) + (useless.reasoning_tokens or 0),
    )
