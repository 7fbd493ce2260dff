"""How the command line starts: at once, and without what it does not need."""

import subprocess
import sys
from pathlib import Path

import pytest

from agent_gym import __version__
from commands import Ran, run

HEAVY = ["dspy", "litellm", "torch", "numpy", "aiohttp", "optuna", "fastapi", "msgspec", "json_repair"]
ASKED_FOR_HELP = f"""
import sys
from agent_gym.cli import main
try:
    main()
finally:
    print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)
"""


@pytest.mark.parametrize(
    "command",
    [[], ["optimize"], ["evaluate"], ["rollouts"], ["preferences"], ["show"], ["data"], ["data", "fetch"], ["data", "stats"]],
    ids=" ".join,
)
def test_help_is_given_without_loading_anything_heavy(command: list[str]) -> None:
    ran = subprocess.run([sys.executable, "-c", ASKED_FOR_HELP, *command, "--help"], capture_output=True, text=True)
    assert ran.returncode == 0
    assert "Usage: " in ran.stdout
    assert ran.stderr.strip() == "[]"


def test_the_version_is_printed_and_nothing_else(tmp_path: Path) -> None:
    assert run("--version", folder=tmp_path) == Ran(0, f"{__version__}\n", "")


@pytest.mark.parametrize("command", [[], ["data"]], ids=["alone", "data"])
def test_a_command_without_arguments_prints_its_help_and_is_a_mistake(tmp_path: Path, command: list[str]) -> None:
    code, out, err = run(*command, folder=tmp_path)
    assert code == 2
    assert "Usage: " in out
    assert err == ""


def test_reading_a_result_loads_no_dspy(tmp_path: Path) -> None:
    code = ASKED_FOR_HELP.replace(repr(HEAVY), repr(["dspy", "litellm", "torch", "numpy", "aiohttp", "optuna"]))
    ran = subprocess.run([sys.executable, "-c", code, "show", "nowhere.json"], capture_output=True, text=True, cwd=tmp_path)
    assert ran.returncode == 2
    assert ran.stderr.splitlines()[-1] == "[]"
