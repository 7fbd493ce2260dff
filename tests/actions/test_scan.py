"""Where the objects of a text begin and end."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agent_gym.actions.scan import Scan, scan

SCANS: dict[str, tuple[str, Scan]] = {
    "an object": ('say {"a": 1} now', Scan([(4, 12)], {})),
    "only the outermost": ('{"a": [{"b": {}}]}', Scan([(0, 18)], {})),
    "one after the other": ('{"a": 1}{"b": 2}', Scan([(0, 8), (8, 16)], {})),
    "one that breaks off": ('{"a": {"b": 1', Scan([], {0: 13, 6: 13})),
    "whole ones in one that breaks off": ('{"a": {"b": 1}, "c": {"d": 2} x', Scan([(6, 14), (21, 29)], {0: 29})),
    "one in what was taken for a text": ('{"a": "{"b": 1}', Scan([(7, 15)], {0: 9})),
    "of two readings the one that begins first": ('{"o": {"q{" : ":1}" } x', Scan([(6, 21)], {0: 21})),
    "brackets that do not match": ('{"a": [1}', Scan([], {0: 8})),
    "a comma too many": ('{"a": 1,}', Scan([], {0: 8})),
    "a number that is none": ('{"a": 01}', Scan([], {0: 7})),
    "an empty object": ("{}", Scan([], {})),
}


@pytest.mark.parametrize(("text", "expected"), SCANS.values(), ids=SCANS)
def test_objects_are_found_whole_or_broken(text: str, expected: Scan) -> None:
    assert scan(text) == expected


PIECES = '{" {"a": {"b":1} } [ ] , : " \\" \\ 1 -1.5e3 01 true NaN Infinity -Infinity nul \\u00e4 \\u00 \n a'.split(" ")


@given(st.lists(st.sampled_from(PIECES), max_size=24).map("".join))
@example('{"o": {"q{" : ":1}" } x')
@example('{"{":":",",":":",",":1}')
def test_the_scan_finds_what_trying_every_brace_finds(text: str) -> None:
    # An empty object is no attempt worth, and counts only where one that breaks off holds it.
    found = [span for span in scan(text).whole if text[slice(*span)].strip("{} \n")]
    assert found == by_trying_every_brace(text)


def by_trying_every_brace(text: str) -> list[tuple[int, int]]:
    """The slow way: the leftmost object that can be read, then on behind it."""
    found: list[tuple[int, int]] = []
    start = text.find("{")
    while start >= 0:
        try:
            value, end = json.JSONDecoder(strict=False).raw_decode(text, start)
        except ValueError:
            end = start + 1
        else:
            found += [(start, end)] if value else []
        start = text.find("{", end)
    return found
