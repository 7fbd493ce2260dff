# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
"""Providers that only DSPy knows: its client, over the wire, with errors in our words."""

import pytest
from aiohttp import web
from dspy.clients.base_lm import GLOBAL_HISTORY

from agent_gym.errors import ModelError, ModelRefused, RateLimited
from agent_gym.lm import Completion, Request, Turn, make_lm, run_sync
from agent_gym.lm.dspy_route import DspyRoute
from agent_gym.lm.faults import ServerFailed, Unreachable
from agent_gym.lm.secret import Secret
from lm_models import ask
from servers import ModelServer

KEY = "gsk-ABCDEFGHIJKLMNOP"
GROQ = "groq/llama-3.3-70b-versatile"


def route(server: ModelServer, name: str = GROQ, timeout: float = 60.0) -> DspyRoute:
    return DspyRoute(name, api_base=server.openai, key=Secret(KEY), timeout=timeout)


def test_a_question_arrives_and_its_answer_is_read() -> None:
    chat = Request(
        turns=(Turn("system", "Be brief."), Turn("user", "Hi"), Turn("assistant", "Hello"), Turn("user", "Bye")), max_tokens=50
    )
    with ModelServer() as server:
        answer = run_sync(route(server).complete(chat))
    assert answer == Completion(text="answer to: Bye", finish="stop", prompt_tokens=19, completion_tokens=14)
    assert server.asked[0].turns == (("system", "Be brief."), ("user", "Hi"), ("assistant", "Hello"), ("user", "Bye"))
    assert server.asked[0].body["temperature"] == 0.0
    assert server.asked[0].headers["Authorization"] == f"Bearer {KEY}"


def test_make_lm_takes_this_way_for_other_providers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROQ_API_KEY", KEY)
    with ModelServer() as server:
        handle = make_lm(GROQ, api_base=server.openai)
        answers = [handle.complete_sync(ask(text)).text for text in "aba"]
    assert answers == ["answer to: a", "answer to: b", "answer to: a"]
    assert len(server.asked) == 2


def test_an_instruction_alone_is_what_the_user_says() -> None:
    with ModelServer() as server:
        run_sync(route(server).complete(Request(turns=(Turn("system", "Say hello."),))))
    assert server.asked[0].turns == (("user", "Say hello."),)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, ModelRefused),
        (401, ModelRefused),
        (404, ModelRefused),
        (429, RateLimited),
        (500, ServerFailed),
        (503, ServerFailed),
    ],
)
def test_an_error_is_one_of_ours_and_one_attempt(status: int, expected: type[ModelError]) -> None:
    response = web.Response(status=status, headers={"Retry-After": "7"}, text=f'{{"error": {{"message": "no {KEY}"}}}}')
    with ModelServer(response=lambda asked: response) as server:
        with pytest.raises(ModelError) as caught:
            run_sync(route(server).complete(ask()))
        assert len(server.asked) == 1
    assert type(caught.value) is expected
    assert KEY not in f"{caught.value!r} {caught.value.__cause__!r} {caught.value.__context__!r}"
    assert caught.value.retry_after == (7.0 if status == 429 else caught.value.retry_after)


def test_silence_ends_in_time() -> None:
    with ModelServer(latency=30.0) as server, pytest.raises(ModelError):
        run_sync(route(server, timeout=0.2).complete(ask()))


def test_nobody_there_is_unreachable() -> None:
    with ModelServer() as gone:
        pass
    with pytest.raises(Unreachable):
        run_sync(route(gone).complete(ask()))


def test_a_provider_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ModelError):
        run_sync(DspyRoute("nobody/nothing", api_base="", key=Secret(""), timeout=5.0).complete(ask()))


def test_dspy_remembers_nothing() -> None:
    with ModelServer() as server:
        run_sync(route(server).complete(ask()))
    assert GLOBAL_HISTORY == []
