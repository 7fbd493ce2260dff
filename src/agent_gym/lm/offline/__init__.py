"""The embedded engine: a schema-guided policy behind the one seam to a model. No key, no weights, no network.

It is not a neural network and every report that used it must say so. It reads only the prompt it is given, so a better
instruction and better worked examples give better answers, and the whole pipeline can be run before a token is bought.
"""

import msgspec

from agent_gym.lm.base import Completion, Request
from agent_gym.lm.offline.decide import Step, decide
from agent_gym.lm.offline.habits import learn
from agent_gym.lm.offline.proposals import propose
from agent_gym.lm.offline.reading import Got, Reading, read
from agent_gym.lm.offline.replies import say
from agent_gym.lm.offline.state import State


class OfflineModel:
    """Completes a prompt of `lm/prompt.py` by reading it; deterministic, pure CPU."""

    name = "offline"

    async def complete(self, request: Request) -> Completion:
        """The next action as text. Token counts are characters divided by four."""
        reading = read(request.turns)
        text = act(reading) if reading is not None else propose(request)
        return Completion(
            text=text, prompt_tokens=sum(len(turn.content) for turn in request.turns) // 4, completion_tokens=len(text) // 4
        )


def act(reading: Reading) -> str:
    """The next action of an agent that knows only this prompt."""
    static = reading.static
    habits = learn(static.instruction, static.examples, static.today)
    state = State(static.tools, static.today, habits.lexicon)
    for event in reading.events:
        state.hear(event)
    if reading.events and isinstance(reading.events[-1], Got):
        return say(Step("result", state.focus), state, habits)
    step = decide(state, habits)
    if step.kind == "call" and step.tool is not None:
        arguments = msgspec.json.encode(dict(step.arguments)).decode()
        return f'{{"tool_calls": [{{"name": {msgspec.json.encode(step.tool.name).decode()}, "arguments": {arguments}}}]}}'
    return say(step, state, habits)
