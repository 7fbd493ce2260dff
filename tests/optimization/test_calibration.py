"""A judge held against the truth: what perfect, blind and failing judges come out as, and what a comparison makes of it."""

from pathlib import Path
from random import Random

import msgspec
import pytest

from agent_gym.errors import FileRefused, JudgeFailed, UsageError
from agent_gym.evaluation import summarize
from agent_gym.evaluation.cutoff import kappa
from agent_gym.lm import make_handle
from agent_gym.lm.handle import Handle
from agent_gym.metrics import LLMJudge, Rubric
from agent_gym.metrics.rubric import RubricMark
from agent_gym.optimization import OptimizationResult
from agent_gym.optimization.calibrate import Trial, calibrate
from agent_gym.optimization.calibration import Calibration, agreement
from agent_gym.optimization.compare import compare_results
from agent_gym.optimization.comparison import Comparison
from agent_gym.optimization.report import render_report
from agent_gym.optimization.report.judge_page import render_calibration
from agent_gym.testing import ScriptedLM
from html_page import read_page
from made_calibrations import TRUTH, made, rollouts
from made_results import result
from strategies import call, one_turn, played

DRAWN = Random(3)
TASK = one_turn([call("Hotels_1-Find", city="San Jose")], "Four hotels.")


def test_a_judge_that_says_the_truth_agrees_with_it_entirely() -> None:
    found = agreement(rollouts(TRUTH, repeats=2))
    assert (found.spearman.value, found.kendall.value) == (pytest.approx(1), pytest.approx(1))
    assert found.auc.value == 1
    assert found.auc.interval == (1, 1)
    assert found.cutoff.kappa.value == pytest.approx(1)
    assert found.length_bias.value == pytest.approx(0)
    assert found.consistency is not None
    assert found.consistency.alpha.value == 1


def test_a_judge_that_says_the_opposite_orders_the_other_way_round() -> None:
    found = agreement(rollouts([1 - one for one in TRUTH]))
    assert (found.spearman.value, found.auc.value) == (pytest.approx(-1), 0)
    assert found.consistency is None


def test_a_judge_that_always_says_the_same_leaves_the_figures_open() -> None:
    found = agreement(rollouts([0.5] * 40))
    assert (found.spearman.value, found.cutoff.kappa.value) == (None, None)
    assert found.auc.value == 0.5
    assert "undefined" in render_calibration(made(rollouts([0.5] * 40)))


def test_the_threshold_tells_pass_from_fail() -> None:
    judged = rollouts([one / 2 for one in TRUTH])
    threshold = agreement(judged).cutoff.threshold.value
    assert threshold is not None
    assert kappa([one.judge >= threshold for one in judged], [one.passed for one in judged]).value == 1


def test_a_generous_judges_rate_is_corrected_towards_the_truth() -> None:
    calibration = made(rollouts([0.5 + one / 2 for one in TRUTH]))
    found = calibration.corrected([0.5 + one / 2 for one in TRUTH])
    assert found.judged > 0.7
    assert found.value == pytest.approx(calibration.pass_rate)
    assert found.interval[0] < found.value < found.interval[1]


def test_the_offline_model_judges_the_sample_better_than_chance(sample: Path) -> None:
    found = calibrate(sample, "dev", limit=60, model="offline", repeats=2)
    assert len(found.judged) + found.broken == 60
    assert found.agreement.auc.value is not None
    assert found.agreement.auc.value > 0.55
    assert all(len(one.scores) == 2 for one in found.judged)
    assert found.usage["judge"].requests + found.usage["judge"].cache_hits > 60


def test_the_same_calibration_twice_asks_once(sample: Path) -> None:
    first, again = (calibrate(sample, "dev", limit=6, model="offline") for _ in range(2))
    assert again.judged == first.judged
    assert again.usage["judge"].requests == 0


def test_a_calibration_reads_back_as_it_was(tmp_path: Path) -> None:
    calibration = made(rollouts(TRUTH, repeats=3))
    calibration.save(tmp_path / "judge.json")
    assert Calibration.load(tmp_path / "judge.json") == calibration


@pytest.mark.parametrize("change", [{"version": 99}, {"kind": "other"}, {"judged": "none"}, {"judged": []}])
def test_a_file_that_is_no_calibration_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    path = tmp_path / "judge.json"
    path.write_bytes(msgspec.json.encode({**msgspec.to_builtins(made(rollouts(TRUTH))), **change}))
    with pytest.raises(FileRefused):
        Calibration.load(path)


@pytest.mark.parametrize("wrong", [{"limit": 0}, {"repeats": 0}, {"threads": 0}, {"rubric": "no/such.txt"}, {"split": "night"}])
def test_mistakes_are_told_before_the_first_request(sample: Path, wrong: dict[str, object]) -> None:
    options: dict[str, object] = {"limit": 4, "model": "offline", **wrong}
    with pytest.raises(UsageError):
        calibrate(sample, **options)  # pyright: ignore[reportArgumentType]


