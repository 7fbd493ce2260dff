"""One agent on one split: what `agent-gym evaluate` does."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent_gym.errors import ModelError
from agent_gym.optimization import OptimizationRunner
from agent_gym.optimization.measure import measure
from agent_gym.optimization.result import Event
from agent_gym.tools.recordings import read_recordings
from agent_gym.traces import SGDLoader
from servers import Faults, ModelServer
from stand_in import StandIn

Prepare = Callable[..., OptimizationRunner]


@pytest.mark.parametrize("strategy", ["bootstrap", "mipro"])
def test_a_saved_agent_measures_as_it_did_in_the_run(prepare: Prepare, sample: Path, strategy: str) -> None:
    with ModelServer(StandIn(sample)) as server:
        runner = prepare(strategy=strategy, model="openai/stand-in", api_base=server.openai, seed=5, num_test=20)
        result = runner.run()
        options: dict[str, Any] = {"limit": 20, "model": "openai/stand-in", "api_base": server.openai, "seed": 5}
        report, _ = measure(runner.output_path, sample, **options)
        baseline, _ = measure(None, sample, **options)
    assert report.timeless() == result.optimized.timeless()
    assert baseline.timeless() == result.baseline.timeless()


def test_an_offline_agent_measures_as_it_did_in_the_run(prepare: Prepare, sample: Path) -> None:
    result = prepare(num_test=60, max_labeled_demos=0).run()
    report, _ = measure(None, sample, limit=60, model="offline")
    assert report.timeless() == result.baseline.timeless()
    assert {*report.mocked} > {"recorded"}, "tools were asked what other conversations know"


def test_tools_know_what_any_split_recorded(sample: Path) -> None:
    known = read_recordings(SGDLoader(sample))
    for split in ("train", "dev", "test"):
        call = next(call for trace in SGDLoader(sample).load(split) for call in trace.calls)
        assert known.tool(call.name).answered(call.parsed()) is not None


def test_a_split_without_dialogues_is_no_obstacle(sample: Path, tmp_path: Path) -> None:
    (tmp_path / "test").mkdir()
    (tmp_path / "test" / "schema.json").write_bytes((sample / "test" / "schema.json").read_bytes())
    (tmp_path / "dev").symlink_to(sample / "dev")
    report, _ = measure(None, tmp_path, limit=40, model="offline")
    assert report.n == 40


def test_any_split_can_be_measured(sample: Path) -> None:
    report, usage = measure(None, sample, "test", limit=3, model="offline")
    assert {example.id.partition("/")[0] for example in report.examples} == {"test"}
    assert usage["agent"].requests >= 3


def test_weights_decide_the_score(sample: Path) -> None:
    report, _ = measure(None, sample, limit=10, model="offline", weights={"tool_accuracy": 1.0})
    assert report.parts == {"tool_accuracy": report.score}


def test_what_cannot_be_read_is_left_out_and_said(sample: Path, tmp_path: Path) -> None:
    (tmp_path / "dev").mkdir()
    for file in (sample / "dev").iterdir():
        content = file.read_bytes()
        (tmp_path / "dev" / file.name).write_bytes(
            content.replace(b'"utterance"', b'"words"') if "_001" in file.name else content
        )
    told: list[Event] = []
    report, _ = measure(None, tmp_path, limit=20, model="offline", on_event=told.append)
    assert report.n == 20
    notes = [event.text for event in told if event.kind == "note"]
    assert notes
    assert all(note.startswith("left out, cannot be read: dialogues_001.json") for note in notes)


def test_failures_at_the_endpoint_are_counted_beside_the_score(sample: Path) -> None:
    faults = Faults(share=0.3, kinds=("server_error",), in_a_row=9)
    with ModelServer(StandIn(sample), faults=faults) as server:
        report, usage = measure(None, sample, limit=20, model="openai/any", api_base=server.openai, attempts=1)
    assert 0 < report.failed < 20
    assert report.n + report.failed == 20
    assert usage["agent"].failures == report.failed


def test_an_endpoint_that_is_not_there_is_one_error(sample: Path) -> None:
    with ModelServer() as server:
        nowhere = server.openai
    with pytest.raises(ModelError, match=r"no example could be played, all 5 failed: .*cannot be reached"):
        measure(None, sample, limit=5, model="openai/any", api_base=nowhere, attempts=1)
