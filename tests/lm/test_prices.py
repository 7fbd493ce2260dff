"""Prices come from a table on disk; what is not in it has no price."""

import subprocess
import sys

import pytest
from genai_prices import Usage, calc_price
from hypothesis import given
from hypothesis import strategies as st

from agent_gym.lm.prices import price

LISTED = [
    "openai/gpt-5-mini",
    "openai/gpt-4o",
    "gemini/gemini-2.5-pro",
    "gemini/gemini-3-pro-preview",
    "anthropic/claude-sonnet-4-5",
]


@given(st.sampled_from(LISTED), st.integers(0, 500_000), st.integers(0, 200_000))
def test_the_short_way_gives_the_tables_price(name: str, prompt: int, written: int) -> None:
    provider, _, model = name.partition("/")
    listed = calc_price(Usage(input_tokens=prompt, output_tokens=written), model, provider_id=provider)
    assert price(name, prompt, written) == pytest.approx(float(listed.total_price), abs=1e-6)


@pytest.mark.parametrize(
    "name", ["openai/Qwen/Qwen3-4B", "nobody/gpt-4o", "openai/gpt-4o-of-my-own", "ollama_chat/llama3", "odd", "/", ""]
)
def test_an_unknown_model_has_no_price(name: str) -> None:
    assert price(name, 1000, 100) is None


@pytest.mark.parametrize("tokens", [(None, 1), (1, None), (None, None)])
def test_unknown_tokens_have_no_price(tokens: tuple[int | None, int | None]) -> None:
    assert price("openai/gpt-4o", *tokens) is None


def test_the_embedded_model_is_free_whatever_it_counts() -> None:
    assert price("offline", 10**9, None) == 0.0


def test_the_table_is_not_loaded_for_the_embedded_model() -> None:
    code = (
        "import sys; from agent_gym.lm import make_lm; make_lm('offline', cache=None); sys.exit('genai_prices' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
