"""A model for whole runs, to be served by a `ModelServer`: it answers the agent's prompts and the optimizers' own.

It knows the recordings by heart and remembers them the better the more its prompt holds, so that optimizing has something to
find. Same question, same answer.
"""

import hashlib
import re
from functools import cache
from pathlib import Path

from agent_gym.lm.prompt import EXAMPLE_OPEN, TOOLS, render_conversation, render_message
from agent_gym.messages import Assistant
from agent_gym.traces import SGDLoader
from servers import Asked

_OUTPUTS = re.compile(r"Your output fields are:\n(.*?)\n(?:All interactions|Inputs will)", re.DOTALL)
_FIELD = re.compile(r"^\d+\. `(\w+)`", re.MULTILINE)

Talk = tuple[tuple[str, str], ...]


class StandIn:
    """Answers as the recorded system did, or with empty words."""

    def __init__(self, data: Path) -> None:
        self._recorded = _recorded(data)

    def __call__(self, asked: Asked) -> str:
        (_, system), *talk = asked.turns
        if outputs := _OUTPUTS.search(system):
            return _proposal(_FIELD.findall(outputs[1]), repr(asked.turns))
        assert f"\n{TOOLS}\n" in system, "neither a step of the agent nor a proposal"
        skill = 0.3 + 0.12 * min(system.count(EXAMPLE_OPEN), 4) + 0.2 * _draw(system.partition("\n\n#")[0])
        recorded = self._recorded.get(tuple(talk))
        return recorded if recorded is not None and _draw(repr(asked.turns)) < skill else "Is there anything else?"


@cache
def _recorded(data: Path) -> dict[Talk, str]:
    loader = SGDLoader(data)
    actions: dict[Talk, str] = {}
    for split in loader.splits():
        for trace in loader.load(split):
            talk: list[tuple[str, str]] = [(turn.role, turn.content) for turn in render_conversation(trace.messages)]
            for index, message in enumerate(trace.messages):
                if isinstance(message, Assistant):
                    actions.setdefault(tuple(talk[:index]), render_message(message).content)
    return actions


def _proposal(fields: list[str], seed: str) -> str:
    text = f"Complete the user's task with tools. Rule {hashlib.sha256(seed.encode()).hexdigest()[:6]}: be brief."
    return "".join(f"[[ ## {field} ## ]]\n{text}\n\n" for field in [*fields, "completed"])


def _draw(seed: str) -> float:
    """A number from 0 to 1 that only the seed decides."""
    return int.from_bytes(hashlib.sha256(seed.encode()).digest()[:4]) / 2**32
