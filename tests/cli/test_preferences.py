"""`agent-gym preferences`."""

import json
from collections.abc import Callable
from pathlib import Path

from commands import Ran

AgentGym = Callable[..., Ran]


def test_rollouts_become_pairs_and_a_report(agent_gym: AgentGym, sample: Path, tmp_path: Path) -> None:
    play = ("rollouts", "--data", sample, "--model", "offline", "--limit", "12", "--samples", "2", "--output", "r.jsonl")
    assert agent_gym(*play).code == 0
    command = ("preferences", "--rollouts", "r.jsonl", "--source", "gold-worst", "--output", "p.jsonl")
    ran = agent_gym(*command)
    assert ran.code == 0, ran.err
    rows = [json.loads(line) for line in (tmp_path / "p.jsonl").read_text().splitlines()]
    assert f"{len(rows)} pairs in p.jsonl (gold-worst {len(rows)})\n" in ran.out
    assert "no pair from:\n" in ran.out
    assert "chosen is the longer side in " in ran.out
    report = json.loads(agent_gym(*command, "--json").out)
    assert (report["pairs"], report["rollouts"]) == (len(rows), 24)
    assert "length_bias" in report


def test_samples_that_are_all_alike_give_no_pair_and_say_so(agent_gym: AgentGym, sample: Path, tmp_path: Path) -> None:
    play = ("rollouts", "--data", sample, "--model", "offline", "--limit", "2", "--samples", "2", "--output", "r.jsonl")
    assert agent_gym(*play).code == 0
    ran = agent_gym("preferences", "--rollouts", "r.jsonl", "--output", "p.jsonl")
    assert (ran.code, ran.out) == (2, "")
    assert "all samples decided the same" in ran.err
    assert not (tmp_path / "p.jsonl").exists()


def test_mistakes_are_told_in_one_line(agent_gym: AgentGym) -> None:
    ran = agent_gym("preferences", "--rollouts", "nowhere.jsonl", "--output", "p.jsonl")
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert agent_gym("preferences", "--rollouts", "r", "--output", "p", "--source", "teacher-student").code == 2
