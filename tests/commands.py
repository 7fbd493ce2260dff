"""The command line as a process of its own, as a user starts it."""

import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

AGENT_GYM = (sys.executable, "-c", "from agent_gym.cli import main; main()")
"""What the `agent-gym` script does, wherever it may be installed."""


class Ran(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


def start(*arguments: str | Path, folder: Path) -> subprocess.Popen[str]:
    """Start a command in a folder."""
    command = [*AGENT_GYM, *map(str, arguments)]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def run(*arguments: str | Path, folder: Path) -> Ran:
    """Run a command in a folder to its end."""
    process = start(*arguments, folder=folder)
    out, err = process.communicate()
    return Ran(process.returncode, out, err)
