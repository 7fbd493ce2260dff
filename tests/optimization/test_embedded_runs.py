"""A run whose score has an embedding in it: what the embeddings took is told, and held to the run's budget."""

from collections.abc import Callable
from pathlib import Path

import pytest

from agent_gym.errors import BudgetSpent
from agent_gym.optimization import OptimizationRunner
from agent_gym.optimization.measure import measure
from embedding_server import Endpoint

Prepare = Callable[..., OptimizationRunner]
WEIGHTS = {"tool_accuracy": 0.5, "embedding:openai/text-embedding-3-small": 0.5}


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Endpoint:
    """Where OpenAI's embeddings come from meanwhile."""
    server = Endpoint()
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-a-test")
    monkeypatch.setenv("OPENAI_API_BASE", server.base)
    return server


def test_a_run_counts_its_embeddings_and_pays_for_a_text_once(prepare: Prepare, endpoint: Endpoint) -> None:
    with endpoint:
        found = prepare(weights=WEIGHTS).run()
    used = found.usage["embedding"]
    texts = [text for _, _, body in endpoint.asked for text in body["input"]]
    assert used.requests == len(texts) == len({*texts}) > 8
    assert used.prompt_tokens == sum(map(len, texts))
    assert found.costs["embedding"] == pytest.approx(used.prompt_tokens * 0.02e-6)


def test_the_budget_of_a_run_holds_its_embeddings_too(prepare: Prepare, endpoint: Endpoint, sample: Path) -> None:
    # What the agent says is known already: only embeddings are asked for.
    prepare().run()
    measure(None, sample, limit=8, seed=7, model="offline")
    with endpoint:
        found = prepare(weights=WEIGHTS, max_requests=20).run()
        with pytest.raises(BudgetSpent, match="max_requests of 3"):
            measure(None, sample, limit=8, seed=7, model="offline", weights=WEIGHTS, max_requests=3)
    assert found.partial
    assert sum(used.requests for used in found.usage.values()) == 20
    assert found.usage["embedding"].requests > 10
