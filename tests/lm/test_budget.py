"""Nothing is sent that the budget does not allow, nothing that is under way is lost, and a run's past counts."""

import asyncio
import sqlite3
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_gym.errors import AgentGymError, BudgetSpent, ModelError, UsageError
from agent_gym.lm import Budget, Completion, Handle, Meter, Model, RateLimit, Request, make_handle, make_lm, run_sync
from agent_gym.lm.cache import CompletionCache, Paid
from agent_gym.lm.faults import CutOff, ServerFailed
from lm_models import Echo, Gate, Scripted, Waits, ask, said
from servers import ModelServer

Outcomes = list[Completion | BaseException]


def handle(model: Model, budget: Budget, **options: Any) -> Handle:
    """A handle whose answers cost half a dollar."""
    return make_handle(model, budget=budget, price=half_a_dollar, sleep=Waits(), **options)


def half_a_dollar(prompt: int | None, written: int | None) -> float | None:
    return None if prompt is None else 0.5


async def settle() -> None:
    """Let everything run that can."""
    for _ in range(20):
        await asyncio.sleep(0)


async def ask_all(asked: Handle, texts: Sequence[str]) -> Outcomes:
    return await asyncio.gather(*(asked.complete(ask(text)) for text in texts), return_exceptions=True)


class Slow(Echo):
    """Repeats the last turn, a while later for some."""

    async def complete(self, request: Request) -> Completion:
        answer = await super().complete(request)
        for _ in range(len(self.asked) % 3):
            await asyncio.sleep(0)
        return answer


def answers(outcomes: Outcomes) -> int:
    """How many were answered; all others were refused."""
    refused = [outcome for outcome in outcomes if isinstance(outcome, BudgetSpent)]
    answered = [outcome for outcome in outcomes if isinstance(outcome, Completion)]
    assert len(answered) + len(refused) == len(outcomes)
    return len(answered)


@given(st.integers(1, 30), st.integers(0, 40))
def test_of_any_number_in_flight_exactly_as_many_are_sent_as_allowed(allowed: int, wanted: int) -> None:
    model, budget = Slow(), Budget(max_requests=allowed)
    outcomes = run_sync(ask_all(handle(model, budget), [str(number) for number in range(wanted)]))
    assert answers(outcomes) == len(model.asked) == budget.requests == min(allowed, wanted)
    assert budget.refused == max(wanted - allowed, 0)


def test_from_any_number_of_threads_exactly_as_many_are_sent_as_allowed() -> None:
    model, budget = Slow(), Budget(max_requests=37)
    handles = [handle(model, budget, role=role) for role in ("agent", "prompt", "judge")]

    def one(number: int) -> None:
        with suppress(BudgetSpent):
            handles[number % 3].complete_sync(ask(str(number)))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, range(100)))
    assert (len(model.asked), budget.requests, budget.refused) == (37, 37, 63)


def test_what_is_under_way_comes_to_its_end() -> None:
    async def play() -> tuple[Outcomes, int]:
        gate = Gate(said("at last"))
        asked = handle(gate, Budget(max_requests=3))
        under_way = [asyncio.ensure_future(asked.complete(ask(text))) for text in "abc"]
        await settle()
        refused = answers(await ask_all(asked, "defg"))
        gate.open()
        return await asyncio.gather(*under_way, return_exceptions=True), refused

    ended, left = run_sync(play())
    assert (answers(ended), left) == (3, 0)


def test_what_was_paid_is_answered_when_the_budget_is_spent(tmp_path: Path) -> None:
    model, budget = Echo(), Budget(max_requests=2)
    asked = handle(model, budget, cache=tmp_path / "completions.sqlite")
    assert [asked.complete_sync(ask(text)).text for text in "abababab"] == [*"abababab"]
    with pytest.raises(BudgetSpent):
        asked.complete_sync(ask("c"))
    assert asked.complete_sync(ask("a")).text == "a"
    assert (len(model.asked), budget.requests) == (2, 2)


