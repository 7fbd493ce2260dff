"""The checks find what they are for, and pass what is as it must be."""

# What is wrong on purpose is of no type.
# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from agent_gym.agents import PromptAgent
from agent_gym.environment import DialogueEnvironment, SGDEnvironment
from agent_gym.environment.users import ReplayedUser
from agent_gym.errors import AnswerError, ModelTimeout, UsageError
from agent_gym.lm import make_lm
from agent_gym.messages import Assistant, Message, ToolCall, ToolSpec
from agent_gym.testing import ScriptedAgent, check_agent, check_environment
from conversations import TASK, Scripted, tables


def environment() -> DialogueEnvironment:
    return DialogueEnvironment([TASK], tables, ReplayedUser())


@pytest.mark.parametrize("user", ["agenda", "replay"])
def test_our_environments_pass(sample: Path, user: str) -> None:
    check_environment(SGDEnvironment(sample, user=user, limit=8))
    check_environment(environment())


def test_our_agents_pass() -> None:
    check_agent(ScriptedAgent(lambda messages, tools: "Ok"))
    check_agent(PromptAgent(make_lm("offline"), "You are an assistant that completes tasks for the user with tools."))


@pytest.mark.parametrize("error", [AnswerError("unreadable"), ModelTimeout("no answer")])
def test_an_agent_may_fail_as_agents_do(error: AnswerError | ModelTimeout) -> None:
    check_agent(ScriptedAgent(lambda messages, tools: error))


class Acts:
    """An agent that gives or raises anything."""

    def __init__(self, act: Callable[[], Any]) -> None:
        self._act = act

    async def act(self, messages: Sequence[Message], tools: tuple[ToolSpec, ...]) -> Assistant:
        return self._act()


def fails() -> Any:
    raise KeyError("price")


@pytest.mark.parametrize(
    ("act", "fault"),
    [
        (lambda: "words", "act gave str 'words', not an Assistant message"),
        (lambda: Assistant("", (ToolCall(""),)), "a call names no tool"),
        (lambda: Assistant("", (ToolCall("f", {"a": 1}),)), "arguments of f are dict, not JSON text"),  # pyright: ignore[reportArgumentType]
        (lambda: Assistant(None), "the words are NoneType, not text"),  # pyright: ignore[reportArgumentType]
        (fails, "raised KeyError: 'price'"),
    ],
)
def test_what_an_agent_does_wrong_is_told_with_the_situation(act: Callable[[], Any], fault: str) -> None:
    with pytest.raises(AssertionError) as told:
        check_agent(Acts(act))
    assert f"a question, no tools: {fault}" in str(told.value)
    assert "Acts has 7 faults" in str(told.value)


class Altered:
    """An environment in which one thing is wrong."""

    def __init__(self, **wrong: Callable[..., Any]) -> None:
        self._env = environment()
        self._wrong = wrong

    def reset(self, *, seed: int | None = None) -> Any:
        given = self._env.reset(seed=seed)
        return self._wrong["reset"](*given) if "reset" in self._wrong else given

    def step(self, action: Assistant) -> Any:
        if "instead" in self._wrong:
            return self._wrong["instead"](self._env, action)
        given = self._env.step(action)
        return self._wrong["step"](*given) if "step" in self._wrong else given


def raises_for_calls(env: DialogueEnvironment, action: Assistant) -> Any:
    if action.tool_calls:
        raise KeyError(action.tool_calls[0].name)
    return env.step(action)


def goes_on(env: DialogueEnvironment, action: Assistant) -> Any:
    try:
        return env.step(action)
    except UsageError:
        return env.reset()[0], 0.0, True, False, {}


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        ({"reset": lambda seen, info: (type(seen)((), seen.tools), info)}, "the last message is not the user's"),
        ({"reset": lambda seen, info: (seen, None)}, "info is NoneType, not a dict"),
        ({"step": lambda seen, reward, *rest: (seen, None, *rest)}, "a reward is None, not a float"),
        ({"step": lambda seen, reward, *rest: (seen, float("inf"), *rest)}, "a reward is inf: finite, or NaN"),
        ({"step": lambda seen, reward, *_: (seen, reward, True, True, {})}, "terminated and truncated at once"),
        ({"step": lambda seen, *rest: (type(seen)((), ()), *rest)}, "an observation does not go on"),
        ({"step": lambda seen, reward, *_: (seen, reward, False, False, {})}, "raised UsageError"),
        ({"instead": raises_for_calls}, "a call of no tool: raised KeyError"),
        ({"instead": goes_on}, "a step behind the end of the episode is taken"),
    ],
)
def test_what_an_environment_does_wrong_is_told(wrong: dict[str, Callable[..., Any]], fault: str) -> None:
    with pytest.raises(AssertionError) as told:
        check_environment(Altered(**wrong))
    assert fault in str(told.value)


def test_an_episode_that_does_not_follow_from_its_seed_is_found() -> None:
    class Whimsical(DialogueEnvironment):
        turns = 0

        def reset(self, **options: Any) -> Any:
            self.turns += 1
            self.user = Scripted(f"Hello for the {self.turns}th time", "And?", "And?", "And?")
            return super().reset(**options)

    with pytest.raises(AssertionError, match="gave two different episodes"):
        check_environment(Whimsical([TASK], tables, ReplayedUser()))


def test_an_episode_without_an_end_is_found() -> None:
    talkative = DialogueEnvironment([TASK], tables, Scripted(*["And?"] * 1000), max_turns=10**6)
    with pytest.raises(AssertionError, match="has not ended after 500 steps"):
        check_environment(talkative)
