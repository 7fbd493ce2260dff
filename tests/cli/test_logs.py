"""The commands on logs of one's own, as far as `data import` has made traces of them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent_gym.optimization import OptimizationResult
from commands import Ran
from exported_logs import exported

AgentGym = Callable[..., Ran]
SMALL = ("--num-train", "8", "--num-val", "5", "--num-test", "6")


def as_json(ran: Ran) -> Any:
    assert ran.code == 0, ran.err
    return json.loads(ran.out)


def test_from_a_log_to_a_comparison(agent_gym: AgentGym, sample: Path, tmp_path: Path) -> None:
    exported(sample, tmp_path, bare=True)
    assert agent_gym("data", "import", "logs.jsonl", "--to", "mine.jsonl").code == 0
    options = ("--data", "mine.jsonl", "--model", "offline", *SMALL)
    ran = agent_gym("optimize", *options, "--output", "agent.json")
    assert ran.code == 0, ran.err
    assert "bootstrap on mine with offline, 6 held-out examples of 'dev', seed 0" in ran.out
    result = OptimizationResult.load("agent_result.json")
    again = as_json(agent_gym("evaluate", "agent.json", "--data", "mine.jsonl", "--model", "offline", "--limit", "6", "--json"))
    assert again["score"] == pytest.approx(result.optimized.score)
    ran = agent_gym("compare", *options, "--strategies", "labeled,bootstrap", "--output", "both")
    assert ran.code == 0, ran.err
    assert "mine, dev, 6 examples, offline" in ran.out
    assert "No request was sent" in agent_gym("optimize", *options, "--dry-run").out


@pytest.mark.parametrize("mode", ["replay", "simulate"])
def test_whole_conversations_of_logs_are_played(agent_gym: AgentGym, sample: Path, tmp_path: Path, mode: str) -> None:
    path = exported(sample, tmp_path)
    ran = agent_gym("evaluate", "--data", path, "--mode", mode, "--model", "offline", "--limit", "5")
    assert ran.code == 0, ran.err


@pytest.mark.parametrize("mode", ["turns", "replay", "simulate"])
def test_who_does_not_say_how_many_gets_all_of_a_small_log(agent_gym: AgentGym, mode: str) -> None:
    log = Path(__file__).parents[2] / "scripts" / "customer_service.jsonl"
    assert as_json(agent_gym("evaluate", "--data", log, "--mode", mode, "--model", "offline", "--json"))["n"] == 2


def test_the_stats_of_logs_say_how_they_are_split(agent_gym: AgentGym, sample: Path, tmp_path: Path) -> None:
    path = exported(sample, tmp_path)
    mine, original = (as_json(agent_gym("data", "stats", "--data", data, "--json")) for data in (path, sample))
    assert mine == original
    assert mine["dialogues"] == sum(mine["splits"].values())
    shown = agent_gym("data", "stats", "--data", path).out
    assert f"  dev       {mine['splits']['dev']:>10}" in shown.splitlines()


def test_a_log_that_is_no_traces_yet_says_how_to_make_them(agent_gym: AgentGym, sample: Path, tmp_path: Path) -> None:
    exported(sample, tmp_path)
    for command in ("optimize", "evaluate", "data stats", "judge calibrate", "compare --strategies bootstrap"):
        offline = () if command == "data stats" else ("--model", "offline")
        ran = agent_gym(*command.split(), "--data", "logs.jsonl", *offline)
        assert (ran.code, ran.out) == (2, "")
        assert ran.err.startswith("agent-gym: 'logs.jsonl' is no file of traces but a log in the format openai: make one of it")
        assert len(ran.err.splitlines()) == 1
