# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
"""The doorway for DSPy's optimizers: a `dspy.LM` that asks one of our handles.

It is an engine object, DSPy's one supported way to bring a model of one's own. DSPy's cache, retries and history are off, for a
handle has better ones; what DSPy means by `rollout_id`, `temperature` and `n` reaches the handle's request, so that repeated
draws of a prompt are told apart, also in the cache.

    dspy.configure(lm=GymLM(make_lm("offline")))
"""

from contextvars import ContextVar
from dataclasses import replace
from typing import Any, Self

import dspy
from dspy import lm15
from dspy.clients.provider import Provider

from agent_gym.errors import ModelError, ModelRefused, ModelTimeout, RateLimited
from agent_gym.lm.base import Completion, Request, Turn
from agent_gym.lm.handle import Handle
from agent_gym.lm.model import make_lm


class _Draws:
    """The answers drawn in one call of the LM."""

    def __init__(self, rollout: object) -> None:
        self.rollout = "" if rollout is None else str(rollout)
        self.count = 0

    def next(self) -> str:
        """The name of the next draw; the first of a plain call has none, so that equal calls are paid for once."""
        sample = f"{self.rollout}#{self.count}" if self.count else self.rollout
        self.count += 1
        return sample


_draws: ContextVar[_Draws | None] = ContextVar("agent_gym_draws", default=None)


class GymLM(dspy.LM):
    """A handle, as DSPy wants it.

    Args:
        handle: who answers.
        temperature: of calls that name none; None leaves it to the provider.
        max_tokens: the limit of calls that name none.
    """

    def __init__(self, handle: Handle, *, temperature: float | None = 0.0, max_tokens: int | None = None) -> None:
        self.handle = handle
        super().__init__(
            # Not the bare name: DSPy has rules of its own for some of them (no temperature for "gpt-5"), the wire has ours.
            f"agent-gym/{handle.name.replace('/', ':')}",
            temperature=temperature,
            max_tokens=max_tokens,
            cache=False,
            num_retries=0,
            provider=Provider(),
            engine=HandleEngine(handle),
            async_engine=AsyncHandleEngine(handle),
        )

    def __call__(self, prompt: Any = None, *, messages: Any = None, **kwargs: Any) -> Any:
        token = _draws.set(_Draws({**self.kwargs, **kwargs}.get("rollout_id")))
        try:
            return super().__call__(prompt, messages=messages, **kwargs)
        finally:
            _draws.reset(token)

    async def acall(self, prompt: Any = None, *, messages: Any = None, **kwargs: Any) -> Any:
        token = _draws.set(_Draws({**self.kwargs, **kwargs}.get("rollout_id")))
        try:
            return await super().acall(prompt, messages=messages, **kwargs)
        finally:
            _draws.reset(token)

    def update_history(self, entry: dict[str, Any]) -> None:
        """Keep nothing: DSPy would hold ten thousand prompts, and copy them with every program."""

    def _warn_zero_temp_rollout(self, temperature: float | None, rollout_id: object) -> None:
        # A draw of its own at temperature 0 is what the caller asked for, and what the handle's cache keeps apart.
        pass

    def __deepcopy__(self, memo: dict[int, object]) -> Self:
        return self

    def dump_state(self) -> dict[str, Any]:
        """Enough to make it again; no key, no address."""
        kind = type(self)
        return {
            "_dspy_lm_class": f"{kind.__module__}.{kind.__qualname__}",
            "model": self.handle.name,
            "role": self.handle.role,
            "temperature": self.kwargs.get("temperature"),
            "max_tokens": self.kwargs.get("max_tokens"),
        }

    @classmethod
    def load_state(cls, state: dict[str, Any], *, allow_custom_lm_class: bool = False) -> Self:
        """Made again from the name, with the key and the address of the day."""
        handle = make_lm(state["model"], role=state["role"])
        return cls(handle, temperature=state["temperature"], max_tokens=state["max_tokens"])


class HandleEngine:
    """DSPy's engine contract over a handle. What a chat of plain text cannot carry, it says it cannot."""

    supports_function_calling = False
    supports_reasoning = False
    supports_response_schema = False
    supported_params: frozenset[str] = frozenset()

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    def __deepcopy__(self, memo: dict[int, object]) -> Self:
        return self

    def complete(self, request: lm15.Request) -> lm15.Response:
        """One answer, for a calling thread that waits."""
        asked = _ours(request)
        try:
            completion = self._handle.complete_sync(asked)
        except ModelError as error:
            raise _their_error(error) from error
        return _theirs(request.model, completion)

    def stream(self, request: lm15.Request) -> Any:
        """The whole answer in one piece."""
        return lm15.response_to_events(self.complete(request))

    def close(self) -> None:
        """Connections belong to the process."""


class AsyncHandleEngine:
    """The same for DSPy's asynchronous calls."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    def __deepcopy__(self, memo: dict[int, object]) -> Self:
        return self

    async def complete(self, request: lm15.Request) -> lm15.Response:
        """One answer."""
        asked = _ours(request)
        try:
            completion = await self._handle.complete(asked)
        except ModelError as error:
            raise _their_error(error) from error
        return _theirs(request.model, completion)

    async def stream(self, request: lm15.Request) -> Any:
        """The whole answer in one piece."""
        for event in lm15.response_to_events(await self.complete(request)):
            yield event

    async def aclose(self) -> None:
        """Connections belong to the process."""


def _ours(request: lm15.Request) -> Request:
    """DSPy's request as ours.

    Raises:
        lm15.UnsupportedFeatureError: it holds more than text, or settings that are not ours to pass on.
    """
    config = request.config
    if request.tools or replace(config, temperature=None, max_tokens=None) != lm15.Config():
        raise lm15.UnsupportedFeatureError("a handle takes text, temperature and max_tokens; tools and other settings stay out")
    turns = [] if request.system is None else [Turn("system", _text("system", request.system))]
    for message in request.messages:
        if message.role == "tool":
            raise lm15.UnsupportedFeatureError("a handle takes text; tool results are text too, in a user's turn")
        role = "system" if message.role == "developer" else message.role
        turns.append(Turn(role, _text(message.role, message.parts)))
    draws = _draws.get()
    sample = draws.next() if draws is not None else ""
    return Request(turns=tuple(turns), temperature=config.temperature, max_tokens=config.max_tokens, sample=sample)


def _text(role: str, content: Any) -> str:
    if isinstance(content, str):
        return content
    if not all(isinstance(part, lm15.TextPart) for part in content):
        raise lm15.UnsupportedFeatureError(f"the {role} turn holds more than text, and a handle takes text")
    return "\n".join(part.text for part in content)


def _theirs(model: str, completion: Completion) -> lm15.Response:
    return lm15.Response(
        id=None,
        model=model,
        message=lm15.Message.assistant(completion.text),
        finish_reason="stop",
        usage=lm15.Usage(
            input_tokens=completion.prompt_tokens,
            output_tokens=completion.completion_tokens,
            reasoning_tokens=completion.reasoning_tokens,
        ),
    )


def _their_error(error: ModelError) -> lm15.LM15Error:
    match error:
        case RateLimited():
            return lm15.RateLimitError(str(error), retry_after=error.retry_after)
        case ModelTimeout():
            return lm15.TimeoutError(str(error))
        case ModelRefused():
            return lm15.InvalidRequestError(str(error))
        case _:
            return lm15.ServerError(str(error))
