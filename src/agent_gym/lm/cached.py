"""A question is paid for once: answered from disk, or together with the same question that is already on its way.

What a run reports must not depend on whether it was killed and started again. So the first time that a run meets an answer
which it paid for itself before it was killed, that counts as the request it once was, tokens and price included (and as
`replayed`); every later time, and an answer that another run paid for, counts as a cache hit.

Only whole answers get here (`retry.py` sees to it), so only whole answers are kept.
"""

from agent_gym.lm.base import Completion, Model, Request
from agent_gym.lm.cache import CompletionCache, cache_key
from agent_gym.lm.meter import Account


class Cached:
    """A model that remembers.

    Args:
        model: who is asked when nothing is remembered.
        cache: the answers on disk, and those on their way.
        account: where hits and replayed requests are counted.
        endpoint: part of the key: the same name elsewhere is another model.
        run: who pays; an empty one is nobody's, and never replays.
    """

    def __init__(self, model: Model, cache: CompletionCache, account: Account, *, endpoint: str = "", run: str = "") -> None:
        self.name = model.name
        self._model = model
        self._cache = cache
        self._account = account
        self._endpoint = endpoint
        self._run = run

    async def complete(self, request: Request) -> Completion:
        """The answer, paid for only if it never was."""
        key = cache_key(self.name, self._endpoint, request)
        try:
            shared = await self._cache.flights.join(key)
        except Exception:
            self._account.hit()
            raise
        if shared is not None:
            self._account.hit()
            return shared
        entry = self._cache.get(key)
        if entry is not None:
            if self._run and entry.run == self._run and self._account.claim(key):
                self._account.answered(entry.completion, None)
            else:
                self._account.hit()
            return entry.completion
        return await self._ask(key, request)

    async def _ask(self, key: bytes, request: Request) -> Completion:
        self._cache.flights.depart(key)
        outcome: Completion | Exception | None = None
        try:
            outcome = await self._model.complete(request)
        except Exception as error:
            outcome = error
            raise
        else:
            self._account.claim(key)
            self._cache.put(key, outcome, self._run, self._account.picodollars(outcome) or 0)
            return outcome
        finally:
            self._cache.flights.land(key, outcome)
