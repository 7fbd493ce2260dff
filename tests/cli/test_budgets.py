"""Budgets and plans on the command line."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from commands import Ran

AgentGym = Callable[..., Ran]
SIZES = ("--num-train", "10", "--num-val", "6", "--num-test", "8", "--model", "offline")


def test_a_budget_that_ends_before_the_baseline_is_one_line(agent_gym: AgentGym, sample: Path) -> None:
    ran = agent_gym("optimize", "--data", sample, *SIZES, "--max-requests", "2")
    assert ran.code == 1
    last = ran.err.splitlines()[-1]
    assert last == (
        "agent-gym: the budget is spent: max_requests of 2 is reached; with a larger one the same run continues from here"
    )
    assert ran.out == ""


def test_a_partial_result_says_that_it_is_one_and_the_same_command_continues(agent_gym: AgentGym, sample: Path) -> None:
    first = agent_gym("optimize", "--data", sample, *SIZES, "--max-requests", "25")
    assert first.code == 0
    assert "(partial)" in first.out
    assert "note: partial: max_requests of 25 is reached; the same command with a larger budget continues" in first.out
    second = agent_gym("optimize", "--data", sample, *SIZES, "--max-requests", "1000", "--json")
    assert json.loads(second.out)["partial"] is False
    assert json.loads(second.out)["usage"]["agent"]["transport"]["replayed"] == 25


def test_a_dry_run_prints_every_phase_and_sends_nothing(agent_gym: AgentGym, sample: Path, tmp_path: Path) -> None:
    ran = agent_gym("optimize", "--data", sample, *SIZES, "--strategy", "mipro", "--dry-run")
    assert ran.code == 0
    for phase in ("baseline", "optimize", "validate optimized", "all"):
        assert phase in ran.out
    assert "No request was sent." in ran.out
    assert not [*tmp_path.glob("checkpoints/*")]


def test_a_dry_run_as_json_holds_expectation_and_bound(agent_gym: AgentGym, sample: Path) -> None:
    ran = agent_gym("optimize", "--data", sample, *SIZES, "--dry-run", "--json")
    plan = json.loads(ran.out)
    assert 0 < plan["requests"]["expected"] < plan["requests"]["bound"]
    assert {phase["phase"] for phase in plan["phases"]} >= {"baseline", "optimize", "optimized"}


def test_a_comparison_is_planned_run_by_run(agent_gym: AgentGym, sample: Path) -> None:
    command = ("compare", "--data", sample, *SIZES, "--strategies", "labeled,mipro", "--repeats", "2", "--dry-run")
    assert "all runs: " in agent_gym(*command).out
    plans = json.loads(agent_gym(*command, "--json").out)
    assert [plan["strategy"] for plan in plans] == ["labeled", "labeled", "mipro", "mipro"]


def test_saved_results_need_no_plan(agent_gym: AgentGym) -> None:
    ran = agent_gym("compare", "one_result.json", "--dry-run")
    assert ran.code == 2
    assert ran.err == "agent-gym: saved results are compared without a request: leave out --dry-run\n"


def test_a_comparison_leaves_out_what_was_not_measured(agent_gym: AgentGym, sample: Path) -> None:
    sizes = ("--num-train", "20", "--num-val", "12", "--num-test", "20", "--model", "offline")
    compare = ("compare", "--data", sample, *sizes, "--strategies", "bootstrap,baseline", "--max-requests", "80")
    ran = agent_gym(*compare, "--json")
    assert ran.code == 0, ran.err
    assert "bootstrap, repeat 0, is left out: its budget was spent before it was measured" in json.loads(ran.out)["notes"]


@pytest.mark.parametrize("command", ["optimize", "evaluate"])
def test_speed_can_be_limited(agent_gym: AgentGym, sample: Path, command: str) -> None:
    sizes = SIZES if command == "optimize" else ("--limit", "4", "--model", "offline")
    limits = ("--requests-per-minute", "600000", "--tokens-per-minute", "1e9", "--max-concurrency", "2")
    assert agent_gym(command, "--data", sample, *sizes, *limits).code == 0


def test_an_evaluation_keeps_to_its_budget(agent_gym: AgentGym, sample: Path) -> None:
    ran = agent_gym("evaluate", "--data", sample, "--model", "offline", "--limit", "8", "--max-requests", "3")
    assert ran.code == 1
    assert "max_requests of 3 is reached" in ran.err
