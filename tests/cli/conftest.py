"""The command line inside this process: fast, and as it stands but for its start and its end."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from agent_gym.cli import main
from commands import Ran

AgentGym = Callable[..., Ran]


@pytest.fixture
def agent_gym(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> AgentGym:
    """Runs a command in a temporary folder; gives its exit code and what it printed."""
    monkeypatch.chdir(tmp_path)
    # Typer puts its own in place of this one.
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)

    def run(*arguments: str | Path) -> Ran:
        monkeypatch.setattr(sys, "argv", ["agent-gym", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
        printed = capsys.readouterr()
        code = end.value.code
        return Ran(code if isinstance(code, int) else int(code is not None), printed.out, printed.err)

    return run
