"""A question is paid for once, and a run that was killed reports what an unbroken one reports."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_gym.errors import ModelError
from agent_gym.lm import Completion, Handle, Meter, Model, Usage, make_handle, run_sync
from agent_gym.lm.cache import CompletionCache
from agent_gym.lm.faults import EmptyAnswer, ServerFailed
from lm_models import Echo, Gate, Scripted, ask, said


@pytest.fixture
def cache(tmp_path: Path) -> CompletionCache:
    return CompletionCache(tmp_path / "completions.sqlite")


def handle(
    model: Model, cache: CompletionCache | Path, *, run: str = "", endpoint: str = "", meter: Meter | None = None
) -> Handle:
    return make_handle(
        model, cache=cache, run=run, endpoint=endpoint, meter=meter, attempts=1, price=lambda prompt, written: 0.5
    )


def counts(handle: Handle) -> tuple[int, int, int, float | None]:
    usage = handle.meter.snapshot()["agent"]
    return usage.requests, usage.cache_hits, usage.transport.replayed, usage.cost


def test_the_same_question_is_sent_once(cache: CompletionCache) -> None:
    model = Echo()
    asked = handle(model, cache)
    assert [asked.complete_sync(ask(text)).text for text in "abaab"] == [*"abaab"]
    assert [request.turns[0].content for request in model.asked] == ["a", "b"]
    assert counts(asked) == (2, 3, 0, 1.0)


def test_the_same_name_at_another_endpoint_is_asked_itself(cache: CompletionCache) -> None:
    one = handle(Echo(lambda request: "one"), cache, endpoint="http://127.0.0.1:1/v1")
    two = handle(Echo(lambda request: "two"), cache, endpoint="http://127.0.0.1:2/v1")
    assert [model.complete_sync(ask()).text for model in (one, two, one, two)] == ["one", "two", "one", "two"]


def test_draws_are_told_apart(cache: CompletionCache) -> None:
    asked = handle(Scripted(said("first"), said("second")), cache)
    samples = ["1", "2", "1", "2"]
    assert [asked.complete_sync(ask(sample=sample)).text for sample in samples] == ["first", "second", "first", "second"]


def test_without_a_cache_every_question_is_sent() -> None:
    model = Echo()
    asked = make_handle(model)
    for _ in range(3):
        asked.complete_sync(ask())
    assert len(model.asked) == 3


def test_a_useless_answer_is_not_kept(cache: CompletionCache) -> None:
    asked = handle(Scripted(said(""), ServerFailed("500"), said("H", finish="length"), said("whole")), cache)
    for _ in range(3):
        with pytest.raises(ModelError):
            asked.complete_sync(ask())
    assert asked.complete_sync(ask()).text == "whole"
    assert len(cache) == 1


def test_the_same_question_in_flight_is_sent_once(cache: CompletionCache) -> None:
    async def play() -> tuple[Handle, list[Completion]]:
        gate = Gate(said("once"))
        asked = handle(gate, cache)
        waiting = [asyncio.ensure_future(asked.complete(ask())) for _ in range(8)]
        await settle()
        assert gate.asked == 1
        gate.open()
        return asked, await asyncio.gather(*waiting)

    asked, answers = run_sync(play())
    assert [answer.text for answer in answers] == ["once"] * 8
    assert counts(asked) == (1, 7, 0, 0.5)


def test_an_error_in_flight_is_everybodys(cache: CompletionCache) -> None:
    async def play() -> list[Completion | BaseException]:
        gate = Gate(EmptyAnswer("nothing"))
        asked = handle(gate, cache)
        waiting = [asyncio.ensure_future(asked.complete(ask())) for _ in range(3)]
        await settle()
        gate.open()
        return await asyncio.gather(*waiting, return_exceptions=True)

    assert [type(outcome) for outcome in run_sync(play())] == [EmptyAnswer] * 3


def test_when_the_first_asker_gives_up_the_next_one_asks(cache: CompletionCache) -> None:
    async def play() -> tuple[int, list[Completion]]:
        gate = Gate(said("patience"))
        asked = handle(gate, cache)
        first, *others = [asyncio.ensure_future(asked.complete(ask())) for _ in range(4)]
        await settle()
        first.cancel()
        await settle()
        gate.open()
        return gate.asked, await asyncio.gather(*others)

    asked, answers = run_sync(play())
    assert (asked, [answer.text for answer in answers]) == (2, ["patience"] * 3)


def test_one_who_waits_and_gives_up_disturbs_nobody(cache: CompletionCache) -> None:
    async def play() -> list[Completion]:
        gate = Gate(said("patience"))
        asked = handle(gate, cache)
        first, second, third = [asyncio.ensure_future(asked.complete(ask())) for _ in range(3)]
        await settle()
        second.cancel()
        await settle()
        gate.open()
        return [await first, await third]

    assert [answer.text for answer in run_sync(play())] == ["patience"] * 2


async def settle() -> None:
    """Let everything run that can."""
    for _ in range(10):
        await asyncio.sleep(0)


def test_handles_over_one_file_share_what_is_in_flight(tmp_path: Path) -> None:
    async def play() -> int:
        gate = Gate(said())
        handles = [handle(gate, tmp_path / "shared.sqlite") for _ in range(2)]
        waiting = [asyncio.ensure_future(some.complete(ask())) for some in handles]
        await settle()
        gate.open()
        await asyncio.gather(*waiting)
        return gate.asked

    assert run_sync(play()) == 1


def play(model: Model, cache: Path, questions: str, run: str) -> Usage:
    """One process's worth of a run: a meter of its own."""
    asked = handle(model, cache, run=run)
    for question in questions:
        asked.complete_sync(ask(question))
    return asked.meter.snapshot()["agent"]


def lasting(usage: Usage) -> tuple[int, ...]:
    return usage.requests, usage.cache_hits, usage.failures, usage.prompt_tokens, usage.completion_tokens, usage.picodollars


@given(st.text("abcd", max_size=12), st.integers(0, 12))
def test_a_run_that_was_killed_reports_what_an_unbroken_one_does(
    tmp_path_factory: pytest.TempPathFactory, questions: str, killed_after: int
) -> None:
    folder = tmp_path_factory.mktemp("runs")
    model = Echo()
    unbroken = play(Echo(), folder / "unbroken.sqlite", questions, "run")
    play(model, folder / "killed.sqlite", questions[:killed_after], "run")
    continued = play(model, folder / "killed.sqlite", questions, "run")
    assert lasting(continued) == lasting(unbroken)
    assert len(model.asked) == len(set(questions))
    assert continued.transport.replayed == len(set(questions[:killed_after]))


def test_what_another_run_paid_for_is_a_hit(tmp_path: Path) -> None:
    file = tmp_path / "completions.sqlite"
    play(Echo(), file, "ab", "yesterday")
    usage = play(Echo(), file, "abab", "today")
    assert (usage.requests, usage.cache_hits, usage.transport.replayed, usage.cost) == (0, 4, 0, 0.0)


def test_a_run_without_a_name_never_replays(tmp_path: Path) -> None:
    file = tmp_path / "completions.sqlite"
    play(Echo(), file, "a", "")
    usage = play(Echo(), file, "a", "")
    assert (usage.requests, usage.cache_hits) == (0, 1)


def test_a_replayed_answer_has_no_latency(tmp_path: Path) -> None:
    file = tmp_path / "completions.sqlite"
    play(Echo(), file, "a", "run")
    usage = play(Echo(), file, "a", "run")
    assert (usage.requests, usage.transport.replayed, usage.transport.latencies, usage.transport.seconds) == (1, 1, {}, 0.0)
