"""The measures of the field, as its own libraries compute them."""

import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_gym.errors import MissingKey, UsageError
from agent_gym.lm import run_sync
from agent_gym.metrics.base import Metric
from agent_gym.metrics.embedding import EmbeddingSimilarity
from agent_gym.metrics.text_similarity import Bleu, ChrF, RougeL
from strategies import one_turn, played

LIBRARIES = {RougeL: "rouge_score.rouge_scorer", ChrF: "sacrebleu.metrics", Bleu: "sacrebleu.metrics"}
INSTALLED = {kind: pytest.importorskip(module, reason="needs agent-gym[metrics]") for kind, module in LIBRARIES.items()}
KINDS = pytest.mark.parametrize("kind", LIBRARIES)
Kind = type[RougeL] | type[ChrF] | type[Bleu]

PAIRS = [
    ("I found a hotel in San Jose.", "I found 4 hotels in San Jose."),
    ("Your table is booked for 7 pm.", "Your table for two is booked at 7 pm on Friday."),
    ("No.", "Which city would you like to stay in?"),
]


def test_their_names_are_those_a_user_weighs() -> None:
    metrics: list[Metric] = [RougeL(), ChrF(), Bleu(), EmbeddingSimilarity(letters)]
    assert [metric.name for metric in metrics] == ["rouge_l", "chrf", "bleu", "embedding"]


@pytest.mark.parametrize(("said", "expected"), PAIRS)
def test_the_values_are_the_libraries_own(said: str, expected: str) -> None:
    scorer = INSTALLED[RougeL].RougeScorer(["rougeL"], use_stemmer=False)
    assert RougeL().compare(said, expected) == pytest.approx(scorer.score(expected, said)["rougeL"].fmeasure)
    chrf, bleu = INSTALLED[ChrF].CHRF(), INSTALLED[Bleu].BLEU(effective_order=True)
    assert ChrF().compare(said, expected) == pytest.approx(chrf.sentence_score(said, [expected]).score / 100)
    assert Bleu().compare(said, expected) == pytest.approx(bleu.sentence_score(said, [expected]).score / 100)


@KINDS
@pytest.mark.parametrize(("said", "expected", "value"), [("", "", 1.0), (" ", "\n", 1.0), ("Hi", "", 0.0), ("", "Hi", 0.0)])
def test_silence_is_right_only_where_silence_was_expected(kind: Kind, said: str, expected: str, value: float) -> None:
    assert kind().compare(said, expected) == value


@KINDS
def test_words_of_another_script_are_words(kind: Kind) -> None:
    near, far = "Το τραπέζι σας κρατήθηκε για τις επτά.", "Δεν βρήκα κανένα ξενοδοχείο."
    expected = "Το τραπέζι σας κρατήθηκε για τις οκτώ."
    assert kind().compare(near, expected) > 0.6 > kind().compare(far, expected)


@KINDS
def test_the_reason_says_what_was_expected(kind: Kind) -> None:
    task = one_turn(reply="Which city?")
    assert kind().score(task, played(task, reply="Which city?")).reason == ""
    score = kind().score(task, played(task, reply="What day?"))
    assert score.value < 1.0
    assert score.reason == "Expected the reply 'Which city?', got 'What day?'."


@KINDS
def test_an_extra_that_is_missing_is_named(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, LIBRARIES[kind], None)
    with pytest.raises(UsageError, match=rf"the metric '{kind.name}' needs .*pip install 'agent-gym\[metrics\]'"):
        kind()


@given(st.text(max_size=40), st.text(max_size=40))
def test_every_value_is_in_its_range_and_a_text_is_like_itself(said: str, expected: str) -> None:
    for metric in (RougeL(), ChrF(), Bleu(), EmbeddingSimilarity(letters)):
        assert 0.0 <= metric.compare(said, expected) <= 1.0
        assert metric.compare(said, said) == 1.0


def letters(texts: Sequence[str]) -> list[list[float]]:
    """How often each letter occurs: an embedding of sorts."""
    return [[float(text.count(letter)) for letter in "abcdefghijklmnopqrstuvwxyz"] for text in texts]


def test_the_cosine_of_two_embeddings_is_their_similarity() -> None:
    vectors = {"a": [1.0, 0.0], "b": [1.0, 1.0], "c": [-1.0, 0.0], "d": [0.0, 0.0]}
    compare = EmbeddingSimilarity(lambda texts: [vectors[text] for text in texts]).compare
    assert compare("a", "b") == compare("b", "a") == pytest.approx(0.5**0.5)
    assert [compare("a", "c"), compare("a", "d"), compare("d", "d")] == [0.0, 0.0, 1.0]


def test_an_embedding_can_be_awaited() -> None:
    task = one_turn(reply="Which city?")
    metric = EmbeddingSimilarity(letters)
    trace = played(task, reply="What city?")
    assert run_sync(metric.ascore(task, trace)) == metric.score(task, trace)
    assert metric.score(task, trace).reason == "Expected the reply 'Which city?', got 'What city?'."


def test_a_text_is_embedded_once_for_all_threads() -> None:
    asked: list[str] = []
    crowd = threading.Barrier(8)

    def embed(texts: Sequence[str]) -> list[list[float]]:
        asked.extend(texts)
        return letters(texts)

    metric = EmbeddingSimilarity(embed)

    def compare(number: int) -> float:
        crowd.wait()
        return metric.compare(f"reply {number % 4}", "expected")

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(compare, range(8)))
    assert sorted(asked) == ["expected", "reply 0", "reply 1", "reply 2", "reply 3"]


def test_a_text_that_failed_is_embedded_again() -> None:
    answers = [OSError("gone"), [[1.0], [1.0]]]

    def embed(texts: Sequence[str]) -> list[list[float]]:
        answer = answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return answer

    metric = EmbeddingSimilarity(embed)
    with pytest.raises(OSError, match="gone"):
        metric.compare("a", "b")
    assert metric.compare("a", "b") == 1.0


@pytest.mark.parametrize("vectors", [[[1.0]], [[1.0], [1.0, 2.0]], []])
def test_vectors_that_do_not_fit_the_texts_are_the_embedders_fault(vectors: list[list[float]]) -> None:
    with pytest.raises(UsageError, match=f"gave {len(vectors)} vectors for 2 texts"):
        EmbeddingSimilarity(lambda texts: vectors).compare("a", "b")


def test_vectors_of_another_length_than_before_are_refused() -> None:
    metric = EmbeddingSimilarity(lambda texts: [[1.0] * len(texts) for _ in texts])
    metric.compare("a", "b")
    with pytest.raises(UsageError, match=r"vectors of \d and \d numbers"):
        metric.compare("a", "c")


def test_a_model_that_cannot_be_reached_is_found_before_the_first_text() -> None:
    with pytest.raises(MissingKey, match="openai/text-embedding-3-small needs OPENAI_API_KEY"):
        EmbeddingSimilarity("openai/text-embedding-3-small")
    with pytest.raises(UsageError, match="unknown embedding model 'small'; write PROVIDER/MODEL"):
        EmbeddingSimilarity("small")
