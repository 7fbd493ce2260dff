"""A judge scores without ground truth, pays once for each distinct output, and its failure is nobody's score."""

import asyncio
import copy
import json
import threading
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_gym.errors import BudgetSpent, JudgeFailed, MissingKey, ModelError, RateLimited, UsageError
from agent_gym.lm import Completion, Meter, Request, make_handle, run_sync
from agent_gym.lm.budget import Budget
from agent_gym.messages import Assistant, Message, System, Tool, ToolCall, User
from agent_gym.metrics.base import Metric, Score
from agent_gym.metrics.judge import LLMJudge, OpenAILLMJudge
from agent_gym.metrics.rubric import Rubric
from agent_gym.testing import Answer, ScriptedLM
from agent_gym.traces import Goal, IntentGoal, Trace
from agent_gym.traces.task import Task
from lm_models import Gate
from servers import ModelServer
from strategies import SPELLINGS, call, one_turn, played, tasks

CRITERIA = ("task_completion", "action_quality", "efficiency", "creativity")
TASK = one_turn([call("Hotels_1-Find", city="San Jose")], "Four hotels.", metadata={"date": "2019-03-01"})
TRACE = played(TASK, [call("Hotels_1-Find", city="San Jose")], "I found four.")


def verdict(*scores: float) -> str:
    """An answer with these scores."""
    fields = {f"{name}_reason": f"Because {name}." for name in CRITERIA}
    return json.dumps({**fields, **dict(zip(CRITERIA, scores, strict=True))})


def judging(*answers: Answer, **settings: Any) -> tuple[ScriptedLM, LLMJudge]:
    """A judge whose model gives these answers, the only one for ever."""
    first, *more = answers
    model = ScriptedLM(answers) if more else ScriptedLM(lambda request: first)
    return model, LLMJudge(handle=make_handle(model, role="judge", attempts=1), **settings)


def test_the_value_is_the_mean_of_the_criteria() -> None:
    model, judge = judging(verdict(10, 8, 6, 4))
    metric: Metric = judge
    score = metric.score(TASK, TRACE)
    assert (metric.name, score.value) == ("judge", pytest.approx(0.7))
    assert score.parts == {"task_completion": 1.0, "action_quality": 0.8, "efficiency": 0.6, "creativity": 0.4}
    assert score.reason.startswith("task_completion 10/10: Because task_completion. action_quality 8/10: ")
    assert [turn.role for turn in model.asked[0].turns] == ["system", "user"]


def test_it_can_be_awaited_on_any_loop() -> None:
    model, judge = judging(verdict(5, 5, 5, 5))
    assert asyncio.run(judge.ascore(TASK, TRACE)) == run_sync(judge.ascore(TASK, TRACE)) == judge.score(TASK, TRACE)
    assert len(model.asked) == 1


def test_the_judge_sees_what_was_done_and_never_what_should_have_been() -> None:
    _, judge = judging(verdict(5, 5, 5, 5))
    _, user = judge.turn_prompt(TASK, TRACE)
    assert '{"role":"assistant","call":"Hotels_1-Find","arguments":{"city":"san jose"}}' in user.content
    assert '{"today":"2019-03-01"}\n{"role":"user","content":"I need a room."}' in user.content
    assert "I found four." in user.content
    assert "Four hotels." not in user.content


@given(tasks, tasks)
def test_the_prompt_does_not_depend_on_the_recorded_answer(task: Task, other: Task) -> None:
    _, judge = judging("")
    trace = played(task, reply="Of course.")
    assert judge.turn_prompt(task, trace) == judge.turn_prompt(other, trace)


@given(st.data(), st.dictionaries(st.sampled_from(["city", "day", "time"]), st.sampled_from(sorted(SPELLINGS)), min_size=1))
def test_outputs_that_differ_in_notation_are_one_prompt(data: st.DataObject, arguments: dict[str, str]) -> None:
    _, judge = judging("")
    spelled = {name: data.draw(st.sampled_from(SPELLINGS[value])) for name, value in reversed(arguments.items())}
    one, other = (
        conversation(
            Assistant("", (ToolCall("Book", json.dumps(given), name),)),
            Tool("Book", [{"status": "booked", **dict(sorted(given.items()))}], call_id=name),
            Assistant(words),
        )
        for given, name, words in ((arguments, "a", "It is booked."), (spelled, "b", " It is\n booked. "))
    )
    assert judge.turn_prompt(TASK, one) == judge.turn_prompt(TASK, other)


