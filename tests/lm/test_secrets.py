"""A key is sent to its endpoint, and is found nowhere else."""

import copy
import logging
import pickle
import traceback

import pytest
from aiohttp import web

from agent_gym.errors import ModelError
from agent_gym.lm import Handle, make_lm
from agent_gym.lm.secret import Secret, scrub_environment
from lm_models import ask
from servers import Asked, ModelServer

KEY = "sk-proj-ABCDEFGHIJKLMNOP"


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("OPENAI_API_KEY", "GEMINI_API_KEY"):
        monkeypatch.setenv(variable, KEY)


def everything_shown(error: BaseException) -> str:
    """Message, chain, and the locals of every frame but the test's own: some programs print them."""
    assert error.__traceback__ is not None
    report = traceback.TracebackException(type(error), error, error.__traceback__.tb_next, capture_locals=True)
    chain = [error, error.__cause__, error.__context__]
    return "".join(report.format()) + repr(chain) + repr([vars(link) for link in chain if link is not None])


def blabs(asked: Asked) -> web.Response:
    return web.Response(status=401, text=f'{{"error": {{"message": "{"x" * 290} Incorrect API key provided: {KEY}"}}}}')


def babbles(asked: Asked) -> web.Response:
    return web.Response(text=f"{KEY} is what you sent")


def moves(asked: Asked) -> web.Response:
    return web.Response(status=302, headers={"Location": f"http://127.0.0.1:1/{KEY}"}, text=KEY)


@pytest.mark.parametrize("name", ["openai/gpt-5-mini", "gemini/gemini-2.5-flash"])
@pytest.mark.parametrize("behaviour", [blabs, babbles, moves])
def test_no_error_shows_a_key(name: str, behaviour: object, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with ModelServer(response=behaviour) as server:  # pyright: ignore[reportArgumentType]
        base = server.gemini if name.startswith("gemini") else server.openai
        handle = make_lm(name, api_base=base, attempts=1)
        with pytest.raises(ModelError) as caught:
            handle.complete_sync(ask())
    assert KEY[:10] not in everything_shown(caught.value)
    assert KEY not in caplog.text
    assert any(KEY in value for value in server.asked[0].headers.values())


def test_no_failed_connection_shows_a_key() -> None:
    with ModelServer() as gone:
        pass
    with pytest.raises(ModelError) as caught:
        make_lm("openai/gpt-5-mini", api_base=gone.openai, attempts=1).complete_sync(ask())
    assert KEY not in everything_shown(caught.value)


def parts(handle: Handle) -> list[object]:
    found: list[object] = [handle]
    for part in found:
        found += [value for value in getattr(part, "__dict__", {}).values() if value not in found and len(found) < 100]
    return found


def test_no_part_of_a_handle_shows_a_key() -> None:
    shown = [repr(part) for part in parts(make_lm("openai/gpt-5-mini"))]
    assert any("HttpModel" in text for text in shown)
    assert not [text for text in shown if KEY in text]


def test_a_key_is_not_written_anywhere() -> None:
    secret = Secret(KEY)
    assert copy.deepcopy(secret) is secret
    assert KEY not in f"{secret} {secret!r}"
    with pytest.raises(TypeError, match="not written"):
        pickle.dumps(secret)


def test_keys_of_the_environment_are_taken_out_of_a_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_TOKEN", "tok-12345678")
    monkeypatch.setenv("SHORT_KEY", "a")
    assert scrub_environment(f"a {KEY} and tok-12345678") == "a [key] and [key]"
