"""Simulated users held against recorded people."""

from pathlib import Path

import pytest

from agent_gym.environment import DialogueEnvironment, SGDEnvironment
from agent_gym.environment.users import AgendaUser, ReplayedUser, User
from agent_gym.errors import ModelError, UsageError, UserFailed
from agent_gym.evaluation.users_check import UsersCheck, acts_of, check_users
from agent_gym.lm import run_sync
from agent_gym.testing import GoldAgent
from agent_gym.traces.sgd_acts import Act, ActedFrame, ActedTurn, SGDActs
from conversations import TASK, Scripted, tables


def checked(path: Path, user: User | str, limit: int = 30) -> UsersCheck:
    environment, acts = SGDEnvironment(path, "dev", user=user, limit=limit), SGDActs(path)
    return run_sync(check_users(environment, acts, lambda task: GoldAgent(task, acts.of(task) or ())))


def test_the_recorded_user_is_like_itself(sample: Path) -> None:
    report = checked(sample, ReplayedUser())
    assert report.words.ks == report.words.wasserstein == 0
    assert (report.turns.ks, report.stopped_early, report.human_turns) == (0, 0, report.user_turns)
    assert report.ended == {"script": 30}


def test_a_user_that_does_not_say_what_it_means_is_not_compared_in_that(sample: Path) -> None:
    report = checked(sample, ReplayedUser(), limit=3)
    assert (report.acts, report.acts_divergence, report.slots, report.act_agreement) == ({}, None, None, None)


def test_the_agenda_user_means_what_the_human_means(sample: Path) -> None:
    report = checked(sample, "agenda")
    assert report.act_agreement is not None
    assert report.acts_divergence is not None
    assert report.act_agreement.f1 > 0.85
    assert report.acts_divergence < 0.02
    assert sum(share.human for share in report.acts.values()) == pytest.approx(1)
    assert report.success >= 0.9


def test_the_same_check_gives_the_same_figures(sample: Path) -> None:
    assert checked(sample, "agenda", limit=10) == checked(sample, "agenda", limit=10)


def test_a_user_that_leaves_at_once_is_seen_to_do_so(sample: Path) -> None:
    report = checked(sample, Scripted("Never mind.", ended="refused"), limit=5)
    assert report.stopped_early == 5
    assert report.turns.user < report.turns.human
    assert report.success == 0


def test_a_user_that_fails_is_left_out_and_counted(sample: Path) -> None:
    with pytest.raises(ModelError, match="failed in all of 3 conversations"):
        checked(sample, Scripted(UserFailed("no answer")), limit=3)


def test_conversations_without_acts_cannot_be_checked(sample: Path) -> None:
    environment = DialogueEnvironment([TASK], tables, AgendaUser())
    with pytest.raises(UsageError, match="annotated acts"):
        run_sync(check_users(environment, SGDActs(sample), lambda task: GoldAgent(task, ())))


def test_recorded_acts_are_written_as_a_users_are() -> None:
    wish = ActedFrame(
        "Tables_1", (Act("INFORM_INTENT", "intent", ("BookTable",)), Act("INFORM", "time", ("7 pm",))), "Tables_1-BookTable"
    )
    assert acts_of(ActedTurn(True, (ActedFrame("Cars_1", (Act("THANK_YOU"),)), wish))) == (
        "THANK_YOU",
        "INFORM_INTENT Tables_1-BookTable",
        "INFORM Tables_1.time",
    )


@pytest.mark.real
def test_on_real_dialogues_the_agenda_user_is_close_to_the_people(sgd: Path) -> None:
    report = checked(sgd, "agenda", limit=200)
    assert report.act_agreement is not None
    assert report.slot_agreement is not None
    assert report.act_agreement.f1 > 0.9
    assert report.slot_agreement.f1 > 0.88
    assert report.words.ks < 0.1
    assert report.turns.ks < 0.1
