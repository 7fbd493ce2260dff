"""From a model's name to a handle on it.

Every mistake that can be found before the first request is found here: a missing key, a bad address, a cache that cannot be
written.

    make_lm("gemini/gemini-3-pro-preview")                         GEMINI_API_KEY or GOOGLE_API_KEY
    make_lm("openai/gpt-5-mini")                                   OPENAI_API_KEY
    make_lm("openai/Qwen/Qwen3-4B", api_base="http://gpu:8000/v1") vLLM, Ollama, a gateway: a key only if there is one
    make_lm("anthropic/claude-sonnet-4-5")                         whatever DSPy knows
    make_lm("offline")                                             the embedded model: no key, no network, no price
"""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from agent_gym.errors import MissingKey, UsageError
from agent_gym.lm.base import Model
from agent_gym.lm.budget import Budget
from agent_gym.lm.cache import CompletionCache
from agent_gym.lm.handle import Handle, make_handle
from agent_gym.lm.meter import Meter
from agent_gym.lm.prices import OFFLINE, pricer
from agent_gym.lm.rate import RateLimit
from agent_gym.lm.secret import Secret

DEFAULT_MODEL = "gemini/gemini-3-pro-preview"
MODEL_VARIABLE, BASE_VARIABLE, CACHE_VARIABLE = "AGENT_GYM_MODEL", "AGENT_GYM_API_BASE", "AGENT_GYM_CACHE"
KEYS = {
    "gemini": ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
    "openai": ("OPENAI_API_KEY",),
    "anthropic": ("ANTHROPIC_API_KEY",),
    "deepseek": ("DEEPSEEK_API_KEY",),
    "groq": ("GROQ_API_KEY",),
    "mistral": ("MISTRAL_API_KEY",),
    "openrouter": ("OPENROUTER_API_KEY",),
    "xai": ("XAI_API_KEY",),
}
"""Where a provider's key is looked for. The keys of others are DSPy's business, and missed at the first request."""
NO_KEY = "no-key-needed"


def make_lm(
    name: str | None = None,
    *,
    role: str = "agent",
    api_base: str | None = None,
    api_key: str | None = None,
    meter: Meter | None = None,
    cache: CompletionCache | Path | Literal["default"] | None = "default",
    run: str = "",
    timeout: float = 120.0,
    attempts: int = 4,
    max_tokens: int | None = None,
    budget: Budget | None = None,
    rate: RateLimit | None = None,
) -> Handle:
    """A handle on the model of that name.

    Args:
        name: "PROVIDER/MODEL" or "offline"; by default AGENT_GYM_MODEL, else Gemini 3 Pro.
        role: whose questions these are: "agent", "prompt" or "judge".
        api_base: another endpoint that speaks the provider's dialect; by default AGENT_GYM_API_BASE, else the provider's own.
        api_key: by default the provider's variable in the environment, where a key is better kept.
        meter: where requests are counted; share one among the roles of a run.
        cache: where answers are kept, by default in AGENT_GYM_CACHE, else ~/.cache/agent-gym; None keeps none.
        run: who pays; a run that is started again under the same name replays what it paid for, and reports the same counts.
        timeout: seconds for one attempt.
        attempts: how often a question is tried, 1 or more.
        max_tokens: the limit of a request that names none.
        budget: what the run may spend; share one among its roles.
        rate: how fast it may ask; share one among the roles that share a quota.

    Raises:
        MissingKey: no key for that provider in the environment.
        UsageError: a name or an address that cannot be used, a cache that cannot be written, or a budget in money for a model
            whose price is not known.
    """
    given, api_key = Secret((api_key or "").strip()), None
    name = name or os.environ.get(MODEL_VARIABLE) or DEFAULT_MODEL
    if attempts < 1:
        raise UsageError(f"attempts is {attempts}; a question is tried once at least")
    if timeout <= 0 or (max_tokens is not None and max_tokens < 1):
        raise UsageError(f"timeout is {timeout} and max_tokens {max_tokens}; both must leave room for an answer")
    if name == OFFLINE:
        if api_base:
            raise UsageError(f"the offline model has no endpoint; leave out --api-base {api_base}")
        model, endpoint = _offline()
    else:
        model, endpoint = _remote(name, api_base or os.environ.get(BASE_VARIABLE) or "", given, timeout)
    return make_handle(
        model,
        role=role,
        meter=meter,
        cache=default_cache() if cache == "default" else cache,
        endpoint=endpoint,
        run=run,
        attempts=attempts,
        max_tokens=max_tokens,
        price=pricer(name),
        budget=budget,
        rate=rate,
    )


