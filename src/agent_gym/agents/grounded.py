"""An agent that does what was done in the recorded turns nearest to the conversation.

Its worked examples are chosen anew for every turn of the user (retrieval-augmented generation, Lewis et al. 2020, over worked
examples as in Liu et al. 2022); within one turn they stay, so that a provider's prompt cache serves its later steps.
"""

from collections.abc import Sequence
from typing import Any

from agent_gym.agents.prompt_agent import PromptAgent
from agent_gym.lm.base import Model
from agent_gym.lm.prompt import render_action, render_conversation
from agent_gym.messages import Assistant, Message, ToolSpec, User
from agent_gym.traces.retrieval import Neighbour, TurnIndex
from agent_gym.traces.task import Task

INSTRUCTION = """\
You are an assistant that helps its user with tools. Decide the next step of the conversation: call a tool, or say something \
to the user. The worked examples are recorded conversations like this one. Do as was done there and speak as was spoken there, \
but take names, numbers and facts only from this conversation and from what the tools answer in it. Change something only when \
the user has agreed to it."""

SHOWN = 12
"""Messages before the recorded answer that a worked example shows at most."""


class GroundedAgent:
    """A `PromptAgent` whose worked examples are the nearest recorded turns.

    Args:
        model: answers the requests.
        index: the recorded turns.
        instruction: what the agent is told to do.
        neighbours: how many turns are shown, 0 or more.
    """

    def __init__(self, model: Model, index: TurnIndex, instruction: str = INSTRUCTION, *, neighbours: int = 4) -> None:
        self.model = model
        self.index = index
        self.instruction = instruction
        self.neighbours = neighbours

    def nearest(self, messages: Sequence[Message]) -> list[Neighbour]:
        """The recorded turns that answer for this conversation: those nearest to it up to the user's last words."""
        users = [at for at, message in enumerate(messages) if isinstance(message, User)]
        return self.index.nearest(messages[: users[-1] + 1], self.neighbours) if users else []

    async def act(self, messages: Sequence[Message], tools: tuple[ToolSpec, ...]) -> Assistant:
        """One step: a call or an answer."""
        demos = [worked_example(neighbour.task) for neighbour in self.nearest(messages)]
        return await PromptAgent(self.model, self.instruction, demos).act(messages, tools)


def worked_example(task: Task) -> dict[str, Any]:
    """The whole recorded turn as a worked example: its calls and their results stand in the conversation, its last words (or
    its last call, where nothing was said) are the action."""
    last = max((at for at, message in enumerate(task.expected) if isinstance(message, Assistant)), default=-1)
    if last < 0:
        return {}
    before = task.prompt[-SHOWN:] + task.expected[:last]
    action = task.expected[last]
    return {
        "conversation": [{"role": turn.role, "content": turn.content} for turn in render_conversation(before)],
        "action": render_action(action) if isinstance(action, Assistant) else "",
    }
