"""What holds for every test: where the dialogues are, no network, no keys, nothing written outside temporary folders."""

import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

TESTS = Path(__file__).resolve().parent
ROOT = TESTS.parent
SAMPLE = ROOT / "data" / "sample"
SETTINGS = ("_KEY", "_TOKEN", "_API_BASE", "_BASE_URL", "_PROXY")

# The guard stands before anything else is loaded, here and in every program that a test starts.
OFFLINE = str(TESTS / "offline")
sys.path.insert(0, OFFLINE)
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [OFFLINE, os.environ.get("PYTHONPATH")]))
import network_guard  # noqa: E402

# A runner in the background hands its children an ignored Ctrl-C; programs that tests interrupt must not inherit that.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# DSPy makes its cache folder, in the user's home unless told otherwise, when it is imported.
SCRATCH = tempfile.mkdtemp(prefix="agent-gym-tests-")
os.environ["DSPY_CACHEDIR"] = SCRATCH

# The same examples every time where a failure must be repeatable; elsewhere new ones, so that every run looks further.
# Time limits would judge the machine.
settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("local", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ci" if os.environ.get("CI") else "local")


def _real_dialogues() -> Path | None:
    """Where SGD is installed, or None.

    Raises:
        pytest.UsageError: when AGENT_GYM_SGD names a folder that does not hold it: a wish that must not end in skipped tests.
    """
    wished = os.environ.get("AGENT_GYM_SGD")
    path = Path(wished) if wished else ROOT / "data" / "raw" / "schema_guided_dialogue"
    if any(path.glob("*/schema.json")):
        return path.resolve()
    if wished:
        raise pytest.UsageError(
            f"AGENT_GYM_SGD={wished!r} holds no */schema.json; name the folder of train/ and dev/, or unset it"
        )
    return None


def pytest_report_header() -> str:
    path = _real_dialogues()
    return f"real dialogues: {path or 'not installed, tests marked `real` are skipped (agent-gym data fetch installs them)'}"


def pytest_unconfigure() -> None:
    shutil.rmtree(SCRATCH, ignore_errors=True)


@pytest.fixture(scope="session")
def sgd() -> Path:
    """The real data set."""
    path = _real_dialogues()
    if path is None:
        pytest.skip("the real dialogues are not installed: run `agent-gym data fetch`, or point AGENT_GYM_SGD at them")
    return path


@pytest.fixture(scope="session")
def sample() -> Path:
    """The data set of our own that comes with the repository."""
    return SAMPLE


@pytest.fixture(autouse=True)
def no_network() -> Iterator[None]:
    network_guard.attempts.clear()
    yield
    tried = network_guard.attempts.copy()
    assert not tried, f"the test reached for the network: {tried}"


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No keys, no settings of whoever runs the tests, a cache of the test's own."""
    for name in [*os.environ]:
        if name.upper().endswith(SETTINGS) or (name.startswith("AGENT_GYM_") and name != "AGENT_GYM_SGD"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AGENT_GYM_CACHE", str(tmp_path / "cache"))
