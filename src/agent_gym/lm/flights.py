"""Questions on their way: whoever asks the same meanwhile waits for the same answer, so it is sent and paid for once."""

import asyncio

from agent_gym.lm.base import Completion


class Flights:
    """Who waits for what. Used on one event loop."""

    def __init__(self) -> None:
        self._waiting: dict[bytes, list[asyncio.Future[Completion | None]]] = {}

    async def join(self, key: bytes) -> Completion | None:
        """The answer to the same question in flight; None when there is none, and the caller shall depart.

        Raises:
            ModelError: the error that the question in flight ended with.
        """
        while (waiting := self._waiting.get(key)) is not None:
            place: asyncio.Future[Completion | None] = asyncio.get_running_loop().create_future()
            waiting.append(place)
            if (completion := await place) is not None:
                return completion
            # Who asked gave up, which is no answer for us: the first to look again asks in their place.
        return None

    def depart(self, key: bytes) -> None:
        """Whoever asks for the same from now on waits."""
        self._waiting[key] = []

    def land(self, key: bytes, outcome: Completion | Exception | None) -> None:
        """Tell everyone who waits; None when there will be no answer."""
        for place in self._waiting.pop(key):
            if place.done():
                continue
            if isinstance(outcome, Exception):
                place.set_exception(outcome)
            else:
                place.set_result(outcome)
