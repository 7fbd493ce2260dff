"""Values in any form in which people say them."""

from datetime import date
from typing import Any

import pytest

from agent_gym.environment.goals.told import is_told

TODAY = date(2019, 3, 1)


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("phone_number", "408-247-8880", "Their phone number is 408-247-8880."),
        ("price", "20895.77", "There is $20,895.77 in it."),
        ("rating", "4.00", "It is rated 4 out of 5."),
        ("nights", "four", "You stay for 4 nights."),
        ("travelers", "2", "For two people, then."),
        ("date", "2019-03-08", "It takes place on March 8th."),
        ("date", "2019-03-02", "You leave tomorrow."),
        ("time", "19:30", "Half past 7 in the evening is free."),
        ("time", "19:30", "It begins at 7:30."),
        ("has_wifi", "True", "Yes, they offer free wifi."),
        ("has_vegetarian_options", "False", "No, there is nothing for vegetarians."),
        ("address", "377 Santana Row #1000", "You find them at 377 santana row, number 1000."),
        ("hotel_name", "Best Western Primrose Hotel", "How about the Best Western Primrose?"),
        ("city", "San Francisco", "It is in San Fransisco."),
        ("stops", ["Oakland", "Fresno"], "It stops in Oakland and in Fresno."),
        ("place", {"city": "Oakland", "street": "Main Street"}, "Main Street, Oakland."),
        ("count", 3, "There are three."),
        ("open", True, "It is open."),
    ],
)
def test_a_value_is_heard(field: str, value: Any, text: str) -> None:
    assert is_told(field, value, text, TODAY)


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("phone_number", "408-247-8880", "Their phone number is 408-247-8881."),
        ("price", "20895.77", "There is $20,895.70 in it."),
        ("seats", "1", "A table on March 1st at 7:15 pm."),
        ("seats", "7", "A table at 7 pm."),
        ("nights", "four", "For how many days?"),
        ("date", "2019-03-08", "It takes place on March 9th."),
        ("time", "19:30", "It begins at 8:30."),
        ("has_wifi", "True", "They have a garden."),
        ("address", "377 Santana Row", "It is in San Jose."),
        ("stops", ["Oakland", "Fresno"], "It stops in Oakland."),
        ("city", "", "It is somewhere."),
        ("city", None, "It is somewhere."),
        ("stops", [], "It does not stop."),
        ("city", "Oakland", ""),
    ],
)
def test_another_value_is_not_heard(field: str, value: Any, text: str) -> None:
    assert not is_told(field, value, text, TODAY)


def test_a_bare_yes_or_no_answers_the_question_for_a_field() -> None:
    assert is_told("pets_allowed", "False", "No, sorry.", TODAY, "Are pets allowed there?")
    assert not is_told("pets_allowed", "False", "No, sorry.", TODAY, "Is it furnished?")
    assert not is_told("address", "1 Main Street", "Yes.", TODAY, "Do you have the address?")
