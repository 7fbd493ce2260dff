"""`show` prints traces turn by turn, and whatever stands in them stays text."""

import json
import re
import subprocess
from io import StringIO
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from agent_gym.cli.trajectory import print_trajectory, printable
from agent_gym.messages import Assistant, System, Tool, ToolCall, ToolSpec, User
from agent_gym.traces import Goal, IntentGoal, SGDLoader, Trace, dump_trace, write_traces
from cli.conftest import AgentGym
from commands import AGENT_GYM

ROWS = [{"name": f"Place {number}"} for number in range(5)]
WORKED = Trace(
    conversation_id="trajectory-1",
    messages=(
        System("Work."),
        User("Please create the config"),
        Assistant(
            "Sure.", (ToolCall("create_file", '{"path": "a.json", "content": "{\\n}\\n"}', "1"), ToolCall("fly", "high", "2"))
        ),
        Tool("create_file", {"path": "a.json", "bytes": 4}, call_id="1", source="workspace"),
        Tool("fly", error="there is no tool 'fly'", call_id="2"),
        User("And the places?"),
        Assistant("", (ToolCall("find", "{}"),)),
        Tool("find", ROWS),
        Assistant("There are five."),
    ),
    tools=(ToolSpec("create_file"), ToolSpec("find")),
    goal=Goal((IntentGoal("find", {"city": ("Napa", "napa")}, ("phone",)),)),
    outcome="failure",
    scores={"success": 0.0, "reward": 1.3},
    satisfaction_score=2.5,
    error="the agent gave up",
    metadata={
        "goal": "Make a config",
        "rewards": [0.0, 0.5, 0.0, -0.25, 0.8],
        "acts": [["INFORM a.city"], []],
        "judge": {
            "value": 0.8,
            "parts": {"task_completion": 0.9, "efficiency": 2 / 3},
            "reason": "task_completion 9/10: done. efficiency 7/10: slow.",
        },
        "missing": ["the table was not booked"],
        "fault": "agent",
        "ended": "patience",
        "user": "agenda",
        "seed": 7,
    },
)
PAGE = """\
trajectory-1
failure · reward 1.30 · satisfaction 2.5 · 2 turns, 3 calls · ended: patience · user agenda · seed 7
   goal     Make a config
   goal     find city="Napa"  asks for phone
   tools    create_file, find
   system   Work.

1  user     Please create the config
            INFORM a.city
   agent    Sure.                                           +0.50
   call     create_file
              path="a.json"
              content=
                │ {
                │ }
   call     fly (no JSON object) high
   result   create_file: path="a.json", bytes=4  workspace
   error    fly: there is no tool 'fly'

2  user     And the places?
   call     find
   result   1. name="Place 0"
            2. name="Place 1"
            3. name="Place 2"
            … 2 more rows
   agent    There are five.                                 -0.25
            paid at the end                                 +0.80
   judge    0.80  task_completion 0.90  efficiency 0.67
            task_completion 9/10: done.
            efficiency 7/10: slow.
   missing  the table was not booked
   fault    agent
   error    the agent gave up
"""
EVIL = "\x1b[31mred\x1b]0;title\x07\x9b2J \u202etxt.exe\r\x08 [bold]x[/bold] \ud800"


@pytest.fixture
def folder(tmp_path: Path, sample: Path) -> Path:
    """A folder with one trace, five dialogues, and a trace of hostile text."""
    write_traces(tmp_path / "one.jsonl", [WORKED])
    write_traces(tmp_path / "five.jsonl", list(SGDLoader(sample).load("dev"))[:5])
    return tmp_path


def page(text: str) -> str:
    """What was printed, without the blanks that fill its lines."""
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


def test_a_trace_is_printed_turn_by_turn(agent_gym: AgentGym, folder: Path) -> None:
    code, out, err = agent_gym("show", "one.jsonl")
    assert (code, page(out), err) == (0, PAGE, "")


def test_a_few_are_shown_and_the_rest_is_counted(agent_gym: AgentGym, folder: Path) -> None:
    code, out, err = agent_gym("show", "five.jsonl")
    assert (code, len(re.findall("^dev/", out, re.MULTILINE))) == (0, 3)
    assert err == "agent-gym: 2 more: --limit 5 shows all, --only ID one of them\n"
    code, out, err = agent_gym("show", "five.jsonl", "--limit", "5")
    assert (len(re.findall("^dev/", out, re.MULTILINE)), err) == (5, "")


def test_one_is_chosen_by_its_id(agent_gym: AgentGym, folder: Path) -> None:
    code, out, err = agent_gym("show", "five.jsonl", "--only", "dev/1_00004")
    assert (code, out.splitlines()[0].rstrip(), err) == (0, "dev/1_00004", "")


def test_json_is_the_traces(agent_gym: AgentGym, folder: Path) -> None:
    documents = json.loads(agent_gym("show", "five.jsonl", "--json", "--limit", "2").out)
    lines = (folder / "five.jsonl").read_text().splitlines()[:2]
    assert documents == [json.loads(line) for line in lines]


@pytest.mark.parametrize("document", [dump_trace(WORKED), [dump_trace(WORKED)]], ids=["one", "a list"])
@pytest.mark.parametrize("indent", [None, 2])
def test_a_json_document_of_traces_is_shown_too(
    document: object, indent: int | None, agent_gym: AgentGym, tmp_path: Path
) -> None:
    (tmp_path / "trace.json").write_text(json.dumps(document, indent=indent))
    assert page(agent_gym("show", "trace.json").out) == PAGE


