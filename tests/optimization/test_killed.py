"""A run that was killed continues where it was, to the same result, and pays for nothing twice."""

import signal
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from aiohttp import web

from agent_gym.optimization import OptimizationResult, OptimizationRunner
from commands import start
from servers import Asked, ModelServer
from stand_in import StandIn

Prepare = Callable[..., OptimizationRunner]
SIZES = {"num_train": 10, "num_val": 6, "num_test": 8}


class Killer:
    """Kills the program that asks, when it has asked so many times in all."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.process: subprocess.Popen[str] | None = None
        self.death: int | None = None

    def __call__(self, asked: Asked) -> web.Response | None:
        self.asked[repr(asked.turns)] += 1
        if self.process is not None and self.asked.total() == self.death:
            self.process.kill()
            self.process.wait()
        return None


def optimize(server: ModelServer, folder: Path, sample: Path, threads: int) -> list[str | Path]:
    sizes = [word for name, size in SIZES.items() for word in (f"--{name.replace('_', '-')}", str(size))]
    model = ["--model", "openai/stand-in", "--api-base", server.openai, "--threads", str(threads)]
    return ["optimize", "--data", sample, "--strategy", "mipro", "--output", folder / "out" / "agent.json", *sizes, *model]


@pytest.mark.slow
@pytest.mark.parametrize("threads", [1, 8])
def test_a_killed_run_continues_to_the_same_result_and_pays_for_nothing_twice(
    prepare: Prepare, sample: Path, tmp_path: Path, threads: int
) -> None:
    killer = Killer()
    with ModelServer(StandIn(sample), response=killer) as server:
        model = {"model": "openai/stand-in", "api_base": server.openai, "cache": tmp_path / "unbroken.sqlite"}
        unbroken = prepare(strategy="mipro", output_path=tmp_path / "unbroken" / "agent.json", **model)
        expected = unbroken.run()
        needed = killer.asked.copy()

        killer.asked.clear()
        deaths = [needed.total() // 3, needed.total() * 2 // 3]
        for killer.death in [*deaths, None]:
            killer.process = start(*optimize(server, tmp_path, sample, threads), folder=tmp_path)
            _, err = killer.process.communicate()
            assert killer.process.returncode == (0 if killer.death is None else -signal.SIGKILL), err

    # When it was killed, one question of each thread could be on its way, and no other is asked again.
    assert killer.asked.keys() == needed.keys()
    assert needed <= killer.asked
    assert killer.asked.total() - needed.total() <= threads * len(deaths)
    result = OptimizationResult.load(tmp_path / "out" / "agent_result.json")
    assert result.timeless() == expected.timeless()
    assert (tmp_path / "out" / "agent.json").read_bytes() == unbroken.output_path.read_bytes()
    assert result.usage["agent"].transport.replayed > 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["agent.json", "agent_result.json"], "leftovers"