def base_of(name: str | None, api_base: str | None, others: Iterable[str | None]) -> str | None:
    """The endpoint for one of a run's models: where this one is offline and another is not, `api_base` is the other's."""
    offline, *rest = [(one or os.environ.get(MODEL_VARIABLE) or DEFAULT_MODEL) == OFFLINE for one in (name, *others)]
    return None if offline and not all(rest) else api_base


def default_cache() -> Path:
    """The file in which answers are kept unless another is named."""
    folder = os.environ.get(CACHE_VARIABLE)
    return (Path(folder) if folder else Path.home() / ".cache" / "agent-gym") / "completions.sqlite"


def _offline() -> tuple[Model, str]:
    from agent_gym.lm import offline, prompt

    # The engine has no version of its own: its text is, so that an answer of an older one is never taken for this one's.
    digest = hashlib.sha256()
    files = [Path(prompt.__file__), *sorted(Path(offline.__path__[0]).rglob("*.py"))]
    for file in files:
        digest.update(file.read_bytes())
    return offline.OfflineModel(), f"offline:{digest.hexdigest()[:16]}"


def _remote(name: str, api_base: str, given: Secret, timeout: float) -> tuple[Model, str]:
    if name.startswith("local:"):
        raise UsageError(f"{name}: models in this process come with the extra [train], which this version does not have yet")
    provider, slash, model = name.partition("/")
    if not slash or not provider or not model:
        raise UsageError(f"unknown model {name!r}; write PROVIDER/MODEL, as in openai/gpt-5-mini, or offline")
    base = _checked_base(api_base)
    key = given if given.reveal() else _key(name, provider, base)
    if provider == "openai":
        from agent_gym.lm.openai_chat import OPENAI_BASE, OpenAIChat
        from agent_gym.lm.wire import HttpModel

        base = base or OPENAI_BASE
        return HttpModel(name, OpenAIChat(model), base=base, key=key, timeout=timeout), base
    if provider == "gemini":
        from agent_gym.lm.gemini import GEMINI_BASE, Gemini
        from agent_gym.lm.wire import HttpModel

        base = base or GEMINI_BASE
        return HttpModel(name, Gemini(model), base=base, key=key, timeout=timeout), base
    from agent_gym.lm.dspy_route import DspyRoute

    return DspyRoute(name, api_base=base, key=key, timeout=timeout), base


def _key(name: str, provider: str, base: str) -> Secret:
    variables = KEYS.get(provider, ())
    for variable in variables:
        if value := os.environ.get(variable, "").strip():
            return Secret(value)
    if variables and not base:
        raise MissingKey(f"{name} needs {' or '.join(variables)} in the environment; without a key, use --model offline")
    return Secret(NO_KEY if base else "")


def _checked_base(api_base: str) -> str:
    """The address without a slash at its end; empty when none was given."""
    if not api_base:
        return ""
    try:
        parts = urlsplit(api_base)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        usable, parts = False, urlsplit("")
    if "@" in api_base:
        raise UsageError("the API base holds a user name or password, which would be logged; put the key in the environment")
    if not usable or parts.query or parts.fragment:
        raise UsageError(f"the API base {api_base!r} is not an address like http://localhost:8000/v1")
    return api_base.rstrip("/")
