"""What every agent and every environment must do, whoever wrote it: each check plays, and tells all faults in one go.

    check_agent(MyAgent())
    check_environment(MyEnvironment())

A model's fault is no fault here: an agent may answer badly, as long as what it gives or raises is what the rollout expects.
"""

import asyncio
import math
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from agent_gym.agents.base import Agent
from agent_gym.errors import AnswerError, ModelError, UsageError
from agent_gym.lm.loop import run_sync
from agent_gym.messages import Assistant, Message, System, Tool, ToolCall, ToolSpec, User

ENOUGH = 500
"""Steps within which an episode ends, whatever the agent says."""
AT_ONCE = 8

_LOOKUP = ToolSpec(
    "lookup_order",
    "Find an order",
    {"type": "object", "properties": {"order_id": {"type": "string"}}, "required": ["order_id"]},
    results=("status",),
)
_ASKED = (System("Today is Friday, 1 March 2019 (2019-03-01)."), User("Where is my order A-17? Ça dépend… 🙂"))
_CALL = Assistant("", (ToolCall("lookup_order", '{"order_id": "A-17"}', "call_0"),))
_SITUATIONS: dict[str, tuple[tuple[Message, ...], tuple[ToolSpec, ...]]] = {
    "a question, no tools": (_ASKED, ()),
    "a question and a tool": (_ASKED, (_LOOKUP,)),
    "a tool's answer": ((*_ASKED, _CALL, Tool("lookup_order", {"status": "sent"}, call_id="call_0")), (_LOOKUP,)),
    "a tool's error": ((*_ASKED, _CALL, Tool("lookup_order", error="no such order", call_id="call_0")), (_LOOKUP,)),
    "a tool's empty answer": ((*_ASKED, _CALL, Tool("lookup_order", [], call_id="call_0")), (_LOOKUP,)),
    "a second turn": ((*_ASKED, Assistant("It is on its way."), User("Thanks.")), (_LOOKUP,)),
}


class Gymnasium(Protocol):
    """Anything with Gymnasium's two methods over conversations; see `DialogueEnvironment`."""

    def reset(self, *, seed: int | None = None) -> tuple[Any, dict[str, Any]]: ...

    def step(self, action: Assistant) -> tuple[Any, float, bool, bool, dict[str, Any]]: ...


class _Faults(list[str]):
    """What is wrong; a fault that another check ran into is told and does not end the others."""

    @contextmanager
    def during(self, what: str) -> Generator[None]:
        try:
            yield
        except AssertionError as error:
            self.append(f"{what}: {error}")
        except Exception as error:
            self.append(f"{what}: raised {type(error).__name__}: {error}")

    def tell(self, whose: object) -> None:
        if self:
            listed = "\n".join(f"- {fault}" for fault in self)
            raise AssertionError(f"{type(whose).__name__} has {len(self)} fault{'s' * (len(self) > 1)}:\n{listed}")


def check_agent(agent: Agent) -> None:
    """Put an agent into the situations that rollouts put it into, one after the other and many at once.

    Raises:
        AssertionError: with every fault: something else than a message came back, something else than `AnswerError` or
            `ModelError` was raised.
    """
    faults = _Faults()
    for what, (messages, tools) in _SITUATIONS.items():
        with faults.during(what):
            run_sync(_acts(agent, messages, tools))
    with faults.during(f"{AT_ONCE} conversations at once"):
        run_sync(_at_once(agent))
    faults.tell(agent)


async def _at_once(agent: Agent) -> None:
    situations = [*_SITUATIONS.values()]
    await asyncio.gather(*(_acts(agent, *situations[at % len(situations)]) for at in range(AT_ONCE)))


