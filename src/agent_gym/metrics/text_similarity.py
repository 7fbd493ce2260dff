"""How near the agent's words are to the recorded ones, by the measures that papers report.

Each comes from the library that the field compares with (`agent-gym[metrics]`), one sentence pair at a time:

    RougeL   rouge-score   longest common subsequence of words, F1 (Lin 2004)
    ChrF     sacrebleu     n-grams of characters, F2 (Popović 2015); the least hurt by inflection, and needs no words
    Bleu     sacrebleu     n-grams of words, effective order, exponential smoothing (Papineni 2002, Chen and Cherry 2014)

Like every comparison with a recording they reward its wording, not helpfulness.
"""

import re
from abc import ABC, abstractmethod
from importlib import import_module
from typing import Any

from agent_gym.errors import UsageError
from agent_gym.metrics.base import Score
from agent_gym.traces.task import Task, reply_of
from agent_gym.traces.trace import Trace

# The library's own words are of ASCII letters only: to it, two replies in Greek have nothing to compare.
_WORD = re.compile(r"[^\W_]+")


class _Compared(ABC):
    """What the three have in common: which texts are compared, and what an empty one is worth."""

    def score(self, task: Task, trace: Trace) -> Score:
        """Compare the last words of the rollout with the recorded ones."""
        said, expected = reply_of(trace.messages[task.start + 1 :]), task.expected_reply
        value = self.compare(said, expected)
        return Score(value, {}, "" if value == 1.0 else f"Expected the reply {expected!r}, got {said!r}.")

    def compare(self, said: str, expected: str) -> float:
        """Similarity in [0, 1]; 1 for equal texts, 0 where only one is blank."""
        said, expected = said.strip(), expected.strip()
        if said == expected:
            return 1.0
        # The libraries count in percent, and rounding carries them past a hundred.
        return min(max(self._measure(said, expected), 0.0), 1.0) if said and expected else 0.0

    @abstractmethod
    def _measure(self, said: str, expected: str) -> float:
        """Similarity of two texts that differ, neither blank."""


class RougeL(_Compared):
    """ROUGE-L's F1, in [0, 1].

    Raises:
        UsageError: when rouge-score is not installed.
    """

    name = "rouge_l"

    def __init__(self) -> None:
        self._scorer = _library("rouge_score.rouge_scorer", "rouge-score", self.name).RougeScorer(
            ["rougeL"], tokenizer=_Words()
        )

    def _measure(self, said: str, expected: str) -> float:
        return float(self._scorer.score(expected, said)["rougeL"].fmeasure)


class ChrF(_Compared):
    """chrF2 over characters up to six in a row, in [0, 1].

    Raises:
        UsageError: when sacrebleu is not installed.
    """

    name = "chrf"

    def __init__(self) -> None:
        self._metric = _library("sacrebleu.metrics", "sacrebleu", self.name).CHRF()

    def _measure(self, said: str, expected: str) -> float:
        return float(self._metric.sentence_score(said, [expected]).score) / 100


class Bleu(_Compared):
    """BLEU of one sentence, in [0, 1].

    Raises:
        UsageError: when sacrebleu is not installed.
    """

    name = "bleu"

    def __init__(self) -> None:
        self._metric = _library("sacrebleu.metrics", "sacrebleu", self.name).BLEU(effective_order=True)

    def _measure(self, said: str, expected: str) -> float:
        return float(self._metric.sentence_score(said, [expected]).score) / 100


class _Words:
    """Words of any script, for rouge-score."""

    def tokenize(self, text: str) -> list[str]:
        return _WORD.findall(text.casefold())


def _library(module: str, package: str, metric: str) -> Any:
    try:
        return import_module(module)
    except ImportError as error:
        raise UsageError(f"the metric {metric!r} needs {package}; install it with: pip install 'agent-gym[metrics]'") from error
