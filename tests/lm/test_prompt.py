"""What is sent and what is read: one format for worked examples, live turns and answers."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agent_gym.errors import AnswerError
from agent_gym.lm.prompt import (
    parse_action,
    render_action,
    render_conversation,
    render_examples,
    render_message,
    render_system,
    render_tools,
    told_date,
)
from agent_gym.messages import Assistant, System, Tool, ToolCall, ToolSpec, User

FIND = ToolCall("Restaurants_1-FindRestaurants", '{"city":"San Jose"}', "call_0")
BOOK = ToolCall("Restaurants_1-ReserveRestaurant", '{"time":"19:00"}', "call_1")
FIND_TEXT = '{"tool_calls": [{"name": "Restaurants_1-FindRestaurants", "arguments": {"city": "San Jose"}}]}'
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string", "description": "Where"}, "seats": {"type": "integer"}},
    "required": ["city"],
    "additionalProperties": False,
}

words = st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1).map(str.strip).filter(bool)
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)
arguments = st.dictionaries(words, values, max_size=4)
names = st.from_regex(r"[a-zA-Z0-9_-]{1,64}", fullmatch=True)


def calls_of(*parsed: tuple[str, dict[str, Any]]) -> tuple[ToolCall, ...]:
    return tuple(ToolCall(name, json.dumps(given), f"call_{number}") for number, (name, given) in enumerate(parsed))


@given(st.lists(st.tuples(names, arguments), min_size=1, max_size=3), st.just("") | words)
def test_calls_are_read_back_as_they_were_written(made: list[tuple[str, dict[str, Any]]], said: str) -> None:
    read = parse_action(render_action(Assistant(said, calls_of(*made))))
    assert [(call.name, call.parsed()) for call in read.tool_calls] == made
    assert read.content == said


@given(words.filter(lambda text: "tool_calls" not in text))
def test_words_are_read_back_as_they_were_written(said: str) -> None:
    assert parse_action(render_action(Assistant(said))) == Assistant(said)


@given(
    st.one_of(st.text(), st.text(alphabet="{}[]\",:`\\ \n'udabf08tool_calsnme"), words.map(lambda text: FIND_TEXT[:20] + text))
)
@example('{"tool_calls":' + "[" * 20_000)
@example('{"tool_calls": [{"name": "f", "arguments": {"a": "\\ud800"}}]}')
@example('{"tool_calls": [{"name": "f", "arguments": ' + '{"a":' * 5_000)
def test_whatever_a_model_writes_is_an_action_that_can_be_sent_on_or_an_answer_error(text: str) -> None:
    try:
        action = parse_action(text)
    except AnswerError:
        return
    assert action.content or action.tool_calls
    assert all(call.name for call in action.tool_calls)
    if '"tool_calls"' in text:
        render_action(action).encode()


@pytest.mark.parametrize(
    "text",
    [
        FIND_TEXT,
        f"```json\n{FIND_TEXT}\n```",
        f"```\n{FIND_TEXT}\n```",
        f"  \n{FIND_TEXT}\nResult of Restaurants_1-FindRestaurants: []",
        FIND_TEXT.replace('"}}]}', '",}},]}'),
        FIND_TEXT[:-3],
        FIND_TEXT.replace('"', "'"),
        FIND_TEXT.replace('{"city": "San Jose"}', json.dumps('{"city":"San Jose"}')),
        FIND_TEXT.replace("[{", "{").replace("}]", "}"),
        '{"thought": {"wanted": "a restaurant"}, ' + FIND_TEXT[1:],
        '{"action": ' + FIND_TEXT + "}",
        FIND_TEXT.replace("}]}", '}], "content": ""}'),
    ],
    ids="plain fenced fence-without-language followed trailing-comma cut-off single-quotes text-arguments "
    "lone-call thoughts-first inside empty-content".split(),
)
def test_a_call_is_read_however_it_is_wrapped(text: str) -> None:
    assert parse_action(text).tool_calls == (FIND,)


@pytest.mark.parametrize("text", [f"Let me look.\n{FIND_TEXT}", f"Let me look.\n\n```json\n{FIND_TEXT}\n```"])
def test_words_before_a_call_are_kept(text: str) -> None:
    assert parse_action(text) == Assistant("Let me look.", (FIND,))


@pytest.mark.parametrize("between", [", ", "\n", "```\n\n```json\n"], ids=["in-a-row", "a-line-each", "a-fence-each"])
def test_several_calls_are_all_read(between: str) -> None:
    assert parse_action(_answer(FIND, BOOK)).tool_calls == (FIND, BOOK)
    assert parse_action(f"{_answer(FIND)}{between}{_answer(BOOK)}").tool_calls == (FIND, BOOK)


def _answer(*calls: ToolCall) -> str:
    return json.dumps({"tool_calls": [{"name": call.name, "arguments": call.parsed()} for call in calls]})


@pytest.mark.parametrize(
    "text", ["", " \n\t", '{"tool_calls": []}', '{"tool_calls": null}', '{"tool_calls": [], "content": ""}']
)
def test_an_answer_that_says_and_does_nothing_is_an_answer_error(text: str) -> None:
    with pytest.raises(AnswerError, match=r"wrote nothing|neither words nor a call"):
        parse_action(text)


@pytest.mark.parametrize(
    "text", ['"tool_calls": [', '{"tool_calls": [{"arguments": {}}]}', '{"tool_calls": "find"}', '{"tool_calls": [7]}']
)
def test_calls_that_were_begun_and_cannot_be_read_are_an_answer_error(text: str) -> None:
    with pytest.raises(AnswerError, match=r"tool calls? "):
        parse_action(text)


def test_words_beside_an_empty_list_of_calls_are_words() -> None:
    assert parse_action('{"tool_calls": [], "content": "Which city?"}') == Assistant("Which city?")


def test_talking_of_tool_calls_is_talking() -> None:
    said = 'I make no "tool_calls" {yet}.'
    assert parse_action(said) == Assistant(said)


def test_broken_arguments_stay_the_text_they_are() -> None:
    (call,) = parse_action('{"tool_calls": [{"name": "f", "arguments": "city=San Jose"}]}').tool_calls
    assert call.arguments == "city=San Jose"


def test_a_conversation_is_rendered_without_what_the_agent_is_told_beside_it() -> None:
    turns = render_conversation(
        [
            System("Today is Friday."),
            User("Hi"),
            Assistant("", (FIND,)),
            Tool(FIND.name, [{"name": "Sino"}]),
            Assistant("Sino?"),
        ]
    )
    assert [(turn.role, turn.content) for turn in turns] == [
        ("user", "Hi"),
        ("assistant", '{"tool_calls": [{"name": "Restaurants_1-FindRestaurants", "arguments": {"city":"San Jose"}}]}'),
        ("user", 'Result of Restaurants_1-FindRestaurants: [{"name":"Sino"}]'),
        ("assistant", "Sino?"),
    ]


def test_a_tools_error_is_shown_to_the_agent() -> None:
    assert render_message(Tool("f", error="argument 'city' is missing")).content == "Error of f: argument 'city' is missing"


def test_tools_leave_unsaid_what_every_schema_says() -> None:
    spec = ToolSpec("f", "Finds", SCHEMA, transactional=True, results=("name",))
    assert json.loads(render_tools((spec, ToolSpec("g"))).splitlines()[0]) == {
        "name": "f",
        "description": "Finds",
        "transactional": True,
        "parameters": {"properties": {"city": {"description": "Where"}, "seats": {"type": "integer"}}, "required": ["city"]},
        "results": ["name"],
    }
    assert len(render_tools((spec, ToolSpec("g"))).splitlines()) == 2


def test_worked_examples_keep_their_calls_in_the_words_the_model_must_use() -> None:
    shown = render_examples([{"conversation": [{"role": "user", "content": "Hi"}], "action": FIND_TEXT}])
    (line,) = [line for line in shown.splitlines() if not line.startswith("<")]
    assert json.loads(line) == {"conversation": [{"role": "user", "content": "Hi"}], "action": FIND_TEXT}
    assert parse_action(json.loads(line)["action"]).tool_calls == (FIND,)


def test_worked_examples_without_an_action_or_a_conversation_are_passed_over() -> None:
    turns = [{"role": "user", "content": "Hi"}]
    assert (
        render_examples(
            [{"conversation": turns}, {"conversation": turns, "action": ""}, {"action": "Hello", "conversation": []}]
        )
        == ""
    )


def test_worked_examples_show_two_rows_of_a_result_and_say_how_many_more_there_were() -> None:
    rows = [{"name": f"place {number}"} for number in range(5)]
    turns = [{"role": "user", "content": render_message(Tool("f", rows)).content}]
    assert (
        '"… 3 more"]'
        in json.loads(render_examples([{"conversation": turns, "action": "Ok"}]).splitlines()[1])["conversation"][0]["content"]
    )


def test_a_users_words_are_not_shortened_though_they_look_like_a_result() -> None:
    turns = [{"role": "user", "content": "Result of my search: nothing"}]
    assert "Result of my search: nothing" in render_examples([{"conversation": turns, "action": "Ok"}])


def test_the_system_turn_says_first_what_changes_least() -> None:
    text = render_system("Be kind.", "<example>\n{}\n</example>", '{"name":"f"}', told_date("2019-03-01"))
    parts = [
        "Be kind.",
        "# Answer",
        "# Worked examples",
        "# Tools",
        '{"name":"f"}',
        "# Context",
        "Today is Friday, 1 March 2019",
    ]
    assert sorted(parts, key=text.index) == parts


def test_the_system_turn_leaves_out_what_there_is_not() -> None:
    text = render_system("Be kind.", "", "", "")
    assert "# Worked examples" not in text
    assert "# Context" not in text
    assert text.endswith("# Tools\n(none)")
