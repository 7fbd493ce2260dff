"""The customer-service demo runs as a visitor would run it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from agent_gym.traces import load_trace
from conftest import ROOT

SCRIPT = ROOT / "scripts" / "customer_service.py"


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True, text=True, check=False)


def test_its_twelve_traces_are_whole() -> None:
    traces = [load_trace(json.loads(line)) for line in SCRIPT.with_suffix(".jsonl").read_text().splitlines()]
    assert len({trace.conversation_id for trace in traces}) == 12
    assert {call.name for trace in traces for call in trace.calls} == {tool.name for tool in traces[0].tools}


@pytest.mark.slow
def test_the_demo_shows_questions_calls_replies_and_scores() -> None:
    done = run("--model", "offline")
    assert done.returncode == 0, done.stderr
    for shown in (
        "I want to cancel my subscription",
        "grounded in  cancel-too-expensive",
        'call  lookup_account {"user_id":"123"}',
        "recorded_elsewhere",
        "Your Plus plan has been cancelled.",
        "similarity 0.35, tool_accuracy 1.00",
        "task_completion",
        "12 answers, mean score 0.",
        'tool_mocker("lookup_account", {"user_id": "123"})',
        "not a neural model",
    ):
        assert shown in done.stdout


@pytest.mark.slow
def test_questions_of_ones_own_are_one_conversation() -> None:
    done = run("--model", "offline", "Where is my order?", "B-2210")
    assert done.returncode == 0, done.stderr
    assert "Your Coffee grinder is being packed." in done.stdout
    assert "2 answers" in done.stdout


@pytest.mark.slow
def test_a_mistake_is_one_line() -> None:
    for arguments, told in {
        (): "gemini/gemini-3-pro-preview needs GEMINI_API_KEY",
        ("--traces", "nowhere", "--model", "offline"): "'nowhere' does not exist",
    }.items():
        done = run(*arguments)
        assert done.returncode == 2
        assert done.stderr.count("\n") == 1
        assert told in done.stderr
