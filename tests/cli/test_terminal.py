"""What a person at a terminal sees: a bar on stderr, and the result alone on stdout."""

import io
import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from rich.console import Console
from rich.table import Table

from agent_gym.cli.terminal import print_figures
from commands import AGENT_GYM


@pytest.mark.skipif(sys.platform == "win32", reason="has no terminals of this kind")
def test_on_a_terminal_progress_is_a_bar_and_stdout_stays_the_result(sample: Path, tmp_path: Path) -> None:
    ours, theirs = os.openpty()
    small = ["--num-train", "6", "--num-val", "4", "--num-test", "4", "--json"]
    command = [*AGENT_GYM, "optimize", "--data", str(sample), "--strategy", "mipro", "--model", "offline", *small]
    with (tmp_path / "out.json").open("wb") as out:
        process = subprocess.Popen(command, cwd=tmp_path, stdout=out, stderr=theirs, env={**os.environ, "TERM": "xterm"})
    os.close(theirs)
    shown = _everything(ours)
    assert process.wait() == 0
    assert json.loads((tmp_path / "out.json").read_bytes())["strategy"] == "mipro"
    for phase in (b"baseline", b"optimize", b"validate optimized", b"4/4"):
        assert phase in shown


def test_a_narrow_terminal_cuts_no_digit_off() -> None:
    out = Console(width=20, file=io.StringIO())
    table = Table("requests", "at most", "tokens")
    table.add_row("1,000,001", "2,000,002", "3,000,003")
    print_figures(out, table)
    assert isinstance(out.file, io.StringIO)
    assert all(number in out.file.getvalue() for number in ("1,000,001", "2,000,002", "3,000,003"))
    assert out.width == 20


def _everything(terminal: int) -> bytes:
    shown = b""
    # Linux raises when nobody holds the other end any more.
    with suppress(OSError):
        while part := os.read(terminal, 65536):
            shown += part
    os.close(terminal)
    return shown
