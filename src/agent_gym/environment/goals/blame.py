"""Whose fault a failed episode was.

An episode that a user or a tool spoilt says nothing about the agent: whoever counts leaves it out. The evidence is what was
said and called; where it points to nobody else, the agent failed.

    tool    a right call was answered with an error or with nothing, where the record has an answer
    user    it left content although it had never asked for something that it wanted to know, or never said a value of what it
            wanted done; or the agent asked for such a value, and the user never gave it
    agent   otherwise
"""

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import pairwise
from typing import Any, Literal, cast

from agent_gym.environment.goals.success import CallPiece, achieved, day_of, is_right, missing_calls, pieces_of, told_fields
from agent_gym.environment.goals.told import is_told, names
from agent_gym.environment.users.questions import asked
from agent_gym.environment.users.understanding import params_of
from agent_gym.errors import ArgumentsError
from agent_gym.messages import Assistant, Tool, User
from agent_gym.tools.recordings import answered_calls
from agent_gym.traces import Trace

Fault = Literal["", "agent", "endpoint", "user", "tool", "judge"]


def blame(task: Trace, episode: Trace) -> Fault:
    """Whose fault it was that an episode failed; empty when it did not.

    Args:
        task: the recorded conversation.
        episode: what happened; `metadata["fault"]`, where something broke, says whose fault that was.
    """
    known = episode.metadata.get("fault")
    if known:
        return cast(Fault, known)
    if episode.error is None and achieved(task, episode).success:
        return ""
    if _tool_failed(task, episode):
        return "tool"
    return "user" if _user_failed(task, episode) else "agent"


def _tool_failed(task: Trace, episode: Trace) -> bool:
    """A call of the goal was made, and not answered as the record answers it."""
    specs = {spec.name: spec for spec in task.tools}
    made = answered_calls(episode)
    for piece in pieces_of(task).calls:
        answers = [answer for call, answer in made if is_right(piece.call, call, specs.get(call.name))]
        if answers and _answers(piece.answer) and not any(map(_answers, answers)):
            return True
    return False


def _answers(answer: Tool) -> bool:
    return answer.error is None and bool(answer.result)


def _user_failed(task: Trace, episode: Trace) -> bool:
    wanted, heard = pieces_of(task), _Heard(task, episode)
    unmade = missing_calls(task, episode, wanted.calls)
    if episode.metadata.get("ended") == "goal":
        told = told_fields(task, episode, wanted.fields)
        if any(not heard.request(piece.service, piece.field) for piece in wanted.fields if piece not in told):
            return True
        if any(heard.unsaid(piece) for piece in unmade):
            return True
    return any(heard.dodged(piece) for piece in unmade)


class _Heard:
    """What was said in an episode, and what the recorded user said."""

    def __init__(self, task: Trace, episode: Trace) -> None:
        self.specs = {spec.name: spec for spec in task.tools}
        self.today = day_of(task)
        self.recorded = [message.content for message in task.messages if isinstance(message, User)]
        self.user = [message.content for message in episode.messages if isinstance(message, User)]
        self.agent = [message.content for message in episode.messages if isinstance(message, Assistant)]
        said = [message for message in episode.messages if isinstance(message, User | Assistant) and message.content]
        self.answered = [
            (one.content, other.content)
            for one, other in pairwise(said)
            if isinstance(one, Assistant) and isinstance(other, User)
        ]
        acts = cast(Sequence[Sequence[str]], episode.metadata.get("acts") or ())
        self.acts = {act for turn in acts for act in turn}
        """What the user meant, where it is one that says so."""

    def request(self, service: str, field: str) -> bool:
        """The user asked for a field."""
        return f"REQUEST {service}.{field}" in self.acts or any(names(field, text) for text in self.user)

    def unsaid(self, piece: CallPiece) -> bool:
        """The recorded user said a value of the call, and this time nobody did."""
        return any(
            _says(slot, values, self.recorded, self.today) and not _says(slot, values, [*self.user, *self.agent], self.today)
            for slot, values in _values(piece).items()
        )

    def dodged(self, piece: CallPiece) -> bool:
        """The agent asked for a value of the call that the recorded user had said; the user answered something else, and never
        gave it."""
        spec = self.specs.get(piece.call.name)
        if spec is None:
            return False
        values = _values(piece)
        silent = {
            slot
            for slot, variants in values.items()
            if _says(slot, variants, self.recorded, self.today) and not _says(slot, variants, self.user, self.today)
        }
        for question, answer in self.answered if silent else ():
            wanted = asked(question, params_of(spec), (), self.today) if "?" in question else frozenset[str]()
            if wanted & silent and not any(_says(slot, values[slot], [answer], self.today) for slot in wanted & values.keys()):
                return True
        return False


def _values(piece: CallPiece) -> Mapping[str, Sequence[Any]]:
    """Argument to its value and all variants; a yes or no is said in too many ways to be looked for."""
    try:
        given = piece.call.parsed()
    except ArgumentsError:
        return {}
    return {
        slot: (value, *piece.call.accepted.get(slot, ()))
        for slot, value in given.items()
        if str(value).casefold() not in ("true", "false")
    }


def _says(slot: str, values: Sequence[Any], texts: Sequence[str], today: date) -> bool:
    return any(is_told(slot, value, text, today) for text in texts for value in values)
