"""A schema and its paraphrase, paired by position, and conversations taken there and back."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agent_gym.errors import DataError, UsageError
from agent_gym.messages import Assistant, Tool, ToolCall
from agent_gym.traces import SGDLoader, Trace
from agent_gym.traces.sgd_variant import SchemaVariant
from agent_gym.traces.task import tasks_of
from paraphrases import paraphrased_sample, real_with_paraphrase, write_schema
from sgd_folder import drop, put

REAL_COUNTS = {"dev": (17, 30), "train": (26, 53)}
"""Services and intents of each split."""


@pytest.fixture(scope="module")
def folder(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return paraphrased_sample(sample, tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def variant(folder: Path) -> SchemaVariant:
    return SchemaVariant.read(folder, "dev")


@pytest.fixture(scope="module")
def traces(sample: Path) -> list[Trace]:
    return list(SGDLoader(sample).load("dev"))


@pytest.fixture(scope="module")
def real(sgd: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return real_with_paraphrase(sgd, tmp_path_factory.mktemp("real"))


def names_in(trace: Trace) -> Iterable[tuple[str, Iterable[str]]]:
    """Every tool that a conversation names, with the names of its fields."""
    for message in trace.messages:
        if isinstance(message, Tool):
            yield message.name, [field for row in message.result for field in row]
        elif isinstance(message, Assistant):
            yield from ((call.name, (*call.parsed(), *call.accepted)) for call in message.tool_calls)
    for wish in trace.goal.intents if trace.goal else ():
        yield wish.tool, (*wish.slots, *wish.requested)


def fields_of(trace: Trace) -> Mapping[str, set[str]]:
    """What each tool of a conversation may name: the fields of its whole service."""
    fields: dict[str, set[str]] = defaultdict(set)
    for spec in trace.tools:
        fields[_service(spec.name)] |= {*_properties(spec), *spec.results}
    return {spec.name: fields[_service(spec.name)] for spec in trace.tools}


def _service(tool: str) -> str:
    return tool.partition("-")[0]


def _properties(spec: Any) -> dict[str, Any]:
    return spec.parameters["properties"]


def without_names(trace: Trace) -> tuple[Any, ...]:
    """What a paraphrase leaves alone."""
    told = [
        [[*call.parsed().values()] for call in message.tool_calls]
        if isinstance(message, Assistant) and message.tool_calls
        else [[*row.values()] for row in message.result]
        if isinstance(message, Tool)
        else message
        for message in trace.messages
    ]
    shapes = [(spec.transactional, len(spec.results), len(_properties(spec))) for spec in trace.tools]
    return trace.conversation_id, trace.metadata, trace.outcome, told, shapes


def assert_there_and_back(variant: SchemaVariant, traces: Iterable[Trace]) -> None:
    for trace in traces:
        other = variant.paraphrase(trace)
        assert variant.restore(other) == trace
        assert without_names(other) == without_names(trace)
        known = fields_of(other)
        assert not known.keys() & fields_of(trace).keys()
        assert all(known[tool].issuperset(fields) for tool, fields in names_in(other))


def test_every_conversation_comes_back_as_it_was(variant: SchemaVariant, traces: list[Trace]) -> None:
    assert_there_and_back(variant, traces)


def test_tools_are_those_of_the_variants_schema(folder: Path, variant: SchemaVariant, traces: list[Trace]) -> None:
    other = variant.paraphrase(traces[0])
    schema = msgspec.json.decode((folder / "sgd_x/data/v1/dev/schema.json").read_bytes())
    described = {f"{service['service_name']}-{intent['name']}": intent for service in schema for intent in service["intents"]}
    for spec in other.tools:
        assert spec.description.startswith(described[spec.name]["description"])
        assert spec.parameters["required"] == described[spec.name]["required_slots"]


def test_a_task_keeps_its_place_and_what_it_is_about(variant: SchemaVariant, traces: list[Trace]) -> None:
    for task in tasks_of(traces[0]):
        other = variant.paraphrase(task)
        assert (other.id, other.start, other.end, other.service) == (task.id, task.start, task.end, task.service)
        assert other.trace == variant.paraphrase(task.trace)
        assert [*map(variant.original, other.expected_calls)] == task.expected_calls
        assert variant.restore(other) == task


def test_an_original_name_is_wrong_in_the_variant(variant: SchemaVariant) -> None:
    clinging = ToolCall("Bikes_1-FindBikeShop", '{"city": "Ghent"}')
    mixed = ToolCall("Bikes_11-DoFindBikeShop", '{"city": "Ghent", "bike_type": "city bike"}')
    assert variant.original(clinging).name == "Bikes_11-DoFindBikeShop"
    assert variant.original(mixed).arguments == '{"city": "Ghent", "the_bike_type": "city bike"}'


def test_names_that_neither_schema_has_stay(variant: SchemaVariant) -> None:
    invented = ToolCall("Bikes_11-Fly", '{"the_city": 1}')
    assert variant.original(invented) == invented


def test_a_variant_that_is_not_there_is_named_with_those_that_are(folder: Path, sample: Path) -> None:
    with pytest.raises(UsageError, match=r"no schema variant 'v9' of split 'dev' in .*: it has v1; bring an archive"):
        SchemaVariant.read(folder, "dev", "v9")
    with pytest.raises(UsageError, match=r"no schema variant '\.\./v1' of split 'dev' in .*: it has v1"):
        SchemaVariant.read(folder, "dev", "../v1")
    with pytest.raises(UsageError, match=r"no schema variant 'v1' of split 'test' in .*: it has none; .*data fetch --from"):
        SchemaVariant.read(sample, "test")


def test_conversations_of_another_split_are_refused(folder: Path, traces: list[Trace]) -> None:
    train = SchemaVariant.read(folder, "train")
    foreign = next(trace for trace in traces if any(spec.name.startswith("Vets_1") for spec in trace.tools))
    with pytest.raises(DataError, match=r"tool '.*' is not in the schema; paraphrase with the schema of the trace's own split"):
        train.paraphrase(foreign)


BIKES = (0, "slots")
SERVICE = r"service 'Bikes_1' \('Bikes_11'\)"
TOOL = rf"{SERVICE}, tool 'Bikes_1-RentBike' \('Bikes_11-DoRentBike'\)"


def _without_helmets(schema: Any) -> None:
    drop(*BIKES, 9)(schema)
    drop(0, "intents", 1, "optional_slots", "the_add_helmet")(schema)


def _with_a_title(schema: Any) -> None:
    schema[0]["slots"].append(schema[1]["slots"][0])


@pytest.mark.parametrize(
    ("change", "fact"),
    [
        (drop(9), "service 'Vets_1': nothing stands at its place in the other, 10 against 9"),
        (put(1, "service_name", value="Bikes_11"), "two services are called 'Bikes_11'"),
        (_without_helmets, rf"{SERVICE}, slot 'add_helmet': nothing stands at its place in the other, 10 against 9"),
        (_with_a_title, rf"{SERVICE}, slot 'the_book_title': nothing stands"),
        (put(*BIKES, 4, "name", value="the_daily_price"), rf"{SERVICE}, slot 'the_daily_price': there are two of that name"),
        (
            put(*BIKES, 2, "is_categorical", value=False),
            rf"{SERVICE}, slot 'bike_type' \('the_bike_type'\): is_categorical is True there and False here",
        ),
        (
            put(*BIKES, 8, "possible_values", value=["one", "2"]),
            r"slot 'number_of_bikes' \(.*\): possible_values is \['1', '2', '3', '4'\] there and \['2', 'one'\] here",
        ),
        (drop(0, "intents", 1), rf"{SERVICE}, intent 'RentBike': nothing stands at its place in the other, 2 against 1"),
        (put(0, "intents", 1, "name", value="DoFindBikeShop"), rf"{SERVICE}, intent 'DoFindBikeShop': there are two"),
        (put(0, "intents", 1, "is_transactional", value=False), rf"{TOOL}: is_transactional is True there and False here"),
        (
            drop(0, "intents", 1, "required_slots", 3),
            rf"{TOOL}, slot 'pickup_time' \('the_pickup_time'\): it is required, .* there and no argument, .* here",
        ),
        (
            put(0, "intents", 1, "optional_slots", "the_add_helmet", value="True"),
            rf"{TOOL}, slot 'add_helmet' .*: it is optional \('False' when left out\), .* there and optional \('True' when",
        ),
        (
            put(0, "intents", 1, "optional_slots", "city", value="Ghent"),
            rf"{TOOL}, slot 'city' \('city'\): it is no argument, .* there and optional \('Ghent' when left out\)",
        ),
        (
            drop(0, "intents", 1, "result_slots", 0),
            rf"{TOOL}, slot 'shop_name' .*: .*one of the results there and .*none of the",
        ),
    ],
)
def test_schemas_that_do_not_fit_are_refused_with_the_place(
    sample: Path, tmp_path: Path, change: Callable[[Any], object], fact: str
) -> None:
    folder = paraphrased_sample(sample, tmp_path, ("dev",))
    path = folder / "sgd_x/data/v1/dev"
    schema: list[Any] = msgspec.json.decode((path / "schema.json").read_bytes())
    change(schema)
    write_schema(path, schema)
    with pytest.raises(DataError, match=fact) as caught:
        SchemaVariant.read(folder, "dev")
    assert "\n" not in str(caught.value)


def test_a_broken_schema_is_named(sample: Path, tmp_path: Path) -> None:
    folder = paraphrased_sample(sample, tmp_path, ("dev",))
    (folder / "sgd_x/data/v1/dev/schema.json").write_bytes(b"[{]")
    with pytest.raises(DataError, match=r"v1/dev/schema\.json is not an SGD schema"):
        SchemaVariant.read(folder, "dev")


@pytest.mark.real
@pytest.mark.parametrize("split", ["train", "dev"])
def test_the_real_paraphrase_fits_the_real_schema(real: Path, split: str) -> None:
    variant = SchemaVariant.read(real, split)
    tools = SGDLoader(real).tools(split)
    assert (len(tools), len(variant.there.specs)) == REAL_COUNTS[split]
    assert variant.there.names.items() >= {("Buses_1-FindBus", "Buses_11-FindRoutes")}


@pytest.mark.real
def test_every_real_conversation_comes_back_as_it_was(real: Path) -> None:
    variant = SchemaVariant.read(real, "dev")
    assert_there_and_back(variant, SGDLoader(real).load("dev"))
