"""No faster than allowed, in order, and nobody waits for ever."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agent_gym.errors import ModelError, RateLimited, UsageError
from agent_gym.lm import Completion, Handle, Meter, RateLimit, Request, loop, make_handle, make_lm, run_sync
from agent_gym.lm.faults import ServerFailed
from agent_gym.lm.rate import LONGEST_PAUSE, UNSEEN, Limited
from agent_gym.lm.retry import Retrying
from lm_models import Echo, Gate, Outcome, Scripted, ask, said
from servers import ModelServer
from virtual_time import play

Clock = Callable[[], float]
Sent = list[tuple[float, int]]
"""When each was sent, and its number, in the order of sending."""
JUST_UNDER = 1e-3
"""Seconds: a minute that begins with one request ends before the one that is due a minute later."""
pauses = st.lists(st.sampled_from([0.0, 0.0, 0.0, 0.1, 1.0, 7.5, 30.0]), min_size=1, max_size=60)
lengths = st.lists(st.integers(1, 3000), min_size=1, max_size=40)


async def crowd(rate: RateLimit, clock: Clock, arrivals: Sequence[float], tokens: Sequence[float]) -> Sent:
    """Requests that arrive so long after one another, each in flight for 3 seconds."""
    sent: Sent = []

    async def one(number: int) -> None:
        async with rate.turn(tokens[number % len(tokens)]):
            sent.append((clock(), number))
            await asyncio.sleep(3)

    async with asyncio.TaskGroup() as group:
        for number, pause in enumerate(arrivals):
            await asyncio.sleep(pause)
            group.create_task(one(number))
    return sent


def most_within(seconds: float, sent: Sent, amount: Callable[[int], float] = lambda number: 1) -> float:
    """The most that was sent in any window of that length."""
    return max(
        sum(amount(number) for moment, number in sent if start <= moment < start + seconds - JUST_UNDER) for start, _ in sent
    )


@given(st.integers(1, 120), pauses)
def test_in_any_minute_no_more_requests_are_sent_than_allowed(limit: int, arrivals: list[float]) -> None:
    sent = play(lambda clock: crowd(RateLimit(limit, clock=clock), clock, arrivals, [1]))
    assert len(sent) == len(arrivals)
    assert most_within(60, sent) <= limit


@given(st.integers(100, 100_000), lengths, pauses)
@example(100, [3000, 1, 1], [0.0] * 3)
def test_in_any_minute_the_tokens_stay_below_the_limit_and_the_largest_request(
    limit: int, tokens: list[int], arrivals: list[float]
) -> None:
    sent = play(lambda clock: crowd(RateLimit(None, limit, clock=clock), clock, arrivals, tokens))
    assert len(sent) == len(arrivals)
    assert most_within(60, sent, lambda number: tokens[number % len(tokens)]) < limit + max(tokens)


@given(st.none() | st.integers(1, 600), st.none() | st.integers(100, 10_000), st.none() | st.integers(1, 4), lengths, pauses)
def test_whoever_comes_first_is_sent_first(
    requests: int | None, tokens: int | None, places: int | None, sizes: list[int], arrivals: list[float]
) -> None:
    sent = play(lambda clock: crowd(RateLimit(requests, tokens, places, clock=clock), clock, arrivals, sizes))
    assert [number for _, number in sent] == [*range(len(arrivals))]


def test_requests_are_spread_evenly() -> None:
    sent = play(lambda clock: crowd(RateLimit(30, clock=clock), clock, [0.0] * 5, [1]))
    assert [moment for moment, _ in sent] == pytest.approx([0, 2, 4, 6, 8])


def test_no_more_go_at_once_than_belong_to_a_second_and_the_limit_is_used() -> None:
    sent = play(lambda clock: crowd(RateLimit(600, clock=clock), clock, [0.0] * 1200, [1]))
    assert [moment for moment, _ in sent].count(0.0) == 10
    assert most_within(1, sent) <= 20
    assert most_within(60, sent) == 600
    assert sent[-1][0] < 122


def test_fewer_than_one_a_minute_can_be_asked_for() -> None:
    sent = play(lambda clock: crowd(RateLimit(0.5, clock=clock), clock, [0.0] * 3, [1]))
    assert [moment for moment, _ in sent] == pytest.approx([0, 120, 240])


def test_who_is_idle_for_long_earns_no_burst() -> None:
    sent = play(lambda clock: crowd(RateLimit(60, clock=clock), clock, [0.0, 3600.0, 0.0, 0.0], [1]))
    assert [moment for moment, _ in sent] == pytest.approx([0, 3600, 3601, 3602])


@pytest.mark.parametrize("name", ["requests_per_minute", "tokens_per_minute", "max_concurrency"])
@pytest.mark.parametrize("limit", [0, -1, float("nan")])
def test_a_limit_that_allows_nothing_is_refused(name: str, limit: float) -> None:
    with pytest.raises(UsageError, match=f"{name} is {limit}, which allows nothing"):
        RateLimit(**{name: limit})  # pyright: ignore[reportArgumentType]


class Timed:
    """Answers after some seconds; keeps when it was asked."""

    name = "timed"

    def __init__(self, clock: Clock, *outcomes: Outcome, seconds: float = 2) -> None:
        self._clock = clock
        self._seconds = seconds
        self._script = Scripted(*outcomes)
        self.moments: list[float] = []

    async def complete(self, request: Request) -> Completion:
        self.moments.append(self._clock())
        await asyncio.sleep(self._seconds)
        return await self._script.complete(request)


def moments(limit: Callable[[Clock], RateLimit], requests: Sequence[Request], *outcomes: Outcome) -> list[float]:
    """When a model is asked that is to be asked all of these at once."""

    async def scene(clock: Clock) -> list[float]:
        model = Timed(clock, *outcomes)
        limited = Limited(model, limit(clock))
        await asyncio.gather(*(limited.complete(request) for request in requests), return_exceptions=True)
        return model.moments

    return play(scene)


def tokens_a_minute(limit: float) -> Callable[[Clock], RateLimit]:
    return lambda clock: RateLimit(None, limit, clock=clock)


def test_a_request_is_thought_as_long_as_it_may_be() -> None:
    questions = [ask("x" * 400, max_tokens=500) for _ in range(3)]
    sent = moments(tokens_a_minute(600), questions, said(prompt=None, written=None))
    assert sent == pytest.approx([0, 600 / 9.85, 1200 / 9.85])


def test_without_any_limit_an_answer_is_thought_of_usual_length() -> None:
    sent = moments(tokens_a_minute(600), [ask("x" * 400)] * 2, said(prompt=None, written=None))
    assert sent == pytest.approx([0, (100 + UNSEEN) / 9.85])


def test_what_was_thought_too_long_is_given_back() -> None:
    questions = [ask("x" * 400, max_tokens=5000) for _ in range(2)]
    first, second = moments(tokens_a_minute(600), questions, said(prompt=100, written=0))
    assert (first, second) == (0.0, pytest.approx(100 / 9.85, abs=1)), "not after the 518 seconds of 5,100 tokens"


def test_what_was_thought_too_short_is_made_up_for() -> None:
    async def scene(clock: Clock) -> list[float]:
        model = Timed(clock, said(prompt=1000, written=5000))
        limited = Limited(model, RateLimit(None, 6000, clock=clock))
        for _ in range(3):
            await limited.complete(ask("short"))
        return model.moments

    assert play(scene) == pytest.approx([0, 61, 122], abs=2)


@pytest.mark.parametrize(("may_be", "seconds"), [(3000, 2.0), (None, 2.0), (20, 1.2)])
def test_the_length_of_answers_is_learned(may_be: int | None, seconds: float) -> None:
    async def scene(clock: Clock) -> list[float]:
        model = Timed(clock, said(prompt=100, written=100), seconds=100)
        limited = Limited(model, RateLimit(None, 6000, clock=clock))
        await limited.complete(ask("x" * 400, max_tokens=3000))
        await asyncio.gather(*(limited.complete(ask("x" * 400, max_tokens=may_be)) for _ in range(4)))
        return [moment - 100 for moment in model.moments[1:]]

    assert play(scene) == pytest.approx([0, seconds, 2 * seconds, 3 * seconds], rel=0.02), "100 tokens a second"


@given(st.integers(600, 60_000), st.lists(st.integers(1, 2000), min_size=5, max_size=60))
def test_however_wrong_the_estimates_the_tokens_of_the_run_keep_to_the_limit(limit: int, written: list[int]) -> None:
    async def scene(clock: Clock) -> float:
        limited = Limited(
            Timed(clock, *(said(prompt=1, written=length) for length in written)), RateLimit(None, limit, clock=clock)
        )
        for _ in written:
            await limited.complete(ask(max_tokens=50))
        return clock()

    seconds = play(scene)
    in_advance = limit / 60 + max(written) + 1
    assert sum(written) <= limit * seconds / 60 + in_advance


def test_when_an_endpoint_asks_to_wait_nobody_is_sent() -> None:
    async def scene(clock: Clock) -> list[float]:
        rate = RateLimit(40, clock=clock)
        asked, other = Timed(clock, RateLimited("429", retry_after=30.0), said()), Timed(clock, said())
        waiting = [*(Limited(asked, rate).complete(ask()) for _ in range(4)), Limited(other, rate).complete(ask())]
        await asyncio.gather(*waiting, return_exceptions=True)
        return sorted(asked.moments + other.moments)

    assert play(scene) == pytest.approx([0, 1.5, 32, 33.5, 35]), "the first came back after 2 seconds, with another on its way"


def test_a_wait_that_nobody_waits_for_stops_nobody() -> None:
    refusal = RateLimited("come back tomorrow", retry_after=LONGEST_PAUSE + 1)
    assert moments(lambda clock: RateLimit(20, clock=clock), [ask()] * 3, refusal) == pytest.approx([0, 3, 6])


def test_a_429_without_a_time_stops_nobody() -> None:
    assert moments(lambda clock: RateLimit(20, clock=clock), [ask()] * 3, RateLimited("429")) == pytest.approx([0, 3, 6])


def test_every_attempt_waits_for_its_turn() -> None:
    async def scene(clock: Clock) -> list[float]:
        model = Timed(clock, ServerFailed("500"), ServerFailed("500"), said())
        account = Meter().account("agent", lambda prompt, written: None)
        await Retrying(Limited(model, RateLimit(2, clock=clock)), account).complete(ask())
        return model.moments

    assert play(scene) == pytest.approx([0, 30, 60])


def test_a_retried_attempt_and_those_behind_it_wait_as_long_as_asked() -> None:
    async def scene(clock: Clock) -> list[float]:
        model = Timed(clock, RateLimited("429", retry_after=20.0), said())
        account = Meter().account("agent", lambda prompt, written: None)
        rate = RateLimit(max_concurrency=1, clock=clock)
        asked = Retrying(Limited(model, rate), account)
        await asyncio.gather(asked.complete(ask()), asked.complete(ask()))
        return model.moments

    first, second, third = play(scene)
    assert (first, second) == (0, pytest.approx(22))
    assert 24 <= third <= 27, "the attempt that was refused comes again, after a quarter more at most"


class Busy:
    """Counts who is inside; answers nobody before a crowd was inside at once."""

    name = "busy"

    def __init__(self, crowd: int) -> None:
        self._crowd = crowd
        self._reached = asyncio.Event()
        self._inside = 0
        self.most = 0

    async def complete(self, request: Request) -> Completion:
        self._inside += 1
        self.most = max(self.most, self._inside)
        if self._inside >= self._crowd:
            self._reached.set()
        await self._reached.wait()
        await asyncio.sleep(0)
        self._inside -= 1
        return said()


def test_all_handles_and_threads_share_the_places() -> None:
    model, rate = Busy(crowd=3), RateLimit(max_concurrency=3)
    handles = [make_handle(model, role=role, rate=rate) for role in ("agent", "judge")]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(Handle.complete_sync, handles * 20, [ask()] * 40))
    assert model.most == 3


@pytest.mark.parametrize("outcome", [said(), ServerFailed("500"), RateLimited("429")], ids=["answer", "fault", "refusal"])
def test_whoever_is_through_leaves_the_place_to_the_next(outcome: Outcome) -> None:
    sent = moments(lambda clock: RateLimit(max_concurrency=2, clock=clock), [ask()] * 6, outcome)
    assert sent == pytest.approx([0, 0, 2, 2, 4, 4])


def test_whoever_gives_up_leaves_place_and_turn_to_the_next() -> None:
    async def scene(clock: Clock) -> list[float]:
        model = Timed(clock, said())
        limited = Limited(model, RateLimit(6, max_concurrency=1, clock=clock))
        first, second, third, fourth = [asyncio.ensure_future(limited.complete(ask())) for _ in range(4)]
        await asyncio.sleep(1)
        assert first.cancel()
        assert third.cancel()
        await asyncio.sleep(5)
        assert second.cancel(), "it is next, and waits for its turn"
        await fourth
        return model.moments

    assert play(scene) == pytest.approx([0, 10])


def test_whoever_does_not_go_after_all_leaves_the_turn_to_the_next() -> None:
    async def scene(clock: Clock) -> list[float]:
        def refuse() -> None:
            raise UsageError("not now")

        model, rate = Timed(clock, said()), RateLimit(6, clock=clock)
        refused = [Limited(model, rate, refuse).complete(ask()) for _ in range(5)]
        await asyncio.gather(*refused, Limited(model, rate).complete(ask()), return_exceptions=True)
        return model.moments

    assert play(scene) == [0]


def test_answers_from_the_cache_take_no_turn(tmp_path: Path) -> None:
    async def never(seconds: float) -> None:
        raise AssertionError(f"waited {seconds} s")

    rate = RateLimit(1, 1, 1, clock=lambda: 0.0, sleep=never)
    handle = make_handle(Echo(), cache=tmp_path / "completions.sqlite", rate=rate)
    assert [handle.complete_sync(ask("a")).text for _ in range(5)] == ["a"] * 5


def test_after_the_loop_was_closed_another_one_starts_with_an_empty_line() -> None:
    async def leave_waiting(some: Coroutine[Any, Any, Completion]) -> None:
        waiting.add(asyncio.ensure_future(some))
        await asyncio.sleep(0)

    waiting: set[asyncio.Future[Completion]] = set()
    rate = RateLimit(max_concurrency=1)
    gate = make_handle(Gate(said()), rate=rate)
    for _ in range(3):
        run_sync(leave_waiting(gate.complete(ask())))
    loop.close()
    assert make_handle(Echo(), rate=rate).complete_sync(ask("Hi")).text == "Hi"


def test_a_model_of_a_name_is_limited_too() -> None:
    waits: list[float] = []

    async def wait(seconds: float) -> None:
        waits.append(seconds)

    with ModelServer() as server:
        handle = make_lm("openai/any", api_base=server.openai, rate=RateLimit(30, clock=lambda: sum(waits), sleep=wait))
        for text in "abc":
            handle.complete_sync(ask(text))
    assert sum(waits) == pytest.approx(4)


def test_errors_that_are_not_the_endpoints_pass_through() -> None:
    async def scene(clock: Clock) -> None:
        await Limited(Scripted(ModelError("odd")), RateLimit(60, clock=clock)).complete(ask())

    with pytest.raises(ModelError, match="odd"):
        play(scene)
