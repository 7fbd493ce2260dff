"""The recorded conversation as an environment: one user turn is put to an agent, and its tools answer.

`play` is the whole of it and does no input or output: it yields what the agent sees and is sent what the agent did. So one
definition serves the asynchronous evaluation and the synchronous optimizers.
"""

import threading
from collections.abc import Callable, Generator, Sequence

from agent_gym.errors import AnswerError, ModelError
from agent_gym.lm.prompt import told_date
from agent_gym.messages import Assistant, Message, System, Tool, writable
from agent_gym.tools import Recordings, ToolBackend, ToolCatalog, ToolMocker, execute
from agent_gym.traces import Trace
from agent_gym.traces.task import Task

MAX_STEPS = 4
"""Steps an agent may take for one user turn: the recorded system takes two at most."""

Steps = Generator[Sequence[Message], Assistant, Trace]


class ReplayEnvironment:
    """Tasks of recorded conversations, answered by recorded tools.

    Args:
        recordings: what tools answered elsewhere, or a function that reads it when it is first needed.
    """

    def __init__(self, recordings: Recordings | Callable[[], Recordings]) -> None:
        self._recordings = recordings
        self._lock = threading.Lock()

    def recordings(self) -> Recordings:
        """What tools answered elsewhere, read once however many threads ask."""
        with self._lock:
            if not isinstance(self._recordings, Recordings):
                self._recordings = self._recordings()
            return self._recordings

    def backend(self, task: Task) -> ToolMocker:
        """The tools of one task; they know the answers recorded in its conversation."""
        return ToolMocker(ToolCatalog(task.tools), self.recordings, task.trace)

    def play(self, task: Task) -> Steps:
        """One task; see `play`."""
        return play(task, self.backend(task))


def play(task: Task, backend: ToolBackend, *, max_steps: int = MAX_STEPS) -> Steps:
    """Put a task to an agent: yields the messages it sees, is sent its action (or the error it raised), returns what happened.

    A rollout that breaks off is a trace too: `error` says why, and `metadata["fault"]` whose fault it was: the "agent" that
    gave no readable action or never came to an end, or the "endpoint" that failed.
    """
    context = [System(told_date(task.today))] if task.today else []
    messages: list[Message] = list(task.prompt)
    for _ in range(max_steps):
        try:
            action = writable((yield [*context, *messages]))
        except AnswerError as error:
            return finished(task, messages, error=str(error), fault="agent")
        except ModelError as error:
            return finished(task, messages, error=str(error), fault="endpoint")
        messages.append(action)
        if not action.tool_calls:
            return finished(task, messages)
        messages += [execute(backend, call) for call in action.tool_calls]
    return finished(task, messages, error=f"the agent still calls tools after {max_steps} steps", fault="agent")


def finished(task: Task, messages: Sequence[Message], *, error: str | None = None, fault: str = "") -> Trace:
    """A rollout as a trace; the task's own messages stand first."""
    rungs = [message.source for message in messages[task.start + 1 :] if isinstance(message, Tool)]
    return Trace(
        conversation_id=task.id,
        messages=tuple(messages),
        tools=task.tools,
        error=error,
        metadata={"start": task.start, "rungs": rungs, **({"fault": fault} if fault else {})},
    )
