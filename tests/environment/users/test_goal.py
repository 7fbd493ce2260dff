"""What a user wants, read from a recorded conversation."""

from pathlib import Path

import msgspec
import pytest

from agent_gym.environment.users.goal import Errand, is_dontcare, plan, plan_without_acts
from agent_gym.traces import Goal, SGDLoader, Trace
from agent_gym.traces.sgd_acts import SGDActs
from conversations import TASK
from table_service import BOOK, FIND


def goals(path: Path, split: str) -> list[tuple[Trace, tuple[Errand, ...]]]:
    acts = SGDActs(path)
    return [(trace, plan(trace, acts.of(trace) or ()).errands) for trace in SGDLoader(path).load(split)]


@pytest.mark.real
def test_the_goal_of_a_real_dialogue(sgd: Path) -> None:
    errands = next(errands for trace, errands in goals(sgd, "dev") if trace.conversation_id == "dev/14_00064")
    assert [errand.tool for errand in errands] == [
        "Restaurants_2-FindRestaurants",
        "Restaurants_2-ReserveRestaurant",
        "Restaurants_2-ReserveRestaurant",
        "RideSharing_1-GetRide",
    ]
    find, refused, booked, ride = errands
    assert find.slots["category"][:2] == ("Latin American", "Mexican")
    assert find.opened == ("has_vegetarian_options", "price_range", "location")
    assert [ask.fields for ask in find.asks] == [("has_seating_outdoors", "rating")]
    assert (find.closing, find.lingers, find.deed) == (("SELECT",), True, False)
    assert (refused.fails, refused.slots["time"][0], refused.slots["number_of_seats"]) == (True, "7:15 pm", ("1",))
    assert (booked.opening, booked.fails) == ("countered", False)
    assert "19:30" in booked.slots["time"]
    assert [ask.fields for ask in ride.asks] == [("approximate_ride_duration", "ride_fare")]


@pytest.mark.real
def test_every_errand_of_dev_has_its_recorded_call(sgd: Path) -> None:
    found = goals(sgd, "dev")
    assert all(errand.call is not None for _, errands in found for errand in errands)
    missed = sum(len(trace.calls) - len(errands) for trace, errands in found)
    assert missed <= 0.005 * sum(len(trace.calls) for trace, _ in found)


def test_a_value_that_is_said_means_what_was_called(sample: Path) -> None:
    for _, errands in goals(sample, "dev"):
        for errand in errands:
            called = errand.call.parsed() if errand.call is not None else {}
            assert all(called[slot] in errand.slots[slot] for slot in errand.opened if slot in called)
            assert all(errand.slots[slot] and (is_dontcare(errand.slots[slot]) or slot in called) for slot in errand.opened)


def test_without_acts_calls_are_errands_and_the_goal_says_what_is_asked() -> None:
    find, book = plan_without_acts(TASK).errands
    assert (find.tool, find.deed, find.slots) == (FIND.name, False, {"cuisine": ("Thai",), "city": ("Oakland",)})
    assert [(ask.fields, ask.when) for ask in find.asks] == [(("phone_number",), "offer")]
    assert book.deed
    assert book.slots["date"] == ("next Friday", "2019-03-08")
    assert set(book.opened) < set(book.slots)


def test_a_goal_without_calls_has_an_errand_for_each_intent() -> None:
    wish = msgspec.structs.replace(TASK, messages=TASK.messages[:1])
    assert [errand.tool for errand in plan_without_acts(wish).errands] == [FIND.name, BOOK.name]


def test_logs_that_want_nothing_have_no_errands() -> None:
    assert plan_without_acts(msgspec.structs.replace(TASK, messages=TASK.messages[:1], goal=Goal())).errands == ()
