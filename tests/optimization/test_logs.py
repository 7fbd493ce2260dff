"""The main job on logs of one's own."""

from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agent_gym.errors import UsageError
from agent_gym.optimization import OptimizationRunner
from agent_gym.optimization.calibrate import calibrate
from agent_gym.optimization.compare import compare_results
from agent_gym.optimization.events import FAULTS_TOLD
from agent_gym.optimization.measure import measure
from agent_gym.optimization.measure_episodes import measure_replayed, measure_simulated
from agent_gym.traces import TraceLoader, read_traces, write_traces
from exported_logs import exported
from made_results import result

Prepare = Callable[..., OptimizationRunner]


@pytest.fixture
def logs(sample: Path, tmp_path: Path) -> Path:
    return exported(sample, tmp_path, bare=True)


@pytest.mark.parametrize("strategy", ["bootstrap", "mipro"])
def test_logs_are_optimized_on(prepare: Prepare, logs: Path, strategy: str) -> None:
    found = prepare(data_path=logs, strategy=strategy).run()
    assert found.data["name"] == "traces"
    assert found.data["splits"] == {"train": "train", "val": "train", "test": "dev"}
    names = {part: {task.partition("#")[0] for task in tasks} for part, tasks in found.data["examples"].items()}
    held_out = {head.conversation_id for head in TraceLoader(logs).heads("dev")}
    assert names["test"] <= held_out
    assert held_out.isdisjoint(names["train"] | names["val"])
    assert found.optimized.n == 8
    assert found.usage["agent"].requests > 0
    again = prepare(data_path=logs, strategy=strategy)
    assert again.examples.fingerprint == found.data["fingerprint"]


def test_other_words_are_other_data(prepare: Prepare, logs: Path) -> None:
    before = prepare(data_path=logs).examples.fingerprint
    logs.write_text(logs.read_text().replace("Yes", "Yep"))
    assert prepare(data_path=logs).examples.fingerprint != before


def test_all_that_measures_takes_logs(logs: Path) -> None:
    options: dict[str, Any] = {"limit": 4, "model": "offline"}
    assert measure(None, logs, **options)[0].n == 4
    assert measure_replayed(None, logs, **options)[0].n == 4
    report, _ = measure_simulated(None, logs, **options)
    assert len(report.episodes) == 4
    assert calibrate(logs, **options).data == "traces, dev"


def test_small_logs_are_told_all_that_must_be_lowered_at_once(prepare: Prepare, logs: Path, tmp_path: Path) -> None:
    write_traces(tmp_path / "few.jsonl", islice(read_traces(logs), 25))
    counted = {split: len(TraceLoader(tmp_path / "few.jsonl").heads(split)) for split in ("train", "dev")}
    with pytest.raises(UsageError) as caught:
        prepare(data_path=tmp_path / "few.jsonl", num_train=50, num_val=40, num_test=100).plan()
    assert f"ask for fewer (num_train 50 + num_val 40, which can be {counted['train']} at most)" in str(caught.value)
    assert f"ask for fewer (num_test 100, which can be {counted['dev']} at most)" in str(caught.value)
    small = prepare(data_path=tmp_path / "few.jsonl", num_train=4, num_val=3, num_test=counted["dev"])
    assert small.plan().requests.bound > 0


def test_lines_that_cannot_be_read_are_noted_a_few_by_name(prepare: Prepare, logs: Path) -> None:
    with logs.open("a") as more:
        more.write("oops\n" * (FAULTS_TOLD + 5))
    notes = [note for note in prepare(data_path=logs, strategy="baseline").run().notes if note.startswith("left out")]
    assert len(notes) == FAULTS_TOLD + 1
    assert "traces.jsonl, line 324" in notes[0]
    assert notes[-1] == "left out, cannot be read: 5 more; `agent-gym data stats` lists all"


def test_other_names_for_tools_are_sgds_alone(logs: Path) -> None:
    with pytest.raises(UsageError, match=r"schema variants are other names for SGD's tools, and '.*traces\.jsonl' is not SGD"):
        measure(None, logs, limit=2, model="offline", schema_variant="v1")


def test_examples_of_one_name_that_say_something_else_are_not_compared() -> None:
    mine, other = (result(name, [0.5, 0.5], [0.6, 0.5]) for name in ("gepa", "mipro"))
    assert compare_results([mine, other]).contenders
    first, *rest = other.baseline.examples
    changed = msgspec.structs.replace(first, user="Something else.")
    other = msgspec.structs.replace(other, baseline=msgspec.structs.replace(other.baseline, examples=(changed, *rest)))
    with pytest.raises(UsageError, match="mipro on other examples of the same names: only results of the same data"):
        compare_results([mine, other])