def test_the_same_question_in_flight_counts_once(tmp_path: Path) -> None:
    budget = Budget(max_requests=1)
    asked = handle(Slow(), budget, cache=tmp_path / "completions.sqlite")
    assert answers(run_sync(ask_all(asked, "aaaa"))) == 4
    assert budget.requests == 1


def test_a_question_counts_once_however_many_attempts_it_takes() -> None:
    model, budget = Scripted(ServerFailed("500"), ServerFailed("500"), said("Hi")), Budget(max_requests=1)
    assert handle(model, budget).complete_sync(ask()).text == "Hi"
    assert (len(model.asked), budget.requests) == (3, 1)


def test_a_question_that_failed_or_was_given_up_counts() -> None:
    async def give_up(asked: Handle) -> None:
        waiting = asyncio.ensure_future(asked.complete(ask()))
        await settle()
        waiting.cancel()

    budget = Budget(max_requests=2)
    with pytest.raises(ServerFailed):
        handle(Scripted(ServerFailed("500")), budget).complete_sync(ask())
    run_sync(give_up(handle(Gate(said()), budget)))
    assert (budget.requests, budget.spent) == (2, "max_requests of 2")


def test_a_refused_question_is_no_request_and_no_failure() -> None:
    asked = handle(Echo(), Budget(max_requests=1))
    asked.complete_sync(ask("a"))
    before = asked.meter.snapshot()
    with pytest.raises(BudgetSpent):
        asked.complete_sync(ask("b"))
    assert asked.meter.snapshot() == before


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"max_requests": 1}, "max_requests of 1"),
        ({"max_cost": 0.5}, "max_cost of $0.5"),
        ({"max_seconds": 90}, "max_seconds of 90"),
    ],
)
def test_the_error_says_what_ran_out_and_what_to_do(limits: dict[str, Any], words: str) -> None:
    now = [0.0]
    budget = Budget(**limits, clock=lambda: now[0])
    asked = handle(Echo(), budget)
    asked.complete_sync(ask())
    now[0] = 90.0
    with pytest.raises(BudgetSpent) as caught:
        asked.complete_sync(ask())
    expected = f"the budget is spent: {words} is reached; with a larger one the same run continues from here"
    assert (str(caught.value), budget.spent) == (expected, words)


def test_a_spent_budget_is_no_fault_of_the_endpoint() -> None:
    assert issubclass(BudgetSpent, AgentGymError)
    assert not issubclass(BudgetSpent, ModelError)


@pytest.mark.parametrize("name", ["max_cost", "max_requests", "max_seconds"])
@pytest.mark.parametrize("limit", [0, -1, float("nan")])
def test_a_limit_that_allows_nothing_is_refused(name: str, limit: float) -> None:
    with pytest.raises(UsageError, match=f"{name} is {limit}, which allows nothing"):
        Budget(**{name: limit})  # pyright: ignore[reportArgumentType]


def test_without_limits_everything_is_allowed_and_counted() -> None:
    budget = Budget()
    asked = handle(Echo(), budget)
    for text in "abc":
        asked.complete_sync(ask(text))
    assert (budget.requests, budget.cost, budget.spent, budget.refused) == (3, 1.5, None, 0)


def test_nothing_is_sent_when_so_much_was_paid() -> None:
    model, budget = Echo(), Budget(max_cost=1.2)
    asked = handle(model, budget)
    outcomes = [run_sync(ask_all(asked, [text]))[0] for text in "abcde"]
    assert (answers(outcomes), len(model.asked), budget.cost) == (3, 3, 1.5)


def test_what_is_under_way_when_the_money_is_gone_comes_on_top() -> None:
    async def play() -> Outcomes:
        gate = Gate(said())
        waiting = [asyncio.ensure_future(handle(gate, budget).complete(ask(text))) for text in "abcd"]
        await settle()
        gate.open()
        return await asyncio.gather(*waiting, return_exceptions=True)

    budget = Budget(max_cost=0.5)
    assert answers(run_sync(play())) == 4
    assert budget.cost == 2.0


