# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
"""From an embedding model's name to a function that embeds: whatever `dspy.Embedder` reaches.

    embed = make_embedder("openai/text-embedding-3-small")          OPENAI_API_KEY
    embed = make_embedder("openai/bge-m3", api_base="http://gpu:8000/v1")
    embed(["Which city?", "In what town?"])                         one list of floats for each

DSPy's client is loaded when the first text is embedded. Its cache stays off: its entries are pickles, and whoever embeds here
remembers for itself. These requests are not in a meter: they cost thousandths of what a completion costs.
"""

import os
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any, cast

from agent_gym.errors import MissingKey, ModelError, UsageError
from agent_gym.lm.model import KEYS, NO_KEY
from agent_gym.lm.secret import scrub_environment

Embed = Callable[[Sequence[str]], Sequence[Sequence[float]]]
"""Texts to vectors of one length."""
SHOWN = 300


def make_embedder(name: str, *, api_base: str | None = None, timeout: float = 60.0) -> Embed:
    """A function that embeds texts with the model of that name; it raises `ModelError` when the endpoint fails.

    Args:
        name: "PROVIDER/MODEL".
        api_base: another endpoint that speaks the provider's dialect.
        timeout: seconds for one request of up to 200 texts.

    Raises:
        MissingKey: no key for that provider in the environment.
        UsageError: a name that cannot be used.
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
    return _Embedder(name, settings)


class _Embedder:
    """DSPy's embedder, made at the first use."""

    def __init__(self, name: str, settings: dict[str, Any]) -> None:
        self._name = name
        self._settings = settings
        self._lock = Lock()
        self._embedder: Any = None

    def __repr__(self) -> str:
        return f"make_embedder({self._name!r})"

    def __call__(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        try:
            vectors = self._theirs()([*texts])
        except ImportError as error:
            raise UsageError(
                f"{self._name} is reached through LiteLLM; install it with: pip install 'dspy[litellm]'"
            ) from error
        except Exception as error:
            # Every provider's client raises a tree of its own. Raised below, where no foreign error, with its request and key,
            # is at hand to be chained.
            failure = f"{self._name} gave no embeddings: {type(error).__name__}: {error}"
        else:
            return cast(list[list[float]], vectors.tolist())
        message = scrub_environment(failure)
        raise ModelError(message if len(message) <= SHOWN else f"{message[:SHOWN]}…")

    def _theirs(self) -> Any:
        with self._lock:
            if self._embedder is None:
                import dspy

                self._embedder = dspy.Embedder(self._name, caching=False, **self._settings)
            return self._embedder
