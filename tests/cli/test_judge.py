"""`agent-gym judge calibrate`, and what `compare` makes of its file."""

from pathlib import Path

import msgspec
import pytest

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


def test_a_comparison_is_corrected_by_it(agent_gym: AgentGym, sample: Path) -> None:
    calibrated(agent_gym, sample)
    code, out, err = agent_gym(
        *("compare", "--data", sample, "--strategies", "labeled", "--model", "offline", "--weights", "tool_accuracy=1,judge=1"),
        *("--num-train", "10", "--num-val", "6", "--num-test", "12", "--judge-calibration", "checkpoints/judge.json"),
        *("--output", "checkpoints/cmp"),
    )
    assert code == 0, err
    assert "corrected by" in out
    assert "corrected rate" in Path("checkpoints/cmp.html").read_text()
