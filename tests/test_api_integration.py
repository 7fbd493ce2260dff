"""The four-turn example, run as its user runs it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from agent_gym.traces import read_traces
from commands import Ran
from servers import Asked, ModelServer

SCRIPT = Path(__file__).resolve().parent.parent / "scripts" / "api_integration.py"
CRITERIA = ("task_completion", "action_quality", "efficiency", "creativity")


def ran(folder: Path, *arguments: str) -> Ran:
    """The script, in a folder."""
    environment = {**os.environ, "OPENAI_API_KEY": "sk-test"}
    command = [sys.executable, "-W", "error", str(SCRIPT), *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return Ran(done.returncode, done.stdout, done.stderr)


def test_the_scripted_agent_integrates_the_api(tmp_path: Path) -> None:
    code, out, err = ran(tmp_path, "--model", "offline", "--output", "trajectory.jsonl")
    assert (code, err.count("reward +0.50")) == (0, 4), err
    assert "The agent was a script, not a model." in out
    (trace,) = read_traces(tmp_path / "trajectory.jsonl")
    assert [call.name for call in trace.calls] == ["create_file", "api_call", "edit_file", "complete_task"]
    assert trace.metadata["effects"] == [["changed"], ["read"], ["changed"], ["changed"]]
    assert (trace.metadata["ended"], trace.metadata["rewards"][:5]) == ("completed", [0.0, 0.5, 0.5, 0.5, 0.5])
    assert trace.metadata["judge"]["value"] == trace.scores["judge"]
    assert "127.0.0.1" in out
    assert [path.name for path in tmp_path.iterdir()].count("api_config.json") == 0


def test_a_model_is_told_how_to_act_and_its_actions_are_done(tmp_path: Path) -> None:
    def reply(asked: Asked) -> str:
        system, words = asked.turns[0][1], asked.turns[-1][1]
        if '"action_type"' not in system:
            return json.dumps(dict.fromkeys(CRITERIA, 9) | {f"{name}_reason": "Well done." for name in CRITERIA})
        if "create api_config.json" in words:
            return '{"action_type": "create_file", "parameters": {"path": "api_config.json", "content": "{}"}}'
        if url := re.search(r"GET (\S+)", words):
            return f'{{"action_type": "api_call", "parameters": {{"method": "GET", "url": "{url[1]}"}}}}'
        done = "complete" in words
        return '{"action_type": "complete_task", "parameters": {"summary": "Done"}}' if done else "I would rather not."

    with ModelServer(reply) as server:
        code, out, err = ran(tmp_path, "--model", "openai/any", "--api-base", server.openai)
    assert (code, re.findall(r"reward \+(\S+)", err)) == (0, ["0.50", "0.50", "0.00", "0.50"]), err
    assert "success · judge 0.90 · reward 2.40" in out
    assert "script" not in out
    assert "api_call" in server.asked[0].turns[0][1]


def test_an_endpoint_that_fails_is_one_line(tmp_path: Path) -> None:
    code, out, err = ran(tmp_path, "--model", "openai/any", "--api-base", "http://127.0.0.1:1/v1")
    assert (code, out) == (1, "")
    assert len(err.splitlines()) == 1
    assert err.startswith("agent-gym: ")


def test_its_help_says_what_it_does(tmp_path: Path) -> None:
    code, out, _ = ran(tmp_path, "--help")
    assert code == 0
    assert "Integrate a payments API in four turns" in out
    assert "--judge-model" in out