def test_useless_answers_are_paid_for_too() -> None:
    budget = Budget(max_cost=1.0)
    asked = handle(Scripted(said("H", finish="length", written=50)), budget)
    for text in "ab":
        with pytest.raises(CutOff):
            asked.complete_sync(ask(text, max_tokens=50))
    assert budget.spent == "max_cost of $1"


def test_the_roles_of_a_run_spend_together_each_at_its_own_price() -> None:
    budget = Budget(max_cost=10.0)
    handle(Echo(), budget, role="agent").complete_sync(ask())
    make_handle(Echo(), role="prompt", price=lambda prompt, written: 3.0, budget=budget).complete_sync(ask())
    assert budget.cost == 3.5


def test_money_cannot_be_kept_track_of_without_a_price() -> None:
    with pytest.raises(UsageError) as caught:
        make_handle(Echo(), budget=Budget(max_cost=1.0))
    assert str(caught.value) == "the price of echo is not known, so --max-cost cannot be kept; use --max-requests"


def test_a_model_without_a_price_is_found_before_the_first_request() -> None:
    with pytest.raises(UsageError, match="the price of openai/home-made is not known"):
        make_lm("openai/home-made", api_base="http://127.0.0.1:9/v1", budget=Budget(max_cost=1.0))
    make_lm("openai/home-made", api_base="http://127.0.0.1:9/v1", budget=Budget(max_requests=1))
    make_lm("openai/gpt-5-mini", api_base="http://127.0.0.1:9/v1", budget=Budget(max_cost=1.0))


def test_the_embedded_model_costs_nothing() -> None:
    budget = Budget(max_cost=0.01)
    assert make_lm("offline", budget=budget).complete_sync(ask("What is two and two?")).text
    assert (budget.requests, budget.cost, budget.spent) == (1, 0.0, None)


def test_an_answer_that_does_not_count_its_tokens_is_the_last_one(tmp_path: Path) -> None:
    model = Scripted(said("uncounted", prompt=None))
    asked = handle(model, Budget(max_cost=1.0), cache=tmp_path / "completions.sqlite")
    assert asked.complete_sync(ask()).text == "uncounted"
    with pytest.raises(UsageError, match=r"without its numbers of tokens.*use --max-requests"):
        asked.complete_sync(ask("another"))
    assert asked.complete_sync(ask()).text == "uncounted"


def test_without_a_limit_on_money_nobody_asks_for_prices() -> None:
    asked = handle(Scripted(said(prompt=None)), Budget(max_requests=2))
    for text in "ab":
        asked.complete_sync(ask(text))


def test_time_begins_with_the_budget() -> None:
    now = [1000.0]
    model, budget = Echo(), Budget(max_seconds=60, clock=lambda: now[0])
    asked = handle(model, budget)
    for moment in (1000.0, 1059.9, 1060.0, 5000.0):
        now[0] = moment
        run_sync(ask_all(asked, [str(moment)]))
    assert (len(model.asked), budget.seconds, budget.spent) == (2, 4000.0, "max_seconds of 60")


def test_who_waits_for_a_turn_when_the_money_is_gone_is_not_sent() -> None:
    async def play() -> tuple[Outcomes, int]:
        gate, waits = Gate(said()), Budget(max_cost=0.5)
        asked = handle(gate, waits, rate=RateLimit(max_concurrency=2))
        waiting = [asyncio.ensure_future(asked.complete(ask(text))) for text in "abcdef"]
        await settle()
        assert (gate.asked, waits.requests) == (2, 6)
        gate.open()
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        assert (waits.requests, waits.refused) == (gate.asked, 6 - gate.asked)
        return outcomes, gate.asked

    outcomes, sent = run_sync(play())
    assert answers(outcomes) == sent == 2


