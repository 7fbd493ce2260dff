"""Repeats of a run ask their models anew.

DSPy names draws of its own: the second round of a bootstrap, SIMBA's samples, every proposal; of two repeats they are the same.
So the repeat is put before whatever name a request has, where it leaves for the cache.
"""

import msgspec

from agent_gym.lm.base import Completion, Request
from agent_gym.lm.handle import Handle


class Repeat(Handle):
    """A handle whose questions belong to one repeat; an empty name changes nothing."""

    def __init__(self, handle: Handle, name: str) -> None:
        super().__init__(handle, role=handle.role, meter=handle.meter)
        self._handle = handle
        self._repeat = name

    async def complete(self, request: Request) -> Completion:
        """The answer to this repeat's question."""
        sample = "/".join(filter(None, (self._repeat, request.sample)))
        return await self._handle.complete(msgspec.structs.replace(request, sample=sample))