def conversation(*done: Message) -> Trace:
    return Trace(conversation_id="c1", messages=(*TASK.prompt, *done))


def test_what_the_agent_was_told_is_not_part_of_its_output() -> None:
    _, judge = judging("")
    told = Trace(conversation_id="c1", messages=(System("Be brief."), User("Hi"), Assistant("Hello.")))
    assert judge.episode_prompt(told) == judge.episode_prompt(Trace(conversation_id="c2", messages=told.messages[1:]))


def test_an_agent_that_does_nothing_is_judged_too() -> None:
    _, judge = judging(verdict(0, 0, 0, 0))
    assert judge.score(TASK, conversation()).value == 0.0
    assert '{"role":"assistant","content":""}' in judge.turn_prompt(TASK, conversation(Assistant()))[1].content


def test_a_whole_episode_is_judged_with_the_goal_that_is_given() -> None:
    model, judge = judging(verdict(10, 10, 10, 10))
    goal = Goal((IntentGoal("Hotels_1-Book", {"city": ("San Jose",)}),))
    trace = Trace(conversation_id="c", messages=TRACE.messages, goal=goal, metadata={"date": "2019-03-01"})
    assert run_sync(judge.judge_episode(trace)).value == 1.0
    assert run_sync(judge.judge_episode(trace, "A room for two")).value == 1.0
    assert run_sync(judge.judge_episode(trace, goal)).value == 1.0
    without, words, whole = (request.turns[1].content for request in model.asked)
    assert "goal" not in without
    assert '{"today":"2019-03-01"}\n{"goal":"A room for two"}\n</data conversation' in words
    assert '{"goal":{"intents":[{"tool":"Hotels_1-Book","slots":{"city":["San Jose"]}' in whole


def test_an_unreadable_answer_is_asked_for_once_more() -> None:
    model, judge = judging("Ten out of ten!", verdict(2, 2, 2, 2))
    assert judge.score(TASK, TRACE).value == pytest.approx(0.2)
    first, second = model.asked
    assert first.turns == second.turns
    assert (first.sample, first.temperature, second.sample, second.temperature) == ("", 0.0, " again", None)
    assert judge.failed == 0


def test_a_second_unreadable_answer_is_the_judges_failure_and_counted() -> None:
    model, judge = judging("Ten out of ten!")
    for _ in range(3):
        with pytest.raises(JudgeFailed, match=r"scripted gave no readable answer, 2 times: .*Ten out of ten"):
            judge.score(TASK, TRACE)
    assert (judge.failed, len(model.asked)) == (3, 2)


def test_an_endpoint_that_fails_is_the_judges_failure_and_asked_again_later() -> None:
    _, judge = judging(RateLimited("slow down"), verdict(10, 10, 10, 10))
    with pytest.raises(JudgeFailed, match="the judge scripted gave no answer: slow down"):
        judge.score(TASK, TRACE)
    assert judge.score(TASK, TRACE).value == 1.0
    assert judge.failed == 1


def test_the_end_of_the_runs_budget_is_no_failure_of_the_judge() -> None:
    judge = LLMJudge("offline", cache=None, budget=Budget(max_requests=1))
    first, second = outputs(2)
    assert judge.score(TASK, first).value > 0
    with pytest.raises(BudgetSpent, match="max_requests of 1 is reached"):
        judge.score(TASK, second)
    assert judge.failed == 0


def outputs(count: int) -> list[Trace]:
    return [conversation(Assistant(f"Offer number {number}.")) for number in range(count)]


def spelled(trace: Trace, random: Random) -> Trace:
    """The same words with other white space between them."""
    words = [
        word
        for message in trace.messages[len(TASK.prompt) :]
        if isinstance(message, Assistant)
        for word in message.content.split()
    ]
    return conversation(Assistant("".join(word + random.choice([" ", "  ", "\n", "\t "]) for word in words)))


