"""From a name to a handle: what is chosen, and every mistake found before the first request."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from agent_gym.errors import FileRefused, MissingKey, UsageError
from agent_gym.lm import Meter, make_lm
from agent_gym.lm.model import default_cache
from lm_models import ask
from servers import ModelServer


@pytest.mark.parametrize(
    ("name", "variables"),
    [
        (None, "GEMINI_API_KEY or GOOGLE_API_KEY"),
        ("gemini/gemini-2.5-flash", "GEMINI_API_KEY or GOOGLE_API_KEY"),
        ("openai/gpt-5-mini", "OPENAI_API_KEY"),
        ("anthropic/claude-sonnet-4-5", "ANTHROPIC_API_KEY"),
    ],
)
def test_a_missing_key_is_one_line_with_the_way_out(name: str | None, variables: str) -> None:
    with pytest.raises(MissingKey) as caught:
        make_lm(name)
    expected = (
        f"{name or 'gemini/gemini-3-pro-preview'} needs {variables} in the environment; without a key, use --model offline"
    )
    assert str(caught.value) == expected


def test_a_blank_key_is_a_missing_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", " ")
    with pytest.raises(MissingKey):
        make_lm("openai/gpt-5-mini")


@pytest.mark.parametrize("variable", ["GEMINI_API_KEY", "GOOGLE_API_KEY"])
def test_either_variable_holds_geminis_key(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "AIza-1234567890")
    with ModelServer() as server:
        make_lm("gemini/gemini-2.5-flash", api_base=server.gemini).complete_sync(ask())
    assert server.asked[0].headers["x-goog-api-key"] == "AIza-1234567890"


def test_an_endpoint_of_ones_own_needs_no_key() -> None:
    with ModelServer() as server:
        assert make_lm("openai/Qwen/Qwen3-4B", api_base=server.openai + "/").complete_sync(ask("Hi")).text == "answer to: Hi"
    assert server.asked[0].path == "/v1/chat/completions"
    assert server.asked[0].body["model"] == "Qwen/Qwen3-4B"


def test_name_and_address_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with ModelServer() as server:
        monkeypatch.setenv("AGENT_GYM_MODEL", "openai/mine")
        monkeypatch.setenv("AGENT_GYM_API_BASE", server.openai)
        handle = make_lm()
        handle.complete_sync(ask())
    assert (handle.name, server.asked[0].body["model"]) == ("openai/mine", "mine")


@pytest.mark.parametrize("name", ["gpt-4o", "openai/", "/gpt-4o", "Offline"])
def test_a_name_without_a_provider_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="write PROVIDER/MODEL"):
        make_lm(name)


def test_a_model_in_this_process_is_named_but_not_there_yet() -> None:
    with pytest.raises(UsageError, match=r"extra \[train\]"):
        make_lm("local:some/model")


@pytest.mark.parametrize(
    "base",
    [
        "localhost:8000",
        "ftp://host/v1",
        "http://",
        "http:///v1",
        "/v1",
        "http://host:port/v1",
        "http://[::1/v1",
        "http://h/v1?k=1",
        "http://h/#x",
    ],
)
def test_an_address_that_is_none_is_refused(base: str) -> None:
    with pytest.raises(UsageError, match="is not an address"):
        make_lm("openai/any", api_base=base)


def test_a_password_in_the_address_is_refused_and_not_shown() -> None:
    with pytest.raises(UsageError) as caught:
        make_lm("openai/any", api_base="http://me:hunter2@host/v1")
    assert "hunter2" not in str(caught.value)


def test_the_offline_model_has_no_endpoint() -> None:
    with pytest.raises(UsageError, match="leave out --api-base"):
        make_lm("offline", api_base="http://localhost:8000/v1")


def test_less_than_one_attempt_is_refused() -> None:
    with pytest.raises(UsageError, match="attempts is 0"):
        make_lm("offline", attempts=0)


@pytest.mark.parametrize("limit", [{"timeout": 0.0}, {"timeout": -1.0}, {"max_tokens": 0}])
def test_a_limit_that_leaves_no_room_is_refused(limit: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="leave room for an answer"):
        make_lm("offline", **limit)


def test_a_cache_that_cannot_be_used_is_found_before_the_first_request(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "completions.sqlite").write_bytes(b"not a database at all" * 100)
    monkeypatch.setenv("AGENT_GYM_CACHE", str(tmp_path))
    with pytest.raises(FileRefused, match="delete it"):
        make_lm("offline")


def test_answers_are_kept_in_the_folder_of_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AGENT_GYM_CACHE", str(tmp_path / "answers"))
    make_lm("offline")
    assert default_cache() == tmp_path / "answers" / "completions.sqlite"
    assert default_cache().exists()


def test_without_the_environment_answers_are_kept_at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AGENT_GYM_CACHE")
    assert default_cache() == Path.home() / ".cache" / "agent-gym" / "completions.sqlite"


def test_a_limit_holds_for_requests_that_name_none() -> None:
    with ModelServer() as server:
        handle = make_lm("openai/any", api_base=server.openai, max_tokens=100)
        handle.complete_sync(ask("a"))
        handle.complete_sync(ask("b", max_tokens=5))
    assert [asked.body["max_tokens"] for asked in server.asked] == [100, 5]


def test_roles_share_a_meter_and_the_price_goes_by_name() -> None:
    meter = Meter()
    with ModelServer() as server:
        for role, name in (("agent", "openai/gpt-5-mini"), ("judge", "openai/home-made")):
            make_lm(name, role=role, api_base=server.openai, meter=meter).complete_sync(ask("Hi"))
    usage = meter.snapshot()
    assert usage["agent"].cost == pytest.approx(2 * 0.25e-6 + 13 * 2e-6)
    assert (usage["judge"].requests, usage["judge"].cost) == (1, None)


def test_the_embedded_model_answers_for_nothing() -> None:
    handle = make_lm("offline")
    assert handle.complete_sync(ask("What is two and two?")).text
    assert handle.meter.snapshot()["agent"].cost == 0.0


def test_a_handle_names_itself_without_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1234567890")
    assert repr(make_lm("openai/gpt-5-mini", role="judge")) == "Handle('openai/gpt-5-mini', role='judge')"


def test_importing_the_room_loads_no_client() -> None:
    heavy = ("dspy", "aiohttp", "genai_prices", "litellm", "pydantic", "openai")
    code = f"import sys, agent_gym.lm; sys.exit(str([name for name in {heavy} if name in sys.modules] or ''))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (1, "\n") or (ran.returncode, ran.stderr) == (0, "")
