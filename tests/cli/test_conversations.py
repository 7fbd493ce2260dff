"""`agent-gym evaluate` on whole conversations."""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agent_gym.traces import read_traces
from commands import Ran
from servers import ModelServer

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


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    with ModelServer(lambda asked: "Sure, which one?") as server:
        yield server


def at(server: ModelServer, sample: Path, *more: str | Path) -> tuple[str | Path, ...]:
    model = ("--model", "openai/any", "--api-base", server.openai)
    return ("evaluate", "--mode", "simulate", "--data", sample, *model, "--limit", "4", "--json", *more)


def test_a_spent_budget_is_told_and_a_larger_one_pays_nothing_twice(
    agent_gym: AgentGym, sample: Path, server: ModelServer
) -> None:
    cut = agent_gym(*at(server, sample, "--output", "cut.jsonl", "--max-requests", "7"))
    assert (cut.code, cut.err.splitlines()[-1].startswith("agent-gym: the budget is spent: max_requests of 7")) == (1, True)
    assert len(server.asked) == 7
    whole = report(agent_gym(*at(server, sample, "--output", "cut.jsonl")))
    paid = len(server.asked)
    assert len({asked.turns for asked in server.asked}) == paid
    assert report(agent_gym(*at(server, sample))) == whole
    assert len(server.asked) == paid


def test_each_further_sample_asks_the_model_anew(agent_gym: AgentGym, sample: Path, server: ModelServer) -> None:
    first = report(agent_gym(*at(server, sample, "--user", "replay")))
    once = len(server.asked)
    thrice = report(agent_gym(*at(server, sample, "--user", "replay", "--samples", "3")))
    assert len(server.asked) == 3 * once
    assert [one for one in thrice["episodes"] if not one["sample"]] == first["episodes"]


def test_conversations_of_other_data_are_not_gone_on_with(agent_gym: AgentGym, sample: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(sample, other)
    kept = ("--output", tmp_path / "kept.jsonl", "--json")
    assert agent_gym("evaluate", "--mode", "simulate", "--data", sample, *FEW, *kept).code == 0
    ran = agent_gym("evaluate", "--mode", "simulate", "--data", other, *FEW, *kept)
    assert (ran.code, "data: 'sample' there, 'other' here" in ran.err) == (2, True)


def test_no_limit_cuts_short_who_does_what_was_recorded(agent_gym: AgentGym, tmp_path: Path) -> None:
    turns = [{"role": role, "content": f"{role} {number}"} for number in range(40) for role in ("user", "assistant")]
    file = tmp_path / "long.jsonl"
    file.write_text("".join(json.dumps({"conversation_id": f"c{one}", "messages": turns}) + "\n" for one in range(30)))
    ran = agent_gym("evaluate", "--mode", "replay", "--data", file, "--model", "offline", "--limit", "1", "--json")
    (path,) = report(ran)["paths"]
    assert (path["turns"], path["followed"]) == (40, 40)


def test_a_user_who_leaves_at_once_is_named_where_nothing_could_be_played(
    agent_gym: AgentGym, sample: Path, server: ModelServer
) -> None:
    server.reply = lambda asked: "Never mind. [DONE]"
    ran = agent_gym(*at(server, sample, "--user", "llm"))
    assert (ran.code, ran.err.splitlines()[-1]) == (
        1,
        "agent-gym: no conversation could be played to its end, all 4 were spoilt (user 4)",
    )


@pytest.mark.parametrize("mode", ["replay", "simulate"])
def test_what_a_log_says_stays_on_its_line_and_writes_no_escape_sequences(
    agent_gym: AgentGym, tmp_path: Path, mode: str
) -> None:
    words = "word " * 2000 + "a\nb \u001b[31mred [bold]x[/bold]"
    said = [
        {"role": "user", "content": words[-40:]},
        {"role": "assistant", "content": "", "tool_calls": [{"name": "Find", "arguments": {"q": words}}]},
        {"role": "tool", "name": "Find", "result": [{"a": words}]},
        {"role": "assistant", "content": "Here."},
    ]
    file = tmp_path / "odd.jsonl"
    file.write_text("".join(json.dumps({"conversation_id": f"c\n{one}", "messages": said}) + "\n" for one in range(30)))
    ran = agent_gym("evaluate", "--mode", mode, "--data", file, "--model", "offline", "--limit", "2")
    assert ran.code == 0, ran.err
    assert "\u001b" not in ran.out
    assert all(len(line) <= 120 for line in ran.out.splitlines())
    assert not re.search(r"^(b |\d+[,:])", ran.out, re.MULTILINE)
