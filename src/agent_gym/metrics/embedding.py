"""How near in meaning the agent's words are to the recorded ones, by the angle between their embeddings.

EmbeddingSimilarity("openai/text-embedding-3-small")
EmbeddingSimilarity(lambda texts: model.encode(texts))      any function of texts to vectors
"""

import asyncio
import math
from collections.abc import Sequence
from concurrent.futures import Future
from threading import Lock

from agent_gym.errors import UsageError
from agent_gym.lm.embedder import Embed, make_embedder
from agent_gym.metrics.base import Score
from agent_gym.traces.task import Task, reply_of
from agent_gym.traces.trace import Trace

Vector = tuple[float, ...]


class EmbeddingSimilarity:
    """Cosine of the two replies' embeddings, in [0, 1]; opposite directions count as 0.

    A text is embedded once, also when several threads ask for it at the same time.

    Args:
        embedder: a model's name, as `make_embedder` knows it, or a function of texts to vectors of one length.

    Raises:
        MissingKey: no key for that provider in the environment.
        UsageError: a name that cannot be used.
    """

    name = "embedding"

    def __init__(self, embedder: str | Embed) -> None:
        self._embed: Embed = make_embedder(embedder) if isinstance(embedder, str) else embedder
        self._lock = Lock()
        self._vectors: dict[str, Future[Vector]] = {}

    def __deepcopy__(self, memo: dict[int, object]) -> "EmbeddingSimilarity":
        return self

    def score(self, task: Task, trace: Trace) -> Score:
        """Compare the last words of the rollout with the recorded ones.

        Raises:
            ModelError: when the embedding model's endpoint fails.
        """
        said, expected = reply_of(trace.messages[task.start + 1 :]), task.expected_reply
        value = self.compare(said, expected)
        return Score(value, {}, "" if value == 1.0 else f"Expected the reply {expected!r}, got {said!r}.")

    async def ascore(self, task: Task, trace: Trace) -> Score:
        """The same, without holding up the event loop."""
        return await asyncio.to_thread(self.score, task, trace)

    def compare(self, said: str, expected: str) -> float:
        """Similarity in [0, 1]; 1 for equal texts, 0 where only one is blank."""
        # Endpoints refuse a blank text.
        said, expected = said.strip(), expected.strip()
        if said == expected:
            return 1.0
        return _cosine(*self._embedded(said, expected)) if said and expected else 0.0

    def _embedded(self, *texts: str) -> list[Vector]:
        with self._lock:
            new = [text for text in texts if text not in self._vectors]
            places = {text: self._vectors.setdefault(text, Future()) for text in texts}
        if new:
            self._fill(new)
        return [places[text].result() for text in texts]

    def _fill(self, new: list[str]) -> None:
        try:
            vectors = [tuple(map(float, vector)) for vector in self._embed(new)]
            if len(vectors) != len(new) or len({len(vector) for vector in vectors}) != 1:
                raise UsageError(
                    f"the embedder gave {len(vectors)} vectors for {len(new)} texts, or vectors of several lengths"
                )
        except BaseException as error:
            with self._lock:
                failed = [self._vectors.pop(text) for text in new]
            for place in failed:
                place.set_exception(error)
            raise
        for text, vector in zip(new, vectors, strict=True):
            self._vectors[text].set_result(vector)


def _cosine(one: Sequence[float], other: Sequence[float]) -> float:
    if len(one) != len(other):
        raise UsageError(f"the embedder gave vectors of {len(one)} and {len(other)} numbers; it must give one length")
    product = math.hypot(*one) * math.hypot(*other)
    # Not a number where the embedder gave none: an angle that is not known is no similarity.
    cosine = math.fsum(a * b for a, b in zip(one, other, strict=True)) / product if product else 0.0
    return min(max(cosine, 0.0), 1.0) if math.isfinite(cosine) else 0.0
