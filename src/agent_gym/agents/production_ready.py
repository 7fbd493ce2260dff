"""An agent that only writes text: override one method, and whatever writes it can be played, evaluated and judged.

    class Mine(ProductionReadyAgent):
        async def generate_response(self, messages):
            answer = await client.chat.completions.create(model="my-model", messages=messages)
            return answer.choices[0].message.content or ""

The messages are plain chat turns, ready to be sent to any chat endpoint: what the agent is, how actions are written, the tools,
then the conversation. Actions are read out of the text it gives (`agent_gym.actions`) and become tool calls; the rest are its
words.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, cast

import msgspec
from pydantic import RootModel

from agent_gym.actions import ACTIONS, ActionRegistry, BrokenAction, StructuredAction, find_actions, spoken
from agent_gym.actions.action import TYPE
from agent_gym.agents.prompt_agent import render_context
from agent_gym.errors import AgentGymError, AnswerError, ArgumentsError, ModelError, ModelRefused, ModelTimeout, RateLimited
from agent_gym.lm.faults import ServerFailed, Unreachable
from agent_gym.lm.prompt import render_message, render_tools
from agent_gym.lm.secret import scrub_environment
from agent_gym.messages import Assistant, Message, System, ToolCall, ToolSpec

INSTRUCTION = "You are an assistant who gets things done with the tools below. Do what the user asks, then say what you did."
HOW = f"""\
# Actions
To use a tool, write a JSON object like this one in your answer:
{{"{TYPE}": "TOOL", "parameters": {{"PARAMETER": "VALUE"}}}}
Several in one answer are done in their order. All other words are said to the user. Results come with the next turn."""
BROKEN = "broken action: "
"""How the arguments of a call begin that stands for an action which cannot be done; the reason follows."""
UNREADABLE = "unreadable_action"
"""The name of a call whose own name could not be read: no tool is called so."""
SHOWN = 300
"""Characters of a foreign error that ours shows."""
SEEN = 40
"""Characters by which an action that breaks off is known among the words."""
_LOOKED_AT = 32
"""Actions that cannot be done and are looked for among the words: a text may hold thousands."""
_OPEN_FENCE = re.compile(r"```[\w+-]{0,20}\Z")

ChatMessage = dict[str, str]
"""`role` ("system", "user" or "assistant") and `content`."""


class Anything(RootModel[dict[str, Any]]):
    """The arguments of a tool that only its schema is known of: any object; its backend checks them."""


class ProductionReadyAgent(ABC):
    """An agent made of one method that writes text.

    What `generate_response` raises is told apart: an endpoint's failures (no connection, no answer in time, an HTTP status of
    400 and more) become `ModelError`s, an answer that could not be read (ValueError, LookupError) becomes an `AnswerError`;
    this package's own errors pass. Anything else is a mistake in the subclass, and is raised as it is.
    """

    instruction: str = INSTRUCTION
    """What the agent is told to do; a subclass may say it better."""

    @abstractmethod
    async def generate_response(self, messages: list[ChatMessage]) -> str:
        """The agent's next text: words, actions, or both.

        Args:
            messages: chat turns, the system's first.
        """

    async def act(self, messages: Sequence[Message], tools: tuple[ToolSpec, ...]) -> Assistant:
        """One step, as every rollout takes it.

        Raises:
            AnswerError: when the text was empty or could not be had.
            ModelError: when the endpoint failed.
        """
        try:
            text = cast(object, await self.generate_response(self.chat(messages, tools)))
        except AgentGymError:
            raise
        except Exception as error:
            if (ours := _as_ours(error)) is None:
                raise
            # Not chained: a foreign error holds its request, and the request holds the key.
            raise ours from None
        # It is the user's code, and None is what a chat endpoint gives for "no words".
        if not isinstance(text, str) or not text.strip():
            raise AnswerError(f"{type(self).__name__}.generate_response wrote nothing, got {text!r}")
        return read_answer(text, registry_of(tools))

    def chat(self, messages: Sequence[Message], tools: tuple[ToolSpec, ...]) -> list[ChatMessage]:
        """The conversation as this agent's model is told it."""
        context = render_context(messages)
        parts = [
            self.instruction,
            HOW,
            f"# Tools\n{render_tools(tools) or '(none)'}",
            f"# Context\n{context}" if context else "",
        ]
        system = {"role": "system", "content": "\n\n".join(part for part in parts if part)}
        return [system, *(_told(message) for message in messages if not isinstance(message, System))]


