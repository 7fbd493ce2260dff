"""Where an agent leaves the recorded path."""

import msgspec

from agent_gym.environment import Episode, play_episode
from agent_gym.environment.users import ReplayedUser
from agent_gym.errors import AnswerError, ModelTimeout
from agent_gym.evaluation.paths import BROKE, EXTRA, MISSED, WRONG, FollowedPath, follow, summarize_paths
from agent_gym.lm import run_sync
from agent_gym.messages import Assistant, User
from agent_gym.testing import Action, ScriptedAgent
from agent_gym.traces import Trace
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
    assert path(*RIGHT[:2], ModelTimeout("no answer")).spoilt == "endpoint"


def test_a_report_says_how_much_the_log_can_judge() -> None:
    report = summarize_paths([path(*RIGHT), path("Ok", "Ok"), path(ModelTimeout("no answer"))])
    assert (report.n, report.failed, report.on_path, report.judged_turns) == (2, 1, 0.5, 0.5)
    assert report.reasons == {MISSED: 1}
    assert (report.call_precision, report.call_recall) == (1.0, 2 / 3)


def test_order_of_calls_and_words_before_them_do_not_matter_and_a_second_booking_does() -> None:
    search = called(FIND.name, {"cuisine": "Thai", "city": "Berkeley"})
    assert path(Assistant("One moment.", (search, FOUND)), *RIGHT[1:]).judged_to_the_end
    assert path(*RIGHT[:2], Assistant("", (BOOKED, BOOKED)), RIGHT[-1]).reason == EXTRA


def test_a_booking_that_was_refused_leaves_nothing_behind() -> None:
    incomplete = called(BOOK.name, {"place_name": "Blue Heron"})
    assert path(*RIGHT[:2], Assistant("", (incomplete,)), *RIGHT[2:]).judged_to_the_end


def test_turns_behind_the_limit_of_turns_are_not_the_agents_misses() -> None:
    episode = Episode(TASK, tables(TASK), ReplayedUser().begin(TASK, 0), max_turns=1)
    followed = follow(TASK, run_sync(play_episode(ScriptedAgent(RIGHT), episode)))
    assert (followed.turns, followed.followed, followed.judged_to_the_end) == (1, 1, True)


def test_what_a_tool_or_the_user_breaks_is_not_the_agents_leaving() -> None:
    broken = Trace(conversation_id="c", messages=TASK.messages[:2], error="broke", metadata={"fault": "tool"})
    assert follow(TASK, broken).spoilt == "tool"
    assert summarize_paths([follow(TASK, broken)]).failed == 1


def test_a_recording_without_an_answered_turn_follows_no_path() -> None:
    silent = Trace(conversation_id="c", messages=(User("Hello?"),))
    report = summarize_paths([follow(silent, silent), path(*RIGHT)])
    assert (report.n, report.failed, report.on_path) == (1, 1, 1.0)


def test_words_that_nobody_answered_in_the_record_do_not_shift_the_turns() -> None:
    first, *rest = TASK.messages
    task = msgspec.structs.replace(TASK, messages=(User("Hello!"), first, *rest, User("Bye")))
    for agent in (["Hi.", *RIGHT, "Bye."], [*RIGHT[:2], "As I said.", *RIGHT[2:], "Bye."]):
        episode = Episode(task, tables(task), ReplayedUser().begin(task, 0))
        followed = follow(task, run_sync(play_episode(ScriptedAgent(agent), episode)))
        assert (followed.turns, followed.judged_to_the_end, followed.calls.f1) == (2, True, 1.0)
