"""`agent-gym judge calibrate`, and what `compare` makes of its file."""

from pathlib import Path

import msgspec
import pytest

from agent_gym.metrics import judge
from agent_gym.optimization.calibration import Calibration
from cli.conftest import AgentGym


def calibrated(agent_gym: AgentGym, sample: Path, *more: str | Path) -> tuple[int, str, str]:
    return agent_gym("judge", "calibrate", "--data", sample, "--model", "offline", "--limit", "30", *more)


def test_it_prints_every_figure_and_writes_the_file_and_its_report(agent_gym: AgentGym, sample: Path, tmp_path: Path) -> None:
    code, out, err = calibrated(agent_gym, sample, "--repeats", "2")
    assert code == 0, err
    for name in ("AUC", "kappa", "threshold", "Spearman", "Kendall", "length bias", "self-agreement"):
        assert name in out
    assert "not a neural model" in out
    assert "report      checkpoints/judge.html" in out
    assert Calibration.load(tmp_path / "checkpoints/judge.json").repeats == 2
    assert (tmp_path / "checkpoints/judge.html").read_text().startswith("<!doctype html>")


def test_json_is_one_document(agent_gym: AgentGym, sample: Path, tmp_path: Path) -> None:
    _, out, _ = calibrated(agent_gym, sample, "--json", "--output", tmp_path / "other.json")
    assert msgspec.json.decode(out, type=Calibration) == Calibration.load(tmp_path / "other.json")


@pytest.mark.parametrize(
    "wrong",
    [("--repeats", "0"), ("--split", "night"), ("--rubric", "absent.txt"), ("--agent", "absent.json"), ("--limit", "9999")],
)
def test_a_mistake_is_one_line(agent_gym: AgentGym, sample: Path, wrong: tuple[str, str]) -> None:
    code, out, err = calibrated(agent_gym, sample, *wrong)
    assert (code, out) == (2, "")
    assert err.startswith("agent-gym: ")
    assert err.count("\n") == 1


def test_it_keeps_to_its_budget_and_the_same_command_continues(agent_gym: AgentGym, sample: Path) -> None:
    code, out, err = calibrated(agent_gym, sample, "--max-requests", "9", "--max-concurrency", "1")
    assert (code, out) == (1, "")
    assert "the budget is spent: max_requests of 9 is reached" in err.splitlines()[-1]
    speed = ("--requests-per-minute", "600000", "--tokens-per-minute", "1e9", "--max-seconds", "600", "--max-cost", "1")
    _, out, _ = calibrated(agent_gym, sample, "--json", *speed)
    usage = msgspec.json.decode(out, type=Calibration).usage
    assert sum(used.cache_hits for used in usage.values()) >= 9


def test_an_own_rubric_is_named_wherever_it_judged(agent_gym: AgentGym, sample: Path, tmp_path: Path) -> None:
    built_in = Path(judge.__file__).with_name("judge.txt").read_text()
    (tmp_path / "mine.txt").write_text(built_in.replace("- creativity:", "- tact:"))
    judging = ("--weights", "tool_accuracy=1,judge=1", "--model", "offline", "--data", sample)
    sizes = ("--num-train", "6", "--num-val", "4", "--num-test", "8")
    calibrated(agent_gym, sample, "--rubric", "mine.txt")
    mark = Calibration.load(tmp_path / "checkpoints/judge.json").rubric
    assert f"rubric {mark}" in agent_gym("optimize", *judging, *sizes, "--rubric", "mine.txt").out
    assert agent_gym("evaluate", *judging, "--limit", "4", "--rubric", "mine.txt").code == 0
    compare = ("compare", *judging, *sizes, "--strategies", "labeled", "--judge-calibration", "checkpoints/judge.json")
    assert "corrected by" in agent_gym(*compare, "--rubric", "mine.txt").out
    code, out, err = agent_gym(*compare)
    assert (code, out) == (2, "")
    assert f"the calibration is of another rubric, {mark}" in err


def test_saved_results_are_not_judged_again(agent_gym: AgentGym) -> None:
    code, _, err = agent_gym("compare", "one_result.json", "--rubric", "mine.txt")
    assert (code, err) == (2, "agent-gym: saved results are not judged again: leave out --judge-model and --rubric\n")


def test_a_comparison_is_corrected_by_it(agent_gym: AgentGym, sample: Path) -> None:
    calibrated(agent_gym, sample)
    code, out, err = agent_gym(
        *("compare", "--data", sample, "--strategies", "labeled", "--model", "offline", "--weights", "tool_accuracy=1,judge=1"),
        *("--num-train", "10", "--num-val", "6", "--num-test", "12", "--judge-calibration", "checkpoints/judge.json"),
        *("--output", "checkpoints/cmp"),
    )
    assert code == 0, err
    assert "corrected by" in out
    page = Path("checkpoints/cmp.html").read_text()
    assert "corrected rate" in page
    assert "The judge&#x27;s score against the graded score" in page
