"""What a rollout takes: counted whoever pays for it, the cache included."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from agent_gym.agents.prompt_agent import PromptAgent
from agent_gym.environment import ReplayEnvironment
from agent_gym.errors import BudgetSpent
from agent_gym.evaluation import ExampleScore, Report, evaluate, summarize
from agent_gym.lm import Budget, Completion, Handle, make_handle, run_sync
from agent_gym.lm.tally import Spent, count, tallied
from agent_gym.messages import Assistant
from agent_gym.metrics import CombinedMetric
from agent_gym.testing import ScriptedAgent, ScriptedLM
from agent_gym.tools import Recordings
from agent_gym.traces import SGDLoader
from agent_gym.traces.draw import draw_tasks
from agent_gym.traces.task import Task

ANSWER = Completion(text="Is there anything else?", prompt_tokens=70, completion_tokens=6)
BOUGHT = Spent(requests=1, prompt_tokens=70, completion_tokens=6, cost=0.76)


@pytest.fixture(scope="module")
def tasks(sample: Path) -> list[Task]:
    (drawn,) = draw_tasks(SGDLoader(sample), "dev", [6])
    return drawn


def price(prompt_tokens: int | None, completion_tokens: int | None) -> float:
    return ((prompt_tokens or 0) + (completion_tokens or 0)) / 100


def handle(cache: Path | None, *, budget: Budget | None = None, answer: Completion = ANSWER) -> Handle:
    return make_handle(ScriptedLM(lambda request: answer), cache=cache, price=price, budget=budget)


def played(model: Handle, tasks: Sequence[Task], *, concurrency: int = 4) -> Report:
    agent, environment = PromptAgent(model, "Help."), ReplayEnvironment(Recordings())
    return run_sync(evaluate(agent, tasks, CombinedMetric(), environment, concurrency=concurrency))


def test_an_examples_tokens_cost_and_time_are_its_own(tasks: list[Task]) -> None:
    report = played(handle(None), tasks)
    for example in report.examples:
        assert msgspec.structs.replace(example.spent, seconds=0.0) == BOUGHT
        assert (example.spent.seconds or 0) >= 0
    assert (report.turn_tokens, report.turn_cost) == pytest.approx((76, 0.76))
    assert report.latency is not None
    assert report.latency[0] <= report.latency[1]


def test_answers_from_the_cache_count_as_what_they_cost_when_they_were_bought(tasks: list[Task], tmp_path: Path) -> None:
    bought = played(handle(tmp_path / "cache.sqlite"), tasks)
    model = handle(tmp_path / "cache.sqlite")
    replayed = played(model, tasks)
    usage = model.meter.snapshot()["agent"]
    assert (usage.requests, usage.cache_hits) == (0, 6)
    assert [example.spent for example in replayed.examples] == [example.spent for example in bought.examples]
    assert (replayed.turn_tokens, replayed.turn_cost, replayed.latency) == (
        bought.turn_tokens,
        bought.turn_cost,
        bought.latency,
    )


def test_an_agent_without_a_handle_spends_nothing(tasks: list[Task]) -> None:
    agent = ScriptedAgent(lambda messages, tools: Assistant("Is there anything else?"))
    report = run_sync(evaluate(agent, tasks, CombinedMetric(), ReplayEnvironment(Recordings())))
    assert {example.spent for example in report.examples} == {Spent()}
    assert (report.turn_tokens, report.turn_cost, report.latency) == (0.0, 0.0, (0.0, 0.0))


def test_a_report_without_times_is_the_same_for_the_same_work(tasks: list[Task]) -> None:
    first, second = (played(handle(None), tasks, concurrency=concurrency).timeless() for concurrency in (1, 6))
    assert first == second
    assert (first.seconds, first.latency) == (0.0, None)
    assert {example.spent.seconds for example in first.examples} == {None}
    assert first.turn_tokens == 76, "tokens are no times"


def test_what_was_said_and_done_is_kept_beside_the_score(tasks: list[Task]) -> None:
    report = played(handle(None), tasks)
    for task, example in zip(tasks, report.examples, strict=True):
        assert (example.service, example.user) == (task.service, getattr(task.prompt[-1], "content", ""))
        assert example.played == ("Is there anything else?",)
        assert len(example.expected) == len(task.expected)


def test_an_unknown_price_is_unknown_and_not_0() -> None:
    known, unknown = Spent(requests=1, cost=0.5, seconds=2.0), Spent(requests=1, cost=None, seconds=None)
    report = summarize([ExampleScore("a", 1.0, spent=known), ExampleScore("b", 1.0, spent=unknown)])
    assert (report.turn_cost, report.latency) == (None, None)
    assert summarize([ExampleScore("a", 1.0, spent=known)]).turn_cost == 0.5


def test_the_95th_percentile_is_a_time_that_was_measured() -> None:
    examples = [ExampleScore(str(place), 1.0, spent=Spent(seconds=float(place))) for place in range(1, 101)]
    assert summarize(examples).latency == (50.0, 95.0)


def test_pieces_of_work_side_by_side_are_told_apart() -> None:
    async def work(questions: int) -> Spent:
        with tallied() as tally:
            for _ in range(questions):
                await asyncio.sleep(0)
                count(ANSWER, 0.25)
        return tally.spent

    async def all_of_them() -> list[Spent]:
        return await asyncio.gather(*(work(questions) for questions in (1, 3, 0)))

    assert [(spent.requests, spent.cost) for spent in asyncio.run(all_of_them())] == [(1, 0.25), (3, 0.75), (0, 0.0)]
    count(ANSWER, 0.25)  # Outside of any block: nobody is told.


def test_one_unknown_answer_makes_the_whole_unknown() -> None:
    with tallied() as tally:
        count(ANSWER, 0.25)
        count(Completion(text="", prompt_tokens=None, seconds=1.5), None)
    assert tally.spent == Spent(requests=2, prompt_tokens=70, completion_tokens=6, cost=None, seconds=None)


def test_a_spent_budget_ends_the_evaluation_and_what_was_answered_is_kept(tasks: list[Task], tmp_path: Path) -> None:
    with pytest.raises(BudgetSpent, match="max_requests of 4 is reached"):
        played(handle(tmp_path / "cache.sqlite", budget=Budget(max_requests=4)), tasks, concurrency=1)
    model = handle(tmp_path / "cache.sqlite")
    assert played(model, tasks).n == 6
    assert model.meter.snapshot()["agent"].cache_hits == 4
