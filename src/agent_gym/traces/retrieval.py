"""Which recorded turns are nearest to a conversation: BM25 over user turns with what was said shortly before them.

A turn such as "yes, please" says nothing alone, so a turn is indexed with the three messages before it: its own words count
twice, those right before it (the question it answers) are terms of their own, those before that count once.

Ranking is BM25 (Robertson and Zaragoza 2009) with its usual constants and an inverse document frequency that never falls below
zero (Lucene's). Words are cut after five letters, a stemmer that knows no language ("F5" in Can et al. 2008): "cancel",
"cancelled" and "cancelling" are one. Scripts that put no blanks between words are not cut into words.

    index = TurnIndex(traces)
    index.nearest([User("Please stop my subscription")], 4)     [Neighbour(Task('conv_003#0'), score=6.1), …]
"""

import re
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from agent_gym.messages import Assistant, Message, User
from agent_gym.traces.task import Task, tasks_of
from agent_gym.traces.trace import Trace

CONTEXT = 3
"""Spoken messages before the user's that count."""
K1, B = 1.2, 0.75
_WORD = re.compile(r"[^\W_]+")


class Neighbour(msgspec.Struct, frozen=True):
    """A recorded turn and how near it is."""

    task: Task
    score: float
    """BM25: above 0, without an upper bound, comparable within one query only."""


class TurnIndex:
    """Answered user turns of some traces, to be asked for the nearest ones.

    Args:
        traces: recorded conversations; read once, as a stream.
    """

    def __init__(self, traces: Iterable[Trace]) -> None:
        import numpy

        self.turns: list[Task] = []
        self._starts: list[int] = []
        postings: dict[str, tuple[array[int], array[int]]] = defaultdict(lambda: (array("i"), array("i")))
        lengths = array("i")
        for trace in traces:
            tasks = [*tasks_of(trace)]
            self._starts += [len(self.turns)] if tasks else []
            for task in tasks:
                counts = _terms(task.prompt)
                for term, count in counts.items():
                    turns, times = postings[term]
                    turns.append(len(self.turns))
                    times.append(count)
                lengths.append(counts.total())
                self.turns.append(task)
        length = numpy.asarray(lengths, numpy.float32)
        norm = K1 * (1 - B + B * length / max(float(length.mean()), 1.0)) if self.turns else length
        self._postings: dict[str, tuple[Any, Any]] = {}
        for term, (held, counted) in postings.items():
            turns, times = numpy.asarray(held), numpy.asarray(counted, numpy.float32)
            rarity = numpy.log1p((len(self.turns) - len(turns) + 0.5) / (len(turns) + 0.5))
            self._postings[term] = turns, (rarity * times * (K1 + 1) / (times + norm[turns])).astype(numpy.float32)

    def __len__(self) -> int:
        return len(self.turns)

    def nearest(self, messages: Sequence[Message], k: int) -> list[Neighbour]:
        """The `k` turns nearest to a conversation that ends with the user's words, nearest first.

        At most one turn of a conversation, for its turns repeat each other; fewer than `k` when no more share a word. Equally
        near ones come in the order in which they were recorded.
        """
        import numpy

        if not self.turns:
            return []
        scores = numpy.zeros(len(self.turns), numpy.float32)
        for term, count in _terms(messages).items():
            if term in self._postings:
                turns, weights = self._postings[term]
                scores[turns] += count * weights
        best = numpy.maximum.reduceat(scores, self._starts)
        ends = [*self._starts[1:], len(scores)]
        found: list[Neighbour] = []
        ranked: list[int] = numpy.argsort(-best, kind="stable")[:k].tolist()
        for conversation in ranked:
            start = self._starts[conversation]
            at = start + int(scores[start : ends[conversation]].argmax())
            if scores[at] > 0:
                found.append(Neighbour(self.turns[at], float(scores[at])))
        return found


def _terms(messages: Sequence[Message]) -> Counter[str]:
    """The terms of the last spoken messages, with their weights."""
    spoken = [message.content for message in messages if isinstance(message, User | Assistant) and message.content]
    terms: Counter[str] = Counter()
    for back, text in enumerate(reversed(spoken[-1 - CONTEXT :])):
        found = [*map(_term, _WORD.findall(text.casefold()))]
        # A question just asked is compared with questions just asked, not with what users say.
        terms.update(f"<{term}" for term in found) if back == 1 else terms.update(found * (2 if back == 0 else 1))
    return terms


def _term(word: str) -> str:
    # An order number is the whole of its digits.
    return word[:5] if word.isalpha() else word
