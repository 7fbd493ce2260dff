"""A rollout as decisions: each with what the agent saw before it, message by message.

Nothing of this is kept twice: a trace holds the conversation and its date, and what the agent saw before a message is the
date and all that stands before that message.
"""

from collections.abc import Iterator

import msgspec

from agent_gym.lm.prompt import told_date
from agent_gym.messages import Assistant, Message, System, ToolSpec
from agent_gym.traces import Trace


class Decision(msgspec.Struct, frozen=True):
    """One assistant message, and the state in which it was chosen."""

    messages: tuple[Message, ...]
    """What the agent saw: a `System` message with the date, where one is known, then the conversation so far."""
    tools: tuple[ToolSpec, ...]
    """What it could call."""
    action: Assistant
    """What it did."""


def decisions(rollout: Trace) -> Iterator[Decision]:
    """What the agent decided in a rollout, in order; the recorded messages before a single turn are not its decisions.

    An answer that could not be read is no message and so no decision: it stands in the trace's `error`.
    """
    today = str(rollout.metadata.get("date", ""))
    context = (System(told_date(today)),) if today else ()
    first = int(rollout.metadata.get("start", -1)) + 1
    for index, message in enumerate(rollout.messages):
        if index >= first and isinstance(message, Assistant):
            yield Decision((*context, *rollout.messages[:index]), rollout.tools, message)
