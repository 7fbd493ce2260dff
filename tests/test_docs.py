"""Every fenced Python and shell line of the documentation runs, top to bottom, one document at a time.

A document runs in a workspace of its own that looks like a clone after `agent-gym data fetch`: the sample, the real data where
it is there (else the sample in its place), the scripts. The model is the embedded one. What is not run is named here, with the
reason.
"""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from agent_gym.actions import ACTIONS

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ELSEWHERE = {
    "scripts/demo": "sets up an environment; test_the_demo_runs runs what it runs",
    "scripts/test": "is what runs this",
    "scripts/check": "runs beside this in CI",
}
BENCHMARKS = "scripts/bench/"
"""Their lines say how a figure was measured; minutes of work, and no test may depend on time."""


def fences(document: Path) -> Iterator[tuple[str, str]]:
    """Language and text of each fence; a language that is neither run nor known to be prose is a mistake."""
    for language, text in FENCE.findall(document.read_text()):
        assert language in {"python", "bash", "json", "text", "toml"}, (
            f"{document.name}: a fence of {language or 'no language'}"
        )
        yield language, text


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mirror: str) -> Path:
    """A folder like a clone, with the real data set in its place."""
    real = Path(os.environ.get("AGENT_GYM_SGD", ROOT / "data/raw/schema_guided_dialogue"))
    (tmp_path / "data/raw").mkdir(parents=True)
    (tmp_path / "data/sample").symlink_to(ROOT / "data/sample")
    (tmp_path / "data/raw/schema_guided_dialogue").symlink_to(real if real.is_dir() else ROOT / "data/sample")
    (tmp_path / "scripts").symlink_to(ROOT / "scripts")
    monkeypatch.chdir(tmp_path)
    # What a document registers is not there for the tests behind it.
    monkeypatch.setattr(ACTIONS, "_kinds", dict(ACTIONS))
    monkeypatch.setenv("AGENT_GYM_MODEL", "offline")
    monkeypatch.setenv("AGENT_GYM_SGD_MIRROR", mirror)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    return tmp_path


@pytest.fixture(scope="module")
def mirror() -> Iterator[str]:
    """The public repository's files, as far as their names go: each split's schema and one small file for all others."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        answers: ClassVar[dict[str, bytes]] = {
            f"/{split}/schema.json": (ROOT / f"data/sample/{split}/schema.json").read_bytes()
            for split in ("train", "dev", "test")
        }

        def do_GET(self) -> None:
            body = self.answers.get(self.path, b"[]" if self.path.endswith(".json") else b"words\n")
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.slow
@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_line_of_the_document_runs(document: Path, workspace: Path) -> None:
    names: dict[str, Any] = {"__name__": "__main__"}
    for language, text in fences(document):
        if language == "python":
            exec(compile(text, str(document), "exec"), names)
        elif language == "bash":
            for line in text.splitlines():
                run_line(line)


def run_line(line: str) -> None:
    command = line.partition("#")[0].strip()
    if not command or command in ELSEWHERE or BENCHMARKS in command:
        return
    if command == "agent-gym data fetch":
        # Into a folder of its own: the real data set is already where it would go.
        command += " --to fetched"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stderr}"


def test_every_script_named_as_run_elsewhere_is_there() -> None:
    assert all((ROOT / command).is_file() for command in ELSEWHERE)


@pytest.mark.slow
def test_the_demo_runs(workspace: Path) -> None:
    done = subprocess.run([sys.executable, ROOT / "scripts/demo.py"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "baseline" in done.stdout
    assert "mipro" in done.stdout
