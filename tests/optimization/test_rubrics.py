"""A rubric of one's own: it reaches every judge, is recorded by name and digest, and is never mixed with another."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agent_gym.errors import UsageError
from agent_gym.metrics import Rubric
from agent_gym.metrics.rubric import RubricMark
from agent_gym.optimization import OptimizationResult, OptimizationRunner
from agent_gym.optimization.calibrate import calibrate
from agent_gym.optimization.compare import compare_results, compare_strategies
from agent_gym.optimization.measure import measure
from agent_gym.optimization.report import render_report
from made_calibrations import TRUTH, made, rollouts
from made_results import result
from servers import Asked, ModelServer

Prepare = Callable[..., OptimizationRunner]
WEIGHTS = {"tool_accuracy": 0.5, "judge": 0.5}
OTHER = RubricMark("strict.txt", "1234")
TEXT = """\
Judge from 0 to {scale}.

# Criteria
- politeness: The user is treated with respect.

# Material
{tools}
{conversation}
{answer}
"""


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.txt"
    path.write_text(TEXT)
    return path


def polite(asked: Asked) -> str:
    """A judge that knows no other criterion."""
    assert "The user is treated with respect." in asked.turns[0][1]
    return json.dumps({"politeness_reason": "Polite.", "politeness": 7})


def judge_at(server: ModelServer) -> dict[str, Any]:
    """An offline agent, judged at an endpoint."""
    return {"model": "offline", "judge_model": "openai/judge", "api_base": server.openai, "weights": WEIGHTS}


def test_a_run_is_judged_by_it_and_records_its_name_and_digest(prepare: Prepare, mine: Path) -> None:
    with ModelServer(polite) as server:
        runner = prepare(strategy="labeled", rubric=mine, **judge_at(server))
        found = runner.run()
    assert len(server.asked) > 0
    assert found.optimized.parts["judge"] == pytest.approx(0.7)
    assert found.rubric == RubricMark("mine.txt", Rubric.load(mine).mark().digest)
    assert OptimizationResult.load(runner.result_path).rubric == found.rubric
    assert str(mine.parent) not in runner.result_path.read_text()


def test_an_evaluation_and_a_calibration_are_judged_by_it(sample: Path, mine: Path) -> None:
    with ModelServer(polite) as server:
        report, _ = measure(None, sample, limit=4, rubric=mine, **judge_at(server))
        options = {name: value for name, value in judge_at(server).items() if name != "weights"}
        calibration = calibrate(sample, limit=4, rubric=Rubric.load(mine), **options)
    assert report.parts["judge"] == calibration.judged[0].judge == pytest.approx(0.7)
    assert calibration.rubric == Rubric.load(mine).mark()


def test_a_comparison_hands_it_to_every_run_and_names_it(sample: Path, mine: Path, tmp_path: Path) -> None:
    sizes = {"num_train": 6, "num_val": 4, "num_test": 5, "output_path": tmp_path / "cmp.json", "rubric": mine}
    with ModelServer(polite) as server:
        found = compare_strategies(sample, ["labeled"], **sizes, **judge_at(server))  # pyright: ignore[reportArgumentType]
    mark = Rubric.load(mine).mark()
    assert found.rubric == mark
    assert [one.parts["judge"] for one in found.contenders] == pytest.approx([0.7, 0.7])
    assert f"mine.txt ({mark.digest})" in render_report(found)


def test_without_a_judge_there_is_no_rubric(prepare: Prepare) -> None:
    assert prepare().rubric is None
    assert prepare(weights=WEIGHTS).rubric == Rubric.load().mark()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (TEXT.replace("{answer}", ""), r"the rubric '.*mine.txt' lacks the placeholder \{answer\}; it needs each of "),
        (TEXT.replace("- politeness:", ""), "has no criteria"),
        (None, r"mine.txt' cannot be read \(No such file or directory\); name a text file in UTF-8"),
    ],
)
def test_a_bad_rubric_is_one_line_before_the_first_request(
    prepare: Prepare, sample: Path, mine: Path, content: str | None, said: str
) -> None:
    mine.unlink() if content is None else mine.write_text(content)
    with ModelServer() as server:
        options: dict[str, Any] = {"rubric": mine, **judge_at(server)}
        with pytest.raises(UsageError, match=said):
            prepare(**options)
        with pytest.raises(UsageError, match=said):
            measure(None, sample, limit=4, **options)
        with pytest.raises(UsageError, match=said):
            compare_strategies(sample, ["labeled"], **options)
    assert server.asked == []


def test_a_rubric_that_nobody_would_read_is_a_mistake(prepare: Prepare, sample: Path) -> None:
    said = "no weight asks for a judge, so rubric='mine.txt' would be ignored: leave it out"
    with pytest.raises(UsageError, match=said):
        prepare(rubric="mine.txt")
    with pytest.raises(UsageError, match=said):
        measure(None, sample, limit=4, model="offline", rubric=Rubric.parse(TEXT, source="mine.txt"))


def judged(strategy: str, rubric: RubricMark | None, judge: str = "offline") -> OptimizationResult:
    models = {"agent": "offline", "judge": judge}
    return result(strategy, [0.2] * 12, [0.8] * 12, models=models, weights=WEIGHTS, rubric=rubric)


def test_results_of_different_rubrics_are_not_compared() -> None:
    built_in = Rubric.load().mark()
    said = (
        rf"gepa was judged by offline by the rubric built-in \({built_in.digest}\), mipro by offline by the rubric strict.txt"
    )
    with pytest.raises(UsageError, match=said):
        compare_results([judged("gepa", built_in), judged("mipro", OTHER)])
    with pytest.raises(UsageError, match="only results of the same judge can be compared"):
        compare_results([judged("gepa", OTHER), judged("mipro", OTHER, "openai/gpt-4o")])
    assert compare_results([judged("gepa", OTHER), judged("mipro", OTHER)]).rubric == OTHER


def test_a_calibration_under_another_rubric_is_refused_before_the_first_run(sample: Path, mine: Path) -> None:
    calibration = msgspec.structs.replace(made(rollouts(TRUTH)), models={"judge": "openai/judge"})
    with ModelServer(polite) as server, pytest.raises(UsageError) as told:
        compare_strategies(sample, ["labeled"], calibration=calibration, rubric=mine, **judge_at(server))
    assert server.asked == []
    assert "labeled is judged by the rubric mine.txt" in str(told.value)
    assert "agent-gym judge calibrate --judge-model openai/judge --rubric mine.txt" in str(told.value)
