"""Models and agents that do as they are told, for tests: ours, and those of whoever builds on this package.

    lm = ScriptedLM(["Which city?", '{"tool_calls": [{"name": "FindRestaurants", "arguments": {"city": "San Jose"}}]}'])
    lm = ScriptedLM(lambda request: request.turns[-1].content)
    agent = ScriptedAgent([Assistant("", (ToolCall("FindRestaurants", '{"city": "San Jose"}'),)), "Sino is a nice one."])
    agent = RecordedAgent(tasks)

They are a `Model` and `Agent`s like any other, not mocks: `make_handle(lm)` gives a scripted model a cache and a meter, and
`evaluate` plays a scripted agent. An error in a script is raised where it stands. A script that is at its end when it is asked
for more is a mistake of the test, and says so.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from agent_gym.errors import AnswerError, ModelError
from agent_gym.lm.base import Completion, Request
from agent_gym.messages import Assistant, Message, System, ToolSpec
from agent_gym.traces.task import Task

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
