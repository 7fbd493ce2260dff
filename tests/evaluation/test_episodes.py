"""Whole conversations as figures."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_gym.evaluation.episodes import EpisodeScore, score_episode, summarize_episodes
from agent_gym.traces import Trace


def episode(task: str = "t", sample: int = 0, success: bool | None = True, fault: str = "") -> EpisodeScore:
    return EpisodeScore(
        task=task, sample=sample, success=success, goal=float(bool(success)), turns=4, calls=2, ended="goal", fault=fault
    )


def test_spoilt_episodes_are_counted_and_left_out() -> None:
    report = summarize_episodes(
        [episode("a"), episode("b", success=False, fault="agent"), episode("c", success=None, fault="user")], user="agenda"
    )
    assert (report.n, report.success, report.spoilt, report.faults) == (2, 0.5, {"user": 1}, {"agent": 1})


def test_pass_k_is_the_chance_that_every_try_succeeds() -> None:
    tries = [episode("a", 0), episode("a", 1), episode("b", 0), episode("b", 1, success=False, fault="agent")]
    report = summarize_episodes(tries, user="agenda")
    assert [one.value for one in report.pass_k] == [0.75, 0.5]


def test_a_task_with_a_spoilt_try_is_left_out_of_pass_k() -> None:
    tries = [episode("a", 0), episode("a", 1), episode("b", 0, success=False), episode("b", 1, success=None, fault="tool")]
    assert [one.value for one in summarize_episodes(tries, user="agenda").pass_k] == [1.0, 1.0]


def test_no_episode_at_all_is_a_report_too() -> None:
    report = summarize_episodes([], user="agenda")
    assert (report.n, report.success, report.pass_k, report.reward) == (0, 0.0, (), None)


@given(st.permutations([episode(task, sample) for task in "abc" for sample in range(2)]))
def test_the_order_in_which_episodes_end_changes_nothing(order: list[EpisodeScore]) -> None:
    assert summarize_episodes(order, user="x") == summarize_episodes(sorted(order, key=lambda one: one.task), user="x")


def test_a_trace_carries_all_that_is_scored() -> None:
    trace = Trace(
        conversation_id="t",
        messages=(),
        outcome="failure",
        scores={"success": 0.0, "goal": 0.5, "reward": 0.25},
        metadata={
            "task": "dev/1",
            "sample": 2,
            "turns": 3,
            "ended": "patience",
            "fault": "agent",
            "missing": ["x"],
            "spent": {"prompt_tokens": 7},
        },
    )
    assert score_episode(trace) == EpisodeScore(
        task="dev/1",
        sample=2,
        success=False,
        goal=0.5,
        reward=0.25,
        turns=3,
        calls=0,
        ended="patience",
        fault="agent",
        missing=("x",),
        tokens=7,
    )


def test_a_reward_that_a_judge_did_not_give_is_not_averaged() -> None:
    known = Trace(conversation_id="a", messages=(), outcome="success", scores={"success": 1, "reward": 1.0})
    unknown = Trace(conversation_id="b", messages=(), outcome="success", scores={"success": 1}, metadata={"unjudged": "no"})
    report = summarize_episodes([score_episode(known), score_episode(unknown)], user="agenda")
    assert (report.reward, report.unjudged, report.n) == (pytest.approx(1.0), 1, 2)
