"""Days, hours and counts in English; the conversations take place on Friday, 1 March 2019."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_gym.lm.offline.values import dates, money, numbers, times

FRIDAY = date(2019, 3, 1)


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ("on the 8th of March", "2019-03-08"),
        ("March 12th please", "2019-03-12"),
        ("9th of this month", "2019-03-09"),
        ("the 7th", "2019-03-07"),
        ("later today", "2019-03-01"),
        ("the day after tomorrow", "2019-03-03"),
        ("next Friday", "2019-03-08"),
        ("next Monday", "2019-03-04"),
        ("Saturday this week", "2019-03-02"),
        ("Tuesday next week", "2019-03-05"),
        ("on 2019-04-30", "2019-04-30"),
        ("5 May 2020", "2020-05-05"),
    ],
)
def test_a_day_is_read_as_a_date(said: str, day: str) -> None:
    assert [found.value for found in dates(said, FRIDAY)] == [day]


@pytest.mark.parametrize("said", ["101 5th Avenue", "a table for 4", "the 3rd floor", "in the 45th"])
def test_what_is_no_day_is_none(said: str) -> None:
    assert dates(said, FRIDAY) == ()


@pytest.mark.parametrize(
    ("said", "hour"),
    [
        ("half past 6 in the evening", "18:30"),
        ("quarter to 12 in the morning", "11:45"),
        ("afternoon 1:30", "13:30"),
        ('5 o"clock in the evening', "17:00"),
        ("eleven am", "11:00"),
        ("17:15", "17:15"),
        ("12 am", "00:00"),
        ("at noon", "12:00"),
    ],
)
def test_an_hour_is_read_in_24_hours(said: str, hour: str) -> None:
    assert [found.value for found in times(said)] == [hour]


def test_a_price_is_no_hour() -> None:
    assert times("it costs $13.49") == ()


@given(st.times())
def test_every_canonical_hour_reads_back_as_itself(hour: object) -> None:
    text = f"{hour:%H:%M}"
    assert [found.value for found in times(f"at {text} then")] == [text]


@given(st.dates(min_value=date(2000, 1, 1), max_value=date(2099, 12, 31)))
def test_every_canonical_day_reads_back_as_itself(day: date) -> None:
    assert [found.value for found in dates(f"on {day.isoformat()}", FRIDAY)] == [day.isoformat()]


@pytest.mark.parametrize(
    ("said", "counts"),
    [
        ("two rooms for 4 days", ["2", "4"]),
        ("thirty-five", ["35"]),
        ("1,550 of them", ["1550"]),
        ("I like that one", []),
        ("just for me", ["1"]),
        ("me and my wife", ["2"]),
    ],
)
def test_counts_are_digits(said: str, counts: list[str]) -> None:
    assert [found.value for found in numbers(said)] == counts


def test_an_amount_loses_its_currency() -> None:
    assert [found.value for found in money("send $1,200.50, or 30 dollars")] == ["1200.50", "30"]