@pytest.mark.parametrize("cached", [False, True])
def test_every_distinct_output_is_judged_once_for_all_threads(tmp_path: Path, cached: bool) -> None:
    model = ScriptedLM(lambda request: verdict(len(request.turns[1].content) % 10, 1, 2, 3))
    judge = LLMJudge(handle=make_handle(model, role="judge", cache=tmp_path / "cache.sqlite" if cached else None))
    distinct, random = outputs(50), Random(0)
    scorings = [spelled(trace, random) for trace in distinct * 10]
    random.shuffle(scorings)
    with ThreadPoolExecutor(8) as threads:
        scores = list(threads.map(judge.score, [TASK] * len(scorings), scorings))
    assert len(scores) == 500
    assert Counter(request.turns for request in model.asked).most_common(1)[0][1] == 1
    assert len(model.asked) == 50 == judge.handle.meter.snapshot()["judge"].requests


def test_a_later_run_finds_the_judgements_of_an_earlier_one(tmp_path: Path) -> None:
    model = ScriptedLM(lambda request: verdict(1, 2, 3, 4))
    for _ in range(2):
        judge = LLMJudge(handle=make_handle(model, role="judge", cache=tmp_path / "cache.sqlite"))
        assert judge.score(TASK, TRACE).value == pytest.approx(0.25)
    assert len(model.asked) == 1


def test_repeated_judgements_are_told_apart_by_their_sample() -> None:
    model, judge = judging(verdict(1, 1, 1, 1), verdict(2, 2, 2, 2))
    assert [judge.score(TASK, TRACE, sample=sample).value for sample in ("", "2", "", "2")] == [0.1, 0.2, 0.1, 0.2]
    assert [request.sample for request in model.asked] == ["", "2"]


def test_another_rubric_or_scale_is_another_judgement() -> None:
    mine = Rubric.parse("Be strict, {scale}.\n# Criteria\n- fit: It fits.\n\n{tools} {conversation} {answer}")
    _, standard = judging("")
    _, strict = judging('{"fit_reason": "It does.", "fit": 4}', rubric=mine, scale=5)
    _, wider = judging("", scale=100)
    assert len({judge.turn_prompt(TASK, TRACE) for judge in (standard, strict, wider)}) == 3
    assert strict.score(TASK, TRACE) == Score(0.8, {"fit": 0.8}, "fit 4/5: It does.")


class Door(Gate):
    """A gate that tells when somebody stands before it."""

    def __init__(self, outcome: Completion) -> None:
        super().__init__(outcome)
        self.reached = asyncio.Event()

    async def complete(self, request: Request) -> Completion:
        self.reached.set()
        return await super().complete(request)


def test_whoever_gives_up_waiting_leaves_the_answer_to_the_others() -> None:
    gate = Door(Completion(text=verdict(3, 3, 3, 3)))
    judge = LLMJudge(handle=make_handle(gate, role="judge"))

    async def two() -> Score:
        first, second = (asyncio.create_task(judge.ascore(TASK, TRACE)) for _ in range(2))
        await gate.reached.wait()
        first.cancel()
        await asyncio.wait([first])
        gate.open()
        return await second

    assert run_sync(two()).value == pytest.approx(0.3)
    assert gate.asked == 1


def test_the_budget_holds_however_many_ask_at_once() -> None:
    model, judge = judging(verdict(3, 3, 3, 3), max_requests=7)

    async def all_at_once() -> Sequence[Score | BaseException]:
        return await asyncio.gather(*(judge.ascore(TASK, trace) for trace in outputs(20)), return_exceptions=True)

    found = run_sync(all_at_once())
    refused = [str(outcome) for outcome in found if isinstance(outcome, JudgeFailed)]
    assert len(model.asked) == 7
    assert refused == ["the judge's budget of 7 requests is spent; raise max_requests"] * 13
    assert judge.failed == 13
    assert judge.score(TASK, outputs(1)[0]).value == pytest.approx(0.3)


def test_asking_again_counts_towards_the_budget() -> None:
    model, judge = judging("no idea", max_requests=1)
    with pytest.raises(JudgeFailed, match="budget of 1 requests is spent"):
        judge.score(TASK, TRACE)
    assert len(model.asked) == 1


