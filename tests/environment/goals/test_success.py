"""Whether the user got what it wanted."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_gym.environment.goals.blame import blame
from agent_gym.environment.goals.success import achieved, is_done, pieces_of
from agent_gym.messages import Assistant, Message, Tool, ToolCall, User
from agent_gym.traces import SGDLoader, Trace
from conversations import BOOKED, FOUND, TASK, WANTED, called
from table_service import BOOK, FIND


def with_messages(*messages: Message, task: Trace = TASK) -> Trace:
    return msgspec.structs.replace(task, messages=messages)


def booking(arguments: dict[str, str], result: object, words: str = "Done. Their number is 555-0101.") -> Trace:
    call = called(BOOK.name, arguments, id="a")
    return with_messages(*TASK.messages[:4], Assistant("", (call,)), Tool(BOOK.name, result, call_id="a"), Assistant(words))


def test_the_recorded_conversation_is_a_success_of_itself() -> None:
    found = achieved(TASK, TASK)
    assert (found.success, found.wanted, found.reached, found.missing) == (True, 2, 2, ())


def test_a_variant_of_a_value_is_right() -> None:
    assert achieved(TASK, booking({**WANTED, "date": "next Friday", "time": "7 pm"}, [WANTED])).success


def test_a_wrong_value_is_a_missing_call() -> None:
    found = achieved(TASK, booking({**WANTED, "time": "20:00"}, [WANTED]))
    assert (found.success, found.share) == (False, 0.5)
    assert found.missing[0].startswith(f"{BOOK.name} was not called with")


def test_a_call_that_was_answered_with_an_error_is_not_made() -> None:
    call = called(BOOK.name, WANTED, id="a")
    broken = with_messages(*TASK.messages[:4], Assistant("", (call,)), Tool(BOOK.name, error="no", call_id="a"))
    assert not achieved(TASK, broken).success


def test_what_was_asked_for_must_be_told() -> None:
    found = achieved(TASK, booking(WANTED, [WANTED], "Done."))
    assert found.missing == ("Tables_1 phone_number was not told",)


def test_a_value_that_only_this_episode_showed_counts_as_told() -> None:
    rows = [{"place_name": "Sage", "phone_number": "555-0199"}]
    other = with_messages(
        *TASK.messages[:2], Tool(FIND.name, rows, call_id="call_0"), *booking(WANTED, [WANTED], "It is 555-0199.").messages[3:]
    )
    assert achieved(TASK, other).success


def test_an_argument_at_its_default_may_be_left_out() -> None:
    default = BOOK.parameters["properties"]["party_size"].get("default")
    assert default == "2"
    left_out = {name: value for name, value in WANTED.items() if name != "party_size"}
    assert achieved(TASK, booking(left_out, [WANTED])).success


def tried(*answers: tuple[dict[str, str], object]) -> Trace:
    messages: list[Message] = [User("Book a table.")]
    for number, (arguments, result) in enumerate(answers):
        messages += [
            Assistant("", (called(BOOK.name, arguments, id=str(number)),)),
            Tool(BOOK.name, result, call_id=str(number)),
            Assistant("…"),
        ]
    return msgspec.structs.replace(with_messages(*messages), goal=None)


def test_of_calls_that_failed_first_those_that_succeeded_are_wanted() -> None:
    late = {**WANTED, "time": "20:00"}
    assert [piece.call.parsed()["time"] for piece in pieces_of(tried((WANTED, []), (late, [late]))).calls] == ["20:00"]


def test_when_no_call_succeeded_the_last_is_wanted() -> None:
    late = {**WANTED, "time": "20:00"}
    assert [piece.call.parsed()["time"] for piece in pieces_of(tried((WANTED, []), (late, []))).calls] == ["20:00"]


def test_two_calls_that_both_succeeded_are_both_wanted_and_a_repeated_one_once() -> None:
    late = {**WANTED, "time": "20:00"}
    assert len(pieces_of(tried((WANTED, [WANTED]), (late, [late]), (WANTED, [WANTED]))).calls) == 2


@pytest.mark.parametrize(
    ("result", "done"), [([WANTED], True), ([], False), ([{**WANTED, "time": "20:00"}], False), ("booked", True), (None, False)]
)
def test_a_row_that_holds_something_else_is_no_success(result: object, done: bool) -> None:
    assert is_done(BOOKED, Tool(BOOK.name, result)) is done


def test_a_goal_of_searches_wants_the_last_search_of_each_tool() -> None:
    only = msgspec.structs.replace(TASK, messages=TASK.messages[:4], goal=None)
    assert [piece.call for piece in pieces_of(only).calls] == [FOUND]
    assert achieved(only, only).success
    assert not achieved(only, with_messages(User("Hello"), Assistant("ok"))).success


def test_a_conversation_without_calls_wants_nothing() -> None:
    chat = Trace(conversation_id="chat", messages=(User("Hello"), Assistant("Hello.")))
    assert (achieved(chat, chat).success, achieved(chat, chat).wanted) == (True, 0)


def test_broken_arguments_are_a_wrong_call_and_no_crash() -> None:
    broken = with_messages(User("Book it."), Assistant("", (ToolCall(BOOK.name, '{"time": ', id="a"),)), Assistant("Done."))
    assert not achieved(TASK, broken).success


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["phone_number", "time", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(
    words=st.text(max_size=60),
    raw=st.text(max_size=30) | JSON.map(json.dumps),
    result=JSON,
    error=st.none() | st.text(max_size=5),
)
def test_nothing_an_agent_or_a_tool_says_raises(words: str, raw: str, result: Any, error: str | None) -> None:
    call = ToolCall(BOOK.name, raw, "a")
    episode = with_messages(User(words), Assistant(words, (call,)), Tool(BOOK.name, result, error, "a"), Assistant(words))
    found = achieved(TASK, episode)
    assert 0 <= found.reached <= found.wanted == 2
    assert blame(TASK, episode) in ("agent", "tool")
    assert achieved(episode, episode).reached <= achieved(episode, episode).wanted


@pytest.mark.real
def test_recorded_dialogues_are_successes_and_silence_is_none(sgd: Path) -> None:
    traces = list(SGDLoader(sgd).load("dev"))
    assert sum(achieved(trace, trace).success for trace in traces) >= 0.97 * len(traces)
    mute = [
        msgspec.structs.replace(trace, messages=tuple(one for one in trace.messages if isinstance(one, User)))
        for trace in traces
    ]
    assert not any(achieved(trace, silent).success for trace, silent in zip(traces, mute, strict=True))
