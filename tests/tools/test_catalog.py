"""The catalog: tools by name, checked and exported."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_gym.errors import DataError
from agent_gym.messages import ToolCall, ToolSpec
from agent_gym.tools import ToolCatalog
from agent_gym.tools.catalog import check_arguments
from agent_gym.traces import SGDLoader, Trace
from conftest import SAMPLE
from strategies import call, json_objects

FIND = ToolSpec(
    "Hotels_1-Find",
    "Find a room",
    {
        "type": "object",
        "properties": {
            "city": {"type": "string", "description": "Where"},
            "beds": {"type": "string", "enum": ["1", "2"], "default": "1"},
            "pool": {"type": "string", "enum": ["True", "False", "dontcare"]},
        },
        "required": ["city"],
        "additionalProperties": False,
    },
)
LOOKUP = ToolSpec(
    "lookup",
    "",
    {
        "properties": {
            "id": {"type": "integer"},
            "note": {"type": ["string", "null"]},
            "any": True,
            "odd": {"type": ["integer", "string"]},
        }
    },
)
CATALOG = ToolCatalog([FIND, LOOKUP, ToolSpec("ping")])

ALLOWED: dict[str, ToolCall] = {
    "the required argument": call("Hotels_1-Find", city="Oslo"),
    "all arguments": call("Hotels_1-Find", city="Oslo", beds="2", pool="dontcare"),
    "a number for its text": call("Hotels_1-Find", city="Oslo", beds=2),
    "another notation": call("Hotels_1-Find", city="Oslo", beds=" 2.0", pool=True),
    "what the schema does not close": call("lookup", id=7, extra=1, any=[1]),
    "nothing where nothing is asked for": call("ping"),
}
FAULTY: dict[str, tuple[ToolCall, list[str]]] = {
    "no such tool": (call("fly"), ["there is no tool 'fly'; there are: Hotels_1-Find, lookup, ping"]),
    "a missing argument": (call("Hotels_1-Find", beds="2"), ["Hotels_1-Find: argument 'city' is missing"]),
    "an argument too many": (
        call("Hotels_1-Find", city="Oslo", stars="3"),
        ["Hotels_1-Find: there is no argument 'stars'; there are: city, beds, pool"],
    ),
    "a value outside the enum": (
        call("Hotels_1-Find", city="Oslo", beds=["2"]),
        ["Hotels_1-Find: 'beds' is ['2'], not one of 1, 2"],
    ),
    "a renamed argument": (
        call("Hotels_1-Find", town="Oslo"),
        [
            "Hotels_1-Find: argument 'city' is missing",
            "Hotels_1-Find: there is no argument 'town'; there are: city, beds, pool",
        ],
    ),
}


@pytest.mark.parametrize("what", ALLOWED)
def test_nothing_is_wrong_with(what: str) -> None:
    assert CATALOG.check(ALLOWED[what]) == []


@pytest.mark.parametrize("what", FAULTY)
def test_every_fault_is_one_sentence(what: str) -> None:
    made, faults = FAULTY[what]
    assert CATALOG.check(made) == faults


def test_broken_arguments_are_a_fault_like_any_other() -> None:
    (fault,) = CATALOG.check(ToolCall("lookup", '{"id": '))
    assert fault.startswith("lookup: arguments are not JSON")


def test_an_empty_catalog_says_so() -> None:
    assert ToolCatalog().check(call("fly")) == ["there is no tool 'fly'; there are: none"]


def test_a_catalog_is_a_mapping_in_the_order_given() -> None:
    assert list(CATALOG) == ["Hotels_1-Find", "lookup", "ping"]
    assert (len(CATALOG), CATALOG["ping"], CATALOG.get("fly"), "lookup" in CATALOG) == (3, ToolSpec("ping"), None, True)


def test_the_same_tool_twice_is_one_tool_and_two_of_one_name_are_refused() -> None:
    assert len(ToolCatalog([FIND, FIND])) == 1
    with pytest.raises(DataError, match="two different tools are called 'Hotels_1-Find': rename one"):
        ToolCatalog([FIND, ToolSpec("Hotels_1-Find")])


def test_a_catalog_is_made_of_the_tools_that_traces_carry() -> None:
    traces = [Trace(conversation_id=name, messages=(), tools=tools) for name, tools in [("a", (FIND,)), ("b", (FIND, LOOKUP))]]
    assert list(ToolCatalog.from_traces(traces)) == ["Hotels_1-Find", "lookup"]


def test_the_catalog_of_a_data_set_holds_the_tools_of_all_its_splits(sample: Path) -> None:
    catalog = ToolCatalog.from_sgd(sample)
    assert {"Bikes_1-RentBike", "Vets_1-MakeAppointment"} <= catalog.keys()
    assert ToolCatalog.from_sgd(SGDLoader(sample)) == catalog
    assert catalog["Bikes_1-RentBike"].transactional
    assert not catalog["Bikes_1-FindBikeShop"].transactional


def test_names_are_such_as_every_model_api_takes(sample: Path) -> None:
    assert all(re.fullmatch("[a-zA-Z0-9_-]{1,64}", name) for name in ToolCatalog.from_sgd(sample))


@pytest.mark.real
def test_real_names_are_such_as_every_model_api_takes(sgd: Path) -> None:
    catalog = ToolCatalog.from_sgd(sgd)
    assert len(catalog) > 60
    assert all(re.fullmatch("[a-zA-Z0-9_-]{1,64}", name) for name in catalog)


def test_exported_to_openai_a_tool_is_its_json_schema() -> None:
    assert ToolCatalog([FIND]).openai_tools() == [
        {"type": "function", "function": {"name": FIND.name, "description": "Find a room", "parameters": FIND.parameters}}
    ]


def test_exported_to_dspy_optional_arguments_stay_optional() -> None:
    tool = ToolCatalog([FIND]).dspy_tools()[0]
    assert (tool.name, tool.desc) == ("Hotels_1-Find", "Find a room")
    assert tool.args is not None
    assert {name: shape.get("default", "required") for name, shape in tool.args.items()} == {
        "city": "required",
        "beds": "1",
        "pool": None,
    }


def test_what_dspy_tells_a_model_requires_what_the_schema_requires(sample: Path) -> None:
    catalog = ToolCatalog.from_sgd(sample)
    for tool in catalog.dspy_tools():
        exported: Any = tool.format_as_litellm_function_call()
        told = exported["function"]["parameters"]
        spec = catalog[str(tool.name)].parameters
        assert told["required"] == spec["required"]
        assert list(told["properties"]) == list(spec["properties"])


def test_a_type_is_exported_where_python_has_it() -> None:
    tool = ToolCatalog([LOOKUP]).dspy_tools()[0]
    assert tool.arg_types == {"id": int, "note": str, "any": object, "odd": object}


def test_a_schema_does_not_run() -> None:
    with pytest.raises(TypeError, match="Hotels_1-Find is a schema: hand its calls to a tool backend"):
        ToolCatalog([FIND]).dspy_tools()[0](city="Oslo")


SPECS = list(ToolCatalog.from_sgd(SAMPLE).values())


@given(st.sampled_from(SPECS), st.data())
def test_a_call_that_follows_its_schema_has_no_fault(spec: ToolSpec, data: st.DataObject) -> None:
    shapes: dict[str, Any] = spec.parameters["properties"]
    optional = [name for name in shapes if name not in spec.parameters["required"]]
    chosen = spec.parameters["required"] + data.draw(
        st.lists(st.sampled_from(optional), unique=True) if optional else st.just([])
    )
    arguments = {name: data.draw(st.sampled_from(shapes[name].get("enum", ["Oslo", "x"]))) for name in chosen}
    assert check_arguments(spec, arguments) == []
    for name in spec.parameters["required"]:
        less = {other: value for other, value in arguments.items() if other != name}
        assert check_arguments(spec, less) == [f"{spec.name}: argument {name!r} is missing"]


@given(st.sampled_from([*SPECS, *CATALOG.values()]), json_objects)
def test_checking_never_raises(spec: ToolSpec, arguments: dict[str, Any]) -> None:
    assert all(fault.startswith(spec.name) for fault in check_arguments(spec, arguments))


@pytest.mark.parametrize("parameters", [{}, {"properties": None, "required": None}])
def test_a_schema_without_properties_asks_for_nothing(parameters: dict[str, Any]) -> None:
    spec = ToolSpec("ping", parameters=parameters)
    assert check_arguments(spec, {"x": 1}) == []
    assert ToolCatalog([spec]).dspy_tools()[0].args == {}