async def _acts(agent: Agent, messages: Sequence[Message], tools: tuple[ToolSpec, ...]) -> None:
    try:
        action: Any = await agent.act(messages, tools)
    except (AnswerError, ModelError):
        return
    assert isinstance(action, Assistant), f"act gave {type(action).__name__} {action!r:.80}, not an Assistant message"
    assert isinstance(action.content, str), f"the words are {type(action.content).__name__}, not text"
    for call in action.tool_calls:
        assert isinstance(call, ToolCall), f"a call is {type(call).__name__} {call!r:.80}, not a ToolCall"
        assert call.name, "a call names no tool"
        assert isinstance(call.arguments, str), f"arguments of {call.name} are {type(call.arguments).__name__}, not JSON text"


def check_environment(env: Gymnasium, *, seed: int = 0) -> None:
    """Play an environment with agents that say little, call what does not exist and write broken JSON.

    Raises:
        AssertionError: with every fault: another episode from the same seed, an observation that forgets, a model's mistake
            that raises, an episode that does not end, a step behind its end.
    """
    faults = _Faults()
    with faults.during("reset"):
        _resets(env, seed)
    with faults.during("same seed, same episode"):
        first, again = _played(env, seed), _played(env, seed)
        assert first == again, "the same seed and the same actions gave two different episodes"
    for what, call in {
        "a call of no tool": ToolCall("no_such_tool", "{}"),
        "a call with broken arguments": ToolCall("no_such_tool", '{"broken'),
    }.items():
        with faults.during(what):
            _mistaken(env, seed, call)
    with faults.during("an agent that only says ok"):
        _ends(env, seed)
    faults.tell(env)


def _resets(env: Gymnasium, seed: int) -> None:
    observation, info = env.reset(seed=seed)
    said = [message for message in observation.messages if not isinstance(message, System)]
    assert isinstance(said[-1] if said else None, User), "after reset the last message is not the user's"
    assert all(isinstance(tool, ToolSpec) for tool in observation.tools), "an observation's tools are not ToolSpecs"
    assert isinstance(info, dict), f"info is {type(info).__name__}, not a dict"


def _step(env: Gymnasium, action: Assistant) -> tuple[Any, bool]:
    """The observation, and whether it was the last."""
    observation, reward, terminated, truncated, info = env.step(action)
    assert isinstance(reward, float), f"a reward is {reward!r}, not a float"
    assert math.isnan(reward) or math.isfinite(reward), f"a reward is {reward}: finite, or NaN where it is not known"
    assert {type(terminated), type(truncated)} == {bool}, "terminated and truncated are not booleans"
    assert not (terminated and truncated), "an episode is terminated and truncated at once"
    assert isinstance(info, dict), f"info is {type(info).__name__}, not a dict"
    return observation, terminated or truncated


def _played(env: Gymnasium, seed: int) -> list[tuple[Message, ...]]:
    """What the agent saw at each of some steps."""
    observation, _ = env.reset(seed=seed)
    seen = [observation.messages]
    for words in ("Sorry, what was that?", "Anything else?", "Ok."):
        observation, over = _step(env, Assistant(words))
        before = seen[-1]
        assert observation.messages[: len(before)] == before, "an observation does not go on from the one before"
        seen.append(observation.messages)
        if over:
            break
    return seen


def _mistaken(env: Gymnasium, seed: int, call: ToolCall) -> None:
    env.reset(seed=seed)
    observation, over = _step(env, Assistant("", (call,)))
    answers = [message for message in observation.messages if isinstance(message, Tool)]
    assert any(answer.error for answer in answers), "the agent is not told what was wrong with its call"
    assert not over, "a single mistake ends the episode"


def _ends(env: Gymnasium, seed: int) -> None:
    env.reset(seed=seed)
    for _ in range(ENOUGH):
        if _step(env, Assistant("ok"))[1]:
            break
    else:
        raise AssertionError(f"the episode has not ended after {ENOUGH} steps")
    try:
        env.step(Assistant("ok"))
    except UsageError:
        return
    raise AssertionError("a step behind the end of the episode is taken; it must raise UsageError until the next reset")
