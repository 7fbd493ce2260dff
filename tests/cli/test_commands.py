"""The commands at work: results on stdout, progress on stderr, JSON when asked for."""

import json
import re
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agent_gym.evaluation import Report
from agent_gym.optimization import OptimizationResult
from commands import Ran, run, start
from servers import Faults, ModelServer
from stand_in import StandIn

AgentGym = Callable[..., Ran]
SMALL = ("--num-train", "10", "--num-val", "6", "--num-test", "8")
PROGRESS = re.compile(
    r"(\[ *\d+\.\ds\] (examples|baseline|optimize|optimized|evaluate|validate (baseline|optimized))\b|note: ).*"
)


def as_json(ran: Ran) -> Any:
    """What a command printed, which must be one JSON document, with nothing but progress on the other stream."""
    assert ran.code == 0, ran.err
    assert [line for line in ran.err.splitlines() if not PROGRESS.fullmatch(line)] == []
    return json.loads(ran.out)


@pytest.fixture
def optimized(agent_gym: AgentGym, sample: Path) -> OptimizationResult:
    """A run of the command line, offline, with its files in `checkpoints`."""
    ran = agent_gym("optimize", "--data", sample, "--model", "offline", *SMALL, "--output", "checkpoints/my_agent.json")
    assert ran.code == 0, ran.err
    return OptimizationResult.load("checkpoints/my_agent_result.json")


@pytest.mark.parametrize("strategy", ["bootstrap", "mipro"])
def test_optimize_prints_the_scores_before_and_after_and_where_the_files_are(
    tmp_path: Path, sample: Path, strategy: str
) -> None:
    # As a process, so that whatever a library prints anywhere would be seen.
    ran = run("optimize", "--data", sample, "--strategy", strategy, "--model", "offline", *SMALL, folder=tmp_path)
    assert ran.code == 0, ran.err
    assert [line for line in ran.err.splitlines() if not PROGRESS.fullmatch(line)] == []
    result = OptimizationResult.load(tmp_path / "checkpoints" / "agent_result.json")
    lines = ran.out.splitlines()
    assert lines[1] == f"{strategy} on sample with offline, 8 held-out examples of 'dev', seed 0"
    assert re.search(rf"^score +{result.baseline.score:.3f} +{result.optimized.score:.3f}$", ran.out, re.MULTILINE)
    assert f"Improvement: {result.improvement_pct:+.1f}%" in ran.out
    assert lines[-2:] == ["agent   checkpoints/agent.json", "result  checkpoints/agent_result.json"]
    assert "not a neural model" in ran.out
    assert "$0.0000" in ran.out


def test_optimize_json_is_the_result(agent_gym: AgentGym, sample: Path) -> None:
    printed = as_json(agent_gym("optimize", "--data", sample, "--model", "offline", *SMALL, "--json"))
    assert printed == json.loads(Path("checkpoints/agent_result.json").read_text())


def test_options_reach_the_strategy(agent_gym: AgentGym, sample: Path) -> None:
    options = ("--option", "max_labeled_demos=1", "--option", "max_bootstrapped_demos=1", "--option", "metric_threshold=0.5")
    weights = ("--weights", "similarity=1,tool_accuracy=3", "--seed", "7", "--split", "train")
    printed = as_json(agent_gym("optimize", "--data", sample, "--model", "offline", *SMALL, *options, *weights, "--json"))
    assert printed["options"].items() >= {"max_labeled_demos": 1, "max_bootstrapped_demos": 1, "metric_threshold": 0.5}.items()
    assert printed["weights"] == {"similarity": 0.25, "tool_accuracy": 0.75}
    assert (printed["seed"], printed["data"]["splits"]["test"]) == (7, "train")


