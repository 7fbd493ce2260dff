"""Where an agent leaves the recorded path."""

from agent_gym.environment import Episode, play_episode
from agent_gym.environment.users import ReplayedUser
from agent_gym.errors import AnswerError, ModelTimeout
from agent_gym.evaluation.paths import BROKE, EXTRA, MISSED, WRONG, FollowedPath, follow, summarize_paths
from agent_gym.lm import run_sync
from agent_gym.messages import Assistant
from agent_gym.testing import Action, ScriptedAgent
from conversations import BOOKED, FOUND, RIGHT, TASK, WANTED, called, tables
from table_service import BOOK, FIND


def path(*actions: Action) -> FollowedPath:
    episode = Episode(TASK, tables(TASK), ReplayedUser().begin(TASK, 0))
    return follow(TASK, run_sync(play_episode(ScriptedAgent(actions), episode)))


def test_the_recorded_agent_follows_the_path_to_the_end() -> None:
    followed = path(*RIGHT)
    assert (followed.turns, followed.followed, followed.judged_to_the_end) == (2, 2, True)
    assert followed.calls.f1 == 1


def test_a_missed_call_ends_the_path_and_says_where() -> None:
    left = path("Which city?", Assistant("", (BOOKED,)), "Done.")
    assert (left.followed, left.reason, left.user) == (0, MISSED, "I want Thai food in Oakland.")
    assert "Oakland" in left.expected[0]
    assert left.played == ()


def test_other_arguments_end_the_path() -> None:
    wrong = called(BOOK.name, {**WANTED, "time": "20:00"})
    left = path(*RIGHT[:2], Assistant("", (wrong,)), "Done.")
    assert (left.followed, left.reason) == (1, WRONG)


def test_a_variant_of_the_recorded_value_stays_on_the_path() -> None:
    spoken = called(BOOK.name, {**WANTED, "time": "7 pm"})
    assert path(*RIGHT[:2], Assistant("", (spoken,)), "Done.").judged_to_the_end


def test_a_further_search_leaves_nothing_behind_but_a_further_booking_ends_the_path() -> None:
    search = called(FIND.name, {"cuisine": "Thai", "city": "Berkeley"})
    assert path(Assistant("", (FOUND, search)), *RIGHT[1:]).judged_to_the_end
    assert path(Assistant("", (FOUND, BOOKED)), *RIGHT[1:]).reason == EXTRA


def test_an_agent_that_breaks_off_has_left_the_path_and_a_failing_endpoint_says_nothing() -> None:
    assert path(*RIGHT[:2], AnswerError("unreadable")).reason == BROKE
    assert path(*RIGHT[:2], ModelTimeout("no answer")).endpoint_failed


def test_a_report_says_how_much_the_log_can_judge() -> None:
    report = summarize_paths([path(*RIGHT), path("Ok", "Ok"), path(ModelTimeout("no answer"))])
    assert (report.n, report.failed, report.on_path, report.judged_turns) == (2, 1, 0.5, 0.5)
    assert report.reasons == {MISSED: 1}
    assert (report.call_precision, report.call_recall) == (1.0, 2 / 3)
