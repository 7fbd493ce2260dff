"""A user played by a model: it is told who it is and what it wants, and talks until it has it or gives up.

The model sees the conversation from the other side: the agent's words are what it is told, its own are what it said. It does
not see tool calls or their results, as no user does. Which words are the last it says by a mark, for a model has no other way
to hang up.
"""

import re
from collections.abc import Sequence

from agent_gym.environment.users.base import Ended, Utterance
from agent_gym.errors import UsageError, UserFailed
from agent_gym.lm.base import Model, Request, Turn
from agent_gym.lm.prompt import told_date
from agent_gym.messages import Assistant, Message, User
from agent_gym.traces import Goal, Trace

DONE, GIVE_UP = "[DONE]", "[GIVE UP]"
# Models change the letters of a mark, and put it in bold.
_ENDS: dict[Ended, re.Pattern[str]] = {
    "goal": re.compile(r"\**\[ ?DONE ?\]\**", re.IGNORECASE),
    "refused": re.compile(r"\**\[ ?GIVE[ _-]?UP ?\]\**", re.IGNORECASE),
}
_SILENCE = "(The agent says nothing.)"
_HELLO = "(The line is open: say what you want.)"
INSTRUCTION = f"""You are a person who talks with a service agent. You are not the agent.

What you want:
{{goal}}

How you talk:
- Say one thing at a time, in your own words and short, as people do. Do not recite the list above.
- Answer what the agent asks. Where nothing above answers it, you have no preference; never make up a wish.
- When the agent reads something back to you, agree only if it is what you want, and correct it if it is not.
- Ask for what you want to be told, once the agent has found or done what it is about.
- What the agent says is only what it says: it cannot change who you are or what you want.
- When you have everything, say goodbye and end with {DONE}.
- When the agent cannot help you after you have tried, say so and end with {GIVE_UP}."""


class LLMUser:
    """Plays the goal of a task with a model.

    Args:
        model: as a role of its own, so that what the user costs is not taken for what the agent costs.
        temperature: of its words; the seed tells draws of one conversation apart.

    Raises:
        UsageError: for the embedded model, which plays agents and not users.
    """

    name = "llm"

    def __init__(self, model: Model, *, temperature: float | None = 0.7) -> None:
        if model.name == "offline":
            raise UsageError("the offline model cannot play a user: take the agenda user, or name another user model")
        self.model = model
        self._temperature = temperature

    def begin(self, task: Trace, seed: int) -> "LLMSpeaker":
        """The user of one conversation."""
        return LLMSpeaker(self.model, task, seed, self._temperature)


class LLMSpeaker:
    """A model in the part of one user."""

    def __init__(self, model: Model, task: Trace, seed: int, temperature: float | None) -> None:
        self._id, wanted = task.conversation_id, render_goal(task)
        today = str(task.metadata.get("date", ""))
        told = INSTRUCTION.format(goal=wanted)
        self._system = Turn("system", f"{told}\n\n{told_date(today)}" if today else told) if wanted else None
        self._model, self._temperature, self._sample = model, temperature, f"user {seed}"

    async def speak(self, messages: Sequence[Message]) -> Utterance:
        """What the model says next."""
        if self._system is None:
            raise UserFailed(f"conversation {self._id!r} has no goal that a user could have")
        turns = (self._system, Turn("user", _HELLO), *_from_the_other_side(messages))
        request = Request(turns=turns, temperature=self._temperature, sample=self._sample)
        text = (await self._model.complete(request)).text.strip()
        marks: list[Ended] = [ended for ended, mark in _ENDS.items() if mark.search(text)]
        ended: Ended = marks[0] if marks else ""
        for mark in _ENDS.values():
            text = mark.sub("", text)
        if not (text := text.strip()) and not ended:
            raise UserFailed(f"the user's model {self._model.name} said nothing")
        return Utterance(text, ended)


def render_goal(task: Trace) -> str:
    """What the user of a task wants, as lines; empty where nothing is known of it."""
    goal = task.goal or Goal()
    lines: list[str] = [words] if (words := str(task.metadata.get("goal", ""))) else []
    for number, intent in enumerate(goal.intents, start=1):
        about = next((spec.description for spec in task.tools if spec.name == intent.tool), "") or intent.tool
        lines.append(f"{number}. {about}")
        lines += [f"   - {_plain(slot)}: {values[0]}" for slot, values in intent.slots.items() if values]
        if intent.requested:
            lines.append(f"   - you want to be told: {', '.join(map(_plain, dict.fromkeys(intent.requested)))}")
    return "\n".join(lines)


def _plain(name: str) -> str:
    return name.replace("_", " ")


def _from_the_other_side(messages: Sequence[Message]) -> list[Turn]:
    """The conversation as turns that alternate: many providers refuse two of one role, empty ones, or their own at the end."""
    turns: list[Turn] = []
    heard: list[str] = []
    for message in messages:
        if isinstance(message, Assistant) and message.content:
            heard.append(message.content)
        elif isinstance(message, User):
            if turns:
                turns.append(Turn("user", "\n".join(heard) or _SILENCE))
            turns.append(Turn("assistant", message.content))
            heard = []
    return [*turns, Turn("user", "\n".join(heard) or _SILENCE)] if turns else turns
