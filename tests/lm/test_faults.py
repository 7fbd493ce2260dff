"""A provider that fails one request in five: with retries nobody notices, without them every fault is counted."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from agent_gym.errors import ModelError
from agent_gym.lm import Handle, Request, Turn, Usage, make_handle, make_lm
from agent_gym.lm.gemini import Gemini
from agent_gym.lm.openai_chat import OpenAIChat
from agent_gym.lm.secret import Secret
from agent_gym.lm.wire import Codec, HttpModel
from lm_models import Waits
from servers import FAULTS, Faults, ModelServer

TEXTS = [f"question {number}" for number in range(120)]
PLAN = Faults(share=0.2, seed=1)
Open = Callable[[ModelServer, int], Handle]


def over_openai(server: ModelServer, attempts: int) -> Handle:
    return over(OpenAIChat("any"), server.openai, attempts)


def over_gemini(server: ModelServer, attempts: int) -> Handle:
    return over(Gemini("any"), server.gemini, attempts)


def over(codec: Codec, base: str, attempts: int) -> Handle:
    # Long enough that only a server that means to be silent is too slow.
    model = HttpModel("openai/any", codec, base=base, key=Secret(""), timeout=2.0)
    return make_handle(model, attempts=attempts, sleep=Waits(), price=lambda prompt, written: 0.0)


def play(handle: Handle) -> list[str]:
    """Every question's answer, or the kind of its error, from 16 threads."""

    def one(text: str) -> str:
        try:
            return handle.complete_sync(Request(turns=(Turn("user", text),))).text
        except ModelError as error:
            return type(error).__name__

    with ThreadPoolExecutor(16) as pool:
        return [*pool.map(one, TEXTS)]


def usage(handle: Handle) -> Usage:
    return handle.meter.snapshot()["agent"]


@pytest.mark.parametrize("connect", [over_openai, over_gemini])
def test_with_retries_the_answers_are_those_of_a_faultless_provider(connect: Open) -> None:
    with ModelServer() as faultless:
        expected = play(connect(faultless, 1))
    with ModelServer(faults=PLAN) as server:
        handle = connect(server, 4)
        assert play(handle) == expected
    assert (usage(handle).requests, usage(handle).failures) == (len(TEXTS), 0)
    assert usage(handle).transport.faults == server.acted
    assert set(server.acted) == set(FAULTS)
    assert usage(handle).transport.retries == sum(server.acted.values()) == len(server.asked) - len(TEXTS)


@pytest.mark.parametrize("connect", [over_openai, over_gemini])
def test_without_retries_every_fault_is_a_failure_of_its_kind(connect: Open) -> None:
    with ModelServer(faults=PLAN) as server:
        handle = connect(server, 1)
        answers = play(handle)
    failed = [answer for answer in answers if not answer.startswith("answer to")]
    assert len(failed) == usage(handle).failures == sum(server.acted.values())
    assert usage(handle).transport.faults == server.acted
    assert set(failed) == {"RateLimited", "ServerFailed", "Unreadable", "EmptyAnswer", "CutOff", "ModelTimeout"}


@pytest.mark.parametrize("kind", FAULTS)
def test_a_provider_that_only_fails_ends_the_request(kind: str) -> None:
    with ModelServer(faults=replace(PLAN, share=1.0, kinds=(kind,), in_a_row=99)) as server:
        handle = over_openai(server, 2)
        with pytest.raises(ModelError, match=r"\(attempt 2 of 2\)$"):
            handle.complete_sync(Request(turns=(Turn("user", "Hello"),)))
    assert usage(handle).transport.faults == {kind: 2}


def test_an_interrupted_run_asks_again_only_what_was_not_answered() -> None:
    requests = [Request(turns=(Turn("user", text),)) for text in TEXTS[:20]]
    with ModelServer() as server:
        first = make_lm("openai/any", api_base=server.openai, run="run")
        for request in requests[:12]:
            first.complete_sync(request)
        del first
        again = make_lm("openai/any", api_base=server.openai, run="run")
        for request in requests:
            again.complete_sync(request)
    assert len(server.asked) == 20
    assert (usage(again).requests, usage(again).transport.replayed, usage(again).cache_hits) == (20, 12, 0)
