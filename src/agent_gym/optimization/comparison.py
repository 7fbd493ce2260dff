"""What a comparison of strategies found: frozen, versioned, and enough to draw a report from without anything else."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from agent_gym.errors import FileRefused
from agent_gym.files import write_whole
from agent_gym.metrics.rubric import RubricMark
from agent_gym.optimization.calibration import Calibration
from agent_gym.optimization.result import read_kind

COMPARISON_VERSION = 1
KIND = "agent-gym comparison"


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One strategy against the baseline, example by example."""

    mean: float
    interval: tuple[float, float]
    """95 %, paired bootstrap."""
    p: float
    adjusted_p: float
    """After Holm's correction over all strategies compared."""
    needed: int | None = None
    """About how many examples would tell this difference; None when there is none."""
    verdict: str = ""
    """A plain sentence."""


class Slice(msgspec.Struct, frozen=True):
    """A score over part of the examples."""

    n: int
    score: float


class Contender(msgspec.Struct, frozen=True, kw_only=True):
    """One strategy, over all its repeats. Scores and shares are in [0, 1]."""

    name: str
    repeats: int
    n: int
    """Examples that were scored in every repeat."""
    failed: int
    """Plays whose endpoint failed, over all repeats."""
    unjudged: int = 0
    """Plays whose judge gave no score, over all repeats."""
    broken: int
    score: float
    interval: tuple[float, float]
    parts: Mapping[str, float]
    call_precision: float
    call_recall: float
    call_f1: float
    pass_k: tuple[float, ...] = ()
    """pass^1, pass^2, ... up to the number of repeats."""
    difference: Difference | None = None
    """Against the baseline; None for the baseline itself."""
    requests: int = 0
    """That optimizing and measuring took, all roles, all repeats."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float | None = None
    """US dollars for all that; None when a price is not known."""
    seconds: float = 0.0
    turn_tokens: float = 0.0
    """Tokens that one turn of the finished agent takes, mean."""
    turn_cost: float | None = None
    """US dollars that one turn of the finished agent costs, mean."""
    latency_p50: float | None = None
    """Seconds a turn waits for the model; None when that is not known."""
    latency_p95: float | None = None
    by_service: Mapping[str, Slice] = {}
    by_domain: Mapping[str, Slice] = {}
    prompt: str = ""
    demos: int = 0
    notes: tuple[str, ...] = ()
    judge: Mapping[str, Any] = {}
    """The judge's rate, and the rate corrected for its measured error, where there is a judge."""


class Turns(msgspec.Struct, frozen=True, kw_only=True):
    """One example, turn by turn, as the contenders played it."""

    id: str
    service: str = ""
    user: str = ""
    expected: tuple[str, ...] = ()
    played: Mapping[str, tuple[str, ...]] = {}
    """Contender to what it did."""
    scores: Mapping[str, float] = {}
    """Contender to its score."""
    reasons: Mapping[str, str] = {}


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Strategies side by side, on the same examples."""

    data: str
    models: Mapping[str, str]
    rubric: RubricMark | None = None
    """By what the judge scored; None where there was none."""
    seeds: tuple[int, ...]
    baseline: str
    """The contender that the others are held against."""
    contenders: tuple[Contender, ...]
    """The baseline first, then by score."""
    ranking: tuple[tuple[str, ...], ...] = ()
    """Groups from best to worst; within a group no difference can be told."""
    changed: tuple[Turns, ...] = ()
    """The ten examples whose scores differ most between contenders."""
    calibration: Calibration | None = None
    """How far the judge is right, where there is one and it was held against the truth."""
    robustness: Mapping[str, Any] = {}
    notes: tuple[str, ...] = ()
    times: Mapping[str, float] = {}
    kind: str = KIND
    version: int = COMPARISON_VERSION

    def save(self, path: str | Path) -> None:
        """Write the comparison atomically."""
        write_whole(Path(path), msgspec.json.format(msgspec.json.encode(self), indent=1) + b"\n")

    @classmethod
    def load(cls, path: str | Path) -> "Comparison":
        """Read a saved comparison.

        Raises:
            FileRefused: when the file is absent, truncated, of a newer version, or not a comparison.
        """
        value = read_kind(Path(path), KIND, COMPARISON_VERSION)
        try:
            return msgspec.convert(value, cls, str_keys=True)
        except msgspec.ValidationError as error:
            raise FileRefused(f"{path} is not a whole comparison ({error}): compare again") from error
