"""Faults that may pass are tried again, in time, and counted."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_gym.errors import ModelError, ModelRefused, ModelTimeout, RateLimited
from agent_gym.lm import Completion, Handle, Meter, Model, Usage, make_handle, run_sync
from agent_gym.lm.faults import Blocked, CutOff, EmptyAnswer, ServerFailed, Unreachable, Unreadable
from agent_gym.lm.retry import Retrying
from lm_models import Outcome, Scripted, Waits, ask, said

WHOLE = said("Hi")
EMPTY = said(" \n", prompt=5, written=1)
CUT = said("H", finish="length", prompt=5, written=1)
PASSING = [RateLimited("429"), ModelTimeout("late"), ServerFailed("500"), Unreachable("gone"), Unreadable("<html>"), EMPTY, CUT]


def handle(model: Model, waits: Waits | None = None, *, attempts: int = 4) -> Handle:
    return make_handle(model, attempts=attempts, sleep=waits or Waits(), price=lambda prompt, written: 0.001)


def usage(handle: Handle) -> Usage:
    return handle.meter.snapshot()["agent"]


@pytest.mark.parametrize("fault", PASSING, ids=lambda fault: type(fault).__name__)
def test_a_fault_that_passes_leaves_no_trace_in_the_answer(fault: Outcome) -> None:
    model = Scripted(fault, fault, WHOLE)
    asked = handle(model)
    assert asked.complete_sync(ask()).text == "Hi"
    assert (usage(asked).requests, usage(asked).failures, usage(asked).transport.retries) == (1, 0, 2)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [*zip(PASSING, ["rate_limited", "timeout", "server_error", "transport", "unreadable", "empty", "cut_off"], strict=True)],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_fault_that_stays_is_raised_and_counted_by_kind(fault: Outcome, kind: str) -> None:
    asked = handle(Scripted(fault), attempts=3)
    with pytest.raises(ModelError, match=r"\(attempt 3 of 3\)$"):
        asked.complete_sync(ask())
    assert (usage(asked).requests, usage(asked).failures) == (1, 1)
    assert (usage(asked).transport.retries, usage(asked).transport.faults) == (2, {kind: 3})


def test_without_retries_the_first_fault_is_raised_as_it_is() -> None:
    asked = handle(Scripted(ServerFailed("it broke")), attempts=1)
    with pytest.raises(ServerFailed, match=r"^it broke$"):
        asked.complete_sync(ask())
    assert usage(asked).transport.faults == {"server_error": 1}


def test_a_refused_request_is_not_repeated() -> None:
    model = Scripted(ModelRefused("no such model"))
    asked = handle(model)
    with pytest.raises(ModelRefused):
        asked.complete_sync(ask())
    assert len(model.asked) == 1


@pytest.mark.parametrize("finish", ["SAFETY", "content_filter"])
def test_an_answer_that_a_filter_stopped_is_refused(finish: str) -> None:
    with pytest.raises(Blocked, match=finish):
        handle(Scripted(said("", finish=finish))).complete_sync(ask())


def test_an_empty_answer_says_how_it_ended() -> None:
    with pytest.raises(EmptyAnswer, match="MALFORMED_FUNCTION_CALL"):
        handle(Scripted(said("", finish="MALFORMED_FUNCTION_CALL"))).complete_sync(ask())


def test_what_is_cut_off_at_its_limit_at_temperature_0_is_not_paid_for_again() -> None:
    model = Scripted(said("H", finish="length", written=50))
    with pytest.raises(CutOff, match="after 50 tokens"):
        handle(model).complete_sync(ask(max_tokens=50))
    assert len(model.asked) == 1


def test_what_is_cut_off_at_its_limit_may_be_shorter_in_another_draw() -> None:
    model = Scripted(said("H", finish="length", written=50), WHOLE)
    assert handle(model).complete_sync(ask(max_tokens=50, temperature=1.0)).text == "Hi"


def test_other_ideas_of_a_useless_answer_can_be_had() -> None:
    meter = Meter()
    model = Retrying(Scripted(CUT), meter.account("agent", lambda prompt, written: None), check=lambda request, answer: None)
    assert run_sync(model.complete(ask())) == CUT


def test_delays_double_up_to_a_limit_and_differ() -> None:
    waits = Waits()
    with pytest.raises(ServerFailed):
        handle(Scripted(ServerFailed("500")), waits, attempts=9).complete_sync(ask())
    ceilings = [0.5, 1, 2, 4, 8, 16, 30, 30]
    assert all(ceiling / 2 <= wait <= ceiling for wait, ceiling in zip(waits.seconds, ceilings, strict=True))
    assert len({wait / ceiling for wait, ceiling in zip(waits.seconds, ceilings, strict=True)}) == len(ceilings)


def test_the_wait_an_endpoint_asks_for_is_a_lower_bound() -> None:
    waits = Waits()
    assert handle(Scripted(RateLimited("429", retry_after=8.0), WHOLE), waits).complete_sync(ask()).text == WHOLE.text
    assert 8.0 <= waits.seconds[0] <= 10.0


def test_a_wait_of_zero_is_no_wait() -> None:
    waits = Waits()
    handle(Scripted(RateLimited("429", retry_after=0.0), WHOLE), waits).complete_sync(ask())
    assert waits.seconds == [0.0]


def test_a_wait_longer_than_anybody_waits_ends_the_request() -> None:
    waits = Waits()
    with pytest.raises(RateLimited):
        handle(Scripted(RateLimited("come back tomorrow", retry_after=86_400.0), WHOLE), waits).complete_sync(ask())
    assert waits.seconds == []


def test_tokens_of_useless_answers_are_paid_for() -> None:
    asked = handle(Scripted(EMPTY, CUT, WHOLE))
    answer = asked.complete_sync(ask())
    assert (answer.prompt_tokens, answer.completion_tokens) == (20, 4)
    assert (usage(asked).prompt_tokens, usage(asked).completion_tokens) == (20, 4)


def test_tokens_of_useless_answers_are_paid_for_also_when_there_is_no_other() -> None:
    asked = handle(Scripted(EMPTY), attempts=3)
    with pytest.raises(EmptyAnswer):
        asked.complete_sync(ask())
    assert (usage(asked).prompt_tokens, usage(asked).completion_tokens, usage(asked).cost) == (15, 3, 0.001)


@given(st.lists(st.sampled_from([*PASSING, ModelRefused("400"), WHOLE]), min_size=1, max_size=12), st.integers(1, 5))
def test_every_fault_is_either_retried_or_a_failure(outcomes: list[Completion | ModelError], attempts: int) -> None:
    model = Scripted(*(copy(outcome) for outcome in outcomes))
    asked = handle(model, attempts=attempts)
    for _ in range(3):
        with suppress(ModelError):
            assert asked.complete_sync(ask()).text == "Hi"
    total = usage(asked)
    assert total.requests == 3
    assert len(model.asked) == total.requests + total.transport.retries
    assert sum(total.transport.faults.values()) == total.transport.retries + total.failures


def copy(outcome: Outcome) -> Outcome:
    return type(outcome)(str(outcome), retry_after=outcome.retry_after) if isinstance(outcome, ModelError) else outcome
