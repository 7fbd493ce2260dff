"""What an agent earns, and when."""

import json

import pytest

from agent_gym.environment import Episode, play_episode
from agent_gym.environment.rewards import Mode, NoReward, Paid, Reward, make_reward
from agent_gym.environment.users import ReplayedUser
from agent_gym.errors import UsageError
from agent_gym.lm import make_handle, run_sync
from agent_gym.metrics import LLMJudge
from agent_gym.testing import Action, ScriptedAgent, ScriptedLM
from conversations import RIGHT, TASK, tables

CRITERIA = ("task_completion", "action_quality", "efficiency", "creativity")
VERDICT = json.dumps({name: value for one in CRITERIA for name, value in ((f"{one}_reason", "good"), (one, 8))})


def judge() -> LLMJudge:
    return LLMJudge(handle=make_handle(ScriptedLM(lambda request: VERDICT), role="judge"))


def earned(reward: Reward, *actions: Action) -> list[float | None]:
    """What each step was paid, the opening included."""
    episode = Episode(TASK, tables(TASK), ReplayedUser().begin(TASK, 0), reward)
    return run_sync(play_episode(ScriptedAgent(actions), episode)).metadata["rewards"]


def rewarded(mode: Mode, paid: Paid, *actions: Action) -> list[float | None]:
    return earned(make_reward(mode, paid, judge=judge()), *actions)


def test_a_success_pays_one_at_the_end_and_a_failure_nothing() -> None:
    assert rewarded("ground_truth", "end", *RIGHT) == [0, 0, 0, 0, 1]
    assert rewarded("ground_truth", "end", "Ok", "Ok") == [0, 0, 0]


def test_turns_pay_their_share_of_the_goal_and_a_success_sums_to_one() -> None:
    paid = rewarded("ground_truth", "turn", *RIGHT)
    assert sum(one or 0 for one in paid) == pytest.approx(1)
    assert paid[-1]


def test_both_pays_turns_and_end() -> None:
    assert sum(one or 0 for one in rewarded("ground_truth", "both", *RIGHT)) == pytest.approx(2)


def test_a_judge_pays_what_it_thinks_of_the_whole_conversation() -> None:
    assert rewarded("judge", "end", *RIGHT) == [0, 0, 0, 0, pytest.approx(0.8)]


def test_a_judge_pays_what_it_thinks_of_every_turn() -> None:
    assert rewarded("judge", "turn", *RIGHT) == [0, 0, pytest.approx(0.8), 0, pytest.approx(0.8)]


def test_combined_is_the_mean_of_goal_and_judge() -> None:
    assert rewarded("combined", "end", *RIGHT)[-1] == pytest.approx(0.9)


def test_where_nothing_is_earned_nothing_is_paid() -> None:
    assert earned(NoReward(), *RIGHT) == [0, 0, 0, 0, 0]


@pytest.mark.parametrize(("mode", "paid"), [("gold", "end"), ("ground_truth", "sometimes")])
def test_an_unknown_reward_names_the_choices(mode: Mode, paid: Paid) -> None:
    with pytest.raises(UsageError, match="modes are ground_truth, judge, combined; paid are turn, end, both"):
        make_reward(mode, paid)


def test_a_judges_reward_needs_a_judge() -> None:
    with pytest.raises(UsageError, match="asks a judge"):
        make_reward("combined")
