"""Tool accuracy and call counts: what they say of plain cases, and the laws that hold for all."""

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_gym.messages import Assistant, ToolCall, User
from agent_gym.metrics import CallCounts, ToolAccuracy, count_calls
from agent_gym.traces import Trace
from agent_gym.traces.task import Task
from strategies import SLOTS, SPELLINGS, arguments, call, one_turn, played, tame_calls, tasks, values, wild_calls

FIND, BOOK = "Hotels_1-Find", "Hotels_1-Book"
METRIC = ToolAccuracy()
WANTED = call(FIND, {"day": ("next Friday",)}, city="San Jose", day="2019-03-08", beds="2")
made_calls = st.lists(tame_calls, max_size=4)


def value(task: Task, *made: ToolCall) -> float:
    return METRIC.score(task, played(task, made)).value


def counts(task: Task, *made: ToolCall) -> tuple[int, int, int]:
    found = count_calls(task, played(task, made))
    return found.expected, found.made, found.right


# One call, with arguments that are expected (right or wrong) and others: similarity is (1 + right) / (1 + all).
CASES: dict[str, tuple[list[ToolCall], float, int]] = {
    "the call itself": ([WANTED], 1.0, 1),
    "another notation": ([call(FIND, city="SAN JOSE", day="March 8, 2019", beds=2)], 1.0, 1),
    "the user's words": ([call(FIND, city="San Jose", day="next friday", beds="2")], 1.0, 1),
    "a wrong value": ([call(FIND, city="San Jose", day="2019-03-09", beds="2")], 3 / 4, 0),
    "a missing argument": ([call(FIND, city="San Jose", beds="2")], 3 / 4, 0),
    "an argument too many": ([call(FIND, city="San Jose", day="2019-03-08", beds="2", pool="True")], 4 / 5, 0),
    "a renamed argument": ([call(FIND, town="San Jose", day="2019-03-08", beds="2")], 3 / 5, 0),
    "no arguments": ([call(FIND)], 1 / 4, 0),
    "another tool": ([call(BOOK, city="San Jose", day="2019-03-08", beds="2")], 0.0, 0),
    "broken arguments": ([ToolCall(FIND, '{"city": "San Jose", ')], 0.0, 0),
    "no call": ([], 0.0, 0),
    "the call twice": ([WANTED, WANTED], 1 / 2, 1),
    "the call among others": ([call(BOOK), call(FIND), WANTED], 1 / 3, 1),
}


@pytest.mark.parametrize("case", CASES)
def test_one_expected_call(case: str) -> None:
    made, score, right = CASES[case]
    assert value(one_turn([WANTED]), *made) == pytest.approx(score)
    assert counts(one_turn([WANTED]), *made) == (1, len(made), right)


def test_a_turn_without_calls_is_right_when_none_is_made() -> None:
    assert value(one_turn()) == 1.0
    assert value(one_turn(), WANTED) == 0.0
    assert counts(one_turn(), WANTED) == (0, 1, 0)


def test_only_what_follows_the_task_counts() -> None:
    earlier = (User("Find one"), Assistant("", (WANTED,)), Assistant("Here"))
    trace = Trace(conversation_id="c", messages=(*earlier, User("Thanks"), Assistant("Bye")))
    task = Task(trace, 3, 5)
    assert METRIC.score(task, trace).value == 1.0
    assert count_calls(task, trace) == CallCounts()


def test_a_recorded_call_with_broken_arguments_is_matched_by_its_text() -> None:
    broken = ToolCall(FIND, '{"city": ')
    assert value(one_turn([broken]), broken) == 1.0
    assert value(one_turn([broken]), WANTED) == 0.0


def test_a_right_call_counts_as_right_though_two_near_ones_add_up_to_as_much() -> None:
    one, other = call(FIND, city="a", day="b", beds="c"), call(FIND, city="x", day="b", beds="c")
    near = call(FIND, city="a", day="b", beds="y")
    for expected, made in itertools.product(itertools.permutations([one, other]), itertools.permutations([one, near])):
        assert value(one_turn(expected), *made) == 0.75
        assert counts(one_turn(expected), *made) == (2, 2, 1)


def test_the_reason_says_what_to_do_better() -> None:
    task = one_turn([WANTED, call(BOOK, city="Oslo")])
    wrong = call(FIND, city="Oslo")
    score = METRIC.score(task, played(task, [wrong, call("fly")]))
    assert score.reason == (
        'Expected the call Hotels_1-Book({"city":"Oslo"}), which was not made. The call fly({}) was not expected here. '
        f"In the call to {FIND}: 'city' should be 'San Jose', not 'Oslo'; 'day' is missing, expected '2019-03-08'; "
        "'beds' is missing, expected '2'."
    )
    assert METRIC.score(task, played(task, task.expected_calls)).reason == ""


def test_many_calls_are_matched_exactly() -> None:
    wanted = [call(FIND, city=str(number), beds=str(number % 7)) for number in range(60)]
    made = [call(FIND, city=str(number), beds=str(number % 5)) for number in reversed(range(600))]
    assert 0.05 < value(one_turn(wanted), *made) < 0.1
    assert value(one_turn(wanted), *reversed(wanted)) == 1.0
    assert counts(one_turn(wanted), *reversed(wanted)) == (60, 60, 60)


