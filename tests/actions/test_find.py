"""Actions in an agent's text, whatever else stands there."""

import json
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from action_strategies import actions
from agent_gym.actions import ActionFactory, BrokenAction, StructuredAction, find_actions, scan, spoken

READ = ActionFactory.read_file("a.md")
WRITE = ActionFactory.create_file("b.py", 'def f():\n    return {"{": "}"}  # ```json\n```')
DONE = ActionFactory.complete_task("All } done {")
R, W, D = READ.to_json(), WRITE.to_json(), DONE.to_json()

STRUCTURE = st.text("{}[]\":,\\ \n`'a1-.etrufalsn", max_size=40)
"""Prose of what JSON is made of, and little else."""
prose = st.text(max_size=40) | STRUCTURE
sentences = st.lists(st.sampled_from("well then I do it [so] {x} 1, 2.".split()), max_size=6).map(" ".join)

FOUND: dict[str, tuple[str, list[StructuredAction]]] = {
    "nothing": ("I would rather not.", []),
    "bare": (R, [READ]),
    "words around it": (f"Sure: {R}, that is all.", [READ]),
    "a json fence": (f"Sure.\n```json\n{R}\n```", [READ]),
    "a fence of no language": (f"```\n{R}\n```", [READ]),
    "a fence of another language": (f"```action-block\n{R}\n```", [READ]),
    "a fence that is not closed": (f"```json\n{R}", [READ]),
    "over several lines": (json.dumps(json.loads(R), indent=4), [READ]),
    "two fences": (f"First\n```json\n{R}\n```\nthen\n```\n{W}\n```\ndone", [READ, WRITE]),
    "two in a fence": (f"```json\n{R}\n{W}\n```", [READ, WRITE]),
    "nothing between": (f"{R}{W}{D}", [READ, WRITE, DONE]),
    "a list": (f"[{R}, {W}]", [READ, WRITE]),
    "a list that is cut off": (f"[{R}, {W}, ", [READ, WRITE]),
    "an object that holds a list": (f'{{"thought": "read {{it", "actions": [{R}, {W}]}}', [READ, WRITE]),
    "tool calls": ('{"tool_calls": [{"name": "read_file", "arguments": {"path": "a.md"}}]}', [READ]),
    "a function call": ('{"type": "function", "function": {"name": "read_file", "arguments": {"path": "a.md"}}}', [READ]),
    "under a key that stands twice": (f'{{"a": {R}, "a": 1}}', [READ]),
    "braces and backticks in a text": (W, [WRITE]),
    "after a brace of the prose": (f"use {{ and {{x}} and then {R}", [READ]),
    "after a quote and a brace": (f'he said "{{" and {R}', [READ]),
    "after JSON that is cut off": (f'{{"a": {{"b": {R}', [READ]),
    "in JSON that is broken later": (f'{{"a": {R} oh no', [READ]),
    "in what looks like a text": (f'{{"a": "{R}', [READ]),
    "code that only looks like it": ('d = {"name": "Ann", "type": "cat"}; print(f"{d}")', []),
    "a schema": ('{"type": "object", "parameters": {"path": "a"}}', []),
    "an action in a file's text": (ActionFactory.create_file("x", R).to_json(), [ActionFactory.create_file("x", R)]),
}
BROKEN: dict[str, tuple[str, str, str]] = {
    "cut off": (W[:-20], "create_file", "a text that does not end"),
    "cut off between": ('{"action_type": "read_file", "parameters": {', "read_file", "breaks off"),
    "single quotes": ("{'action_type': 'read_file', 'parameters': {'path': 'a'}}", "read_file", "not JSON from character 7: "),
    "no quotes": ('{action_type: "read_file"}', "read_file", "not JSON"),
    "a comma too many": ('{"action_type": "read_file", "parameters": {"path": "a",}}', "read_file", "not JSON"),
    "a comment": ('{"action_type": "read_file", // it\n "parameters": {"path": "a"}}', "read_file", "not JSON"),
    "a wrong escape": (r'{"action_type": "read_file", "parameters": {"path": "C:\x"}}', "read_file", "a wrong escape"),
    "the type comes last": ('{"parameters": {"path": a}, "action_type": "read_file"}', "read_file", "not JSON"),
    "the type twice, cut off": ('{"action_type": "read_file", "action_type": "read_file", ', "read_file", "breaks off"),
    "a plain call cut off": ('{"name": "read_file", "arguments": {"path": "a', "read_file", "does not end"),
    "an unknown type": ('{"action_type": "rm", "parameters": {}}', "rm", "there is no action 'rm'"),
    "a call of an unknown tool": ('{"name": "rm", "arguments": {}}', "rm", "there is no action 'rm'"),
    "a type that is no text": ('{"action_type": ["read_file"]}', "", "there is no action ''"),
    "no parameters": ('{"action_type": "read_file", "path": "a"}', "read_file", "its parameters are missing"),
    "a missing parameter": ('{"action_type": "edit_file", "parameters": {"path": "a"}}', "edit_file", "old: Field required"),
    "a wrong parameter": ('{"action_type": "read_file", "parameters": {"path": null}}', "read_file", "valid string"),
    "a key twice": ('{"action_type": "read_file", "parameters": {"path": "a", "path": "../b"}}', "read_file", "stands twice"),
    "the type twice": ('{"action_type": "rm", "action_type": "read_file", "parameters": {"path": "a"}}', "read_file", "twice"),
    "too deep": (ActionFactory.ask_user("x").to_json()[:-2] + ', "x": ' + "[" * 99 + "]" * 99 + "}}", "ask_user", "deeper"),
    "far too deep": ('{"action_type": "read_file", "parameters": ' + "[" * 9999 + "]" * 9999 + "}", "", "deeper"),
    "what a broken one was to send": (
        f'{{"action_type": "api_call", "parameters": {{"body": {D}, x}}}}',
        "api_call",
        "not JSON",
    ),
    "what one cut off was to send": (f'{{"parameters": {{"body": {D}}}, "action_type": "api_call", ', "api_call", "breaks off"),
}
HOSTILE = [
    *('{', '[', '"', '\\"', '{"', '{ ', '{"a":', '{"a":[', '{"a":{"b":1},', '{"a":-', '{"\\', '```', '{action_type:'),
    *('"{":",",', '{"action_type":', '{"name"  ', "action_type ", '{"a":"{', '\ud800', '{"a":"\\"', "{'", '{"a": "b", '),
    *(R, "\x00{\x00"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), FOUND.values(), ids=FOUND)
