"""A person asks, the agent answers: one question to a grounded agent and its mocked tools.

    response = query_agent("I want to cancel my subscription")
    print(response)                  the words
    response.calls                   what was called for them
    response.neighbours              the recorded turns they are grounded in

    talk = query_agent.conversation()
    talk("I want to cancel my subscription"), talk("Yes, please")

`query_agent` remembers nothing; a conversation remembers its own. What fails is raised: a person is waiting for the answer.
"""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

import msgspec

from agent_gym.agents.grounded import GroundedAgent
from agent_gym.environment.replay import play
from agent_gym.errors import AnswerError, UsageError
from agent_gym.lm.loop import run_sync
from agent_gym.messages import Message, ToolCall, User
from agent_gym.tools import ToolBackend
from agent_gym.traces import Trace
from agent_gym.traces.retrieval import Neighbour
from agent_gym.traces.task import Task, calls_of, reply_of


@dataclass(frozen=True, repr=False)
class Response:
    """An answer. Printed, it is its words."""

    text: str
    trace: Trace
    """Everything that happened, the conversation before it included; `metadata["start"]` is the index of the question."""
    neighbours: tuple[Neighbour, ...] = ()
    """The recorded turns it is grounded in, nearest first."""

    @property
    def task(self) -> Task:
        """The question as a task, for metrics; nothing is recorded as its answer."""
        start = int(self.trace.metadata["start"])
        asked = msgspec.structs.replace(self.trace, messages=self.trace.messages[: start + 1])
        return Task(asked, start, start + 1)

    @property
    def calls(self) -> list[ToolCall]:
        """The tool calls made for this answer."""
        return calls_of(self.trace.messages[self.task.start + 1 :])

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        calls = ", ".join(f"{call.name}({call.arguments})" for call in self.calls)
        return f"Response({self.text!r}, calls=[{calls}], neighbours={[neighbour.task.id for neighbour in self.neighbours]})"


class QueryAgent:
    """Answers questions; equal questions alike, whatever was asked in between.

    Args:
        agent: gives the agent, when it is first needed.
        tools: what answers its calls.
        today: the date it is told, ISO; nothing when empty.
    """

    def __init__(self, agent: Callable[[], GroundedAgent], tools: ToolBackend, *, today: str = "") -> None:
        self._agent = agent
        self._tools = tools
        self._today = today

    def __call__(self, text: str) -> Response:
        """Answer a question; for synchronous callers, notebooks included. See `ask`."""
        return run_sync(self.ask(text))

    async def ask(self, text: str) -> Response:
        """Answer a question.

        Raises:
            MissingKey: no key for the model's provider in the environment.
            ModelError: the endpoint failed, after all retries.
            AnswerError: the model wrote nothing readable, or never came to words.
            UsageError: no question.
        """
        return await self.answer((), text)

    def conversation(self) -> "Conversation":
        """A talk that remembers what was said in it, and nothing else."""
        return Conversation(self)

    async def answer(self, before: tuple[Message, ...], text: str) -> Response:
        """Answer the user's words after the messages before them; raises what `ask` raises."""
        if not text.strip():
            raise UsageError("there is no question: the text is empty")
        agent, messages = self._agent(), (*before, User(text))
        asked = Trace(
            conversation_id=f"query-{sha256(msgspec.json.encode(messages)).hexdigest()[:12]}",
            messages=messages,
            tools=tuple(self._tools.catalog.values()),
            metadata={"date": self._today} if self._today else {},
        )
        neighbours = tuple(agent.nearest(messages))
        task = Task(asked, len(messages) - 1, len(messages))
        steps = play(task, self._tools)
        seen = next(steps)
        # A rollout would keep the agent's and the endpoint's faults on its trace; here they reach who asked.
        while True:
            try:
                seen = steps.send(await agent.act(seen, task.tools))
            except StopIteration as end:
                trace: Trace = end.value
                break
        if trace.error is not None:
            raise AnswerError(f"{text[:80]!r}: {trace.error}")
        metadata = {**asked.metadata, **trace.metadata, "neighbours": [neighbour.task.id for neighbour in neighbours]}
        return Response(reply_of(trace.messages), msgspec.structs.replace(trace, metadata=metadata), neighbours)


class Conversation:
    """A talk with a query agent; what fails leaves it as it was, so that the question may be asked again."""

    def __init__(self, agent: QueryAgent) -> None:
        self._agent = agent
        self.messages: tuple[Message, ...] = ()
        """What was said, called and answered so far."""

    def __call__(self, text: str) -> Response:
        """Say something and wait for the answer; see `QueryAgent.ask`."""
        return run_sync(self.ask(text))

    async def ask(self, text: str) -> Response:
        """Say something; raises what `QueryAgent.ask` raises."""
        response = await self._agent.answer(self.messages, text)
        self.messages = response.trace.messages
        return response