def test_what_others_paid_before_on_the_same_meter_is_not_the_judges() -> None:
    meter = Meter()
    model = ScriptedLM(lambda request: verdict(1, 1, 1, 1))
    handle = make_handle(model, role="judge", meter=meter)
    LLMJudge(handle=handle).score(TASK, TRACE)
    assert LLMJudge(handle=handle, max_requests=1).score(TASK, TRACE).value == pytest.approx(0.1)


def test_a_copy_of_a_judge_is_the_judge() -> None:
    _, judge = judging("")
    assert copy.deepcopy({"metric": judge})["metric"] is judge
    assert repr(judge) == f"LLMJudge('scripted', criteria={[*CRITERIA]})"


def test_the_offline_model_can_judge() -> None:
    judge = LLMJudge("offline")
    score = judge.score(TASK, TRACE)
    assert [*score.parts] == [*CRITERIA]
    assert judge.failed == 0
    assert judge.handle.meter.snapshot()["judge"].requests == 1


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"scale": 0}, "scale is 0; the highest score of a criterion is 1 or more"),
        ({"max_requests": 0}, "max_requests is 0"),
        ({"rubric": "nowhere.txt"}, "the rubric 'nowhere.txt' cannot be read"),
        ({"model": "gpt-4o"}, "unknown model 'gpt-4o'; write PROVIDER/MODEL"),
        ({"attempts": 0}, "attempts is 0"),
    ],
)
def test_what_cannot_work_is_found_before_the_first_request(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        LLMJudge(settings.pop("model", "offline"), **settings)


def test_a_handle_and_a_model_are_one_too_many() -> None:
    _, judge = judging("")
    with pytest.raises(UsageError, match=r"a judge is given a handle, or model, .* not both"):
        LLMJudge("offline", handle=judge.handle)


def test_the_default_model_needs_its_key() -> None:
    with pytest.raises(MissingKey, match="gemini/gemini-3-pro-preview needs GEMINI_API_KEY"):
        LLMJudge()
    with pytest.raises(MissingKey, match="openai/gpt-4o needs OPENAI_API_KEY"):
        OpenAILLMJudge()


def test_a_judgement_goes_over_the_wire_with_the_key_that_was_given() -> None:
    with ModelServer(lambda asked: verdict(10, 10, 5, 5)) as server:
        judge = OpenAILLMJudge("gpt-4o", " sk-of-the-judge ", api_base=server.openai)
        assert judge.score(TASK, TRACE).value == pytest.approx(0.75)
    (asked,) = server.asked
    assert asked.headers["Authorization"] == "Bearer sk-of-the-judge"
    assert (asked.path, asked.body["model"], asked.body["temperature"]) == ("/v1/chat/completions", "gpt-4o", 0.0)
    assert [(turn.role, turn.content) for turn in judge.turn_prompt(TASK, TRACE)] == [*asked.turns]
    assert "sk-of-the-judge" not in repr([judge, vars(judge), vars(judge.handle)])


def test_a_key_that_a_server_repeats_is_not_shown() -> None:
    with ModelServer(response=lambda asked: refuse(asked.headers["Authorization"])) as server:
        judge = OpenAILLMJudge(api_key="sk-of-the-judge", api_base=server.openai, cache=None)
        with pytest.raises(JudgeFailed) as told:
            judge.score(TASK, TRACE)
    assert "answered 401: Bearer [key] is wrong" in str(told.value)
    assert told.value.__cause__ is None


def refuse(shown: str) -> Any:
    from aiohttp import web

    return web.Response(status=401, text=f"{shown} is wrong")


def test_scores_from_many_threads_and_a_loop_at_once_agree() -> None:
    _, judge = judging(verdict(1, 2, 3, 4))
    found: list[Score] = []
    threads = [threading.Thread(target=lambda: found.append(judge.score(TASK, TRACE))) for _ in range(4)]
    for thread in threads:
        thread.start()
    found.append(asyncio.run(judge.ascore(TASK, TRACE)))
    for thread in threads:
        thread.join()
    assert len(found) == 5
    assert all(score == found[0] for score in found)


def test_every_failure_is_told_apart_from_the_endpoints() -> None:
    assert not issubclass(JudgeFailed, ModelError | UsageError)
