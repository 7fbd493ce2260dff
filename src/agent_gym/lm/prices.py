"""What an answer costs, from a price table that comes with a package and is never fetched.

The table (`genai-prices`) knows prices by provider and model, some of them in tiers by the size of the prompt. Looking one up
costs 50 microseconds; most prices are a straight line through the sizes that dialogues have, and then its two slopes are kept.
A price goes by the model's name, whatever endpoint served it, and is an upper bound: what a provider takes off for a cached
prompt is not subtracted. An unknown price is None, never 0.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

OFFLINE = "offline"
"""The name of the embedded model; its answers cost nothing."""
LONG = 100_000
"""Tokens up to which a price is tried for being a straight line."""


class _Tariff(NamedTuple):
    """What is known of a model's price."""

    listed: bool
    line: tuple[float, float] | None = None
    """US dollars for a token of the prompt and one of the completion, where the price is a straight line."""


def price(name: str, prompt_tokens: int | None, completion_tokens: int | None) -> float | None:
    """US dollars for one answer of the model `name` ("openai/gpt-5-mini"); None when it cannot be known."""
    if name == OFFLINE:
        return 0.0
    tariff = _tariff(name)
    if not tariff.listed or prompt_tokens is None or completion_tokens is None:
        return None
    if tariff.line is not None and prompt_tokens <= LONG and completion_tokens <= LONG:
        return prompt_tokens * tariff.line[0] + completion_tokens * tariff.line[1]
    return _look_up(name, prompt_tokens, completion_tokens)


def pricer(name: str) -> Callable[[int | None, int | None], float | None]:
    """`price` for one model. The table is read here, by the caller, not by the first answer."""
    price(name, 1, 1)
    return lambda prompt_tokens, completion_tokens: price(name, prompt_tokens, completion_tokens)


@lru_cache(maxsize=256)
def _tariff(name: str) -> _Tariff:
    prompt, completion = _look_up(name, 1000, 0), _look_up(name, 0, 1000)
    nothing, much = _look_up(name, 0, 0), _look_up(name, LONG, LONG)
    if prompt is None or completion is None or much is None:
        return _Tariff(listed=False)
    line = prompt / 1000, completion / 1000
    straight = not nothing and abs(much - LONG * sum(line)) < 1e-6
    return _Tariff(listed=True, line=line if straight else None)


def _look_up(name: str, prompt_tokens: int, completion_tokens: int) -> float | None:
    from genai_prices import Usage, calc_price

    provider, _, model = name.partition("/")
    try:
        answer = calc_price(Usage(input_tokens=prompt_tokens, output_tokens=completion_tokens), model, provider_id=provider)
    except LookupError:
        return None
    return float(answer.total_price)
