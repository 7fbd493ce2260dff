"""The recorded system as an agent in conversations that may go otherwise: what a simulated user is put to the test with.

agent = GoldAgent(trace, SGDActs(path).of(trace))
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

from agent_gym.environment.goals.success import day_of
from agent_gym.environment.goals.told import is_told, names
from agent_gym.messages import Assistant, Message, Tool, ToolCall, ToolSpec, User
from agent_gym.tools.recordings import Row, rows_of
from agent_gym.traces.sgd_acts import ActedTurn
from agent_gym.traces.task import service_of
from agent_gym.traces.trace import Trace


class GoldAgent:
    """An agent that follows the recorded system's policy in a conversation that may go otherwise.

    The recorded turns are played in their order. A recorded call waits until the user has said, this time, what the recorded
    user had said before it; a recorded question is left out when its answers were said already; what the user asks and the
    recorded words do not answer is answered from the results.

    Args:
        task: the recorded conversation.
        turns: what was meant by its turns (`SGDActs.of`).
    """

    def __init__(self, task: Trace, turns: Sequence[ActedTurn]) -> None:
        self._turns = _recorded_turns(task, turns)
        self._today = day_of(task)
        self._at = 0
        self._asked: set[str] = set()
        self._rows: list[tuple[str, Row]] = []

    async def act(self, messages: Sequence[Message], tools: tuple[ToolSpec, ...]) -> Assistant:
        """The next recorded call or words, when their time has come."""
        said = [message.content for message in messages if isinstance(message, User)]
        last = messages[-1]
        if isinstance(last, Tool):
            self._rows += [(service_of(last.name), row) for row in rows_of(last.result)]
            return self._speak(said[-1])
        while self._at < len(self._turns):
            turn = self._turns[self._at]
            missing = [
                slot
                for slot, values in turn.needs.items()
                if not (_is_said(slot, values, said, self._today) or (slot in turn.tacit and slot in self._asked))
            ]
            if turn.call is not None:
                if missing:
                    self._asked.add(missing[0])
                    return Assistant(turn.questions.get(missing[0], f"What {missing[0].replace('_', ' ')} would you like?"))
                return Assistant("", (turn.call,))
            if turn.asks and not missing:
                self._at += 1
                continue
            if not turn.tells and (answer := self._answers(said[-1], "")) and "?" in said[-1]:
                return Assistant(answer)
            if turn.asks:
                self._asked |= turn.needs.keys()
            return self._speak(said[-1])
        return Assistant("Is there anything else I can help you with?")

    def _speak(self, question: str) -> Assistant:
        words = self._turns[self._at].words
        self._at += 1
        return Assistant(" ".join(filter(None, (words, self._answers(question, words)))))

    def _answers(self, question: str, words: str) -> str:
        """What the user asks about the last rows and the words leave out."""
        told: dict[str, str] = {}
        for _, row in reversed(self._rows):
            for field, value in row.items():
                if (
                    field not in told
                    and names(field, question)
                    and isinstance(value, str)
                    and not is_told(field, value, words, self._today, question)
                ):
                    told[field] = value
        return (
            " ".join(f"The {field.replace('_', ' ')} is {value}." for field, value in told.items()) if "?" in question else ""
        )


class PositionalAgent:
    """An agent that takes the recorded system's actions one after another, whatever the user says."""

    def __init__(self, task: Trace) -> None:
        self._actions = [message for message in task.messages if isinstance(message, Assistant)]
        self._at = 0

    async def act(self, messages: Sequence[Message], tools: tuple[ToolSpec, ...]) -> Assistant:
        """The next recorded action."""
        self._at += 1
        return self._actions[self._at - 1] if self._at <= len(self._actions) else Assistant("Is there anything else?")


class _RecordedTurn(NamedTuple):
    """What the recorded system did in one turn, and what it had been told before."""

    words: str
    call: ToolCall | None
    asks: bool
    tells: bool
    """It answers a question, or says how a call went."""
    needs: Mapping[str, tuple[str, ...]]
    """Of a call or a question: the arguments, as the recorded user told them."""
    questions: Mapping[str, str]
    """Argument to the words in which the recorded system asked for it."""
    tacit: frozenset[str]
    """Arguments whose values are told without saying them ("yes", "we eat everything"): an answer to the question will do."""


def _recorded_turns(task: Trace, turns: Sequence[ActedTurn]) -> list[_RecordedTurn]:
    told: dict[tuple[str, str], tuple[str, ...]] = {}
    informed = [(frame.service, act) for turn in turns if turn.user for frame in turn.frames for act in frame.acts]
    later = {(service, act.slot): (*act.values, *act.canonical) for service, act in informed if act.act == "INFORM"}
    spoken = iter([message.content for message in task.messages if isinstance(message, User | Assistant) and message.content])
    own = [message.content for message in task.messages if isinstance(message, User)]
    calls = iter(task.calls)
    found: list[_RecordedTurn] = []
    questions: dict[str, str] = {}
    for turn in turns:
        words = next(spoken, "")
        for frame in turn.frames:
            acts = {act.act for act in frame.acts}
            if turn.user:
                told |= {(frame.service, act.slot): (*act.values, *act.canonical) for act in frame.acts if act.act == "INFORM"}
                continue
            call = next(calls, None) if frame.called else None
            needs: dict[str, tuple[str, ...]] = {}
            if call is not None:
                needs = {slot: told[frame.service, slot] for slot in call.parsed() if (frame.service, slot) in told}
            elif acts == {"REQUEST"}:
                slots = [act.slot for act in frame.acts]
                questions |= dict.fromkeys(slots, words)
                # What the recorded user never told is asked for all the same.
                needs = {slot: later.get((frame.service, slot), ()) for slot in slots}
            tacit = frozenset(
                slot
                for slot, values in needs.items()
                if {"True", "False"} & {*values} or not _is_said(slot, values, own, day_of(task))
            )
            tells = bool(acts & {"INFORM", "NOTIFY_SUCCESS", "NOTIFY_FAILURE"})
            found.append(_RecordedTurn(words, call, acts == {"REQUEST"}, tells, needs, dict(questions), tacit))
    return found


def _is_said(slot: str, values: Sequence[str], said: Sequence[str], today: date) -> bool:
    return "dontcare" in values or any(is_told(slot, value, text, today) for text in said for value in values)
