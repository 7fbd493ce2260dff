"""What came of a task that an agent worked on turn by turn: its turns, what they earned, and a row to train on."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from agent_gym.messages import Assistant, Message, Tool, User
from agent_gym.metrics import Score
from agent_gym.tools import ToolCatalog
from agent_gym.traces import Trace
from agent_gym.traces.chat import chat_call, chat_result

Effect = Literal["changed", "read", "unchanged", "broken", "refused"]
"""What an action did: to the workspace, to the agent's knowledge, nothing new; or it could not be read, or not be done."""
Ending = Literal["completed", "turns", "stopped", "broken"]
"""The agent said that the task is done, a limit cut it short, nobody went on, or agent, endpoint or user failed."""


@dataclass(frozen=True, kw_only=True)
class Turn:
    """The user's words and the agent's answer to them."""

    number: int
    """From 1."""
    user: User
    assistant: Assistant
    """The agent's words, and its actions as tool calls."""
    text: str
    """What the agent wrote, word by word; of an agent that gave a message, that message's words."""
    results: tuple[Tool, ...]
    """One for each call, in order."""
    effects: tuple[Effect, ...]
    """One for each call, in order."""
    reward: float
    """What the actions of this turn earned, 0 or more."""

    @property
    def messages(self) -> tuple[Message, ...]:
        """The turn as it stands in the conversation."""
        return (self.user, self.assistant, *self.results)


@dataclass(frozen=True, kw_only=True)
class Trajectory:
    """A task from its first turn to its end."""

    id: str
    goal: str
    system: str
    """What the agent was told beside the conversation."""
    turns: tuple[Turn, ...]
    ended: Ending
    final_success: bool | None
    """The agent completed the task, and the judge, where there is one, scored it at the threshold or above. None where that is
    not known: the judge gave no score, or the endpoint or the user failed."""
    judge: Score | None
    """The judge's score of the whole, in [0, 1], with its parts and reasons."""
    unjudged: str
    """Why the judge gave no score; empty where it did, or was not asked."""
    judge_reward: float
    """What the judge's score earned; NaN when it is not known, which is never a zero."""
    trace: Trace

    @property
    def action_reward(self) -> float:
        """What the actions earned."""
        return math.fsum(turn.reward for turn in self.turns)

    @property
    def total_reward(self) -> float:
        """What actions and judge came to; NaN when the judge's part is not known (`action_reward` is known all the same)."""
        return self.action_reward + self.judge_reward

    def to_training_format(self) -> dict[str, Any]:
        """One row of training data, JSON values only, no field without a value.

        `messages` and `tools` are in OpenAI's chat format, but for the arguments of calls, which are objects: chat templates
        would write a text's quotes twice. A system message always stands first, an assistant's message last. What could not
        be read must not be learned: broken actions and their errors are left out, and so is a turn of nothing else.

        Beside them, for choosing rows and for making pairs of two rows with one goal: `id`, `goal`, `ended`, `action_reward`,
        `broken_actions`, and, where they are known, `reward`, `success` and `scores` (the judge's, with its parts).
        """
        messages = [{"role": "system", "content": self.system}, *_chat(self.turns)]
        while messages[-1]["role"] == "tool":
            messages.pop()
        return {
            "messages": messages,
            "tools": ToolCatalog(self.trace.tools).openai_tools(),
            "id": self.id,
            "goal": self.goal,
            "ended": self.ended,
            "action_reward": self.action_reward,
            "broken_actions": sum(effect == "broken" for turn in self.turns for effect in turn.effects),
            **({} if math.isnan(self.total_reward) else {"reward": self.total_reward}),
            **({} if self.final_success is None else {"success": self.final_success}),
            **({} if self.judge is None else {"scores": {"judge": self.judge.value, **self.judge.parts}}),
        }


def _chat(turns: tuple[Turn, ...]) -> Iterator[dict[str, Any]]:
    for turn in turns:
        calls = list(zip(turn.assistant.tool_calls, turn.results, turn.effects, strict=True))
        kept = [(call, result) for call, result, effect in calls if effect != "broken"]
        if not kept and not turn.assistant.content:
            continue
        yield {"role": "user", "content": turn.user.content}
        called = {"tool_calls": [chat_call(call, call.id) for call, _ in kept]} if kept else {}
        yield {"role": "assistant", "content": turn.assistant.content, **called}
        for call, result in kept:
            yield chat_result(result, call.id)
