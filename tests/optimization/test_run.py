"""The main job from end to end: measure, tune, measure again, save."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agent_gym import __version__
from agent_gym.errors import ModelError
from agent_gym.lm.prompt import EXAMPLE_OPEN, TOOLS
from agent_gym.optimization import OptimizationResult, OptimizationRunner
from agent_gym.optimization.agent_file import load_agent
from agent_gym.optimization.result import Event
from servers import Asked, Faults, ModelServer
from stand_in import StandIn

Prepare = Callable[..., OptimizationRunner]
KEY = "sk-very-secret-0123456789"


def test_the_lines_of_the_documentation_work_as_written(
    sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AGENT_GYM_MODEL", "offline")
    (tmp_path / "data" / "raw").mkdir(parents=True)
    (tmp_path / "data" / "raw" / "schema_guided_dialogue").symlink_to(sample)

    runner = OptimizationRunner(
        data_path="data/raw/schema_guided_dialogue",
        strategy="bootstrap",  # or "mipro"
        num_train=50,
        num_test=30,
        output_path="checkpoints/my_agent.json",
    )
    result = runner.run()
    print(f"Improvement: {result.improvement_pct:+.1f}%")

    loaded = OptimizationResult.load("checkpoints/my_agent_result.json")
    print(loaded.initial_prompt, loaded.optimized_prompt, loaded.few_shot_demos)
    assert loaded == result
    assert capsys.readouterr().out.startswith("Improvement: ")
    assert sorted(path.name for path in Path("checkpoints").iterdir()) == ["my_agent.json", "my_agent_result.json"]


@pytest.mark.parametrize("strategy", ["bootstrap", "mipro"])
def test_a_run_leaves_an_agent_and_a_result_that_says_everything(prepare: Prepare, sample: Path, strategy: str) -> None:
    with ModelServer(StandIn(sample)) as server:
        runner = prepare(strategy=strategy, model="openai/stand-in", api_base=server.openai, seed=3)
        result = runner.run()
    written: dict[str, Any] = msgspec.json.decode(runner.result_path.read_bytes())
    assert OptimizationResult.load(runner.result_path) == result
    assert result.optimized.score > result.baseline.score, "the stand-in rewards longer prompts"
    assert (written["kind"], written["version"], written["strategy"], written["seed"]) == ("agent-gym result", 1, strategy, 3)
    assert set(written["models"].values()) == {"openai/stand-in"}
    assert written["packages"].keys() >= {"agent-gym", "dspy"}
    assert written["packages"]["agent-gym"] == __version__
    assert len(written["data"]["fingerprint"]) == 64
    for report in (written["baseline"], written["optimized"]):
        assert {"score", "parts", "interval", "call_precision", "call_recall", "call_f1", "n", "failed"} <= report.keys()
        assert (report["n"], report["failed"], len(report["examples"])) == (8, 0, 8)
        assert report["parts"].keys() == {"similarity", "tool_accuracy"}
    assert [example["id"] for example in written["baseline"]["examples"]] == written["data"]["examples"]["test"]
    assert written["initial_prompt"]
    assert written["few_shot_demos"]
    assert all({*demo} == {"conversation", "action"} for demo in written["few_shot_demos"])
    agent = load_agent(runner.output_path)
    assert (agent.instruction, tuple(agent.demos)) == (result.optimized_prompt, result.few_shot_demos)


def test_mipro_keeps_every_candidate_it_tried(prepare: Prepare, sample: Path) -> None:
    with ModelServer(StandIn(sample)) as server:
        result = prepare(strategy="mipro", model="openai/stand-in", api_base=server.openai).run()
    assert len(result.candidates) >= 10
    assert {candidate.examples for candidate in result.candidates} == {6}
    assert all(0.0 <= candidate.score <= 1.0 for candidate in result.candidates)
    assert {candidate.prompt for candidate in result.candidates} > {result.initial_prompt}
    assert result.optimized_prompt in {candidate.prompt for candidate in result.candidates}


def test_the_log_tells_times_tokens_cost_and_cache_hits_by_role(prepare: Prepare) -> None:
    result = prepare(strategy="mipro").run()
    finished = {event.phase: event for event in result.events if event.kind == "phase_finished"}
    assert [*finished] == ["examples", "baseline", "optimize", "validate baseline", "validate optimized", "optimized"]
    assert finished["optimize"].usage.keys() == {"agent", "prompt"}
    assert finished["baseline"].usage["agent"].prompt_tokens > 0
    assert finished["validate baseline"].usage["agent"].cache_hits > 0, "it was asked already while optimizing"
    total = sum(event.usage["agent"].requests for event in finished.values())
    assert total == result.usage["agent"].requests
    assert sorted(event.seconds for event in result.events) == [event.seconds for event in result.events]
    assert result.usage["agent"].cost == 0.0, "offline is free, and known to be"


def test_progress_is_told_as_it_happens_and_not_kept(prepare: Prepare) -> None:
    told: list[Event] = []
    result = prepare(on_event=told.append).run()
    assert [event for event in told if event.kind != "progress"] == [*result.events]
    baseline = [event.done for event in told if event.kind == "progress" and event.phase == "baseline"]
    assert sorted(baseline) == [1, 2, 3, 4, 5, 6, 7, 8]


def test_examples_are_disjoint_from_different_dialogues_and_a_third_has_calls(prepare: Prepare) -> None:
    examples = prepare(num_train=30, num_val=15, num_test=20).examples
    parts = {"train": examples.train, "val": examples.val, "test": examples.test}
    dialogues = [task.trace.conversation_id for tasks in parts.values() for task in tasks]
    assert len(dialogues) == len({*dialogues}) == 65
    assert {task.id.partition("/")[0] for task in (*examples.train, *examples.val)} == {"train"}
    assert {task.id.partition("/")[0] for task in examples.test} == {"dev"}
    for tasks in parts.values():
        assert 3 * sum(bool(task.expected_calls) for task in tasks) >= len(tasks)


def test_all_examples_may_come_from_one_split(prepare: Prepare) -> None:
    result = prepare(split="dev").run()
    assert result.data["splits"] == {"train": "dev", "val": "dev", "test": "dev"}
    drawn = [one for ids in result.data["examples"].values() for one in ids]
    assert len({one.partition("#")[0] for one in drawn}) == len(drawn) == 24


def test_the_seed_decides_and_nothing_else_does(prepare: Prepare, tmp_path: Path, sample: Path) -> None:
    def result(seed: int, threads: int) -> OptimizationResult:
        with ModelServer(StandIn(sample)) as server:
            options = {"model": "openai/stand-in", "api_base": server.openai, "cache": tmp_path / f"{seed}-{threads}.sqlite"}
            return prepare(strategy="mipro", seed=seed, threads=threads, **options).run().timeless()

    assert result(1, 1) == result(1, 16)
    assert result(2, 4).data["fingerprint"] != result(1, 4).data["fingerprint"]


def test_a_second_run_of_another_name_pays_nothing(prepare: Prepare, sample: Path, tmp_path: Path) -> None:
    with ModelServer(StandIn(sample)) as server:
        first = prepare(model="openai/stand-in", api_base=server.openai).run()
        asked = len(server.asked)
        second = prepare(model="openai/stand-in", api_base=server.openai, output_path=tmp_path / "other.json").run()
    assert len(server.asked) == asked
    assert second.usage["agent"].requests == 0
    assert (second.baseline.score, second.optimized.score) == (first.baseline.score, first.optimized.score)


def worse_with_examples(sample: Path) -> Callable[[Asked], str]:
    right = StandIn(sample)
    return lambda asked: "Hm." if EXAMPLE_OPEN in asked.turns[0][1] else right(asked)


def test_an_optimized_agent_that_is_worse_on_validation_is_not_kept(prepare: Prepare, sample: Path) -> None:
    with ModelServer(worse_with_examples(sample)) as server:
        runner = prepare(model="openai/stand-in", api_base=server.openai)
        result = runner.run()
    assert result.kept == "baseline"
    assert result.validation["optimized"] < result.validation["baseline"]
    assert result.optimized.examples == result.baseline.examples
    assert (result.optimized_prompt, result.few_shot_demos) == (result.initial_prompt, ())
    assert result.improvement_pct == 0.0
    assert any("the baseline is kept" in note for note in result.notes)
    assert load_agent(runner.output_path).demos == []


@pytest.mark.parametrize(
    ("strategy", "options"),
    [
        ("bootstrap", {"max_bootstrapped_demos": 0, "max_labeled_demos": 0}),
        ("bootstrap", {"max_bootstrapped_demos": 0, "max_labeled_demos": 2}),
        ("bootstrap", {"max_bootstrapped_demos": 2, "max_labeled_demos": 0}),
        ("bootstrap", {"max_rounds": 3, "metric_threshold": 1.0}),
        ("mipro", {"max_bootstrapped_demos": 0, "max_labeled_demos": 0}),
        ("mipro", {"max_labeled_demos": 0, "max_bootstrapped_demos": 1, "minibatch_size": 1, "minibatch_full_eval_steps": 100}),
        ("mipro", {"auto": "medium", "minibatch_size": 100}),
    ],
    ids=str,
)
def test_every_option_at_its_ends(prepare: Prepare, sample: Path, strategy: str, options: dict[str, Any]) -> None:
    with ModelServer(StandIn(sample)) as server:
        result = prepare(strategy=strategy, model="openai/stand-in", api_base=server.openai, **options).run()
    assert result.options.items() >= options.items()
    most = max(result.options["max_labeled_demos"], result.options["max_bootstrapped_demos"])
    assert len(result.few_shot_demos) <= most
    assert result.notes == () or result.kept == "baseline"


@pytest.mark.parametrize("strategy", ["bootstrap", "mipro"])
def test_the_smallest_run_there_is(prepare: Prepare, strategy: str) -> None:
    least = 1 if strategy == "bootstrap" else 2
    result = prepare(strategy=strategy, num_train=least, num_val=least, num_test=1, threads=1).run()
    assert result.baseline.n == result.optimized.n == 1


def test_mipro_light_asks_the_agents_model_at_most_310_times_for_50_examples(prepare: Prepare, sample: Path) -> None:
    with ModelServer(StandIn(sample)) as server:
        result = prepare(
            strategy="mipro", num_train=50, num_val=40, num_test=10, model="openai/stand-in", api_base=server.openai
        ).run()
        assert len(server.asked) == sum(usage.requests for usage in result.usage.values())
    (optimize,) = [event for event in result.events if event.kind == "phase_finished" and event.phase == "optimize"]
    assert optimize.usage["agent"].requests <= 310


def test_the_prompt_model_writes_the_proposals_and_nothing_else(prepare: Prepare, sample: Path) -> None:
    with ModelServer(StandIn(sample)) as server:
        options = {"model": "openai/agent", "prompt_model": "openai/writer", "api_base": server.openai}
        result = prepare(strategy="mipro", **options).run()
    by_model = {name: [asked for asked in server.asked if asked.body["model"] == name] for name in ("agent", "writer")}
    assert result.models == {"agent": "openai/agent", "prompt": "openai/writer"}
    assert len(by_model["writer"]) == result.usage["prompt"].requests > 0
    assert all(f"\n{TOOLS}\n" in asked.turns[0][1] for asked in by_model["agent"])
    assert not any(f"\n{TOOLS}\n" in asked.turns[0][1] for asked in by_model["writer"])
    assert {asked.body["temperature"] for asked in by_model["agent"]} == {0.0}


def test_no_key_gets_into_a_file_or_a_log(
    prepare: Prepare, sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    told: list[Event] = []
    with ModelServer(StandIn(sample), faults=Faults(share=0.1, kinds=("rate_limited",), in_a_row=1)) as server:
        prepare(strategy="mipro", model="openai/stand-in", api_base=server.openai, on_event=told.append).run()
        assert {asked.headers["Authorization"] for asked in server.asked} == {f"Bearer {KEY}"}
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {"agent.json", "agent_result.json", "completions.sqlite"} <= {path.name for path in files}
    assert [path.name for path in files if KEY.encode() in path.read_bytes()] == []
    assert KEY not in str(told)
    assert capfd.readouterr() == ("", ""), "a library talked"


def test_a_run_without_a_played_example_saves_nothing(prepare: Prepare, sample: Path) -> None:
    with ModelServer(faults=Faults(share=1.0, kinds=("server_error",), in_a_row=9)) as server:
        runner = prepare(model="openai/any", api_base=server.openai, attempts=1)
        with pytest.raises(ModelError, match=r"no example could be played, all 8 failed: .*answered 500"):
            runner.run()
    assert not runner.output_path.exists()
    assert not runner.result_path.exists()


def test_a_fault_of_the_program_ends_the_run_and_is_never_a_score_of_0(
    prepare: Prepare, monkeypatch: pytest.MonkeyPatch
) -> None:
    from agent_gym.optimization import program

    def broken(text: str) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(program, "parse_action", broken)
    for strategy in ("bootstrap", "mipro"):
        with pytest.raises(ZeroDivisionError):
            prepare(strategy=strategy).run()


@pytest.mark.real
@pytest.mark.slow
def test_a_run_on_the_real_dialogues(prepare: Prepare, sgd: Path) -> None:
    result = prepare(data_path=sgd, num_train=50, num_val=20, num_test=30).run()
    assert (result.baseline.n, result.optimized.n) == (30, 30)
    assert result.baseline.failed == 0
