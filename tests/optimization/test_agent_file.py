# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
"""The agent file: DSPy's own format, without secrets, read by our own hand."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import dspy
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_gym.agents.dspy_agent import SGDAgentModule
from agent_gym.errors import FileRefused
from agent_gym.lm import make_handle
from agent_gym.lm.dspy_lm import GymLM
from agent_gym.optimization.agent_file import AGENT_VERSION, load_agent, save_agent
from agent_gym.testing import ScriptedLM

TURNS = [{"role": "user", "content": "Ein Tisch für zwei 🙂"}]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("agents")


def an_agent(instruction: str = "Be brief.", *actions: str) -> SGDAgentModule:
    agent = SGDAgentModule()
    signature: Any = agent.step.signature
    agent.step.signature = signature.with_instructions(instruction)
    agent.step.demos = [dspy.Example(augmented=True, tools="", conversation=TURNS, action=action) for action in actions]
    return agent


@given(instruction=st.text().filter(str.strip), actions=st.lists(st.text(min_size=1), max_size=3))
def test_a_saved_agent_reads_back_as_it_was(folder: Path, instruction: str, actions: list[str]) -> None:
    agent = an_agent(instruction, *actions)
    save_agent(agent, folder / "agent.json")
    loaded = load_agent(folder / "agent.json")
    assert (loaded.instruction, loaded.demos) == (agent.instruction, agent.demos)


def test_dspy_reads_the_file_too(tmp_path: Path) -> None:
    save_agent(an_agent("Be brief.", "Gern."), tmp_path / "agent.json")
    theirs = SGDAgentModule()
    theirs.load(str(tmp_path / "agent.json"))
    assert (theirs.instruction, theirs.demos) == ("Be brief.", [{"conversation": TURNS, "action": "Gern."}])


def test_the_file_holds_no_model_and_of_worked_examples_only_what_is_shown(tmp_path: Path) -> None:
    agent = an_agent("Be brief.", "Gern.")
    agent.set_lm(GymLM(make_handle(ScriptedLM([]), role="agent")))
    save_agent(agent, tmp_path / "agent.json")
    step = msgspec.json.decode((tmp_path / "agent.json").read_bytes())["step"]
    assert (step["lm"], step["traces"], step["train"]) == (None, [], [])
    assert step["demos"] == [{"conversation": TURNS, "action": "Gern."}]


def test_saving_leaves_the_agent_as_it_is(tmp_path: Path) -> None:
    agent = an_agent("Be brief.", "Gern.")
    save_agent(agent, tmp_path / "agent.json")
    assert agent.step.demos[0]["augmented"] is True


@given(share=st.floats(0, 0.999))
def test_a_truncated_agent_is_refused(folder: Path, share: float) -> None:
    save_agent(an_agent("Be brief.", "Gern."), folder / "whole.json")
    whole = (folder / "whole.json").read_bytes().rstrip()
    (folder / "cut.json").write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(FileRefused, match=r"cut.json is truncated or not JSON"):
        load_agent(folder / "cut.json")


def dspys_own(path: Path) -> None:
    SGDAgentModule().save(str(path))


def newer(path: Path) -> None:
    path.write_text(f'{{"kind": "agent-gym agent", "version": {AGENT_VERSION + 1}}}')


def a_result(path: Path) -> None:
    path.write_text('{"kind": "agent-gym result", "version": 1}')


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (dspys_own, "is no agent-gym agent file"),
        (newer, "has version 2, the newest known here is 1: update agent-gym"),
        (a_result, "is no agent-gym agent file"),
    ],
)
def test_what_is_not_our_agent_is_refused(tmp_path: Path, write: Callable[[Path], None], said: str) -> None:
    write(tmp_path / "other.json")
    with pytest.raises(FileRefused, match=said):
        load_agent(tmp_path / "other.json")


@pytest.mark.parametrize(
    "changes",
    [
        {"demos": None},
        {"demos": [{"conversation": "Hi", "action": "Hello"}]},
        {"demos": [{"conversation": [{"role": "user", "content": 7}], "action": "Hello"}]},
        {"demos": [{"action": "Hello"}]},
        {"signature": {"instructions": 7}},
        {"signature": []},
    ],
    ids=str,
)
def test_an_agent_that_could_not_play_is_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    path = tmp_path / "agent.json"
    save_agent(an_agent(), path)
    value = msgspec.json.decode(path.read_bytes())
    path.write_bytes(msgspec.json.encode({**value, "step": {**value["step"], **changes}}))
    with pytest.raises(FileRefused, match=r"agent.json is not a whole agent \(.*\): optimize again"):
        load_agent(path)


@pytest.mark.parametrize(
    "lm", [{"_dspy_lm_class": "os.system", "model": "x"}, {"model": "openai/x", "api_base": "http://192.0.2.1"}]
)
def test_what_a_file_says_of_a_model_is_not_followed(
    tmp_path: Path, lm: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "agent.json"
    save_agent(an_agent(), path)
    value = msgspec.json.decode(path.read_bytes())
    path.write_bytes(msgspec.json.encode({**value, "step": {**value["step"], "lm": lm}}))
    assert load_agent(path).step.lm is None
    assert caplog.records == []