def test_the_model_may_be_named_in_the_environment(agent_gym: AgentGym, sample: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ModelServer(StandIn(sample)) as server:
        monkeypatch.setenv("AGENT_GYM_MODEL", "gemini/stand-in")
        monkeypatch.setenv("AGENT_GYM_API_BASE", server.gemini)
        report = as_json(agent_gym("evaluate", "--data", sample, "--limit", "5", "--json"))
        assert server.asked
    assert (report["n"], report["failed"]) == (5, 0)


def test_evaluate_gives_the_score_that_the_run_gave(agent_gym: AgentGym, sample: Path, optimized: OptimizationResult) -> None:
    same = ("--data", sample, "--split", "dev", "--limit", "8", "--seed", "0", "--model", "offline", "--json")
    written = json.loads(Path("checkpoints/my_agent_result.json").read_text())
    measured = as_json(agent_gym("evaluate", "checkpoints/my_agent.json", *same))
    assert measured.keys() == written["optimized"].keys()
    assert msgspec.convert(measured, Report).timeless() == optimized.optimized.timeless()
    baseline = as_json(agent_gym("evaluate", *same))
    assert msgspec.convert(baseline, Report).timeless() == optimized.baseline.timeless()


def test_evaluate_prints_a_table(agent_gym: AgentGym, sample: Path) -> None:
    code, out, err = agent_gym("evaluate", "--data", sample, "--limit", "6", "--model", "offline")
    assert code == 0
    first = [line.split()[0] for line in out.splitlines() if line.strip()][:5]
    assert first == ["offline", "baseline", "score", "95", "similarity"]
    assert re.search(r"^call F1 +\d\.\d{3}$", out, re.MULTILINE)
    assert re.search(r"^examples +6$", out, re.MULTILINE)
    assert re.search(r"^tool answers, baseline: .*recorded \d+%$", out, re.MULTILINE)
    assert PROGRESS.fullmatch(err.strip())


def test_evaluate_says_how_many_failed(agent_gym: AgentGym, sample: Path) -> None:
    with ModelServer(StandIn(sample), faults=Faults(share=0.3, kinds=("server_error",), in_a_row=9)) as server:
        model = ("--model", "openai/any", "--api-base", server.openai, "--attempts", "1")
        code, out, _ = agent_gym("evaluate", "--data", sample, "--limit", "20", *model)
    failed = server.acted["server_error"]
    assert code == 0
    assert re.search(rf"^failed \(not scored\) +{failed}$", out, re.MULTILINE)
    assert f"({failed} failed)" in out
    assert "price unknown" in out


def test_show_prints_what_a_script_would_look_up(agent_gym: AgentGym, optimized: OptimizationResult) -> None:
    code, out, err = agent_gym("show", "checkpoints/my_agent_result.json")
    assert (code, err) == (0, "")
    assert f"Improvement: {optimized.improvement_pct:+.1f}%" in out
    assert "Prompt" in out
    assert f"Worked examples: {len(optimized.few_shot_demos)}" in out


def test_show_prints_the_difference_of_the_prompts(agent_gym: AgentGym, sample: Path) -> None:
    with ModelServer(StandIn(sample)) as server:
        model = ("--model", "openai/stand-in", "--api-base", server.openai)
        agent_gym("optimize", "--data", sample, "--strategy", "mipro", *model, *SMALL)
    result = OptimizationResult.load("checkpoints/agent_result.json")
    assert result.optimized_prompt != result.initial_prompt
    lines = agent_gym("show", "checkpoints/agent_result.json").out.splitlines()
    assert f"+{result.optimized_prompt.splitlines()[0]}"[:100] in {line[:100] for line in lines}
    assert any(line.startswith("-You are an assistant") for line in lines)
    assert "   → " in "\n".join(lines)


@pytest.mark.usefixtures("optimized")
def test_show_json_is_the_file(agent_gym: AgentGym) -> None:
    assert as_json(agent_gym("show", "checkpoints/my_agent_result.json", "--json")) == json.loads(
        Path("checkpoints/my_agent_result.json").read_text()
    )


def test_a_reader_that_leaves_early_is_no_failure_of_ours(sample: Path, tmp_path: Path) -> None:
    ran = run("optimize", "--data", sample, "--model", "offline", *SMALL, folder=tmp_path)
    assert ran.code == 0
    shown = start("show", "checkpoints/agent_result.json", "--json", folder=tmp_path)
    assert shown.stdout is not None
    assert shown.stderr is not None
    shown.stdout.close()
    assert shown.stderr.read() == ""
    shown.wait()
    shown.stderr.close()


def test_data_stats_counts_what_is_there(agent_gym: AgentGym, sample: Path) -> None:
    printed = as_json(agent_gym("data", "stats", "--data", sample, "--json"))
    assert printed.keys() >= {"dialogues", "turns", "tool_calls", "services", "unreadable"}
    assert printed["dialogues"] >= 200
    assert printed["services"] >= 6
    assert printed["unreadable"] == 0
    dev = as_json(agent_gym("data", "stats", "--data", sample, "--split", "dev", "--json"))
    assert 0 < dev["dialogues"] < printed["dialogues"]


def test_data_stats_says_what_cannot_be_read(agent_gym: AgentGym, sample: Path, tmp_path: Path) -> None:
    folder = tmp_path / "broken" / "dev"
    folder.mkdir(parents=True)
    (folder / "schema.json").write_bytes((sample / "dev" / "schema.json").read_bytes())
    (folder / "dialogues_001.json").write_text("not JSON")
    printed = as_json(agent_gym("data", "stats", "--data", "broken", "--json"))
    assert (printed["dialogues"], printed["unreadable"]) == (0, 1)
    assert "dialogues_001.json" in agent_gym("data", "stats", "--data", "broken").out


def test_data_fetch_takes_an_archive_or_a_folder(agent_gym: AgentGym, sample: Path, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "sgd.tar.gz", "w:gz") as archive:
        archive.add(sample, "schema_guided_dialogue")
    fetched = as_json(agent_gym("data", "fetch", "--to", "one", "--from", "sgd.tar.gz", "--json"))
    assert fetched["fetched"] > 0
    assert agent_gym("data", "fetch", "--to", "two", "--from", sample).code == 0
    counted = {name: as_json(agent_gym("data", "stats", "--data", name, "--json")) for name in ("one", "two", sample)}
    assert counted["one"] == counted["two"] == counted[sample]
