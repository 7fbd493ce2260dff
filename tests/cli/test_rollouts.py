"""`agent-gym rollouts`."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from agent_gym.distillation import decisions
from agent_gym.traces import read_traces
from commands import Ran

AgentGym = Callable[..., Ran]
FEW = ("--model", "offline", "--limit", "4", "--samples", "2", "--output", "r.jsonl")


@pytest.mark.parametrize("mode", ["turns", "simulate"])
def test_rollouts_are_kept_and_a_rerun_asks_nothing(agent_gym: AgentGym, sample: Path, tmp_path: Path, mode: str) -> None:
    command = ("rollouts", "--data", sample, "--mode", mode, *FEW)
    first = agent_gym(*command)
    assert first.code == 0, first.err
    assert "8 rollouts in r.jsonl\n" in first.out
    assert "not a neural model" in first.out
    traces = list(read_traces(tmp_path / "r.jsonl"))
    assert all(list(decisions(trace)) and "reward" in trace.scores and "spent" in trace.metadata for trace in traces)
    assert {trace.metadata["settings"]["agent"].partition(" at ")[2] for trace in traces} == {"temperature 1"}
    again = json.loads(agent_gym(*command, "--json").out)
    assert (again["episodes"], again["resumed"]) == (8, 8)


def test_turns_are_not_mixed_with_conversations(agent_gym: AgentGym, sample: Path) -> None:
    assert agent_gym("rollouts", "--data", sample, *FEW).code == 0
    ran = agent_gym("rollouts", "--data", sample, "--mode", "simulate", *FEW)
    assert ran.code == 2
    assert "was played with other settings (" in ran.err
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--limit", "0"), "limit=0"),
        (("--temperature", "-1"), "a temperature is 0 or more"),
        (("--limit", "5000"), "208 at most"),
        (("--agent", "nowhere.json"), "nowhere.json"),
        (("--split", "moon"), "moon"),
    ],
)
def test_mistakes_are_told_in_one_line_before_anything_is_written(
    agent_gym: AgentGym, sample: Path, tmp_path: Path, options: tuple[str, str], why: str
) -> None:
    ran = agent_gym("rollouts", "--data", sample, *FEW, *options)
    assert ran.code == 2
    assert why in ran.err
    assert ran.err.splitlines()[-1].startswith("agent-gym: ")
    assert not (tmp_path / "r.jsonl").exists()
