"""An agent in an environment: the rollout."""

from collections.abc import Awaitable, Callable, Sequence

from agent_gym.agents.base import Agent
from agent_gym.environment.replay import Steps
from agent_gym.errors import AnswerError, ModelError
from agent_gym.messages import Assistant, Message
from agent_gym.traces import Trace
from agent_gym.traces.task import Task


async def rollout(agent: Agent, task: Task, steps: Steps) -> Trace:
    """Play one task to its end. What the agent or its endpoint gets wrong lands on the trace."""
    return await drive(steps, lambda messages: agent.act(messages, task.tools))


async def drive(steps: Steps, act: Callable[[Sequence[Message]], Awaitable[Assistant]]) -> Trace:
    """Answer every step asynchronously."""
    messages = next(steps)
    try:
        while True:
            try:
                action = await act(messages)
            except (AnswerError, ModelError) as error:
                messages = steps.throw(error)
            else:
                messages = steps.send(action)
    except StopIteration as end:
        return end.value


def drive_sync(steps: Steps, act: Callable[[Sequence[Message]], Assistant]) -> Trace:
    """Answer every step synchronously: what DSPy's optimizers need."""
    messages = next(steps)
    try:
        while True:
            try:
                action = act(messages)
            except (AnswerError, ModelError) as error:
                messages = steps.throw(error)
            else:
                messages = steps.send(action)
    except StopIteration as end:
        return end.value
