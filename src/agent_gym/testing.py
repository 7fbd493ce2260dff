"""Models and agents that do as they are told, for tests: ours, and those of whoever builds on this package.

    lm = ScriptedLM(["Which city?", '{"tool_calls": [{"name": "FindRestaurants", "arguments": {"city": "San Jose"}}]}'])
    lm = ScriptedLM(lambda request: request.turns[-1].content)
    agent = ScriptedAgent([Assistant("", (ToolCall("FindRestaurants", '{"city": "San Jose"}'),)), "Sino is a nice one."])
    agent = RecordedAgent(tasks)
    agent = GoldAgent(trace, SGDActs(path).of(trace))

They are a `Model` and `Agent`s like any other, not mocks: `make_handle(lm)` gives a scripted model a cache and a meter, and
`evaluate` plays a scripted agent. An error in a script is raised where it stands. A script that is at its end when it is asked
for more is a mistake of the test, and says so.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import NamedTuple, TypeVar

from agent_gym.environment.success import day_of
from agent_gym.environment.told import is_told, names
from agent_gym.errors import AnswerError, ModelError
from agent_gym.lm.base import Completion, Request
from agent_gym.messages import Assistant, Message, System, Tool, ToolCall, ToolSpec, User
from agent_gym.tools.recordings import Row, rows_of
from agent_gym.traces.sgd_acts import ActedTurn
from agent_gym.traces.task import Task, service_of
from agent_gym.traces.trace import Trace

Answer = str | Completion | ModelError
Action = Assistant | str | AnswerError | ModelError
Acting = Callable[[Sequence[Message], tuple[ToolSpec, ...]], Action]

T = TypeVar("T")


class ScriptedLM:
    """A model whose answers come from a list, in turn, or from a function of the request.

    Args:
        answers: texts, whole completions, or errors to raise.
        name: what the model is called.
    """

    def __init__(self, answers: Iterable[Answer] | Callable[[Request], Answer], *, name: str = "scripted") -> None:
        self.name = name
        self.asked: list[Request] = []
        """Every request, in the order of arrival."""
        self._answer = answers if callable(answers) else _in_turn(answers)

    async def complete(self, request: Request) -> Completion:
        """The next answer."""
        self.asked.append(request)
        answer = self._answer(request)
        if isinstance(answer, ModelError):
            raise answer
        return Completion(text=answer) if isinstance(answer, str) else answer


class ScriptedAgent:
    """An agent whose actions come from a list, in turn, or from a function of what it sees.

    Args:
        actions: messages, mere words, or errors to raise.
    """

    def __init__(self, actions: Iterable[Action] | Acting) -> None:
        self.seen: list[tuple[Message, ...]] = []
        """What it saw at every step."""
        self._action: Acting = actions if callable(actions) else _listed(actions)

    async def act(self, messages: Sequence[Message], tools: tuple[ToolSpec, ...]) -> Assistant:
        """The next action."""
        self.seen.append(tuple(messages))
        action = self._action(messages, tools)
        if isinstance(action, AnswerError | ModelError):
            raise action
        return Assistant(action) if isinstance(action, str) else action


class RecordedAgent:
    """An agent that does in each task what the recorded system did.

    Every metric must score it 1: where it does not, data, tools and metric do not fit together.

    Args:
        tasks: what it can play; it breaks off in any other.
    """

    def __init__(self, tasks: Iterable[Task]) -> None:
        self._tasks: dict[int, list[Task]] = {}
        for task in tasks:
            self._tasks.setdefault(len(task.prompt), []).append(task)

    async def act(self, messages: Sequence[Message], tools: tuple[ToolSpec, ...]) -> Assistant:
        """What the recorded system did at this point."""
        seen = tuple(message for message in messages if not isinstance(message, System))
        for length in sorted(self._tasks, reverse=True):
            for task in self._tasks[length]:
                if seen[:length] == task.prompt:
                    done = sum(isinstance(message, Assistant) for message in seen[length:])
                    actions = [message for message in task.expected if isinstance(message, Assistant)]
                    if done < len(actions):
                        return actions[done]
        raise AnswerError("nothing is recorded for this conversation")


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


def _listed(actions: Iterable[Action]) -> Acting:
    following = _in_turn(actions)
    return lambda messages, tools: following(messages)


def _in_turn(script: Iterable[T]) -> Callable[[object], T]:
    rest: Iterator[T] = iter(script)
    given = 0

    def following(asked: object) -> T:
        nonlocal given
        for one in rest:
            given += 1
            return one
        raise AssertionError(f"the script ended after {given}, and was asked for one more: {str(asked)[-200:]}")

    return following
