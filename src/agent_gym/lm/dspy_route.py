# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
"""Every provider that DSPy knows and we do not: its client, in a thread, text in and text out.

It costs five milliseconds of CPU a request where our own wire costs a quarter of one, and as many threads as there are requests
in flight; one that was interrupted keeps its thread until its time is up. DSPy's cache, retries and history stay off: ours are
around it.
"""

import asyncio
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import dspy
from dspy.lm15 import Config, Message
from dspy.lm15 import Request as DspyRequest
from dspy.utils import exceptions as theirs

from agent_gym.errors import ModelError, ModelRefused, ModelTimeout, RateLimited
from agent_gym.lm.base import Completion, Request
from agent_gym.lm.faults import ServerFailed, Unreachable
from agent_gym.lm.secret import Secret, scrub_environment

THREADS = 64
"""Requests in flight at most."""
SHOWN = 300

# LiteLLM, which DSPy loads for some providers at their first request, would fetch its price table from the web.
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")


class _Quiet(dspy.LM):
    """A client that keeps no history, and lets the calling thread read what its last answer took."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.last = threading.local()

    def update_history(self, entry: dict[str, Any]) -> None:
        self.last.usage = entry["usage"]


class DspyRoute:
    """A model that DSPy's client reaches.

    Args:
        name: as DSPy knows it, "anthropic/claude-sonnet-4-5".
        api_base: another endpoint; empty for the provider's own.
        key: sent to `api_base`; an empty one leaves it to DSPy to find the provider's.
        timeout: seconds for one attempt.
    """

    def __init__(self, name: str, *, api_base: str, key: Secret, timeout: float = 120.0) -> None:
        self.name = name
        self._key = key
        settings: dict[str, Any] = {"timeout": timeout}
        if api_base:
            settings["api_base"] = api_base
        if key.reveal():
            settings["api_key"] = key.reveal()
        self._lm = _Quiet(name, cache=False, num_retries=0, **settings)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="agent-gym-dspy")

    def __repr__(self) -> str:
        return f"DspyRoute({self.name!r})"

    async def complete(self, request: Request) -> Completion:
        """One request, one attempt.

        Raises:
            ModelError: what DSPy's error means in our words.
        """
        outcome = await asyncio.get_running_loop().run_in_executor(self._threads, self._call, request)
        if isinstance(outcome, ModelError):
            raise outcome
        return outcome

    def _call(self, request: Request) -> Completion | ModelError:
        self._lm.last.usage = {}
        try:
            response: Any = self._lm(_theirs(self.name, request))
        except theirs.LMError as error:
            # Returned, not raised here: the libraries' errors carry their requests along, keys included.
            return _ours(error, self._key)
        usage = cast(dict[str, Any], self._lm.last.usage)
        details = cast(dict[str, Any], usage.get("completion_tokens_details") or {})
        return Completion(
            text=response.text or "",
            finish=response.finish_reason,
            prompt_tokens=usage.get("prompt_tokens"),
            completion_tokens=usage.get("completion_tokens"),
            reasoning_tokens=details.get("reasoning_tokens"),
        )


def _theirs(name: str, request: Request) -> DspyRequest:
    system = "\n\n".join(turn.content for turn in request.turns if turn.role == "system")
    messages = [
        Message.user(turn.content) if turn.role == "user" else Message.assistant(turn.content)
        for turn in request.turns
        if turn.role != "system"
    ]
    if not messages:
        system, messages = "", [Message.user(system)]
    config = Config(temperature=request.temperature, max_tokens=request.max_tokens)
    return DspyRequest(model=name, messages=tuple(messages), system=system or None, config=config)


def _ours(error: theirs.LMError, key: Secret) -> ModelError:
    text = scrub_environment(key.scrub(str(error)))
    message = text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
    match error:
        case theirs.LMRateLimitError():
            return RateLimited(message, retry_after=error.retry_after)
        case theirs.LMTimeoutError():
            return ModelTimeout(message)
        case theirs.LMServerError():
            return ServerFailed(message, retry_after=error.retry_after)
        case theirs.LMTransportError():
            return Unreachable(message)
        case theirs.LMProviderError() if error.status is None or error.status >= 500:
            return ServerFailed(message, retry_after=error.retry_after)
        case _:
            return ModelRefused(message)