def handle(*answers: str) -> Handle:
    return make_handle(ScriptedLM(list(answers)), role="judge", attempts=1)


GOOD = msgspec.json.encode(
    {
        name: value
        for criterion in ("task_completion", "action_quality", "efficiency", "creativity")
        for name, value in {f"{criterion}_reason": "So.", criterion: 5}.items()
    }
).decode()


def test_a_repeat_that_fails_is_left_out_and_all_that_fail_are_no_score() -> None:
    trace = played(TASK, [call("Hotels_1-Find", city="San Jose")], "I found four.")
    trial = Trial(LLMJudge(handle=handle("what?", "what?", GOOD)), repeats=2)
    assert trial.score(TASK, trace).value == 0.5
    (found,) = trial.judged([TASK])
    assert (found.scores, found.passed, found.length) == ((0.5,), True, len("I found four."))
    with pytest.raises(JudgeFailed):
        Trial(LLMJudge(handle=handle("what?", "what?")), repeats=1).score(TASK, trace)


def judged_result(name: str, baseline: float, other: float) -> OptimizationResult:
    """A run in which the judge gave everything one score, and which won by the rest of its score."""
    run = result(name, [0.2] * 40, [0.9] * 40, models={"agent": "offline", "judge": "offline"})

    def with_judge(report: OptimizationResult, side: str, score: float) -> object:
        examples = getattr(report, side).examples
        return summarize([msgspec.structs.replace(one, parts={**one.parts, "judge": score}) for one in examples])

    sides = {"baseline": with_judge(run, "baseline", baseline), "optimized": with_judge(run, "optimized", other)}
    return msgspec.structs.replace(run, rubric=Rubric.load().mark(), **sides)


def compared(baseline: float, other: float) -> Comparison:
    return compare_results([judged_result("gepa", baseline, other)], calibration=made(rollouts(noisy())))


def noisy() -> list[float]:
    return [min(1, max(0, one + DRAWN.gauss(0, 0.1))) for one in TRUTH]


def test_a_gap_smaller_than_the_judges_error_does_not_rank() -> None:
    assert compared(0.60, 0.61).ranking == (("gepa", "baseline"),)
    assert compared(0.10, 0.95).ranking == (("gepa",), ("baseline",))


def test_the_comparison_shows_the_corrected_rate_and_says_what_it_rests_on() -> None:
    found = compared(0.1, 0.9)
    judged = {one.name: one.judge for one in found.contenders}
    assert judged["baseline"]["value"] < judged["gepa"]["value"]
    assert {"judged", "value", "interval", "n", "labelled"} <= judged["gepa"].keys()
    assert "corrected by 40 rollouts of baseline on sample, train" in found.notes[0]


def test_the_comparison_and_its_report_keep_the_calibration_that_applies(tmp_path: Path) -> None:
    found = compared(0.1, 0.9)
    found.save(tmp_path / "cmp.json")
    assert found.calibration is not None
    assert Comparison.load(tmp_path / "cmp.json").calibration == found.calibration
    section = read_page(render_report(found)).one("trust")
    assert [svg.attributes["aria-labelledby"] for svg in section.every("svg")] == ["judge-scores-title", "judge-truth-title"]
    assert all(name in section.text for name in ("AUC", "kappa", "Spearman", "Kendall", "length bias"))


def test_without_a_judges_part_a_calibration_changes_nothing() -> None:
    run = result("gepa", [0.2] * 40, [0.9] * 40)
    found = compare_results([run], calibration=made(rollouts(TRUTH)))
    assert found.ranking == compare_results([run]).ranking
    assert not any(one.judge for one in found.contenders)
    assert found.calibration is None
    assert 'id="trust"' not in render_report(found)
    assert "No part of the score is a judge's" in found.notes[0]


@pytest.mark.parametrize(
    "change", [{"models": {"agent": "offline", "judge": "openai/gpt-4o"}}, {"rubric": RubricMark("mine.txt", "another")}]
)
def test_another_judges_calibration_is_refused(change: dict[str, object]) -> None:
    calibration = msgspec.structs.replace(made(rollouts(TRUTH)), **change)
    with pytest.raises(UsageError, match="calibrat"):
        compare_results([judged_result("gepa", 0.2, 0.4)], calibration=calibration)


def test_the_page_names_every_figure_and_asks_nothing_of_the_network() -> None:
    calibration = msgspec.structs.replace(made(rollouts(TRUTH, repeats=2)), notes=("<script>x</script>",))
    text = render_calibration(calibration)
    page = read_page(text)
    assert [page.one(key).tag for key in ("measured", "agreement", "scores", "notes")] == ["section"] * 4
    assert "<script" not in text
    assert "http" not in text.replace("http-equiv", "")
    rows, graded = page.one("scores").every("figure")
    assert len(rows.every("circle")) == len({(one.judge, one.passed) for one in calibration.judged})
    assert len(graded.every("circle")) == len({(one.judge, one.truth) for one in calibration.judged})
