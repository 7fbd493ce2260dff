"""The agent that plays: an instruction and worked examples over a model, without DSPy's machinery for each call.

What an optimizer tuned is two texts, the instruction and the examples. They are rendered once; each step appends the
conversation and sends the request. DSPy's optimizers send the same requests through `ActAdapter`, byte for byte, so what was
tuned is what is played, and neither pays for what the other has asked already.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from functools import lru_cache
from typing import Any

from agent_gym.errors import UsageError
from agent_gym.lm.base import Model, Request, Turn
from agent_gym.lm.prompt import (
    parse_action,
    render_conversation,
    render_examples,
    render_system,
    render_tools,
)
from agent_gym.messages import Assistant, Message, System, ToolSpec


class PromptAgent:
    """An instruction, worked examples and a model.

    Args:
        model: answers the requests.
        instruction: what the agent is told to do.
        demos: worked examples, each with `conversation` (role and content of its turns) and `action`.
        sample: tells repeated plays of one agent apart, so that each asks its model anew; never sent.
        temperature: 0 for the answer the model finds best, 1 for answers as varied as it knows; 0 or more.
    """

    def __init__(
        self,
        model: Model,
        instruction: str,
        demos: Iterable[Mapping[str, Any]] = (),
        *,
        sample: str = "",
        temperature: float = 0.0,
    ) -> None:
        if not 0 <= temperature < math.inf:
            raise UsageError(f"a temperature is 0 or more, got {temperature}")
        self.model = model
        self.instruction = instruction
        self.examples = render_examples(demos)
        self.sample = sample
        self.temperature = temperature

    def resampled(self, sample: str) -> "PromptAgent":
        """The same agent with questions of its own."""
        again = copy(self)
        again.sample = "/".join(filter(None, (self.sample, sample)))
        return again

    async def act(self, messages: Sequence[Message], tools: tuple[ToolSpec, ...]) -> Assistant:
        """One step: a call or an answer."""
        request = act_request(
            self.instruction,
            self.examples,
            render_tools(tools),
            render_context(messages),
            render_conversation(messages),
            temperature=self.temperature,
            sample=self.sample,
        )
        return parse_action((await self.model.complete(request)).text)


def act_request(
    instruction: str,
    examples: str,
    tools: str,
    context: str,
    conversation: Iterable[Turn],
    *,
    temperature: float | None = 0.0,
    sample: str = "",
) -> Request:
    """The request for one step; the one place where it is put together."""
    system = Turn("system", _system(instruction, examples, tools, context))
    return Request(turns=(system, *conversation), temperature=temperature, sample=sample)


def render_context(messages: Sequence[Message]) -> str:
    """What the agent is told beside the conversation."""
    return "\n".join(message.content for message in messages if isinstance(message, System))


# A program and a tool set meet in many steps; the texts are kept for as many dialogues as may be in flight at once.
_system = lru_cache(maxsize=512)(render_system)
