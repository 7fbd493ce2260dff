"""Whatever can be found wrong is found before the first request, in one line that names the way out."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agent_gym.errors import FileRefused, MissingKey, UsageError
from agent_gym.optimization import OptimizationRunner
from agent_gym.optimization.measure import measure
from agent_gym.optimization.runner import LARGEST_SEED
from servers import ModelServer
from stand_in import StandIn

Prepare = Callable[..., OptimizationRunner]


@pytest.fixture
def server(sample: Path) -> Iterator[ModelServer]:
    with ModelServer(StandIn(sample)) as server:
        yield server
        assert server.asked == [], "a request was sent"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"strategy": "anneal"}, "there is no strategy 'anneal'; there are: "),
        ({"max_demos": 3}, "bootstrap has no option 'max_demos'; it takes: max_bootstrapped_demos, max_labeled_demos, "),
        ({"num_trian": 3}, "bootstrap has no option 'num_trian'"),
        ({"auto": "light"}, "bootstrap has no option 'auto'"),
        ({"strategy": "mipro", "max_rounds": 2}, "mipro has no option 'max_rounds'"),
        ({"strategy": "mipro", "auto": "huge"}, "mipro: auto is 'huge', not one of light, medium, heavy"),
        ({"max_rounds": "two"}, "bootstrap: max_rounds is 'two', expected int such as 1"),
        ({"max_rounds": 1.5}, "bootstrap: max_rounds is 1.5, expected int"),
        ({"max_rounds": True}, "bootstrap: max_rounds is True, expected int"),
        ({"max_rounds": 0}, "bootstrap: max_rounds is 0, expected 1 or more"),
        ({"max_labeled_demos": -1}, "bootstrap: max_labeled_demos is -1, expected 0 or more"),
        ({"metric_threshold": 0}, "bootstrap: metric_threshold is 0, expected a score above 0 and up to 1"),
        ({"metric_threshold": 60.0}, "metric_threshold is 60.0"),
        ({"metric_threshold": float("nan")}, "metric_threshold is nan"),
        ({"strategy": "mipro", "minibatch_size": 0}, "mipro: minibatch_size is 0, expected 1 or more"),
        ({"strategy": "mipro", "max_bootstrapped_demos": 0}, "set both to 0, or max_bootstrapped_demos to 1 or more"),
        ({"strategy": "mipro", "num_train": 1}, "mipro needs num_train of 2 or more, got 1"),
        ({"strategy": "mipro", "num_val": 1}, "mipro needs num_val of 2 or more, got 1"),
        (
            {"prompt_model": "openai/other"},
            "bootstrap proposes no instructions, so prompt_model='openai/other' would be ignored",
        ),
        ({"judge_model": "openai/other"}, "no weight asks for a judge, so judge_model='openai/other' would be ignored"),
        ({"num_train": 0}, "num_train must be 1 or more, got 0"),
        ({"num_val": -1}, "num_val must be 1 or more, got -1"),
        ({"num_test": 0}, "num_test must be 1 or more, got 0"),
        ({"threads": 0}, "threads must be 1 or more, got 0"),
        ({"attempts": 0}, "attempts is 0"),
        ({"timeout": 0.0}, "timeout is 0"),
        ({"timeout": -1.0}, "timeout is -1"),
        ({"repeat": -1}, "repeat must be 0 or more, got -1"),
        ({"rubric": "mine.txt"}, "no weight asks for a judge, so rubric='mine.txt' would be ignored: leave it out"),
        ({"seed": -1}, f"seed must be from 0 to {LARGEST_SEED}, got -1"),
        ({"seed": 2**32}, f"seed must be from 0 to {LARGEST_SEED}, got {2**32}"),
        (
            {"weights": {"kindness": 1.0}},
            "there is no metric 'kindness' to weigh; there are: similarity, tool_accuracy, judge, ",
        ),
        ({"weights": {"similarity": -1.0, "tool_accuracy": 2.0}}, "weights must"),
        ({"weights": {"similarity": 0.0}}, "weights must"),
        ({"weights": {}}, "weights must"),
        ({"weights": {"similarity": float("nan")}}, "weights must"),
        ({"weights": {"similarity": float("inf")}}, "weights must"),
        ({"output_path": "agent.pkl"}, "output_path must end in .json, got 'agent.pkl'"),
        ({"output_path": "agent"}, "output_path must end in .json, got 'agent'"),
        ({"data_path": "no/such/folder"}, "no SGD data in 'no/such/folder'"),
        ({"model": "gpt"}, "unknown model 'gpt'; write PROVIDER/MODEL"),
        ({"api_base": "localhost:8000"}, "'localhost:8000' is not an address"),
    ],
    ids=lambda value: str(value)[:40],  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
)
def test_mistakes_are_named_before_the_first_request(
    prepare: Prepare, server: ModelServer, tmp_path: Path, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError) as caught:
        prepare(**{"model": "openai/any", "api_base": server.openai, **options})
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists(), "something was written"


@pytest.mark.parametrize("options", [{"num_train": 500}, {"num_val": 500}, {"num_test": 500}, {"split": "dev", "num_val": 500}])
def test_too_few_examples_are_a_mistake(prepare: Prepare, server: ModelServer, options: dict[str, Any]) -> None:
    runner = prepare(model="openai/any", api_base=server.openai, **options)
    with pytest.raises(UsageError, match="too few for the examples asked for: ask for fewer"):
        runner.run()


def test_an_absent_split_is_a_mistake(prepare: Prepare, server: ModelServer) -> None:
    with pytest.raises(UsageError, match=r"no split 'nowhere' in .*it has train, dev, test"):
        prepare(model="openai/any", api_base=server.openai, split="nowhere").run()


def test_a_copy_with_one_split_names_it(prepare: Prepare, server: ModelServer, sample: Path, tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "dev").symlink_to(sample / "dev")
    with pytest.raises(UsageError, match=r"has no 'train' split .*: draw all from one it has, --split dev"):
        prepare(model="openai/any", api_base=server.openai, data_path=tmp_path / "copy").run()


@pytest.mark.parametrize("model", ["gemini/gemini-3-pro-preview", None], ids=["named", "default"])
def test_a_missing_key_is_named_with_the_alternative_and_nothing_is_written(
    prepare: Prepare, tmp_path: Path, model: str | None
) -> None:
    with pytest.raises(MissingKey, match=r"needs GEMINI_API_KEY or GOOGLE_API_KEY .*; without a key, use --model offline"):
        prepare(model=model)
    assert [*tmp_path.iterdir()] == []


def test_a_missing_key_of_the_prompt_model_is_found_too(prepare: Prepare) -> None:
    with pytest.raises(MissingKey, match="openai/gpt-5-mini needs OPENAI_API_KEY"):
        prepare(strategy="mipro", prompt_model="openai/gpt-5-mini")


def test_missing_packages_are_found_before_the_first_request(prepare: Prepare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(UsageError, match="mipro needs optuna: pip install optuna"):
        prepare(strategy="mipro")


def test_an_output_under_a_file_cannot_be_written(prepare: Prepare, server: ModelServer, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UsageError, match=r"cannot write into .*file/sub.*: choose another --output"):
        prepare(model="openai/any", api_base=server.openai, output_path=tmp_path / "file" / "sub" / "agent.json")


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a folder that nobody can write into")
def test_a_folder_that_nobody_can_write_into_is_found_first(prepare: Prepare, server: ModelServer) -> None:
    with pytest.raises(UsageError, match=r"cannot write into '/proc/self/fdinfo'"):
        prepare(model="openai/any", api_base=server.openai, output_path="/proc/self/fdinfo/agent.json")


@pytest.mark.parametrize("taken", ["agent.json", "agent_result.json"])
def test_a_folder_in_the_place_of_a_file_is_found_first(
    prepare: Prepare, server: ModelServer, tmp_path: Path, taken: str
) -> None:
    (tmp_path / taken).mkdir()
    with pytest.raises(UsageError, match=f"{taken}' is a folder: choose another --output"):
        prepare(model="openai/any", api_base=server.openai, output_path=tmp_path / "agent.json")


FULL = """
import resource, sys
from agent_gym.errors import UsageError
from agent_gym.optimization import OptimizationRunner
resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))
try:
    OptimizationRunner(sys.argv[1], model="openai/any", api_base=sys.argv[2], output_path=sys.argv[3])
