"""Counts add up, in whatever order and from however many threads they come."""

from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_gym.errors import ModelTimeout
from agent_gym.lm import Meter, Transport, Usage, make_handle
from agent_gym.lm.faults import EmptyAnswer, ServerFailed
from lm_models import Echo, Scripted, ask, said

counts = st.integers(0, 10**9)
faults = st.dictionaries(st.sampled_from(["empty", "timeout", "other"]), st.integers(1, 100))
weathers = st.builds(
    Transport,
    replayed=counts,
    retries=counts,
    faults=faults,
    nanoseconds=counts,
    latencies=st.dictionaries(st.integers(0, 1500), st.integers(1, 100)),
)
usages = st.builds(
    Usage,
    requests=counts,
    cache_hits=counts,
    failures=counts,
    prompt_tokens=counts,
    completion_tokens=counts,
    reasoning_tokens=counts,
    unpriced=st.integers(0, 2),
    picodollars=counts,
    transport=weathers,
)
answers = st.builds(said, prompt=st.none() | st.integers(0, 10**6), written=st.none() | st.integers(0, 10**5))


def fraction(prompt: int | None, written: int | None) -> float | None:
    return None if prompt is None or written is None else prompt * 1.1e-7 + written * 3.3e-7


@given(usages, usages)
def test_a_share_is_what_was_added(before: Usage, during: Usage) -> None:
    assert (before + during) - before == during


@given(usages, usages, usages)
def test_the_order_of_adding_does_not_matter(a: Usage, b: Usage, c: Usage) -> None:
    assert (a + b) + c == a + (c + b)


@given(usages)
def test_nothing_added_changes_nothing(usage: Usage) -> None:
    assert usage + Usage() == usage
    assert usage - usage == Usage()


@given(usages)
def test_a_usage_survives_being_written_down(usage: Usage) -> None:
    assert msgspec.json.decode(msgspec.json.encode(usage), type=Usage) == usage


@given(st.lists(answers, max_size=20).flatmap(lambda some: st.tuples(st.just(some), st.permutations(some))))
def test_what_is_reported_does_not_depend_on_the_order_of_answers(orders: tuple[list[object], list[object]]) -> None:
    totals: list[Usage] = []
    for order in orders:
        meter = Meter()
        account = meter.account("agent", fraction)
        for answer in order:
            account.answered(answer, 1000)  # pyright: ignore[reportArgumentType]
        totals.append(meter.snapshot()["agent"])
    assert totals[0] == totals[1]


@given(st.lists(st.integers(1, 10**12), min_size=1), st.floats(0.01, 1))
def test_a_latency_is_right_to_a_percent(nanoseconds: list[int], share: float) -> None:
    meter = Meter()
    account = meter.account("agent", fraction)
    for some in nanoseconds:
        account.answered(said(), some)
    at_least = -(-share * len(nanoseconds) // 1)
    exact = sorted(nanoseconds)[int(at_least) - 1] / 1e9
    assert meter.snapshot()["agent"].transport.latency(share) == pytest.approx(exact, rel=0.0101)


def test_without_an_answer_there_is_no_latency() -> None:
    assert Transport().latency(0.5) is None


def test_an_unknown_price_makes_the_cost_unknown_and_not_zero() -> None:
    meter = Meter()
    account = meter.account("agent", fraction)
    account.answered(said(), 1)
    known = meter.snapshot()["agent"]
    account.answered(said(prompt=None), 1)
    total = meter.snapshot()["agent"]
    assert (known.cost, total.cost, (total - known).cost) == (pytest.approx(1.76e-6), None, None)
    account.answered(said(), 1)
    assert (meter.snapshot()["agent"] - total).cost == pytest.approx(1.76e-6)


def test_each_role_has_its_own_sums_and_each_model_its_own_price() -> None:
    meter = Meter()
    cheap = make_handle(Echo(), role="agent", meter=meter, price=lambda prompt, written: 1.0)
    dear = make_handle(Echo(), role="agent", meter=meter, price=lambda prompt, written: 10.0)
    judge = make_handle(Echo(), role="judge", meter=meter, price=lambda prompt, written: 0.0)
    for handle in (cheap, dear, judge):
        handle.complete_sync(ask())
    assert {role: (usage.requests, usage.cost) for role, usage in meter.snapshot().items()} == {
        "agent": (2, 11.0),
        "judge": (1, 0.0),
    }


def test_no_count_is_lost_among_threads() -> None:
    meter = Meter()
    handle = make_handle(Echo(), meter=meter)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(handle.complete_sync, [ask(str(number)) for number in range(400)]))
    usage = meter.snapshot()["agent"]
    assert (usage.requests, usage.prompt_tokens, sum(usage.transport.latencies.values())) == (400, 4000, 400)


def test_a_failure_is_a_request_without_an_answer() -> None:
    handle = make_handle(Scripted(ModelTimeout("late"), EmptyAnswer("nothing"), ServerFailed("500")), attempts=1)
    for kind in (ModelTimeout, EmptyAnswer, ServerFailed):
        with pytest.raises(kind):
            handle.complete_sync(ask())
    usage = handle.meter.snapshot()["agent"]
    assert (usage.requests, usage.failures, usage.cost, usage.transport.latencies) == (3, 3, 0.0, {})
    assert usage.transport.faults == {"timeout": 1, "empty": 1, "server_error": 1}


def test_a_snapshot_stays_as_it_was() -> None:
    handle = make_handle(Scripted(EmptyAnswer("nothing"), said()), attempts=1)
    before = handle.meter.snapshot()
    with pytest.raises(EmptyAnswer):
        handle.complete_sync(ask())
    handle.complete_sync(ask())
    assert before == {"agent": Usage()}


def test_copies_of_a_program_count_in_the_same_meter() -> None:
    handle = make_handle(Echo())
    assert deepcopy(handle) is handle
    assert deepcopy(handle.meter) is handle.meter
