# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false
"""From an embedding model's name to a function that embeds: whatever `dspy.Embedder` reaches, by the way it goes (LiteLLM).

    embed = make_embedder("openai/text-embedding-3-small")          OPENAI_API_KEY
    embed = make_embedder("openai/bge-m3", api_base="http://gpu:8000/v1")
    embed(["Which city?", "In what town?"])                         one list of floats for each

An embedding model is a `Model` here: a text goes in, its vector comes out, written as text. So a text is paid for once, and
what it took stands in the meter (role "embedding") and counts against the budget, as with every other model.
"""

import asyncio
import os
from array import array
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from agent_gym.errors import MissingKey, ModelError, ModelRefused, ModelTimeout, RateLimited, UsageError
from agent_gym.lm.base import Completion, Request, Turn
from agent_gym.lm.budget import Budget
from agent_gym.lm.cache import CompletionCache
from agent_gym.lm.faults import ServerFailed
from agent_gym.lm.handle import Handle, make_handle
from agent_gym.lm.loop import run_sync
from agent_gym.lm.meter import Meter
from agent_gym.lm.model import KEYS, NO_KEY, default_cache
from agent_gym.lm.prices import pricer
from agent_gym.lm.rate import RateLimit
from agent_gym.lm.secret import scrub_environment

Embed = Callable[[Sequence[str]], Sequence[Sequence[float]]]
"""Texts to vectors of one length."""
ROLE = "embedding"
THREADS = 16
"""Requests in flight at most."""
SHOWN = 300


def make_embedder(
    name: str,
    *,
    api_base: str | None = None,
    meter: Meter | None = None,
    cache: CompletionCache | Path | Literal["default"] | None = "default",
    run: str = "",
    timeout: float = 60.0,
    attempts: int = 4,
    budget: Budget | None = None,
    rate: RateLimit | None = None,
) -> Embed:
    """A function that embeds texts with the model of that name.

    It raises `ModelError` when the endpoint fails, and `BudgetSpent` when the budget does not allow a question.

    Args:
        name: "PROVIDER/MODEL".
        api_base: another endpoint that speaks the provider's dialect.
        timeout: seconds for one attempt.

    The other arguments are `make_lm`'s.

    Raises:
        MissingKey: no key for that provider in the environment.
        UsageError: a name that cannot be used, LiteLLM is not installed, or a budget in money for a model whose price is not
            known.
    """
    provider, slash, model = name.partition("/")
    if not slash or not provider or not model:
        raise UsageError(f"unknown embedding model {name!r}; write PROVIDER/MODEL, as in openai/text-embedding-3-small")
    settings: dict[str, Any] = {"timeout": timeout, **({"api_base": api_base} if api_base else {})}
    variables = KEYS.get(provider, ())
    if not any(os.environ.get(variable, "").strip() for variable in variables):
        if api_base:
            settings["api_key"] = NO_KEY
        elif variables:
            raise MissingKey(f"{name} needs {' or '.join(variables)} in the environment")
    if find_spec("litellm") is None:
        raise UsageError(f"{name} is reached through LiteLLM; install it with: pip install 'dspy[litellm]'")
    handle = make_handle(
        EmbeddingModel(name, settings),
        role=ROLE,
        meter=meter,
        cache=default_cache() if cache == "default" else cache,
        endpoint=api_base or "",
        run=run,
        attempts=attempts,
        price=pricer(name),
        budget=budget,
        rate=rate,
    )
    return lambda texts: run_sync(_embedded(handle, texts))


async def _embedded(handle: Handle, texts: Sequence[str]) -> list[list[float]]:
    requests = [Request(turns=(Turn("user", text),)) for text in texts]
    completions = await asyncio.gather(*map(handle.complete, requests))
    return [array("f", b64decode(one.text)).tolist() for one in completions]


class EmbeddingModel:
    """An embedding model as a `Model`: one text in, its vector out, as 32-bit floats in base64.

    Args:
        name: as LiteLLM knows it.
        settings: what its client takes beside name and text.
    """

    def __init__(self, name: str, settings: dict[str, Any]) -> None:
        self.name = name
        self._settings = settings
        # Of its own: whoever waits for a vector may sit in a thread of the loop's.
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="agent-gym-embedding")

    def __repr__(self) -> str:
        return f"EmbeddingModel({self.name!r})"

    async def complete(self, request: Request) -> Completion:
        """One request, one attempt.

        Raises:
            ModelError: the endpoint failed.
        """
        outcome = await asyncio.get_running_loop().run_in_executor(self._threads, self._call, request.turns[-1].content)
        if isinstance(outcome, ModelError):
            raise outcome
        return outcome

    def _call(self, text: str) -> Completion | ModelError:
        # It would fetch its price table from the web.
        os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
        # DSPy's door to LiteLLM, behind `dspy.Embedder`, which drops the number of tokens on its way out.
        from dspy.clients._litellm import get_litellm

        litellm = get_litellm(feature="embeddings")
        try:
            # One try more than ours: it reads 0 as "not given", and tries three times then.
            answer: Any = litellm.embedding(self.name, [text], caching=False, max_retries=1, **self._settings)
            vector = array("f", answer.data[0]["embedding"])
        except Exception as error:
            # Every provider's client raises a tree of its own. Returned, not raised here: such errors carry their requests
            # along, keys included.
            return _ours(self.name, error)
        tokens = getattr(answer.usage, "prompt_tokens", None)
        return Completion(text=b64encode(vector).decode(), prompt_tokens=tokens, completion_tokens=0)


def _ours(name: str, error: Exception) -> ModelError:
    text = scrub_environment(f"{name} gave no embeddings: {type(error).__name__}: {error}")
    message = text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
    match getattr(error, "status_code", None):
        case 429:
            return RateLimited(message)
        case 408:
            return ModelTimeout(message)
        case int() as status if 400 <= status < 500:
            return ModelRefused(message)
        case _:
            return ServerFailed(message)
