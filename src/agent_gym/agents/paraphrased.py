"""An agent that meets the same tools under other names, while everything around it keeps the original ones.

Environment, tools, metrics and reports see the agent that they know; it sees the variant's names, in its tools and in the
conversation, and its calls are mapped back. What it learned is left alone: worked examples and instructions name the tools as
they were. How far its score falls is how much of its skill was names.

    agent = Paraphrased(agent, SchemaVariant.read("data/raw/schema_guided_dialogue", "dev", "v1"))
"""

from collections.abc import Sequence

from agent_gym.agents.base import Agent
from agent_gym.messages import Assistant, Message, ToolSpec
from agent_gym.traces.sgd_variant import SchemaVariant


class Paraphrased:
    """An agent behind a schema variant.

    Args:
        agent: who acts.
        variant: the names it is shown.
    """

    def __init__(self, agent: Agent, variant: SchemaVariant) -> None:
        self.agent = agent
        self.variant = variant

    async def act(self, messages: Sequence[Message], tools: tuple[ToolSpec, ...]) -> Assistant:
        """One step, with calls in the original names; a name that the variant does not have is wrong there too.

        Raises:
            DataError: when a tool is not in the schema that the variant paraphrases: it was read for another split.
        """
        there = self.variant.there
        action = await self.agent.act([*map(there.message, messages)], there.tools(tools))
        return self.variant.back.action(action)
