"""Small runs on the sample."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent_gym.optimization import OptimizationRunner

Prepare = Callable[..., OptimizationRunner]


@pytest.fixture
def prepare(sample: Path, tmp_path: Path) -> Prepare:
    """Makes runners: small, offline, into a temporary folder, unless told otherwise."""

    def make(**options: Any) -> OptimizationRunner:
        usual: dict[str, Any] = {
            "data_path": sample,
            "num_train": 10,
            "num_val": 6,
            "num_test": 8,
            "model": "offline",
            "output_path": tmp_path / "out" / "agent.json",
        }
        return OptimizationRunner(**{**usual, **options})

    return make
