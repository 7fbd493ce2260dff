"""What an optimization found: one JSON file that explains itself.

    result = OptimizationResult.load("checkpoints/my_agent_result.json")
    result.baseline.score, result.optimized.score, result.improvement_pct
    print(result.optimized_prompt, result.few_shot_demos)

Two runs of the same command give the same file but for `times` and what is measured in seconds, whether or not one of them was
killed on the way (`timeless` leaves these out).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, cast

import msgspec

from agent_gym.errors import FileRefused
from agent_gym.evaluation import Report
from agent_gym.files import write_whole
from agent_gym.lm.usage import Transport, Usage
from agent_gym.metrics.rubric import RubricMark

RESULT_VERSION = 1
KIND = "agent-gym result"


class CandidateScore(msgspec.Struct, frozen=True):
    """A program that was tried on validation examples."""

    prompt: str
    demos: int
    score: float
    """Mean, in [0, 1]."""
    examples: int
    """On how many validation examples."""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened during a run."""

    kind: Literal["phase_started", "progress", "phase_finished", "note"]
    phase: str
    done: int = 0
    total: int | None = None
    text: str = ""
    seconds: float = 0.0
    """Since the start of the run."""
    usage: Mapping[str, Usage] = {}
    """What the phase asked of the models, by role; on `phase_finished`."""


class OptimizationResult(msgspec.Struct, frozen=True, kw_only=True):
    """Before and after, on the same held-out examples, and how it came about."""

    strategy: str
    options: Mapping[str, Any]
    """The strategy's options, defaults included."""
    models: Mapping[str, str]
    """Model name by role."""
    seed: int
    repeat: int = 0
    """Which repeat of the same run this is."""
    weights: Mapping[str, float]
    rubric: RubricMark | None = None
    """By what the judge scored; None where no weight asks for one."""
    data: Mapping[str, Any]
    """Splits, numbers and ids of the examples, and a fingerprint of their content."""
    packages: Mapping[str, str]
    baseline: Report
    optimized: Report
    validation: Mapping[str, float]
    """Mean score on the validation examples: `baseline` and `optimized`; it decides which is kept."""
    kept: Literal["optimized", "baseline"]
    initial_prompt: str
    optimized_prompt: str
    few_shot_demos: tuple[Mapping[str, Any], ...]
    """Worked examples of the kept program: `conversation` and `action` of each."""
    candidates: tuple[CandidateScore, ...]
    usage: Mapping[str, Usage]
    """The whole run's use of the models, by role."""
    costs: Mapping[str, float | None]
    """US dollars by role; None, never 0, when the price of a request is not known."""
    agent_path: str
    """The saved agent, beside this file."""
    events: tuple[Event, ...]
    partial: bool = False
    """The budget was spent before the run was done: what is here is the best so far, measured as far as it went, and
    `optimized.n` may be 0. `notes` say more; the same command with a larger budget continues."""
    notes: tuple[str, ...] = ()
    times: Mapping[str, Any] = {}
    kind: str = KIND
    version: int = RESULT_VERSION

    @property
    def improvement_pct(self) -> float:
        """By how many percent of the baseline's score the optimized score is greater; in points when the baseline scored 0.

        Of a partial result: on the examples that both were measured on, and 0 when there are none.
        """
        before, after = self.baseline.score, self.optimized.score
        if self.partial:
            before, after = on_both(self.baseline, self.optimized)[:2]
        return 100 * (after - before) / before if before else 100 * (after - before)

    def save(self, path: str | Path) -> None:
        """Write the result atomically."""
        write_whole(Path(path), msgspec.json.format(msgspec.json.encode(self), indent=1) + b"\n")

    @classmethod
    def load(cls, path: str | Path) -> "OptimizationResult":
        """Read a saved result.

        Raises:
            FileRefused: when the file is absent, truncated, of a newer version, or not a result.
        """
        value = read_kind(Path(path), KIND, RESULT_VERSION)
        try:
            return msgspec.convert(value, cls, str_keys=True)
        except msgspec.ValidationError as error:
            raise FileRefused(f"{path} is not a whole result ({error}): run the optimization again") from error

    def timeless(self) -> "OptimizationResult":
        """The result without what differs between two runs of the same work."""

        def still(usage: Mapping[str, Usage]) -> dict[str, Usage]:
            return {role: msgspec.structs.replace(one, transport=Transport()) for role, one in usage.items()}

        return msgspec.structs.replace(
            self,
            times={},
            usage=still(self.usage),
            baseline=self.baseline.timeless(),
            optimized=self.optimized.timeless(),
            events=tuple(msgspec.structs.replace(event, seconds=0.0, usage=still(event.usage)) for event in self.events),
        )


def on_both(left: Report, right: Report) -> tuple[float, float, int]:
    """The mean scores of two reports on the examples that were scored in both, and how many those are."""
    scores = {example.id: example.score for example in left.examples if example.score is not None}
    pairs = [(scores[one.id], one.score) for one in right.examples if one.score is not None and one.id in scores]
    return sum(a for a, _ in pairs) / (len(pairs) or 1), sum(b for _, b in pairs) / (len(pairs) or 1), len(pairs)


def read_kind(path: Path, kind: str, version: int) -> dict[str, Any]:
    """A saved JSON object of ours.

    Raises:
        FileRefused: in one line, when it is absent, truncated, of a newer version, or not ours.
    """
    try:
        value: Any = msgspec.json.decode(path.read_bytes())
    except OSError as error:
        raise FileRefused(f"cannot read {str(path)!r} ({error.strerror})") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise FileRefused(f"{path} is truncated or not JSON ({error}): write it again") from error
    fields = cast(dict[str, Any], value) if isinstance(value, dict) else {}
    if fields.get("kind") != kind:
        ours = str(fields.get("kind", "")).startswith("agent-gym ")
        rest = f" but an {fields['kind']} file: name another" if ours else ": name one that this program wrote"
        raise FileRefused(f"{path} is no {kind} file{rest}")
    found = fields.get("version")
    if not isinstance(found, int) or found > version:
        raise FileRefused(f"{path} has version {found!r}, the newest known here is {version}: update agent-gym")
    return fields
