"""What counts as the same value: notation never matters, meaning always does."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_gym.values import canonical, matches, same
from strategies import SPELLINGS, json_values

NOTATIONS = {
    "case": ("San José", "SAN JOSÉ"),
    "sharp s": ("Große Straße", "GROSSE STRASSE"),
    "white space": ("  San\t Jose\n", "San Jose"),
    "a number as text": (2, "2"),
    "a decimal": ("2.50", 2.5),
    "a whole float": (2.0, "2"),
    "grouped thousands": ("1,234,567", 1234567),
    "a sign": ("+5", 5),
    "minus nothing": (-0.0, "0"),
    "no digit before the point": (".5", "0.5"),
    "a small number": (0.00001, "0.00001"),
    "a large number": (1e16, "10000000000000000"),
    "digits of another script": ("١٢", "12"),
    "true": (True, "True"),
    "false": (False, "FALSE"),
    "nothing": (None, ""),
    "seven in the evening": ("19:00", "7 pm"),
    "dots and blanks": ("7:30 p.m.", "19:30"),
    "no blank": ("7pm", "19:00"),
    "full seconds": ("19:00:00", "19:00"),
    "one digit": ("9:05", "09:05"),
    "midnight": ("12 am", "00:00"),
    "noon": ("12:00 PM", "12:00"),
    "slashes": ("2019/3/8", "2019-03-08"),
    "month and day": ("March 8th, 2019", "2019-03-08"),
    "day and month": ("the 8th of March 2019", "2019-03-08"),
    "a short month": ("8 mar 2019", "2019-03-08"),
    "a day of the week": ("Friday, March 8 2019", "2019-03-08"),
    "lists": ([1, "A b"], ["1.0", "a  B"]),
    "objects": ({"x": True, "y": [None]}, {"y": [""], "x": "true"}),
}
MEANINGS = {
    "numbers": (2, 3),
    "halves of the day": ("7 am", "7 pm"),
    "seconds": ("19:00:45", "19:00"),
    "days": ("2019-03-08", "2019-03-09"),
    "a truth and a number": (True, 1),
    "codes with leading zeros": ("0042", "42"),
    "numbers too long for a float": ("12345678901234567890", "12345678901234567891"),
    "numbers that only a float takes for one": ("0.10000000000000001", "0.1"),
    "a list and its item": (["a"], "a"),
    "names of fields": ({"a": 1}, {"b": 1}),
    "no day of the calendar": ("2019-02-30", "2019-03-02"),
    "no hour of the clock": ("25:00", "1:00"),
    "no half of the day": ("13 pm", "13:00"),
}


@pytest.mark.parametrize("notation", NOTATIONS)
def test_notation_does_not_matter(notation: str) -> None:
    one, other = NOTATIONS[notation]
    assert same(one, other)


@pytest.mark.parametrize("meaning", MEANINGS)
def test_meaning_does(meaning: str) -> None:
    one, other = MEANINGS[meaning]
    assert not same(one, other)


@pytest.mark.parametrize("value", SPELLINGS)
def test_the_spellings_that_other_tests_use_are_of_one_value(value: str) -> None:
    assert {canonical(spelling) for spelling in SPELLINGS[value]} == {canonical(value)}


def test_a_variant_that_is_known_counts() -> None:
    assert matches("NEXT friday", "2019-03-08", ("the 8th", "next Friday"))
    assert not matches("next friday", "2019-03-08")


def test_a_number_of_hundreds_of_digits_is_only_a_number() -> None:
    assert canonical(10**400) == canonical("1" + "0" * 400)


def test_nesting_does_not_blow_a_value_up() -> None:
    nested: object = 'a "word"'
    for _ in range(30):
        nested = [nested]
    assert len(canonical(nested)) < 100


@given(json_values)
def test_folding_twice_is_folding_once(value: object) -> None:
    assert canonical(canonical(value)) == canonical(value)


@given(st.text())
def test_folding_any_text_twice_is_folding_it_once(text: str) -> None:
    assert canonical(canonical(text)) == canonical(text)


@given(st.integers(0, 23), st.integers(0, 59))
def test_every_minute_of_the_day_has_one_spelling(hour: int, minute: int) -> None:
    spoken = f"{(hour + 11) % 12 + 1}:{minute:02} {'pm' if hour >= 12 else 'a.m.'}"
    assert canonical(spoken) == canonical(f"{hour}:{minute:02}") == f"{hour:02}:{minute:02}"


@given(st.dates(min_value=date(1000, 1, 1)))
def test_every_day_has_one_spelling(day: date) -> None:
    assert canonical(f"{day:%A}, {day:%B} {day.day}, {day.year}") == canonical(f"{day.day} {day:%b} {day.year}") == str(day)


@given(st.integers())
def test_a_whole_number_is_its_text(number: int) -> None:
    assert canonical(number) == canonical(str(number)) == canonical(f"{number}.0") == canonical(f"{number:,}")
