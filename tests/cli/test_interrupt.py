"""Ctrl-C: one line that says how to go on, and the end, also when the endpoint never answers."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web

from agent_gym.optimization import OptimizationResult
from commands import run, start
from servers import Asked, Faults, ModelServer
from stand_in import StandIn

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="has no Ctrl-C to send to one process")


class Interrupter:
    """Sends Ctrl-C with the first request of a kind, and from then on the endpoint hangs."""

    def __init__(self, words: str, server: ModelServer) -> None:
        self.words = words
        self.server = server
        self.process: subprocess.Popen[str] | None = None

    def __call__(self, asked: Asked) -> web.Response | None:
        if self.process is not None and self.words in asked.turns[0][1]:
            self.server.faults = Faults(share=1.0, kinds=("timeout",), in_a_row=99)
            self.process.send_signal(signal.SIGINT)
            self.process = None
        return None


@pytest.fixture
def server(sample: Path) -> Iterator[ModelServer]:
    with ModelServer(StandIn(sample)) as server:
        yield server


def command(server: ModelServer, sample: Path) -> list[str | Path]:
    small = ["--num-train", "10", "--num-val", "6", "--num-test", "8", "--timeout", "600"]
    return ["optimize", "--data", sample, "--strategy", "mipro", "--model", "openai/x", "--api-base", server.openai, *small]


@pytest.mark.parametrize(
    "words",
    ["You are an assistant", "Your output fields are", "Rule "],
    ids=["while-measuring", "while-proposing", "while-comparing"],
)
def test_an_interrupted_run_ends_at_once_and_says_that_the_same_command_continues(
    server: ModelServer, sample: Path, tmp_path: Path, words: str
) -> None:
    server.response = interrupter = Interrupter(words, server)
    interrupter.process = process = start(*command(server, sample), folder=tmp_path)
    # Were it to wait for the endpoint, it would wait for ten minutes.
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == ""
    *progress, line = err.splitlines()
    assert line == "agent-gym: interrupted; the same command continues at no further cost"
    assert all(line.startswith("[") for line in progress)
    assert not (tmp_path / "checkpoints" / "agent.json").exists()


def test_the_same_command_continues(server: ModelServer, sample: Path, tmp_path: Path) -> None:
    server.response = interrupter = Interrupter("Rule ", server)
    interrupter.process = process = start(*command(server, sample), folder=tmp_path)
    process.communicate(timeout=60)
    asked = len(server.asked)
    server.faults = Faults(share=0.0)
    assert run(*command(server, sample), folder=tmp_path).code == 0
    result = OptimizationResult.load(tmp_path / "checkpoints" / "agent_result.json")
    assert result.usage["agent"].transport.replayed > 0
    assert len({repr(one.turns) for one in server.asked[:asked]} & {repr(one.turns) for one in server.asked[asked:]}) <= 16