@pytest.mark.parametrize(
    ("found", "precision", "recall", "f1"),
    [
        (CallCounts(4, 2, 1), 0.5, 0.25, 1 / 3),
        (CallCounts(4, 0, 0), 0, 0, 0),
        (CallCounts(0, 4, 0), 0, 0, 0),
        (CallCounts(), 0, 0, 0),
    ],
)
def test_precision_recall_and_f1(found: CallCounts, precision: float, recall: float, f1: float) -> None:
    assert (found.precision, found.recall, found.f1) == (precision, recall, pytest.approx(f1))


def test_counts_add_up() -> None:
    assert CallCounts(1, 2, 1) + CallCounts(3, 1, 0) == CallCounts(4, 3, 1)


@given(tasks, st.lists(tame_calls | wild_calls, max_size=5))
def test_a_score_is_a_share_and_whole_exactly_when_all_calls_are_right(task: Task, made: list[ToolCall]) -> None:
    score, (expected, count, right) = value(task, *made), counts(task, *made)
    assert 0.0 <= score <= 1.0
    assert right <= min(expected, count)
    assert (score == 1.0) == (right == expected == count)
    assert (score == 1.0) == (METRIC.score(task, played(task, made)).reason == "")


@given(tasks)
def test_what_was_recorded_is_right(task: Task) -> None:
    assert METRIC.score(task, task.trace).value == 1.0
    found = count_calls(task, task.trace)
    assert found.made == found.right == found.expected
    assert found.f1 == (1.0 if found.expected else 0.0)


@given(tasks, made_calls, st.randoms(use_true_random=False))
def test_the_order_of_calls_does_not_matter(task: Task, made: list[ToolCall], dice: Any) -> None:
    shuffled = dice.sample(made, len(made))
    other = one_turn(dice.sample(task.expected_calls, len(task.expected_calls)))
    assert value(other, *shuffled) == pytest.approx(value(task, *made))
    assert counts(other, *shuffled) == counts(task, *made)


@given(tasks, made_calls, st.data())
def test_a_call_of_another_tool_never_helps(task: Task, made: list[ToolCall], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(made)))
    more = [*made[:place], call("fly", **data.draw(arguments)), *made[place:]]
    assert value(task, *more) <= value(task, *made)
    before, after = count_calls(task, played(task, made)), count_calls(task, played(task, more))
    assert (after.precision, after.recall, after.f1) <= (before.precision, before.recall, before.f1)


@given(st.lists(tame_calls, min_size=1, max_size=4), st.data())
def test_a_call_made_once_more_never_helps(expected: list[ToolCall], data: st.DataObject) -> None:
    again = data.draw(st.sampled_from(expected))
    assert value(one_turn(expected), *expected, again) < 1.0


@given(tame_calls, arguments, made_calls, st.data())
def test_dropping_adding_or_renaming_an_argument_never_helps(
    expected: ToolCall, given_values: dict[str, str], others: list[ToolCall], data: st.DataObject
) -> None:
    # The call that was made names the expected arguments, some with wrong values, and stands among others.
    wanted = expected.parsed()
    base = {slot: given_values.get(slot, right) for slot, right in wanted.items()}
    task = one_turn([expected])
    before = value(task, *others, call(expected.name, **base))
    new = data.draw(st.sampled_from([slot for slot in (*SLOTS, "mood") if slot not in wanted]))
    worse = [{**base, new: data.draw(values)}]
    for slot in wanted:
        less = {other: item for other, item in base.items() if other != slot}
        worse += [less, {**less, new: base[slot]}]
    assert all(value(task, *others, call(expected.name, **changed)) <= before for changed in worse)


@given(st.lists(tame_calls, min_size=1, max_size=3), st.data())
def test_whatever_is_lost_from_right_calls_costs(expected: list[ToolCall], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(expected) - 1))
    wanted = expected[index].parsed()
    changed = {**wanted, "mood": "x"}
    for slot in [*wanted][:1]:
        changed.pop(slot)
    made = [*expected[:index], call(expected[index].name, **changed), *expected[index + 1 :]]
    assert value(one_turn(expected), *made) < 1.0


@given(st.lists(st.tuples(st.sampled_from([FIND, BOOK]), arguments), max_size=3), st.data())
def test_any_known_variant_counts_as_right(wanted: list[tuple[str, dict[str, str]]], data: st.DataObject) -> None:
    expected, made = list[ToolCall](), list[ToolCall]()
    for number, (name, given_values) in enumerate(wanted):
        accepted = {slot: (f"the {slot} of {number}", f"{slot}?") for slot in given_values}
        expected.append(call(name, accepted, **given_values))
        said = {slot: st.sampled_from([item, *accepted[slot], *SPELLINGS[item]]) for slot, item in given_values.items()}
        made.append(call(name, **{slot: data.draw(spellings) for slot, spellings in said.items()}))
    assert value(one_turn(expected), *made) == 1.0
    assert counts(one_turn(expected), *made) == (len(expected),) * 3
