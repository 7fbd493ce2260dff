"""An interrupt that ends at once.

DSPy plays candidates in threads. Ctrl-C reaches the main thread only; the others go on waiting for their answers, minutes long
when an endpoint hangs, and a process does not end before its threads. So what they wait for is let go.
"""

import asyncio
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager

from agent_gym.errors import BudgetSpent, ModelError
from agent_gym.lm.base import Completion, Request
from agent_gym.lm.handle import Handle
from agent_gym.lm.loop import hop, run_sync

INTERRUPTED = "the run was interrupted"


class Gate(Handle):
    """A handle that can be closed: what is on its way is cancelled, and nothing more is asked.

    Args:
        handle: who is asked.
        refused: told when the budget does not allow a question; whoever asks may keep that to himself.
    """

    def __init__(self, handle: Handle, refused: Callable[[BudgetSpent], object] = lambda _: None) -> None:
        super().__init__(handle, role=handle.role, meter=handle.meter)
        self._handle = handle
        self._refused = refused
        self._waiting: set[asyncio.Task[object]] = set()
        self._closed = False

    async def complete(self, request: Request) -> Completion:
        """The answer.

        Raises:
            ModelError: the gate was closed meanwhile; a rollout that meets it ends quietly.
            BudgetSpent: the run's budget does not allow the question.
        """
        return await hop(self._pass(request))

    async def _pass(self, request: Request) -> Completion:
        if self._closed:
            raise ModelError(INTERRUPTED)
        task = asyncio.current_task()
        assert task is not None
        self._waiting.add(task)
        try:
            return await self._handle.complete(request)
        except BudgetSpent as error:
            self._refused(error)
            raise
        except asyncio.CancelledError:
            if self._closed:
                raise ModelError(INTERRUPTED) from None
            raise
        finally:
            self._waiting.discard(task)

    def close(self) -> None:
        """Let everyone go who waits."""
        run_sync(self._close())

    async def _close(self) -> None:
        self._closed = True
        for task in self._waiting:
            task.cancel()


@contextmanager
def interruptible(
    models: Mapping[str, Handle], refused: Callable[[BudgetSpent], object] = lambda _: None
) -> Generator[Mapping[str, Handle]]:
    """The same handles by role; their questions are let go when the block is interrupted."""
    gates = {role: Gate(handle, refused) for role, handle in models.items()}
    try:
        yield gates
    except KeyboardInterrupt:
        for gate in gates.values():
            gate.close()
        raise
