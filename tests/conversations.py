"""A recorded conversation of our own, small enough to be read: a table is found and booked, and its phone number asked for."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from agent_gym.environment.users import Utterance
from agent_gym.environment.users.base import Ended
from agent_gym.errors import UserFailed
from agent_gym.messages import Assistant, Message, Tool, ToolCall, User
from agent_gym.tools import Recordings, ToolBackend, ToolCatalog, ToolMocker
from agent_gym.traces import Goal, IntentGoal, Trace
from table_service import BOOK, FIND, ROWS

WANTED = {"place_name": "Blue Heron", "date": "2019-03-08", "time": "19:00", "party_size": "2"}


def called(name: str, arguments: Mapping[str, Any], **more: Any) -> ToolCall:
    return ToolCall(name, json.dumps(dict(arguments)), **more)


FOUND = called(FIND.name, {"cuisine": "Thai", "city": "Oakland"}, id="call_0")
BOOKED = called(BOOK.name, WANTED, id="call_1", accepted={"time": ("7 pm",), "date": ("next Friday",)})
TASK = Trace(
    conversation_id="train/tables",
    messages=(
        User("I want Thai food in Oakland."),
        Assistant("", (FOUND,)),
        Tool(FIND.name, ROWS, call_id="call_0"),
        Assistant("Blue Heron is a nice place in Oakland."),
        User("Book it for next Friday at 7 pm, please. What is their phone number?"),
        Assistant("", (BOOKED,)),
        Tool(BOOK.name, [WANTED], call_id="call_1"),
        Assistant("Your table is booked. Their phone number is 555-0101."),
    ),
    tools=(FIND, BOOK),
    goal=Goal(
        (
            IntentGoal(FIND.name, {"cuisine": ("Thai",), "city": ("Oakland",)}, ("phone_number",)),
            IntentGoal(BOOK.name, {"date": ("next Friday",), "time": ("7 pm",), "place_name": ("Blue Heron",)}),
        )
    ),
    metadata={"date": "2019-03-01", "services": ["Tables_1"]},
)
RIGHT: tuple[Assistant, ...] = tuple(message for message in TASK.messages if isinstance(message, Assistant))
"""What the recorded system did."""


def tables(task: Trace) -> ToolBackend:
    """The tools of the conversation, as recorded."""
    return ToolMocker(ToolCatalog(task.tools), Recordings(()), task)


class Scripted:
    """A user that says what stands in a list, and leaves with its last words or fails."""

    name = "scripted"

    def __init__(self, *lines: str | UserFailed, ended: Ended = "goal") -> None:
        self._lines = lines
        self._ended: Ended = ended

    def begin(self, task: Trace, seed: int) -> "_Speaking":
        return _Speaking(list(self._lines), self._ended)


class _Speaking:
    def __init__(self, lines: list[str | UserFailed], ended: Ended) -> None:
        self._lines = lines
        self._ended: Ended = ended

    async def speak(self, messages: Sequence[Message]) -> Utterance:
        if not self._lines:
            return Utterance("", self._ended)
        line = self._lines.pop(0)
        if isinstance(line, UserFailed):
            raise line
        return Utterance(line)