def test_who_waits_for_a_turn_when_time_is_up_is_not_sent() -> None:
    now = [0.0]

    async def wait(seconds: float) -> None:
        now[0] += seconds

    rate = RateLimit(6, clock=lambda: now[0], sleep=wait)
    model, budget = Echo(), Budget(max_seconds=25, clock=lambda: now[0])
    assert answers(run_sync(ask_all(handle(model, budget, rate=rate), "abcdef"))) == len(model.asked) == 3
    assert now[0] == pytest.approx(30), "the fourth was refused when its turn came, and all others at once"


def test_a_question_that_was_sent_has_all_its_attempts() -> None:
    now = [0.0]

    async def wait(seconds: float) -> None:
        now[0] += seconds

    rate = RateLimit(6, clock=lambda: now[0], sleep=wait)
    model = Scripted(ServerFailed("500"), ServerFailed("500"), said("Hi"))
    asked = handle(model, Budget(max_seconds=5, clock=lambda: now[0]), rate=rate)
    assert asked.complete_sync(ask()).text == "Hi"
    assert now[0] > 5
    with pytest.raises(BudgetSpent):
        asked.complete_sync(ask())


class Asks:
    """Asks another model first, and then answers as it is told."""

    name = "asks"

    def __init__(self, other: Handle, *outcomes: Completion | ModelError) -> None:
        self._other = other
        self._script = Scripted(*outcomes)

    async def complete(self, request: Request) -> Completion:
        await self._other.complete(request)
        return await self._script.complete(request)


def test_a_model_that_asks_another_one_has_all_its_attempts_too(tmp_path: Path) -> None:
    budget = Budget(max_cost=0.5)
    other = handle(Echo(), budget, cache=tmp_path / "completions.sqlite")
    asked = handle(Asks(other, ServerFailed("500"), said("Hi")), budget, rate=RateLimit(max_concurrency=1))
    assert asked.complete_sync(ask()).text == "Hi"


def play_run(model: Model, file: Path, texts: Sequence[str], budget: Budget, **options: Any) -> Outcomes:
    """One process's worth of a run, all questions at once."""
    asked = handle(model, budget, cache=CompletionCache(file), meter=Meter(), **{"run": "run", **options})
    return run_sync(ask_all(asked, texts))


@settings(max_examples=40)
@given(
    st.permutations([str(number) for number in range(20)]),
    st.permutations([str(number) for number in range(20)]),
    st.integers(1, 20),
    st.integers(1, 20),
)
def test_a_run_that_continues_has_spent_what_it_paid_before(
    tmp_path_factory: pytest.TempPathFactory, first: list[str], then: list[str], budget: int, larger: int
) -> None:
    model, file = Slow(), tmp_path_factory.mktemp("runs") / "completions.sqlite"
    play_run(model, file, first, Budget(max_requests=budget))
    continued = Budget(max_requests=larger)
    outcomes = play_run(model, file, then, continued)
    assert len(model.asked) == continued.requests == max(budget, larger)
    assert answers(outcomes) == len(model.asked), "what was paid is always answered"


def test_a_run_that_continues_has_paid_what_it_paid_before(tmp_path: Path) -> None:
    model, file = Echo(), tmp_path / "completions.sqlite"
    play_run(model, file, "abcd", Budget())
    budget = Budget(max_cost=2.5)
    for text in "afbgchi":
        play_run(model, file, text, budget)
    assert (len(model.asked), budget.cost) == (5, 2.5)


def test_a_budget_that_was_spent_before_allows_nothing_new(tmp_path: Path) -> None:
    model, file = Echo(), tmp_path / "completions.sqlite"
    play_run(model, file, "ab", Budget(max_requests=2))
    assert [answers(play_run(model, file, text, Budget(max_requests=2))) for text in "abc"] == [1, 1, 0]


