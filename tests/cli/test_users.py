"""`agent-gym users check`."""

from pathlib import Path

import msgspec
import pytest

from agent_gym.evaluation.users_check import UsersCheck
from cli.conftest import AgentGym


def test_it_prints_every_figure_beside_the_human_one(agent_gym: AgentGym, sample: Path) -> None:
    code, out, err = agent_gym("users", "check", "--data", sample, "--limit", "10")
    assert code == 0, err
    for name in (
        "words in a turn",
        "values told in a turn",
        "turns of a conversation",
        "INFORM",
        "Jensen-Shannon",
        "F1",
        "success",
    ):
        assert name in out


def test_json_is_one_document(agent_gym: AgentGym, sample: Path) -> None:
    code, out, err = agent_gym("users", "check", "--data", sample, "--limit", "5", "--json", "--user", "replay")
    assert code == 0, err
    assert msgspec.json.decode(out, type=UsersCheck).conversations == 5


def test_a_user_without_acts_is_said_to_have_none(agent_gym: AgentGym, sample: Path) -> None:
    _, out, _ = agent_gym("users", "check", "--data", sample, "--limit", "5", "--user", "replay")
    assert "replay does not say what it means" in out


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (("--user", "llm", "--user-model", "offline"), "cannot play a user"),
        (("--user-model", "openai/x"), "would be ignored"),
        (("--limit", "0"), "must be 1 or more"),
        (("--limit", "9999"), "too few"),
        (("--split", "night"), "no split 'night'"),
        (("--user", "bob"), "'agenda', 'replay', 'llm'"),
        (("--data", "nowhere"), "no SGD data in 'nowhere'"),
        (("--user", "llm", "--user-model", "gemini/x"), "GEMINI_API_KEY"),
    ],
)
def test_a_mistake_is_one_line(agent_gym: AgentGym, sample: Path, wrong: tuple[str, ...], said: str) -> None:
    given = wrong if "--data" in wrong else ("--data", str(sample), *wrong)
    code, out, err = agent_gym("users", "check", *given)
    assert (code, out) == (2, "")
    assert said in err
    assert len(err.splitlines()) == 1
