"""The public door: exactly these names, and nothing heavy behind it until one is used."""

import subprocess
import sys

import pytest

import agent_gym

NAMES = [
    "OptimizationResult",
    "OptimizationRunner",
    "SGDLoader",
    "ToolCatalog",
    "ToolMocker",
    "Trace",
    "__version__",
    "create_environment",
]
HEAVY = ["aiohttp", "dspy", "fastapi", "litellm", "numpy", "openai", "optuna", "pydantic", "rich", "torch", "typer"]
VARIABLE = "LITELLM_LOCAL_MODEL_COST_MAP"
CHANGES = "import os; before = {**os.environ}; import agent_gym; print(os.environ.items() - before.items())"


def test_the_public_names_are_exactly_these_and_sorted() -> None:
    assert agent_gym.__all__ == NAMES == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_public_name_is_there_and_listed(name: str) -> None:
    assert getattr(agent_gym, name) is not None
    assert name in dir(agent_gym)


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(AttributeError, match=r"'Agent'; its public names are .*ToolCatalog"):
        getattr(agent_gym, "Agent")  # noqa: B009  # the plain form is what the type checker refuses


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert _run(f"import sys, agent_gym; print([name for name in {HEAVY!r} if name in sys.modules])") == "[]"


def test_reading_traces_loads_no_dspy() -> None:
    assert _run("import sys; from agent_gym import SGDLoader, Trace; print('dspy' in sys.modules)") == "False"


def test_importing_the_package_sets_one_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert _run(CHANGES) == f"{{({VARIABLE!r}, 'True')}}"


def test_the_variable_stays_as_the_user_set_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "False")
    assert _run(CHANGES) == "set()"


def _run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()
