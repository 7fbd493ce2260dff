"""A trace as a line: the same values as the plain path, in both directions."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_gym.errors import DataError
from agent_gym.messages import ToolSpec, User
from agent_gym.traces import Trace, dump_trace, load_trace
from agent_gym.traces.line import decode_trace, encode_trace
from strategies import json_values, traces


@given(traces)
def test_a_line_holds_what_the_plain_path_writes_and_in_its_order(trace: Trace) -> None:
    assert encode_trace(trace) == msgspec.json.encode(dump_trace(trace))


@given(traces)
def test_a_line_reads_back_as_it_was(trace: Trace) -> None:
    assert decode_trace(encode_trace(trace)) == trace


@given(traces, st.data())
def test_a_trace_with_any_field_replaced_reads_as_on_the_plain_path(trace: Trace, data: st.DataObject) -> None:
    value = dump_trace(trace)
    holder: dict[str, Any] = data.draw(st.sampled_from([value, *value["messages"]]))
    holder[data.draw(st.sampled_from(sorted({*holder, "tools", "version", "tool_calls", "role"})))] = data.draw(json_values)
    line = msgspec.json.encode(value)
    assert read(decode_trace, line) == read(lambda line: load_trace(msgspec.json.decode(line)), line)


def read(by: Callable[[bytes], Trace], line: bytes) -> Trace | str:
    """The trace, or what is wrong with it."""
    try:
        return by(line)
    except DataError as error:
        return str(error)


def test_a_version_that_is_null_is_none_on_this_path_either() -> None:
    with pytest.raises(DataError, match=r"Expected `int`, got `null` - at `\$\.version`"):
        decode_trace(b'{"conversation_id": "c", "messages": [], "version": null}')


@pytest.mark.parametrize("line", [b"", b"[]", b'"\xff"', b"[" * 100_000, b'{"conversation_id": "c", "messages": [', b"{}{}"])
def test_bytes_that_are_no_trace_are_a_data_error(line: bytes) -> None:
    with pytest.raises(DataError):
        decode_trace(line)


def test_tools_of_one_trace_are_not_written_for_the_next() -> None:
    one, other = (Trace(conversation_id="c", messages=(User("Hi"),), tools=(ToolSpec(name),)) for name in ("a", "b"))
    assert [decode_trace(encode_trace(trace)) for trace in (one, other, one)] == [one, other, one]