def test_the_actions_of_a_text_are_found_in_order(text: str, expected: list[StructuredAction]) -> None:
    assert find_actions(text) == expected


@pytest.mark.parametrize(("text", "name", "reason"), BROKEN.values(), ids=BROKEN)
def test_what_was_meant_as_an_action_comes_back_with_the_reason(text: str, name: str, reason: str) -> None:
    (found,) = find_actions(f"Well: {text}")
    assert isinstance(found, BrokenAction)
    assert (found.name, found.position, found.text) == (name, 6, text[:200])
    assert reason in found.reason


def test_a_broken_action_does_not_hide_the_next_one() -> None:
    broken, read = find_actions(f'```json\n{{"action_type": "read_file", "parameters":\n```\nAgain:\n```json\n{R}\n```')
    assert isinstance(broken, BrokenAction)
    assert read == READ


@given(prose, actions, prose)
@example('{"a":"\\', READ, "")
@example('{"{":":",",', READ, '"}')
def test_an_action_is_found_in_any_prose(before: str, action: StructuredAction, after: str) -> None:
    assert action in find_actions(before + action.to_json() + after)


@given(sentences, st.lists(actions, min_size=1, max_size=3), sentences)
def test_all_the_words_are_spoken_and_nothing_of_the_actions(before: str, ones: list[StructuredAction], after: str) -> None:
    said = spoken(f"{before} ```json\n" + "\n".join(one.to_json() for one in ones) + f"\n``` {after}")
    assert said.split() == [*before.split(), *after.split()]


@given(st.text(max_size=200) | STRUCTURE, st.integers(0, 5))
def test_no_text_makes_the_search_raise(text: str, cut: int) -> None:
    for given_text in (text, text + R[: len(R) - cut], f'{{"action_type": "read_file", "parameters": {{{text}}}}}'):
        assert all(isinstance(found, StructuredAction | BrokenAction) for found in find_actions(given_text))


@given(st.lists(st.sampled_from(HOSTILE), min_size=1, max_size=4).map("".join), st.integers(1, 50))
def test_the_work_grows_no_faster_than_the_text(piece: str, times: int) -> None:
    text = piece * times
    assert characters_read(text) <= 4 * len(text) + 4


@pytest.mark.parametrize("piece", HOSTILE, ids=ascii)
def test_long_texts_of_anything_are_read(piece: str) -> None:
    text = piece * (100_000 // len(piece))
    assert all(one == READ for one in find_actions(text) if isinstance(one, StructuredAction))


def test_a_million_braces_are_read() -> None:
    assert find_actions("{" * 1_000_000) == []


def characters_read(text: str) -> int:
    """How many characters are looked at until a text is read, each time counted."""
    counting = CountingToken()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scan, "_TOKEN", counting)
        scan.scan(text)
    return counting.characters


class CountingToken:
    """The scanner's own pattern, counting what it passes over, also where it finds nothing in the end."""

    OPEN = re.compile(r'\s*(?:"[^"\\]*(?:\\.[^"\\]*)*)?', re.DOTALL)

    def __init__(self) -> None:
        self.characters = 0
        self._pattern = scan._TOKEN  # pyright: ignore[reportPrivateUsage]

    def match(self, text: str, position: int) -> re.Match[str] | None:
        found = self._pattern.match(text, position)
        seen = found or self.OPEN.match(text, position)
        self.characters += 1 + (seen.end() - position if seen else 0)
        return found


SPOKEN: dict[str, tuple[str, str]] = {
    "only words": ("Hello.", "Hello."),
    "only an action": (R, ""),
    "words before": (f"Sure.\n```json\n{R}\n```", "Sure."),
    "words around": (f"Sure.\n```json\n{R}\n```\nDone.", "Sure.\nDone."),
    "a list": (f"Both:\n```json\n[\n  {R},\n  {W}\n]\n```\nDone.", "Both:\nDone."),
    "two fences": (f"One\n```json\n{R}\n```\ntwo\n```json\n{W}\n```\nthree", "One\ntwo\nthree"),
    "two in a fence": (f"One\n```\n{R}\n{W}\n```\ntwo", "One\ntwo"),
    "a fence of the agent's own": (f"{R}\n```python\nprint(1)\n```", "```python\nprint(1)\n```"),
    "a broken action stays": ("Sure. {'action_type': 'x'}", "Sure. {'action_type': 'x'}"),
}


@pytest.mark.parametrize(("text", "words"), SPOKEN.values(), ids=SPOKEN)
def test_what_an_agent_said_is_its_text_without_its_actions(text: str, words: str) -> None:
    assert spoken(text) == words
