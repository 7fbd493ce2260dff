"""What tools answered, kept so that it can be asked again."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_gym.messages import Assistant, Message, Tool, ToolCall, User
from agent_gym.tools import Recordings
from agent_gym.tools.recordings import DONTCARE, Answer, answered_calls
from agent_gym.traces import Trace
from agent_gym.values import canonical
from strategies import SLOTS, arguments, call, traces, values

FIND = "Hotels_1-Find"


def recorded(name: str, made: ToolCall, result: Any, error: str | None = None) -> Trace:
    """A conversation with one answered call."""
    messages: tuple[Message, ...] = (User("Go"), Assistant("", (made,)), Tool(made.name, result, error), Assistant("Done"))
    return Trace(conversation_id=name, messages=messages)


def hotels(*rows: Mapping[str, Any], **asked: Any) -> Trace:
    return recorded("/".join(row["name"] for row in rows), call(FIND, **asked), list(rows))


ASTORIA = {"name": "Astoria", "city": "Oslo", "stars": "4"}
BRISTOL = {"name": "Bristol", "city": "Oslo", "stars": "5"}
CLARION = {"name": "Clarion", "city": "Rome", "stars": "4"}
TABLE = Recordings([hotels(ASTORIA, BRISTOL, city="Oslo"), hotels(CLARION, city="Rome")]).tool(FIND)


def pairs(*messages: Message) -> list[tuple[str, Any]]:
    trace = Trace(conversation_id="c", messages=messages)
    return [(f"{made.name}{made.id}", answer.result) for made, answer in answered_calls(trace)]


A, B = ToolCall("a"), ToolCall("b")


def test_an_answer_belongs_to_the_call_before_it() -> None:
    assert pairs(Assistant("", (A,)), Tool("a", 1), Assistant("", (A,)), Tool("a", 2)) == [("a", 1), ("a", 2)]


def test_an_answer_belongs_to_the_call_of_its_tool() -> None:
    assert pairs(Assistant("", (A, B)), Tool("b", 2), Tool("a", 1)) == [("b", 2), ("a", 1)]
    assert pairs(Assistant("", (A,)), Tool("b", 2)) == []


def test_an_answer_belongs_to_the_call_it_names() -> None:
    one, two = ToolCall("a", id="1"), ToolCall("a", id="2")
    assert pairs(Assistant("", (one, two)), Tool("a", 2, call_id="2"), Tool("a", 1)) == [("a2", 2), ("a1", 1)]
    assert pairs(Assistant("", (one, two)), Tool("a", 3, call_id="3")) == []


def test_calls_without_an_answer_are_left_out() -> None:
    assert pairs(Assistant("", (A, B)), Tool("a", 1), User("Well?"), Assistant("", (B,))) == [("a", 1)]


def test_calls_that_nobody_can_read_are_left_out() -> None:
    broken = ToolCall("a", '{"city": ')
    assert pairs(Assistant("", (broken, A)), Tool("a", None, "not JSON"), Tool("a", 1)) == [("a", 1)]


@given(st.lists(traces, max_size=3))
def test_anything_that_was_recorded_can_be_kept_and_asked(some: list[Trace]) -> None:
    recordings = Recordings(some)
    for trace in some:
        for made, _ in answered_calls(trace):
            answer = recordings.tool(made.name).answered(made.parsed())
            assert answer is not None
            assert 1 <= answer.times <= answer.of


@pytest.mark.parametrize(
    "result",
    [[], {}, None, "sent", 7, [1, "a"], {"status": "sent"}, [{"tags": ["a", {"b": None}]}], [ASTORIA, "and more"], [[ASTORIA]]],
    ids=str,
)
def test_whatever_a_tool_answered_is_given_again(result: Any) -> None:
    recording = Recordings([recorded("c1", call("lookup", id=7), result)]).tool("lookup")
    assert recording.answered({"id": "7"}) == Answer(result, None, 1, 1)


def test_an_error_is_an_answer() -> None:
    recording = Recordings([recorded("c1", call("lookup", id=7), None, "no such order")]).tool("lookup")
    assert recording.answered({"id": 7}) == Answer(None, "no such order", 1, 1)


def test_the_most_frequent_answer_is_given_and_of_equals_the_first() -> None:
    days = ["cold", "warm", "warm", "hot", "hot"]
    seen = [recorded(str(number), call("weather", city="Oslo"), [{"sky": sky}]) for number, sky in enumerate(days)]
    assert Recordings(seen).tool("weather").answered({"city": "OSLO"}) == Answer([{"sky": "warm"}], None, 2, 5)


def test_an_answer_that_a_caller_changes_stays_as_it_was() -> None:
    answer = TABLE.answered({"city": "Oslo"})
    assert answer is not None
    answer.value[0]["name"] = "Plaza"
    answer.value.clear()
    assert TABLE.answered({"city": "Oslo"}) == Answer([ASTORIA, BRISTOL], None, 1, 1)


def test_what_users_call_a_value_means_it() -> None:
    spoken = call(FIND, {"city": ("the capital",), "mood": ("?",)}, city="Oslo")
    recording = Recordings([recorded("c1", spoken, [ASTORIA])]).tool(FIND)
    assert recording.answered({"city": "The Capital"}) == Answer([ASTORIA], None, 1, 1)
    assert recording.search({"city": "the capital", "stars": 4}) == [ASTORIA]


def test_values_of_different_types_are_different_rows() -> None:
    rows = [{"name": "a", "count": 1}, {"name": "a", "count": True}, {"name": "a", "count": 1.0}]
    assert Recordings([recorded("c1", call(FIND), rows)]).tool(FIND).search({"name": "a"}) == rows


def test_a_conversation_can_be_left_out() -> None:
    assert TABLE.answered({"city": "Rome"}, without="Clarion") is None
    assert TABLE.search({"city": "Rome"}, without="Clarion") == []
    assert TABLE.nearest({"city": "Rome"}, without="Clarion") is None
    assert TABLE.nearest({"city": "Rome", "stars": "5"}, without="c9") == BRISTOL


def test_rows_are_found_by_any_field_in_recorded_order() -> None:
    assert TABLE.search({"stars": "4"}) == [ASTORIA, CLARION]
    assert TABLE.search({"stars": "4", "city": "Rome"}) == [CLARION]
    assert TABLE.search({"city": DONTCARE, "stars": "5"}) == [BRISTOL]
    assert TABLE.search({"city": "Paris"}) == []
    assert TABLE.search({}, limit=2) == [ASTORIA, BRISTOL]


def test_a_field_that_only_repeats_what_was_asked_stops_counting() -> None:
    days = ["2019-03-01", "2019-03-02", "2019-03-03"]
    buses = [{"from": place, "day": day, "price": price} for day in days for place, price in [("Oslo", "9"), ("Rome", "7")]]
    table = Recordings([recorded(day, call("Bus", day=day), [row for row in buses if row["day"] == day]) for day in days])
    assert table.tool("Bus").search({"from": "Rome", "day": "2019-04-01"}) == [{**buses[1], "day": "2019-04-01"}]
    # What an agent asks for may be of any shape.
    assert table.tool("Bus").search({"from": "Rome", "day": ["soon"]}) == [{**buses[1], "day": ["soon"]}]
    assert table.tool("Bus").search({"from": "Rome", "day": DONTCARE}) == buses[1::2]


Answers = list[tuple[dict[str, str], list[dict[str, str]]]]
ROWS = st.lists(st.dictionaries(st.sampled_from([*SLOTS, "name"]), values, min_size=1), max_size=6)
TABLES = st.lists(st.tuples(arguments, ROWS), max_size=6)


def numbered(answers: Answers) -> Answers:
    return [(asked, [{**row, "id": f"{n}-{m}"} for m, row in enumerate(rows)]) for n, (asked, rows) in enumerate(answers)]


def table_of(answers: Answers) -> Recordings:
    return Recordings(recorded(f"c{n}", call(FIND, **asked), rows) for n, (asked, rows) in enumerate(numbered(answers)))


@given(TABLES, arguments, st.integers(0, 12))
def test_every_row_agrees_with_every_argument_it_has_a_field_for(answers: Answers, asked: dict[str, str], limit: int) -> None:
    found = table_of(answers).tool(FIND).search(asked, limit=limit)
    assert len(found) <= limit
    for row in found:
        assert all(canonical(row[slot]) == canonical(value) for slot, value in asked.items() if slot in row)


@given(TABLES, arguments)
def test_rows_come_in_recorded_order_and_once(answers: Answers, asked: dict[str, str]) -> None:
    places = [[int(part) for part in row["id"].split("-")] for row in table_of(answers).tool(FIND).search(asked, limit=99)]
    assert places == sorted(places)
    assert len({tuple(place) for place in places}) == len(places)


@given(TABLES)
def test_a_question_that_was_asked_is_answered_as_it_was_most_often(answers: Answers) -> None:
    recordings = table_of(answers)
    for asked, _ in answers:
        given = [rows for other, rows in numbered(answers) if other == asked]
        times = max(map(given.count, given))
        value = next(rows for rows in given if given.count(rows) == times)
        assert recordings.tool(FIND).answered(asked) == Answer(value, None, times, len(given))
