"""Embeddings from an endpoint: reached by LiteLLM, counted, held to a budget and kept like every other answer."""

from collections.abc import Iterator

import pytest

from agent_gym.errors import BudgetSpent, MissingKey, ModelError, UsageError
from agent_gym.lm import Budget, Meter
from agent_gym.lm.embedder import make_embedder
from embedding_server import Endpoint

NAME = "openai/text-embedding-3-small"


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with Endpoint() as server:
        yield server


def test_texts_become_vectors_in_their_order(endpoint: Endpoint) -> None:
    embed = make_embedder("openai/any", api_base=endpoint.base)
    assert embed(["Which city?", "Yes"]) == [[11.0, 2.0], [3.0, 1.0]]
    assert sorted(body["input"] for _, _, body in endpoint.asked) == [["Which city?"], ["Yes"]]
    path, headers, body = endpoint.asked[0]
    assert (path, body["model"]) == ("/v1/embeddings", "any")
    assert headers["Authorization"] == "Bearer no-key-needed"


def test_a_text_is_paid_for_once_by_whoever_asks(endpoint: Endpoint) -> None:
    first, second = (make_embedder("openai/any", api_base=endpoint.base) for _ in range(2))
    assert first(["Yes"]) == first(["Yes"]) == second(["Yes"])
    assert len(endpoint.asked) == 1


def test_without_a_cache_every_text_is_asked_for(endpoint: Endpoint) -> None:
    embed = make_embedder("openai/any", api_base=endpoint.base, cache=None)
    assert embed(["Yes"]) == embed(["Yes"])
    assert len(endpoint.asked) == 2


def test_tokens_and_cost_stand_in_the_meter(endpoint: Endpoint) -> None:
    meter = Meter()
    make_embedder(NAME, api_base=endpoint.base, meter=meter)(["Which city?", "Yes"])
    used = meter.snapshot()["embedding"]
    assert (used.requests, used.prompt_tokens, used.completion_tokens) == (2, 14, 0)
    assert used.cost == pytest.approx(14 * 0.02e-6)


def test_a_budget_holds_them_too(endpoint: Endpoint) -> None:
    budget = Budget(max_requests=2)
    embed = make_embedder("openai/any", api_base=endpoint.base, budget=budget)
    embed(["one", "two"])
    with pytest.raises(BudgetSpent, match="max_requests of 2"):
        embed(["three"])
    assert len(endpoint.asked) == 2


def test_a_budget_in_money_needs_a_price(endpoint: Endpoint) -> None:
    with pytest.raises(UsageError, match="the price of openai/any is not known"):
        make_embedder("openai/any", api_base=endpoint.base, budget=Budget(max_cost=1.0))


@pytest.mark.parametrize(("status", "kind"), [(429, "rate_limited"), (408, "timeout"), (500, "server_error"), (400, "refused")])
def test_a_failure_is_told_by_its_kind_on_no_stream(
    endpoint: Endpoint, status: int, kind: str, capfd: pytest.CaptureFixture[str]
) -> None:
    endpoint.status, meter = status, Meter()
    with pytest.raises(ModelError, match="openai/any gave no embeddings"):
        make_embedder("openai/any", api_base=endpoint.base, meter=meter, attempts=1)(["Yes"])
    assert meter.snapshot()["embedding"].transport.faults == {kind: 1}
    assert capfd.readouterr() == ("", "")


def test_what_will_never_be_accepted_is_not_tried_again(endpoint: Endpoint) -> None:
    endpoint.status = 400
    with pytest.raises(ModelError):
        make_embedder("openai/any", api_base=endpoint.base, attempts=4)(["Yes"])
    assert len(endpoint.asked) == 1


def test_a_key_of_the_environment_is_sent_and_never_shown(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-embedder")
    endpoint.status = 401
    embed = make_embedder("openai/any", api_base=endpoint.base)
    with pytest.raises(ModelError, match=r"openai/any gave no embeddings: AuthenticationError: .*is not welcome") as told:
        embed(["Yes"])
    assert endpoint.asked[0][1]["Authorization"] == "Bearer sk-of-the-embedder"
    assert "sk-of-the-embedder" not in str(told.value)
    assert told.value.__context__ is None
    assert len(str(told.value)) < 400


def test_a_key_is_missed_before_the_first_text() -> None:
    with pytest.raises(MissingKey, match="gemini/embedding needs GEMINI_API_KEY or GOOGLE_API_KEY"):
        make_embedder("gemini/embedding")


@pytest.mark.parametrize("name", ["", "small", "/small", "openai/"])
def test_a_name_needs_its_provider(name: str) -> None:
    with pytest.raises(UsageError, match="write PROVIDER/MODEL"):
        make_embedder(name)
