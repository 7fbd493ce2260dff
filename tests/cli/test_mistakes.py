"""Mistakes: exit code 2 and one line; failures: exit code 1 and one line. Never a traceback, never a box."""

from collections.abc import Callable
from pathlib import Path

import pytest

from commands import Ran, run
from servers import Faults, ModelServer

AgentGym = Callable[..., Ran]
OFFLINE = ("--model", "offline", "--num-train", "4", "--num-val", "3", "--num-test", "3")


def one_line(ran: Ran, code: int) -> str:
    assert ran.code == code
    assert ran.out == ""
    (line,) = ran.err.splitlines()
    assert line.startswith("agent-gym: ")
    return line.removeprefix("agent-gym: ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("nosuch", "No such command 'nosuch'; agent-gym --help tells what there is"),
        ("optimize --nosuch", "No such option: --nosuch; "),
        ("optimize --num-train many", "Invalid value for '--num-train': "),
        ("optimize --data", "Option '--data' requires an argument"),
        ("show", "Missing argument 'file'"),
        ("show one two", "Got unexpected extra argument(s) (two)"),
        ("optimize --strategy anneal", "there is no strategy 'anneal'"),
        ("optimize --option max_demos=3", "bootstrap has no option 'max_demos'"),
        ("optimize --option max_rounds", "'max_rounds' is not of the form NAME=VALUE"),
        ("optimize --option =3", "'=3' is not of the form NAME=VALUE"),
        ("optimize --option max_rounds=two", "max_rounds is 'two', expected int"),
        ("optimize --option max_rounds=-2", "max_rounds is -2, expected 1 or more"),
        ("optimize --option auto=light", "bootstrap has no option 'auto'"),
        ("optimize --weights kindness=1", "there is no metric 'kindness'"),
        ("optimize --weights similarity=much", "--weights 'similarity=much': a weight is a number"),
        ("optimize --weights similarity", "'similarity' is not of the form NAME=VALUE"),
        ("optimize --weights similarity=-1", "weights must"),
        ("optimize --num-test 0", "num_test must be 1 or more, got 0"),
        ("optimize --num-test 5000", "too few"),
        ("optimize --seed -1", "seed must be from 0 to "),
        ("optimize --threads 0", "threads must be 1 or more, got 0"),
        ("optimize --output agent.txt", "output_path must end in .json, got 'agent.txt'"),
        ("optimize --data nowhere", "no SGD data in 'nowhere'"),
        ("optimize --split nowhere", "no split 'nowhere'"),
        ("optimize --judge-model offline", "no weight asks for a judge"),
        ("optimize --api-base http://localhost:1/v1", "the offline model has no endpoint; leave out --api-base"),
        ("evaluate nowhere.json", "cannot read 'nowhere.json' (No such file or directory)"),
        ("evaluate --limit 0", "limit must be 1 or more, got 0"),
        ("evaluate --split nowhere", "no split 'nowhere'"),
        ("evaluate --mode all", "Invalid value for '--mode': 'all' is not one of 'turns', 'replay', 'simulate'; "),
        ("evaluate --mode simulate --user nobody", "take replay, agenda or, on the command line, llm"),
        ("evaluate --weights similarity=nan", "weights must"),
        ("data stats --split nowhere", "no split 'nowhere'"),
        ("data stats --data nowhere", "no SGD data in 'nowhere'"),
        ("data fetch --to there --from nowhere.tar.gz", "nowhere.tar.gz"),
        ("show nowhere.json", "cannot read 'nowhere.json'"),
    ],
    ids=lambda value: value.replace(" ", "_")[:50],
)
def test_a_mistake_is_one_line_and_exit_code_2(agent_gym: AgentGym, sample: Path, arguments: str, said: str) -> None:
    words = arguments.split()
    if words[0] == "optimize":
        # What is given twice counts the second time.
        words[1:1] = [*OFFLINE, "--data", str(sample)]
    elif words[0] == "evaluate":
        words[1:1] = ["--model", "offline", "--data", str(sample)]
    elif words[:2] == ["data", "stats"]:
        words[2:2] = ["--data", str(sample)]
    if words[-1] == "--data":
        del words[-3:-1]
    assert said in one_line(agent_gym(*words), 2)


@pytest.mark.parametrize("command", [["optimize"], ["evaluate"]], ids=" ".join)
def test_a_missing_key_is_one_line_before_any_work(
    agent_gym: AgentGym, sample: Path, tmp_path: Path, command: list[str]
) -> None:
    line = one_line(agent_gym(*command, "--data", sample), 2)
    assert "needs GEMINI_API_KEY or GOOGLE_API_KEY in the environment" in line
    assert "use --model offline" in line
    assert [*tmp_path.iterdir()] == []


def test_an_endpoint_in_the_environment_is_no_mistake_of_the_offline_model(
    agent_gym: AgentGym, sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENT_GYM_API_BASE", "http://localhost:1/v1")
    assert agent_gym("evaluate", "--data", sample, "--model", "offline", "--limit", "2").code == 0


def test_an_endpoint_that_always_fails_is_one_line_and_exit_code_1(agent_gym: AgentGym, sample: Path, tmp_path: Path) -> None:
    with ModelServer(faults=Faults(share=1.0, kinds=("server_error",), in_a_row=9)) as server:
        model = ("--model", "openai/any", "--api-base", server.openai, "--attempts", "1")
        code, out, err = agent_gym("optimize", "--data", sample, *OFFLINE[2:], *model)
    assert (code, out) == (1, "")
    progress, line = err.splitlines()
    assert progress.endswith("] examples")
    assert line.startswith("agent-gym: no example could be played, all 3 failed: openai/any at ")
    assert not (tmp_path / "checkpoints" / "agent.json").exists()


def test_an_unreadable_file_is_one_line(agent_gym: AgentGym, tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text('{"kind": "agent-gym result", "version": 99}')
    assert "has version 99, the newest known here is 1: update agent-gym" in one_line(agent_gym("show", "result.json"), 2)


def test_a_name_with_a_line_break_stays_one_line(agent_gym: AgentGym) -> None:
    assert "cannot read" in one_line(agent_gym("show", "no\nsuch\nfile.json"), 2)


def test_as_a_process_it_is_the_same(tmp_path: Path) -> None:
    assert "there is no strategy 'anneal'" in one_line(run("optimize", "--strategy", "anneal", folder=tmp_path), 2)