except UsageError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="has no limit on the size of files")
def test_a_full_disk_is_found_first(server: ModelServer, sample: Path, tmp_path: Path) -> None:
    # A limit on the size of files fails a write as a full disk does: with some bytes written and an error.
    command = [sys.executable, "-c", FULL, str(sample), server.openai, str(tmp_path / "out" / "agent.json")]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ran.stdout == f"cannot write into {str(tmp_path / 'out')!r} (File too large): choose another --output\n"
    assert [*(tmp_path / "out").iterdir()] == [], "the probe was left behind"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"limit": 0}, "limit must be 1 or more, got 0"),
        ({"threads": 0}, "threads must be 1 or more, got 0"),
        ({"limit": 5000}, "too few"),
        ({"split": "nowhere"}, "no split 'nowhere'"),
        ({"weights": {"kindness": 1.0}}, "there is no metric 'kindness'"),
        ({"timeout": 0.0}, "timeout is 0"),
        ({"attempts": 0}, "attempts is 0"),
    ],
    ids=lambda value: str(value)[:40],  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
)
def test_mistakes_in_measuring_are_named_before_the_first_request(
    server: ModelServer, sample: Path, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        measure(None, sample, model="openai/any", api_base=server.openai, **options)


def test_an_agent_file_that_is_not_there_is_found_before_the_first_request(server: ModelServer, sample: Path) -> None:
    with pytest.raises(FileRefused, match=r"cannot read 'nowhere.json'"):
        measure("nowhere.json", sample, model="openai/any", api_base=server.openai)


@pytest.mark.parametrize("models", [{"model": "openai/any", "prompt_model": "offline"}, {"prompt_model": "openai/any"}])
def test_an_endpoint_is_for_the_models_that_are_not_offline(
    prepare: Prepare, server: ModelServer, models: dict[str, str]
) -> None:
    prepare(strategy="gepa", api_base=server.openai, **models)
    with pytest.raises(UsageError, match="the offline model has no endpoint; leave out --api-base"):
        prepare(strategy="gepa", api_base=server.openai, prompt_model="offline")
