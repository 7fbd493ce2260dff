"""The guards of `conftest.py` hold: a guard nobody tests is a comment."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import network_guard

# A documentation address (RFC 5737): nothing is there even if the guard should fail.
ELSEWHERE = ("192.0.2.1", 80)
SETTINGS = {"AGENT_GYM_MODEL", "GEMINI_API_KEY", "HF_TOKEN", "OPENAI_BASE_URL", "https_proxy"}


@pytest.fixture(scope="module", autouse=True)
def somebodys_settings() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as shell:
        for name in SETTINGS:
            shell.setenv(name, "somebody's")
        yield


def test_connecting_to_another_machine_is_blocked_and_noted() -> None:
    with socket.socket() as client, pytest.raises(network_guard.NetworkBlocked, match=r"192\.0\.2\.1"):
        client.connect(ELSEWHERE)
    assert network_guard.attempts == ["socket.connect '192.0.2.1'"]
    network_guard.attempts.clear()


def test_looking_up_a_name_is_blocked() -> None:
    with pytest.raises(network_guard.NetworkBlocked):
        socket.getaddrinfo("example.invalid", 443)
    network_guard.attempts.clear()


def test_a_datagram_to_another_machine_is_blocked() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as client, pytest.raises(network_guard.NetworkBlocked):
        client.sendto(b"", ELSEWHERE)
    network_guard.attempts.clear()


def test_loopback_is_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(("localhost", server.getsockname()[1])):
        assert network_guard.attempts == []


def test_a_program_that_a_test_starts_is_blocked_too() -> None:
    code = f"import socket; socket.create_connection({ELSEWHERE!r}, timeout=1)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "NetworkBlocked" in ran.stderr


def test_settings_of_whoever_runs_the_tests_are_not_seen(tmp_path: Path) -> None:
    assert not SETTINGS & os.environ.keys()
    assert os.environ["AGENT_GYM_CACHE"] == str(tmp_path / "cache")
