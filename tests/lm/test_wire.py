"""Both dialects, through the real client, against a real server."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from aiohttp import web

from agent_gym.errors import ModelError, ModelRefused, ModelTimeout, RateLimited
from agent_gym.lm import Completion, Request, Turn, run_sync
from agent_gym.lm.faults import ServerFailed, Unreachable, Unreadable
from agent_gym.lm.gemini import Gemini
from agent_gym.lm.openai_chat import OpenAIChat
from agent_gym.lm.secret import Secret
from agent_gym.lm.wire import HttpModel
from servers import ModelServer

CHAT = Request(
    turns=(Turn("system", "Be brief."), Turn("user", "Hi"), Turn("assistant", "Hello"), Turn("user", "Bye")), max_tokens=9
)
HELLO = Request(turns=(Turn("user", "Hello"),))


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


def openai(server: ModelServer, model: str = "gpt-4.1", *, key: str = "sk-1234567890", timeout: float = 60.0) -> HttpModel:
    return HttpModel(f"openai/{model}", OpenAIChat(model), base=server.openai, key=Secret(key), timeout=timeout)


def gemini(server: ModelServer, model: str = "gemini-3-pro-preview") -> HttpModel:
    return HttpModel(f"gemini/{model}", Gemini(model), base=server.gemini, key=Secret("AIza-1234567890"))


def failing(server: ModelServer, response: web.Response, model: HttpModel | None = None) -> ModelError:
    server.response = lambda asked: response
    with pytest.raises(ModelError) as caught:
        run_sync((model or openai(server)).complete(HELLO))
    return caught.value


def answering(server: ModelServer, model: HttpModel, body: str) -> Completion:
    server.response = lambda asked: web.Response(text=body, content_type="application/json")
    return run_sync(model.complete(HELLO))


def test_openai_is_asked_in_its_words(server: ModelServer) -> None:
    run_sync(openai(server).complete(CHAT))
    asked = server.asked[0]
    assert asked.path == "/v1/chat/completions"
    assert asked.headers["Authorization"] == "Bearer sk-1234567890"
    assert asked.headers["Content-Type"] == "application/json"
    assert asked.body == {
        "model": "gpt-4.1",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": "Hello"},
            {"role": "user", "content": "Bye"},
        ],
        "temperature": 0.0,
        "max_tokens": 9,
    }


def test_gemini_is_asked_in_its_words(server: ModelServer) -> None:
    run_sync(gemini(server).complete(CHAT))
    asked = server.asked[0]
    assert asked.path == "/v1beta/models/gemini-3-pro-preview:generateContent"
    assert asked.headers["x-goog-api-key"] == "AIza-1234567890"
    assert asked.body == {
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "contents": [
            {"role": "user", "parts": [{"text": "Hi"}]},
            {"role": "model", "parts": [{"text": "Hello"}]},
            {"role": "user", "parts": [{"text": "Bye"}]},
        ],
        "generationConfig": {"temperature": 0.0, "maxOutputTokens": 9},
    }


def test_what_is_left_to_the_provider_is_not_sent(server: ModelServer) -> None:
    plain = Request(turns=(Turn("user", "Hello"),), temperature=None)
    run_sync(openai(server).complete(plain))
    run_sync(gemini(server).complete(plain))
    assert sorted(server.asked[0].body) == ["messages", "model"]
    assert sorted(server.asked[1].body) == ["contents"]


def test_an_instruction_alone_is_what_the_user_says_to_gemini(server: ModelServer) -> None:
    run_sync(gemini(server).complete(Request(turns=(Turn("system", "Say hello."),), temperature=None)))
    assert server.asked[0].body == {"contents": [{"role": "user", "parts": [{"text": "Say hello."}]}]}


@pytest.mark.parametrize("model", ["gpt-5", "gpt-5-mini", "gpt-5.1", "o1", "o3-mini", "o4-mini", "some-gateway/gpt-5"])
def test_reasoning_models_get_no_temperature_and_a_limit_of_another_name(server: ModelServer, model: str) -> None:
    run_sync(openai(server, model).complete(CHAT))
    assert {key: value for key, value in server.asked[0].body.items() if key not in ("model", "messages")} == {
        "max_completion_tokens": 9
    }


@pytest.mark.parametrize("model", ["gpt-4o", "gpt-5-chat-latest", "olmo-2", "o100", "Qwen/Qwen3-4B"])
def test_other_models_get_a_temperature(server: ModelServer, model: str) -> None:
    run_sync(openai(server, model).complete(CHAT))
    assert server.asked[0].body["temperature"] == 0.0


def test_a_model_name_cannot_change_the_path(server: ModelServer) -> None:
    run_sync(gemini(server, "../../x?y=1").complete(HELLO))
    assert server.asked[0].path == "/v1beta/models/../../x?y=1:generateContent"


def test_an_answer_of_openai_is_read(server: ModelServer) -> None:
    body = """{"id": "x", "choices": [{"message": {"role": "assistant", "content": "Hi"}, "finish_reason": "length"}],
    "usage": {"prompt_tokens": 8, "completion_tokens": 70, "completion_tokens_details": {"reasoning_tokens": 64}}}"""
    assert answering(server, openai(server), body) == Completion(
        text="Hi", finish="length", prompt_tokens=8, completion_tokens=70, reasoning_tokens=64
    )


def test_thoughts_of_gemini_are_counted_but_not_said(server: ModelServer) -> None:
    body = """{"candidates": [{"content": {"role": "model", "parts": [{"text": "Hmm", "thought": true}, {"text": "Hi "},
    {"text": "there"}]}, "finishReason": "MAX_TOKENS"}], "modelVersion": "x",
    "usageMetadata": {"promptTokenCount": 2, "candidatesTokenCount": 1, "thoughtsTokenCount": 60, "totalTokenCount": 63}}"""
    assert answering(server, gemini(server), body) == Completion(
        text="Hi there", finish="length", prompt_tokens=2, completion_tokens=61, reasoning_tokens=60
    )


def test_an_answer_without_counts_has_unknown_counts(server: ModelServer) -> None:
    assert answering(server, openai(server), '{"choices": [{"message": {"content": "Hi"}}]}') == Completion(text="Hi")
    assert answering(server, gemini(server), '{"candidates": [{"content": {"parts": [{"text": "Hi"}]}}]}') == Completion(
        text="Hi"
    )


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ('{"content": [{"type": "text", "text": "Hi "}, {"type": "text", "text": "there"}]}', "Hi there"),
        ('{"content": null, "refusal": "I would rather not."}', "I would rather not."),
        ('{"content": null}', ""),
        ("{}", ""),
    ],
)
def test_openai_says_things_in_several_ways(server: ModelServer, message: str, text: str) -> None:
    assert answering(server, openai(server), f'{{"choices": [{{"message": {message}}}]}}').text == text


def test_a_question_that_gemini_blocks_has_no_words_and_says_why(server: ModelServer) -> None:
    blocked = answering(server, gemini(server), '{"promptFeedback": {"blockReason": "SAFETY"}}')
    assert (blocked.text, blocked.finish) == ("", "SAFETY")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>proxy</html>",
        b"[]",
        b"null",
        b"{}",
        b'{"choices": []}',
        b'{"candidates": []}',
        b'{"choices": [{"message": {"content": 7}}]}',
        b'{"choices": [{"message": {"content": "x"}}], "usage": {"prompt_tokens": -1}}',
        b'{"choices": [{"message": {"content": "cut',
        b'{"candidates": [{"content": {"parts": "x"}}]}',
        b"\xff\xfe\x00",
        b'{"x":' * 100_000,
    ],
)
def test_what_is_not_the_dialect_is_unreadable(server: ModelServer, body: bytes) -> None:
    for model in (openai(server), gemini(server)):
        error = failing(server, web.Response(body=body), model)
        assert isinstance(error, Unreadable)
        assert len(str(error)) < 400


def test_an_endless_answer_is_not_read_to_its_end(server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent_gym.lm.wire.LARGEST_ANSWER", 1000)
    assert isinstance(failing(server, web.Response(body=b" " * 100_000)), Unreadable)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (301, ModelRefused),
        (400, ModelRefused),
        (401, ModelRefused),
        (403, ModelRefused),
        (404, ModelRefused),
        (408, ModelTimeout),
        (422, ModelRefused),
        (429, RateLimited),
        (500, ServerFailed),
        (503, ServerFailed),
    ],
)
def test_a_status_has_a_meaning(server: ModelServer, status: int, expected: type[ModelError]) -> None:
    error = failing(server, web.Response(status=status, text='{"error": {"message": "because"}}'))
    assert type(error) is expected
    assert str(error).startswith(f"openai/gpt-4.1 at http://127.0.0.1:{server.port} answered {status}: because")


def test_a_redirect_is_not_followed(server: ModelServer) -> None:
    with ModelServer() as other:
        error = failing(server, web.Response(status=307, headers={"Location": f"{other.openai}/chat/completions"}))
        assert not other.asked
    assert isinstance(error, ModelRefused)


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ('[{"error": {"code": 400, "message": "bad\\nthing"}}]', "bad thing"),
        ('{"error": "bad thing"}', "bad thing"),
        ('{"detail": [{"msg": "bad"}]}', '[{"msg":"bad"}]'),
        ('{"message": "bad thing"}', "bad thing"),
        ("[" * 100_000, "[" * 200),
        ("bad thing", "bad thing"),
        ("", ""),
    ],
)
def test_the_servers_own_words_are_shown(server: ModelServer, body: str, shown: str) -> None:
    assert f"answered 400: {shown}" in str(failing(server, web.Response(status=400, text=body)))


@pytest.mark.parametrize(
    ("headers", "body", "seconds"),
    [
        ({"Retry-After": "7"}, "", 7.0),
        ({"Retry-After": "0.5"}, "", 0.5),
        ({"Retry-After": "-3"}, "", 0.0),
        ({"Retry-After": "nan"}, "", None),
        ({"Retry-After": "soon"}, "", None),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, "", 0.0),
        ({}, "", None),
        ({}, '{"error": {"details": [{"retryDelay": "34s"}]}}', 34.0),
        ({}, '{"error": {"details": [{"retryDelay": "1.2.3s"}]}}', None),
    ],
)
def test_the_wait_that_an_endpoint_asks_for_is_read(
    server: ModelServer, headers: dict[str, str], body: str, seconds: float | None
) -> None:
    for status in (429, 503):
        assert failing(server, web.Response(status=status, headers=headers, text=body)).retry_after == seconds


def test_the_wait_may_be_a_date(server: ModelServer) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    wait = failing(server, web.Response(status=429, headers={"Retry-After": date})).retry_after
    assert wait is not None
    assert 3000 < wait <= 3600


def test_silence_is_a_timeout(server: ModelServer) -> None:
    server.latency = 30.0
    with pytest.raises(ModelTimeout, match=r"did not answer within 0\.2 s"):
        run_sync(openai(server, timeout=0.2).complete(HELLO))


def test_nobody_there_is_unreachable() -> None:
    with ModelServer() as gone:
        pass
    with pytest.raises(Unreachable, match="cannot be reached"):
        run_sync(openai(gone).complete(HELLO))


def test_a_connection_is_kept(server: ModelServer) -> None:
    for _ in range(5):
        run_sync(openai(server).complete(HELLO))
    assert len({asked.client_port for asked in server.asked}) == 1
