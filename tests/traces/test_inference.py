"""Tool schemas read off calls: each rule, its edge, and that every call seen satisfies what was concluded."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_gym.messages import Assistant, Tool, ToolCall, ToolSpec, User
from agent_gym.tools.catalog import check_arguments
from agent_gym.traces import Trace
from agent_gym.traces.inference import MOST_CALLS, MOST_FIELDS, MOST_TOOLS, ToolInference, infer_tools, with_inferred_tools
from strategies import json_objects, texts


def calling(*arguments: Any, name: str = "x", result: Any = None) -> Trace:
    calls = tuple(ToolCall(name, one if isinstance(one, str) else json.dumps(one)) for one in arguments)
    return Trace(conversation_id="c", messages=(User("u"), Assistant("", calls), Tool(name, result)))


def inferred(*arguments: Any) -> dict[str, Any]:
    (spec,) = infer_tools([calling(*arguments)])
    return spec.parameters


INTEGER = {"type": "integer"}
TYPES: list[tuple[list[Any], dict[str, Any]]] = [
    ([1, 2], INTEGER),
    ([1, 2.5], {"type": "number"}),
    ([True], {"type": "boolean"}),
    (["a"], {"type": "string"}),
    ([[1], []], {"type": "array", "items": INTEGER}),
    ([[]], {"type": "array"}),
    ([1, "a"], {"type": ["string", "integer"]}),
    ([{"b": 1}], {"type": "object", "properties": {"b": INTEGER}, "required": ["b"]}),
    ([{"b": 1}, {"c": 2}], {"type": "object", "properties": {"b": INTEGER, "c": INTEGER}, "required": []}),
    ([None], {}),
]


@pytest.mark.parametrize(("values", "schema"), TYPES)
def test_the_type_of_an_argument_is_that_of_its_values(values: list[Any], schema: dict[str, Any]) -> None:
    assert inferred(*({"a": value} for value in values))["properties"]["a"] == schema


def test_required_is_what_every_readable_call_gave_and_a_null_gives_nothing() -> None:
    parameters = inferred({"a": 1, "b": 1, "c": 1}, {"a": 2, "b": None}, '{"broken')
    assert parameters["required"] == ["a"]
    assert list(parameters["properties"]) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("values", "choices"),
    [
        (["a", "b"] * 5, ["a", "b"]),
        (["a", "b"] * 4, None),
        (["a"] * 10 + ["b"], None),
        ([str(number) for number in range(8)] * 2, [str(number) for number in range(8)]),
        ([str(number) for number in range(9)] * 2, None),
        (["a"] * 10 + [1, 1], None),
        (["x" * 65] * 10, None),
    ],
)
def test_few_values_that_repeat_are_an_enum(values: list[Any], choices: list[str] | None) -> None:
    assert inferred(*({"a": value} for value in values))["properties"]["a"].get("enum") == choices


def test_a_spec_says_that_it_was_inferred_and_from_how_many_calls() -> None:
    one, two = infer_tools([calling({}, name="b"), calling({}, "{", name="a")])
    assert (one.name, one.description) == ("a", "Inferred from 2 recorded calls, 1 of which could not be read.")
    assert (two.name, two.description, two.transactional) == ("b", "Inferred from 1 recorded call.", False)


@pytest.mark.parametrize("result", [{"a": 1, "b": 2}, [{"a": 1}, {"b": 2}, 3]])
def test_results_are_the_fields_of_the_rows(result: Any) -> None:
    assert infer_tools([calling({}, result=result)])[0].results == ("a", "b")


def test_memory_is_bounded_whatever_a_model_makes_up() -> None:
    inference = ToolInference()
    for number in range(MOST_TOOLS + 10):
        inference.see(
            calling({f"a{number}-{field}": field for field in range(40)}, {"x": {str(number): 1}}, name=f"t{number % 300}")
        )
    for number in range(500):
        inference.see(calling({f"a{number}": [number] * 3, "m": {str(number): number}}, name="t0"))
    specs = inference.specs()
    assert len(specs) == MOST_TOOLS
    assert all(len(spec.parameters["properties"]) <= MOST_FIELDS for spec in specs)
    assert specs[0].name == "t0"


def test_no_more_calls_of_a_tool_are_looked_at_than_said() -> None:
    (spec,) = infer_tools([calling(*[{"a": 1}] * MOST_CALLS, {"b": 1})])
    assert spec.parameters["required"] == ["a"]
    assert spec.description == "Inferred from 10,000 recorded calls."


def test_when_all_tools_are_known_well_only_a_new_one_matters() -> None:
    inference = ToolInference()
    inference.see(calling(*[{"a": 1}] * MOST_CALLS))
    assert not inference.is_settled(["x"])
    inference.see(calling({"a": 1}))
    known = inference.specs()
    assert inference.is_settled(["x", "x"])
    assert inference.is_settled([])
    inference.see(calling({"b": 1}, result={"new": 1}))
    assert inference.specs() == known
    assert not inference.is_settled(["x", "y"])
    inference.see(calling({}, name="y"))
    assert not inference.is_settled(["x"])


def test_conversations_without_tools_get_all_and_those_with_tools_keep_theirs() -> None:
    own = Trace(conversation_id="own", messages=(User("u"),), tools=(ToolSpec("mine"),))
    plain = Trace(conversation_id="plain", messages=(User("u"),))
    read = with_inferred_tools([own, plain, calling({}, name="a"), calling({}, name="b")])
    assert [[spec.name for spec in trace.tools] for trace in read] == [["mine"], ["a", "b"], ["a", "b"], ["a", "b"]]
    assert with_inferred_tools([plain]) == [plain]


values = (
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["a", "b", "c"]) | st.lists(st.integers(0, 3), max_size=2)
)


@given(
    st.lists(
        st.dictionaries(st.sampled_from("abc"), values) | json_objects | st.dictionaries(texts, values), min_size=1, max_size=30
    )
)
def test_every_call_that_was_seen_satisfies_the_schema(arguments: list[dict[str, Any]]) -> None:
    (spec,) = infer_tools([calling(*arguments)])
    for one in arguments:
        present = {name: value for name, value in one.items() if value is not None}
        assert check_arguments(spec, present) == []