def test_time_spent_before_does_not_count(tmp_path: Path) -> None:
    file = tmp_path / "completions.sqlite"
    for _ in range(2):
        budget = Budget(max_seconds=10, clock=iter([0.0, 6.0, 6.0, 6.0]).__next__)
        assert answers(play_run(Echo(), file, "a", budget)) == 1


def test_what_another_run_paid_is_free(tmp_path: Path) -> None:
    model, file = Echo(), tmp_path / "completions.sqlite"
    play_run(model, file, "abc", Budget(), run="yesterday")
    budget = Budget(max_requests=1, max_cost=1.0)
    assert answers(play_run(model, file, "abcde", budget, run="today")) == 4
    assert (budget.requests, budget.cost) == (1, 0.5)


def test_a_run_without_a_name_has_no_past(tmp_path: Path) -> None:
    file = tmp_path / "completions.sqlite"
    play_run(Echo(), file, "abc", Budget(), run="")
    assert answers(play_run(Echo(), file, "de", Budget(max_requests=2), run="")) == 2


def test_a_judge_with_a_budget_of_its_own_has_not_spent_what_the_agent_paid(tmp_path: Path) -> None:
    file = tmp_path / "completions.sqlite"
    play_run(Echo(), file, "abc", Budget(), role="agent")
    play_run(Echo(), file, "de", Budget(), role="judge")
    budget = Budget(max_requests=3)
    assert answers(play_run(Echo(), file, "defg", budget, role="judge")) == 3


def test_a_handle_made_anew_does_not_count_the_past_again(tmp_path: Path) -> None:
    file, budget = tmp_path / "completions.sqlite", Budget()
    play_run(Echo(), file, "ab", budget)
    play_run(Echo(), file, "abc", budget)
    assert budget.requests == 3


def test_a_run_with_a_budget_reports_what_one_without_reports(tmp_path: Path) -> None:
    def report(file: Path, budget: Budget) -> tuple[int, int, float | None]:
        asked = handle(Echo(), budget, cache=file, run="run")
        for text in "abcabcdef":
            with suppress(BudgetSpent):
                asked.complete_sync(ask(text))
        usage = asked.meter.snapshot()["agent"]
        return usage.requests, usage.cache_hits, usage.cost

    whole = report(tmp_path / "whole.sqlite", Budget())
    parts = [report(tmp_path / "parts.sqlite", Budget(max_requests=most)) for most in (2, 5, 6)]
    assert parts[-1] == whole == (6, 3, 3.0)
    assert parts[0][0] == 2


def test_the_file_of_answers_knows_what_each_run_paid(tmp_path: Path) -> None:
    cache = CompletionCache(tmp_path / "completions.sqlite")
    for number in range(3):
        cache.put(str(number).encode(), said(), "run", 10**12)
    cache.put(b"0", said(), "late", 5)
    cache.put(b"nobody's", said(), "", 7)
    assert [cache.paid(run) for run in ("run", "late", "other", "")] == [Paid(3, 3 * 10**12), Paid(1, 5), Paid(), Paid()]


def test_a_file_of_answers_from_before_there_were_budgets_is_read(tmp_path: Path) -> None:
    path = tmp_path / "completions.sqlite"
    CompletionCache(path).put(b"key", said(), "run")
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE payments")
    connection.close()
    cache = CompletionCache(path)
    assert (cache.get(b"key") is not None, cache.paid("run")) == (True, Paid())


def test_a_budget_stops_a_run_over_the_wire() -> None:
    with ModelServer() as server, ThreadPoolExecutor(8) as pool:
        asked = make_lm("openai/any", api_base=server.openai, budget=Budget(max_requests=5))

        def one(text: str) -> bool:
            try:
                return bool(asked.complete_sync(ask(text)).text)
            except BudgetSpent:
                return False

        assert sum(pool.map(one, "abcdefghijkl")) == 5
    assert len(server.asked) == 5
