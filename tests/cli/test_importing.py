"""Logs of one's own on the command line: what is printed, what is written, how it ends."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from agent_gym.traces import read_traces
from commands import Ran

AgentGym = Callable[..., Ran]
GOOD = json.dumps({"messages": [{"role": "user", "content": "I am a@b.com"}, {"role": "assistant", "content": "Hi"}]})


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """One good row and seven with a fault."""
    path = tmp_path / "logs.jsonl"
    path.write_text("\n".join([GOOD, *['{"messages": [{"role": "user", "content": 3}]}'] * 6, GOOD[:20]]))
    return path


def test_an_import_writes_traces_and_says_what_was_left_out(agent_gym: AgentGym, logs: Path) -> None:
    ran = agent_gym("data", "import", "logs.jsonl", "--to", "traces.jsonl", "--redact")
    assert ran.code == 1
    assert ran.out.splitlines() == [
        "1 conversation, 2 messages, 0 tool calls, 0 tools in traces.jsonl",
        "redacted: 1 different e-mail address, 0 different phone numbers, 0 different card numbers",
        "left out: 7 rows, 7 faults",
    ]
    assert ran.err.splitlines()[0] == (
        "agent-gym: left out: logs.jsonl, line 2: $.messages[0].content: Expected `str | object | array | null`, got `int`"
    )
    assert ran.err.splitlines()[-1] == "agent-gym: 2 more; agent-gym data check lists them all"
    (trace,) = read_traces(logs.with_name("traces.jsonl"))
    assert trace.conversation_id == "logs:1"


def test_a_good_import_ends_well_and_prints_json(agent_gym: AgentGym, tmp_path: Path) -> None:
    (tmp_path / "good.jsonl").write_text(GOOD)
    ran = agent_gym("data", "import", "good.jsonl", "--to", "traces.jsonl", "--format", "openai", "--json")
    assert (ran.code, ran.err) == (0, "")
    assert json.loads(ran.out)["traces"] == 1


def test_strict_stops_at_the_first_fault_and_writes_nothing(agent_gym: AgentGym, logs: Path) -> None:
    ran = agent_gym("data", "import", "logs.jsonl", "--to", "traces.jsonl", "--strict")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("agent-gym: logs.jsonl, line 2: ")
    assert not logs.with_name("traces.jsonl").exists()


def test_a_check_lists_every_fault(agent_gym: AgentGym, logs: Path) -> None:
    ran = agent_gym("data", "check", "logs.jsonl")
    assert (ran.code, ran.err) == (1, "")
    *faults, last = ran.out.splitlines()
    assert [fault.split(": ")[0] for fault in faults] == [f"logs.jsonl, line {number}" for number in range(2, 9)]
    assert faults[-1] == "logs.jsonl, line 8: not JSON: it breaks off"
    assert last == "good: 1 conversation (2 messages, 0 tool calls, 0 tools); unreadable: 7 rows (7 faults)"


def test_a_check_for_machines(agent_gym: AgentGym, logs: Path, sample: Path) -> None:
    checked = json.loads(agent_gym("data", "check", "logs.jsonl", "--json").out)
    assert (checked["good"], checked["unreadable"], len(checked["faults"])) == (1, 7, 7)
    assert checked["faults"][0] == {
        "file": "logs.jsonl",
        "line": 2,
        "index": None,
        "path": "$.messages[0].content",
        "reason": "Expected `str | object | array | null`, got `int`",
    }
    ran = agent_gym("data", "check", sample, "--json")
    assert (ran.code, json.loads(ran.out)["good"]) == (0, 323)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("check nowhere.jsonl", "'nowhere.jsonl' does not exist"),
        ("check logs.jsonl --format csv", "there is no format 'csv'"),
        ("check", "Missing argument"),
        ("import logs.jsonl", "Missing option '--to'"),
        ("import logs.jsonl --to logs.jsonl", "'logs.jsonl' is one of the logs"),
        ("import logs.jsonl --to .", "'.' is a folder: name a file to write"),
        ("import logs.jsonl --to nowhere/traces.jsonl", "the folder 'nowhere' does not exist"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(agent_gym: AgentGym, logs: Path, arguments: str, said: str) -> None:
    ran = agent_gym("data", *arguments.split())
    assert (ran.code, ran.out) == (2, "")
    (line,) = ran.err.splitlines()
    assert said in line