def test_what_stands_in_a_trace_cannot_reach_the_terminal(agent_gym: AgentGym, tmp_path: Path) -> None:
    text = EVIL[:-1]
    call = ToolCall(text, json.dumps({text: text}))
    hostile = Trace(
        conversation_id=text,
        messages=(
            System(text),
            User(text),
            Assistant(text, (call, ToolCall(text, text))),
            Tool(text, {text: [text]}),
            Tool(text, error=text, source=text),
        ),
        tools=(ToolSpec(text),),
        outcome=text,
        scores={text: 1.0},
        error=text,
        metadata={
            **dict.fromkeys(("goal", "fault", "user", "ended", "unjudged", "rewards", "date", "user_left"), text),
            "judge": {"value": text, "parts": {text: 1}, "reason": text},
            "missing": [text],
            "acts": [[text]],
        },
    )
    write_traces(tmp_path / "evil.jsonl", [hostile])
    code, out, _ = agent_gym("show", "evil.jsonl")
    assert code == 0
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", out)
    assert "\\x1b[31mred" in out
    assert "[bold]x[/bold]" in out


@given(st.text(), st.sampled_from(["\x1b", "\x9b", "\x00", "\u202e", "\u2028", "\ud800"]))
def test_no_control_character_is_printed(text: str, control: str) -> None:
    shown = printable(text + control)
    assert control not in shown
    assert printable(shown) == shown


@given(
    st.dictionaries(
        st.text(),
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
            max_leaves=5,
        ),
    ),
    st.text(),
)
def test_any_metadata_and_any_result_is_a_page(facts: dict[str, object], text: str) -> None:
    named = dict(zip(("rewards", "judge", "acts", "missing", "goal", "ended"), facts.values(), strict=False))
    messages = (User(text), Assistant(text, (ToolCall("find", text),)), Tool("find", [*facts.values()]), Tool("find", facts))
    trace = Trace(conversation_id=text, messages=messages, metadata=facts | named)
    print_trajectory(Console(file=StringIO()), trace)


def test_long_texts_are_cut_and_say_so(agent_gym: AgentGym, tmp_path: Path) -> None:
    write_traces(tmp_path / "long.jsonl", [Trace(conversation_id="long", messages=(User("word " * 2000),))])
    out = " ".join(agent_gym("show", "long.jsonl").out.split())
    assert out.endswith("word … 8,800 more characters; --json prints them")


def test_a_judge_that_gave_no_score_is_named(agent_gym: AgentGym, tmp_path: Path) -> None:
    trace = msgspec.structs.replace(WORKED, metadata={"unjudged": "its budget is spent", "rewards": [0.0, 0.5, 0, 0, None]})
    write_traces(tmp_path / "t.jsonl", [trace])
    lines = page(agent_gym("show", "t.jsonl").out).splitlines()
    assert "   judge   gave no score: its budget is spent" in lines
    assert any(line.startswith("           paid at the end") and line.endswith("unknown") for line in lines)


@pytest.mark.parametrize(
    ("command", "said", "code"),
    [
        ("show five.jsonl --only nobody", "holds no trace 'nobody'; there are 5, e.g. 'dev/1_00000'", 2),
        ("show empty.jsonl", "empty.jsonl holds no trace", 2),
        ("show none.jsonl", "cannot read 'none.jsonl' (No such file or directory)", 2),
        ("show .", "cannot read '.' (Is a directory)", 2),
        ("show broken.jsonl", "broken.jsonl, line 1: Input data was truncated", 1),
        ("show chat.jsonl", "chat.jsonl, line 1: trace 'without conversation_id'", 1),
        ("show words.txt", "words.txt is truncated or not JSON", 2),
        ("show other.json", "other.json is no agent-gym result file", 2),
        ("show other.json --limit 2", "holds no traces: --only and --limit choose among", 2),
        ("show one.jsonl --limit 0", "Invalid value for '--limit'", 2),
    ],
)
def test_a_mistake_is_one_line(command: str, said: str, code: int, agent_gym: AgentGym, folder: Path) -> None:
    (folder / "empty.jsonl").write_text("\n")
    (folder / "broken.jsonl").write_text('{"conversation_id": ')
    (folder / "chat.jsonl").write_text('{"messages": [{"role": "user", "content": "Hello"}]}')
    (folder / "words.txt").write_text("hello\nthere")
    (folder / "other.json").write_text('{"kind": "something"}')
    ran = agent_gym(*command.split())
    assert (ran.code, ran.out) == (code, "")
    assert said in ran.err
    assert ran.err.count("\n") == 1


def test_what_could_be_read_is_shown_before_a_fault(agent_gym: AgentGym, folder: Path) -> None:
    with (folder / "one.jsonl").open("a") as file:
        file.write("{")
    code, out, err = agent_gym("show", "one.jsonl", "--limit", "2")
    assert (code, page(out)) == (1, PAGE)
    assert "one.jsonl, line 2" in err


def test_a_reader_that_leaves_is_not_complained_about(tmp_path: Path) -> None:
    many = [msgspec.structs.replace(WORKED, conversation_id=str(number)) for number in range(200)]
    write_traces(tmp_path / "many.jsonl", many)
    command = [*AGENT_GYM, "show", "many.jsonl", "--limit", "200"]
    shown = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert shown.stdout is not None
    assert shown.stderr is not None
    assert shown.stdout.readline().rstrip() == "0"
    shown.stdout.close()
    assert shown.stderr.read() == ""
    shown.wait()
    shown.stderr.close()
