"""`agent-gym compare`: saved results or strategies to run, a table, JSON, and a report beside it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from agent_gym.optimization import OptimizationResult
from agent_gym.optimization.compare import compare_results
from agent_gym.optimization.comparison import Comparison
from commands import Ran
from html_page import read_page
from made_results import result

AgentGym = Callable[..., Ran]
SMALL = ("--model", "offline", "--num-train", "6", "--num-val", "4", "--num-test", "5")
BASE = [0.1 + 0.01 * (place % 7) for place in range(40)]


@pytest.fixture
def saved(tmp_path: Path) -> list[str]:
    """Two results of the same examples, in the folder where commands run."""
    results = {
        "gepa": [score + 0.3 + 0.02 * (place % 3) for place, score in enumerate(BASE)],
        "mipro": [score + 0.01 * (place % 5 - 2) for place, score in enumerate(BASE)],
    }
    for name, scores in results.items():
        result(name, BASE, scores).save(tmp_path / f"{name}_result.json")
    return [f"{name}_result.json" for name in results]


def one_line(ran: Ran, code: int) -> str:
    assert (ran.code, ran.out) == (code, "")
    (line,) = ran.err.splitlines()
    return line.removeprefix("agent-gym: ")


def test_saved_results_are_compared_in_a_table_and_sentences(agent_gym: AgentGym, saved: list[str], tmp_path: Path) -> None:
    code, out, err = agent_gym("compare", *saved)
    assert (code, err) == (0, "")
    lines = [line.strip() for line in out.splitlines()]
    assert "sample, dev, 40 examples, offline" in lines
    assert [line.split()[0] for line in lines if line.startswith(("baseline", "gepa  ", "mipro  "))] == [
        "baseline",
        "gepa",
        "mipro",
    ]
    assert any(line.startswith("gepa is better than baseline by 0.32, 95 % interval 0.31") for line in lines)
    assert any(line.startswith("mipro: no difference can be told at 40 examples") for line in lines)
    assert any(line in ("ranking: gepa > baseline = mipro", "ranking: gepa > mipro = baseline") for line in lines)
    assert not (tmp_path / "checkpoints").exists(), "nothing was asked to be written"


def test_saved_results_print_as_pure_json(agent_gym: AgentGym, saved: list[str], tmp_path: Path) -> None:
    ran = agent_gym("compare", *saved, "--json")
    assert (ran.code, ran.err) == (0, "")
    expected = compare_results([OptimizationResult.load(tmp_path / name) for name in saved])
    expected.save(tmp_path / "expected.json")
    assert json.loads(ran.out) == json.loads((tmp_path / "expected.json").read_text())


def test_output_writes_a_comparison_that_loads_and_a_report_that_reads(
    agent_gym: AgentGym, saved: list[str], tmp_path: Path
) -> None:
    code, out, _ = agent_gym("compare", *saved, "--output", "checkpoints/cmp")
    assert code == 0
    assert "checkpoints/cmp.json" in out
    assert "checkpoints/cmp.html" in out
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == ["cmp.html", "cmp.json"]
    comparison = Comparison.load(tmp_path / "checkpoints" / "cmp.json")
    assert comparison == compare_results([OptimizationResult.load(tmp_path / name) for name in saved])
    page = read_page((tmp_path / "checkpoints" / "cmp.html").read_text())
    assert all(name in page.text for name in ("baseline", "gepa", "mipro"))


def test_strategies_are_run_and_compared(agent_gym: AgentGym, sample: Path, tmp_path: Path) -> None:
    code, out, err = agent_gym(
        "compare", "--data", sample, "--strategies", "baseline, labeled", "--repeats", "2", "--output", "cmp", *SMALL
    )
    assert code == 0
    assert [line for line in err.splitlines() if not line.startswith("[")] == [
        "baseline",
        "baseline, repeat 1",
        "labeled",
        "labeled, repeat 1",
    ]
    assert "ranking: " in out
    comparison = Comparison.load(tmp_path / "cmp.json")
    assert [(one.name, one.repeats, one.n) for one in comparison.contenders] == [("baseline", 2, 5), ("labeled", 2, 5)]
    runs = [f"cmp_{name}_{repeat}_result.json" for name in ("baseline", "labeled") for repeat in range(2)]
    again = agent_gym("compare", *runs, "--json")
    assert json.loads(again.out) == json.loads((tmp_path / "cmp.json").read_text())


def test_json_of_strategies_that_are_run_is_pure_too(agent_gym: AgentGym, sample: Path, tmp_path: Path) -> None:
    ran = agent_gym("compare", "--data", sample, "--strategies", "labeled", "--json", *SMALL)
    assert ran.code == 0
    assert json.loads(ran.out)["kind"] == "agent-gym comparison"
    assert (tmp_path / "checkpoints" / "compare.html").exists(), "what was paid for is kept, asked or not"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("", "name either saved results to compare, or --strategies to run, such as baseline,bootstrap,mipro"),
        ("gepa_result.json --strategies gepa", "name either saved results to compare, or --strategies to run"),
        ("gepa_result.json --data there --num-test 3", "--data, --num-test would be ignored with saved results: leave it out"),
        ("nowhere.json", "cannot read 'nowhere.json'"),
        ("gepa_result.json other_result.json", "gepa was measured on 40 examples of sample 'dev', seed 0, mipro on 39"),
        ("gepa_result.json weighed_result.json", "only results of the same weights can be compared"),
        ("broken.json", "broken.json is truncated or not JSON"),
        ("--strategies bootstrap,anneal", "there is no strategy 'anneal'; there are: baseline, labeled, bootstrap, "),
        ("--strategies labeled,labeled", "name each strategy once, got labeled, labeled"),
        ("--strategies labeled --repeats 0", "repeats must be 1 or more, got 0"),
        ("--strategies labeled --weights similarity=-1", "weights must not be negative"),
        ("--strategies labeled --weights similarity=0", "weights must not be negative and must have a positive"),
        ("--strategies labeled --judge-model openai/other", "no weight asks for a judge"),
        ("--strategies gepa --num-train 2", "gepa needs num_train of 3 or more, got 2"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_2(
    agent_gym: AgentGym, saved: list[str], sample: Path, tmp_path: Path, arguments: str, said: str
) -> None:
    result("mipro", BASE[1:], BASE[1:]).save(tmp_path / "other_result.json")
    result("mipro", BASE, BASE, weights={"similarity": 1.0}).save(tmp_path / "weighed_result.json")
    (tmp_path / "broken.json").write_text('{"kind": ')
    data = ("--data", sample, "--model", "offline") if "--strategies" in arguments else ()
    assert said in one_line(agent_gym("compare", *arguments.split(), *data), 2)
    assert not (tmp_path / "checkpoints" / "compare.json").exists()


def test_a_missing_key_is_one_line(agent_gym: AgentGym, sample: Path) -> None:
    said = one_line(agent_gym("compare", "--data", sample, "--strategies", "labeled"), 2)
    assert said.endswith("without a key, use --model offline") or "use --model offline" in said
