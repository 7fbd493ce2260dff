"""Whether a judge can be trusted: its scores beside the truth of the same rollouts, and how far the two agree.

An agent plays examples whose right calls are recorded, and the judge scores every rollout without seeing them. There are two
truths, and each figure says which it is held against:

- `passed`: the calls are exactly right (tool accuracy is 1). AUC, kappa and the threshold, and the corrected rate.
- `truth`: the run's own graded score without a judge, (similarity + tool accuracy) / 2. Spearman, Kendall, bias towards length.

The pairs are kept, so that a later report can correct a judge's rate by them (`corrected`).

Not covered: a judge errs on other agents as it pleases. Calibrate on the data, and with an agent, like those it will judge.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from agent_gym.errors import FileRefused
from agent_gym.evaluation.agreement import auc, kendall, spearman
from agent_gym.evaluation.corrected import Corrected, transferred_rate
from agent_gym.evaluation.cutoff import Cutoff, best_threshold
from agent_gym.evaluation.length_bias import length_bias
from agent_gym.evaluation.reliability import Consistency, self_consistency
from agent_gym.evaluation.resampling import Estimate
from agent_gym.files import write_whole
from agent_gym.lm.usage import Usage
from agent_gym.metrics.rubric import RubricMark
from agent_gym.optimization.result import read_kind

CALIBRATION_VERSION = 1
KIND = "agent-gym calibration"


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """One rollout: what the judge gave it, and what it was worth. Scores are in [0, 1]."""

    id: str
    scores: tuple[float, ...]
    """The judge's, one for each time it was asked and answered; at least one."""
    passed: bool
    """The calls were exactly the recorded ones."""
    truth: float
    """The graded score without a judge."""
    length: int
    """Characters that the agent said."""

    @property
    def judge(self) -> float:
        """The judge's score: the first one, as a judge that is asked once would have given it."""
        return self.scores[0]


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """How far a judge agrees with the truth. A figure is None where the data leave it undefined."""

    spearman: Estimate
    """With the graded truth, in [-1, 1]."""
    kendall: Estimate
    """With the graded truth, tau-b, in [-1, 1]."""
    auc: Estimate
    """With pass and fail: how often a passed rollout is scored above a failed one, in [0, 1]; 0.5 is chance."""
    cutoff: Cutoff
    """The threshold that tells pass from fail best, and Cohen's kappa there."""
    length_bias: Estimate
    """Correlation with length beyond what the graded truth explains, in [-1, 1]; above 0 long answers are preferred."""
    consistency: Consistency | None = None
    """With itself, when it was asked more than once."""


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """What a calibration found."""

    data: str
    seed: int
    models: Mapping[str, str]
    """By role: "agent" and "judge"."""
    agent: str
    """The file of the agent that played, without its folder, or "baseline"."""
    rubric: RubricMark
    """By what the judge scored: a judge with another one is another judge."""
    repeats: int
    judged: tuple[Judged, ...]
    failed: int
    """Rollouts whose endpoint failed; never judged."""
    broken: int
    """Rollouts in which the agent broke off; never judged."""
    unjudged: int
    """Rollouts for which the judge gave no score."""
    agreement: Agreement
    notes: tuple[str, ...] = ()
    usage: Mapping[str, Usage] = {}
    kind: str = KIND
    version: int = CALIBRATION_VERSION

    @property
    def pass_rate(self) -> float:
        """Share of the judged rollouts that passed."""
        return sum(one.passed for one in self.judged) / len(self.judged)

    @property
    def mean(self) -> float:
        """The judge's mean score."""
        return sum(one.judge for one in self.judged) / len(self.judged)

    def corrected(self, scores: Sequence[float]) -> Corrected:
        """The rate of passing behind scores that this judge gave to other rollouts, in [0, 1].

        Raises:
            UsageError: when fewer than 3 rollouts were judged here, or there are fewer than 2 scores.
        """
        return transferred_rate(scores, [(one.judge, float(one.passed)) for one in self.judged])

    def save(self, path: str | Path) -> None:
        """Write the calibration atomically."""
        write_whole(Path(path), msgspec.json.format(msgspec.json.encode(self), indent=1) + b"\n")

    @classmethod
    def load(cls, path: str | Path) -> "Calibration":
        """Read a saved calibration.

        Raises:
            FileRefused: when the file is absent, truncated, of a newer version, or not a calibration.
        """
        value = read_kind(Path(path), KIND, CALIBRATION_VERSION)
        try:
            read = msgspec.convert(value, cls, str_keys=True)
        except msgspec.ValidationError as error:
            raise FileRefused(f"{path} is not a whole calibration ({error}): calibrate again") from error
        if not read.judged or not all(one.scores for one in read.judged):
            raise FileRefused(f"{path} holds a rollout without a judge's score, or none at all: calibrate again")
        return read


def agreement(judged: Sequence[Judged], *, seed: int = 0) -> Agreement:
    """How far a judge's scores agree with the truth, each figure with its 95 % interval over rollouts.

    Raises:
        UsageError: when there are none.
    """
    scores, truth = [one.judge for one in judged], [one.truth for one in judged]
    passed = [one.passed for one in judged]
    repeated = [one.scores for one in judged if len(one.scores) > 1]
    return Agreement(
        spearman=spearman(scores, truth, seed=seed),
        kendall=kendall(scores, truth, seed=seed),
        auc=auc(scores, passed, seed=seed),
        cutoff=best_threshold(scores, passed, seed=seed),
        length_bias=length_bias(scores, truth, [float(one.length) for one in judged], seed=seed),
        consistency=self_consistency(repeated, seed=seed) if repeated else None,
    )
