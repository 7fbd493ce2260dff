"""How near the agent's words are to the recorded ones."""

import re

from agent_gym.metrics.base import Score
from agent_gym.traces.task import Task, reply_of
from agent_gym.traces.trace import Trace

_WORD = re.compile(r"\w+")


class ResponseSimilarity:
    """Jaccard similarity over the sets of words: shared words by all words, in [0, 1] (Jaccard 1901).

    It rewards the recorded wording, not helpfulness: an agent that phrases well in its own way scores low.
    """

    name = "similarity"

    def score(self, task: Task, trace: Trace) -> Score:
        """Compare the last words of the rollout with the recorded ones."""
        said, expected = reply_of(trace.messages[task.start + 1 :]), task.expected_reply
        value = jaccard(said, expected)
        return Score(value, {}, "" if value == 1.0 else f"Expected the reply {expected!r}, got {said!r}.")


def jaccard(one: str, other: str) -> float:
    """Shared words by all words; 1 when neither text has any."""
    mine, theirs = set(_WORD.findall(one.casefold())), set(_WORD.findall(other.casefold()))
    return len(mine & theirs) / len(mine | theirs) if mine or theirs else 1.0
