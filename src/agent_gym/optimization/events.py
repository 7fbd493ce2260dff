"""The phases of a run: what began, how far it is, what it took."""

import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager

from agent_gym.errors import BudgetSpent
from agent_gym.lm.meter import Meter
from agent_gym.lm.usage import Usage
from agent_gym.optimization.result import Event
from agent_gym.traces.dataset import DataSet

FAULTS_TOLD = 20
"""Of a data set, one by one; logs may have thousands."""

Progress = Callable[[int], None]
"""Told how many examples more are done, from any thread."""


class Phases:
    """Tells the listener what happens and keeps what belongs in the result: progress is told and not kept."""

    def __init__(self, meter: Meter, listener: Callable[[Event], None] | None) -> None:
        self.events: list[Event] = []
        self.notes: list[str] = []
        self._meter = meter
        self._listener = listener
        self._started = time.perf_counter()
        self._phase = ""
        self._lock = threading.Lock()

    @contextmanager
    def phase(self, name: str, total: int | None = None) -> Generator[Progress]:
        """A phase from its start to its end; the end carries what it asked of the models."""
        self._phase = name
        before = self._meter.snapshot()
        self._tell(Event(kind="phase_started", phase=name, total=total, seconds=self._seconds()))
        done = 0

        def progress(more: int) -> None:
            nonlocal done
            with self._lock:
                done += more
                if self._listener is not None:
                    self._listener(Event(kind="progress", phase=name, done=done, total=total, seconds=self._seconds()))

        try:
            yield progress
        except BudgetSpent:
            # Cut short, and the run goes on without it: what it took is told all the same.
            self._finished(name, done, total, before)
            raise
        self._finished(name, done, total, before)

    def _finished(self, name: str, done: int, total: int | None, before: Mapping[str, Usage]) -> None:
        usage = {role: used - before.get(role, Usage()) for role, used in self._meter.snapshot().items()}
        self._tell(Event(kind="phase_finished", phase=name, done=done, total=total, seconds=self._seconds(), usage=usage))

    def note(self, text: str) -> None:
        """Something the user should know."""
        self.notes.append(text)
        self._tell(Event(kind="note", phase=self._phase, text=text, seconds=self._seconds()))

    def note_faults(self, data: DataSet) -> None:
        """Which conversations of a data set cannot be read, as far as it was read."""
        faults = data.report.faults
        for fault in faults[:FAULTS_TOLD]:
            self.note(f"left out, cannot be read: {fault}")
        if len(faults) > FAULTS_TOLD:
            self.note(f"left out, cannot be read: {len(faults) - FAULTS_TOLD:,} more; `agent-gym data stats` lists all")

    def _tell(self, event: Event) -> None:
        self.events.append(event)
        if self._listener is not None:
            self._listener(event)

    def _seconds(self) -> float:
        return time.perf_counter() - self._started