def read_answer(text: str, registry: ActionRegistry = ACTIONS) -> Assistant:
    """What an agent wrote as a message: its words, and its actions as tool calls.

    An action that cannot be done becomes a call too. Its arguments are no JSON; they say what is wrong, so that every backend
    answers it with an error which tells the agent. The words end where JSON begins that breaks off.
    """
    # Half of a surrogate pair can be read from JSON, but not be sent or written.
    text = text.encode(errors="replace").decode()
    calls: list[ToolCall] = []
    broken: list[BrokenAction] = []
    for number, found in enumerate(find_actions(text, registry)):
        if isinstance(found, StructuredAction):
            calls.append(found.to_tool_call(f"call_{number}"))
        else:
            reason = f"{BROKEN}{found.reason}; it begins {found.text!a}"
            calls.append(ToolCall(found.name or UNREADABLE, reason, f"call_{number}"))
            broken.append(found)
    words = spoken(text, registry) if calls else text.strip()
    cut_off = next((one.position for one in broken[:_LOOKED_AT] if one.text[:SEEN] in words), None)
    if cut_off is not None:
        before = spoken(text[:cut_off], registry).rstrip()
        fence = _OPEN_FENCE.search(before, max(0, len(before) - SEEN))
        words = before[: fence.start()].rstrip() if fence else before
    return Assistant(words, tuple(calls))


@lru_cache(maxsize=512)
def registry_of(tools: tuple[ToolSpec, ...]) -> ActionRegistry:
    """The actions that some tools are: the known ones with their own models, all others with any arguments."""
    registry = ActionRegistry()
    for spec in tools:
        if spec.name in registry:
            continue
        if spec.name in ACTIONS:
            registry.register(spec.name, ACTIONS[spec.name].parameters, _done_elsewhere)
        else:
            registry.register(spec.name, Anything, _done_elsewhere)
    return registry


def _done_elsewhere(arguments: Any, workspace: Any) -> Any:
    raise TypeError("this registry reads actions, a tool backend does them")


def _told(message: Message) -> ChatMessage:
    if isinstance(message, Assistant):
        return {
            "role": "assistant",
            "content": "\n".join([*filter(None, [message.content]), *map(_written, message.tool_calls)]),
        }
    turn = render_message(cast(Any, message))
    return {"role": turn.role, "content": turn.content}


def _written(call: ToolCall) -> str:
    try:
        call.parsed()
    except ArgumentsError:
        return "(an action that could not be read)"
    return f'{{"{TYPE}": {msgspec.json.encode(call.name).decode()}, "parameters": {call.arguments}}}'


def _as_ours(error: Exception) -> AgentGymError | None:
    """A foreign error as ours; None when it is a mistake of the program."""
    text = scrub_environment(str(error))[:SHOWN]
    said = f"{type(error).__name__}{f': {text}' if text else ''}"
    status = _status(error)
    # Clients have errors of their own, with names that say as much as their base classes.
    names = " ".join(kind.__name__ for kind in type(error).__mro__)
    if isinstance(error, TimeoutError) or status in (408, 504) or (status is None and "Timeout" in names):
        return ModelTimeout(f"no answer in time ({said})")
    if status is not None:
        return _by_status(status, said)
    if isinstance(error, OSError) or any(word in names for word in ("Connect", "Transport", "Network")):
        return Unreachable(f"the endpoint cannot be reached ({said})")
    if isinstance(error, ValueError | LookupError):
        return AnswerError(f"no readable answer ({said})")
    return None


def _by_status(status: int, said: str) -> ModelError:
    if status == 429:
        return RateLimited(f"the endpoint answered 429 ({said})")
    kind: Callable[[str], ModelError] = ServerFailed if status >= 500 else ModelRefused
    return kind(f"the endpoint answered {status} ({said})")


def _status(error: Exception) -> int | None:
    """The HTTP status that a client's error carries, under the names that clients use."""
    response: object = getattr(error, "response", None)
    found: Mapping[str, object] = {
        "status_code": getattr(error, "status_code", None) or getattr(response, "status_code", None),
        "status": getattr(error, "status", None),
        "code": getattr(error, "code", None),
    }
    return next((value for value in found.values() if isinstance(value, int) and 400 <= value < 600), None)
