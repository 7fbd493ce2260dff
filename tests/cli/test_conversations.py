"""`agent-gym evaluate` on whole conversations."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent_gym.traces import read_traces
from commands import Ran

AgentGym = Callable[..., Ran]
FEW = ("--model", "offline", "--limit", "6")


def report(ran: Ran) -> Any:
    assert ran.code == 0, ran.err
    return json.loads(ran.out)


def test_simulate_says_whether_the_user_got_what_it_wanted(agent_gym: AgentGym, sample: Path) -> None:
    ran = agent_gym("evaluate", "--mode", "simulate", "--data", sample, *FEW)
    assert ran.code == 0, ran.err
    assert re.search(r"^success +[01]\.\d{3}$", ran.out, re.MULTILINE)
    assert "user: agenda; means are an episode's, over 6 conversations" in ran.out
    assert "not a neural model" in ran.out


def test_simulate_plays_each_conversation_as_often_as_asked(agent_gym: AgentGym, sample: Path) -> None:
    found = report(agent_gym("evaluate", "--mode", "simulate", "--samples", "2", "--data", sample, *FEW, "--json"))
    assert (len(found["episodes"]), found["tasks"], len(found["pass_k"])) == (12, 6, 2)


def test_simulate_is_the_same_each_time(agent_gym: AgentGym, sample: Path) -> None:
    command = ("evaluate", "--mode", "simulate", "--data", sample, *FEW, "--json")
    assert report(agent_gym(*command)) == report(agent_gym(*command))


def test_conversations_are_kept_and_gone_on_with(agent_gym: AgentGym, sample: Path, tmp_path: Path) -> None:
    file = tmp_path / "episodes.jsonl"
    command = ("evaluate", "--mode", "simulate", "--data", sample, *FEW, "--output", file, "--json")
    first = report(agent_gym(*command))
    assert len(list(read_traces(file))) == 6
    kept = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(kept[:4]) + kept[4][:30])
    assert report(agent_gym(*command)) == first
    assert sorted(file.read_bytes().splitlines(keepends=True)) == sorted(kept)


def test_replay_says_where_the_agent_left_the_path(agent_gym: AgentGym, sample: Path) -> None:
    ran = agent_gym("evaluate", "--mode", "replay", "--data", sample, *FEW)
    assert ran.code == 0, ran.err
    assert re.search(r"\d of 6 conversations can no longer be judged from the log to their end", ran.out)
    found = report(agent_gym("evaluate", "--mode", "replay", "--data", sample, *FEW, "--json"))
    left = [path for path in found["paths"] if path["reason"]]
    assert all(path["followed"] < path["turns"] for path in left)
    assert found["n"] - len(left) == round(found["on_path"] * found["n"])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--user", "agenda"], "--user would be ignored with --mode turns: it is for simulate"),
        (["--mode", "replay", "--samples", "2"], "--samples would be ignored with --mode replay"),
        (["--mode", "simulate", "--weights", "similarity=1"], "--weights would be ignored with --mode simulate"),
        (["--mode", "simulate", "--user", "nobody"], "there is no user 'nobody'"),
        (["--mode", "simulate", "--user-model", "offline"], "user_model='offline' would be ignored"),
        (["--mode", "simulate", "--user", "llm"], "the offline model cannot play a user"),
        (["--mode", "simulate", "--reward", "gold"], "there is no reward 'gold'"),
        (["--mode", "simulate", "--judge-model", "offline"], "asks no judge"),
        (["--mode", "simulate", "--samples", "0"], "samples must be 1 or more, got 0"),
    ],
)
def test_wrong_use_is_one_line_before_anything_is_played(
    agent_gym: AgentGym, sample: Path, options: list[str], said: str
) -> None:
    ran = agent_gym("evaluate", "--data", sample, *FEW, *options)
    assert ran.code == 2
    assert said in ran.err
    assert len(ran.err.splitlines()) == 1


def test_a_judge_can_pay_the_reward(agent_gym: AgentGym, sample: Path) -> None:
    judged = ("--reward", "combined", "--judge-model", "offline")
    found = report(agent_gym("evaluate", "--mode", "simulate", "--data", sample, *FEW, *judged, "--json"))
    assert 0 <= found["reward"] <= 1
