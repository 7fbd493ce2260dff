"""What a judge's measured error means for a comparison: corrected rates, and which gaps it cannot tell.

A gap between two contenders in the judge's part that is smaller than the judge's error says nothing: they share a rank. The
error is half the width of the corrected rate's interval, the wider one of the two.
"""

from collections.abc import Mapping, Sequence

from agent_gym.errors import UsageError
from agent_gym.evaluation import ExampleScore
from agent_gym.evaluation.corrected import Corrected
from agent_gym.metrics.combined import JUDGE
from agent_gym.metrics.rubric import BUILT_IN, RubricMark
from agent_gym.optimization.calibration import Calibration
from agent_gym.optimization.result import OptimizationResult

Played = Mapping[str, Sequence[Sequence[ExampleScore]]]
"""Per contender and example, its repeats."""


class JudgeError:
    """A calibrated judge's view of some contenders; without a calibration, or a judge's part, it says nothing.

    Args:
        calibration: how far the judge is right.
        results: where the scores come from.
        played: the examples that all contenders played.

    Raises:
        UsageError: when the calibration is another judge's.
    """

    def __init__(self, calibration: Calibration | None, results: Sequence[OptimizationResult], played: Played) -> None:
        self.rates: dict[str, Corrected] = {}
        self.notes: tuple[str, ...] = ()
        self._means: dict[str, float] = {}
        if calibration is None:
            return
        scores = {name: _judge_scores(rows) for name, rows in played.items() if _was_judged(rows)}
        if not scores:
            self.notes = ("No part of the score is a judge's: its calibration changes nothing here.",)
            return
        for result in results:
            require_judge_of(calibration, result.models.get("judge", ""), result.rubric, whose=result.strategy)
        self.rates = {name: calibration.corrected(found) for name, found in scores.items()}
        self._means = {name: sum(found) / len(found) for name, found in scores.items()}
        self.notes = tuple(_notes(calibration, self.rates, {row[0].id for rows in played.values() for row in rows}))

    def hides(self, one: str, other: str) -> bool:
        """Whether the two differ by less, in the judge's part, than the judge errs."""
        if one not in self.rates or other not in self.rates:
            return False
        return abs(self._means[one] - self._means[other]) < max(_half(self.rates[one]), _half(self.rates[other]))


def _was_judged(rows: Sequence[Sequence[ExampleScore]]) -> bool:
    return any(JUDGE in example.parts for row in rows for example in row)


def _judge_scores(rows: Sequence[Sequence[ExampleScore]]) -> list[float]:
    # Who broke off was not judged, and passed nothing.
    return [sum(example.parts.get(JUDGE, 0.0) for example in row) / len(row) for row in rows]


def require_judge_of(calibration: Calibration, model: str, rubric: RubricMark | None, *, whose: str) -> None:
    """A calibration speaks of one judge: a model, with a rubric.

    Args:
        model: of the judge whose scores are to be corrected.
        rubric: by what it scored; None when that is not known.
        whose: the scores of this strategy.

    Raises:
        UsageError: it is another judge's.
    """
    calibrated = calibration.models.get("judge", "")
    again = f"agent-gym judge calibrate --judge-model {model}"
    if model != calibrated:
        raise UsageError(f"{whose} is judged by {model!r}, the calibration is of {calibrated!r}: {again}")
    if rubric is None or rubric.digest != calibration.rubric.digest:
        wanted = f"{again} --rubric {rubric.name}" if rubric and rubric.name != BUILT_IN else again
        raise UsageError(
            f"{whose} is judged by the rubric {rubric or 'of a version that recorded none'}, the calibration is of another "
            f"rubric, {calibration.rubric}: {wanted}"
        )


def _half(rate: Corrected) -> float:
    return (rate.interval[1] - rate.interval[0]) / 2


def _notes(calibration: Calibration, rates: Mapping[str, Corrected], ids: set[str]) -> list[str]:
    error = max(map(_half, rates.values()))
    notes = [
        f"Judge's rates are corrected by {len(calibration.judged)} rollouts of {calibration.agent} on {calibration.data} whose"
        f" truth is known, as far as the judge errs here as it did there. Contenders whose judge's scores differ by less than"
        f" its measured error (up to {error:.3f}) share a rank."
    ]
    if shared := sum(one.id in ids for one in calibration.judged):
        notes.append(
            f"{shared} of the {len(calibration.judged)} examples that the judge was calibrated on are among those compared:"
            " another seed or split has fewer."
        )
    return notes
