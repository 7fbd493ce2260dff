"""Embeddings from an endpoint, through DSPy's client."""

import http.server
import json
import threading
from collections.abc import Iterator
from typing import Any, cast

import pytest

from agent_gym.errors import MissingKey, ModelError, UsageError
from agent_gym.lm.embedder import make_embedder


class Endpoint(http.server.ThreadingHTTPServer):
    """Embeds a text as its length and the number of its words; keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.asked: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self.status = 200

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class Answering(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        server = cast(Endpoint, self.server)
        body: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server.asked.append((self.path, dict(self.headers), body))
        texts: list[str] = body["input"]
        data = [{"object": "embedding", "index": i, "embedding": [len(t), len(t.split())]} for i, t in enumerate(texts)]
        answer: dict[str, Any] = {
            "object": "list",
            "data": data,
            "model": body["model"],
            "usage": {"prompt_tokens": 1, "total_tokens": 1},
        }
        if server.status != 200:
            answer = {"error": {"message": f"{self.headers['Authorization']} is not welcome " + "x" * 500}}
        self.send_response(server.status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing is written to the terminal."""


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with Endpoint() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_texts_are_embedded_in_one_request(endpoint: Endpoint) -> None:
    embed = make_embedder("openai/any", api_base=endpoint.base)
    assert embed(["Which city?", "Yes"]) == [[11.0, 2.0], [3.0, 1.0]]
    ((path, headers, body),) = endpoint.asked
    assert (path, body["model"], body["input"]) == ("/v1/embeddings", "any", ["Which city?", "Yes"])
    assert headers["Authorization"] == "Bearer no-key-needed"


def test_nothing_is_remembered_here(endpoint: Endpoint) -> None:
    embed = make_embedder("openai/any", api_base=endpoint.base)
    assert embed(["Yes"]) == embed(["Yes"])
    assert len(endpoint.asked) == 2


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
