"""A task: one user turn of a recorded conversation, and what the recorded system then did.

All that was said before it, the user's words, and the recorded answer (its call and result, if any, and its words) are slices
of one trace, so a task costs nothing to keep.
"""

from collections.abc import Iterator

import msgspec

from agent_gym.messages import Assistant, Message, ToolCall, ToolSpec, User
from agent_gym.traces.trace import Trace


class Task(msgspec.Struct, frozen=True, gc=False, repr_omit_defaults=True):
    """One user turn to answer."""

    trace: Trace
    start: int
    """Index of the user's message."""
    end: int
    """Index behind the last message of the recorded answer."""
    service: str = ""
    """What the turn is about: the service of its call, else of the next call, else of the last."""

    @property
    def id(self) -> str:
        """The conversation and the number of the user's message in it."""
        return f"{self.trace.conversation_id}#{self.start}"

    @property
    def prompt(self) -> tuple[Message, ...]:
        """The conversation up to and with the user's words."""
        return self.trace.messages[: self.start + 1]

    @property
    def expected(self) -> tuple[Message, ...]:
        """What the recorded system did."""
        return self.trace.messages[self.start + 1 : self.end]

    @property
    def tools(self) -> tuple[ToolSpec, ...]:
        """What the agent may call."""
        return self.trace.tools

    @property
    def today(self) -> str:
        """The date of the conversation (ISO), empty when unknown."""
        return str(self.trace.metadata.get("date", ""))

    @property
    def expected_calls(self) -> list[ToolCall]:
        """The recorded calls."""
        return calls_of(self.expected)

    @property
    def expected_reply(self) -> str:
        """The recorded words."""
        return reply_of(self.expected)

    def __repr__(self) -> str:
        # Optimizers show examples to a model: the conversation stands beside the task, not inside it once more.
        return f"Task({self.id!r})"

    def __deepcopy__(self, memo: dict[int, object]) -> "Task":
        # Frozen all the way down; DSPy copies its examples with every candidate program.
        return self


def tasks_of(trace: Trace) -> Iterator[Task]:
    """The tasks of a conversation, in order; a last user turn that nobody answered is none."""
    users = [index for index, message in enumerate(trace.messages) if isinstance(message, User)]
    services = _services(trace)
    for start, end in zip(users, [*users, len(trace.messages)][1:], strict=True):
        if end > start + 1:
            yield Task(trace, start, end, services[start])


def _services(trace: Trace) -> list[str]:
    """For every message, the service of the first call at or behind it, else of the last call."""
    called = [""] * len(trace.messages)
    current = ""
    for index in range(len(called) - 1, -1, -1):
        message = trace.messages[index]
        if isinstance(message, Assistant) and message.tool_calls:
            current = service_of(message.tool_calls[0].name)
        called[index] = current
    last = next((service for service in reversed(called) if service), "")
    return [service or last for service in called]


def service_of(tool: str) -> str:
    """`SERVICE` of a tool called `SERVICE-INTENT`, else the tool's own name."""
    return tool.rpartition("-")[0] or tool


def calls_of(messages: tuple[Message, ...]) -> list[ToolCall]:
    """All calls made in some messages."""
    return [call for message in messages if isinstance(message, Assistant) for call in message.tool_calls]


def reply_of(messages: tuple[Message, ...]) -> str:
    """The last words said to the user; empty when nothing was said."""
    said = [message.content for message in messages if isinstance(message, Assistant) and message.content]
    return said[-1] if said else ""
