"""SGD's schemas read as tools: one intent of one service is one tool."""

from pathlib import Path

import pytest

from agent_gym.errors import DataError
from agent_gym.messages import ToolSpec
from agent_gym.traces import SGDLoader
from sgd_folder import Change, SGDFolder, put

SERVICE = """[{
  "service_name": "Hotels_1", "description": "Finds and books rooms",
  "slots": [
    {"name": "city", "description": "Where", "is_categorical": false, "possible_values": ["Oslo", "Rome"]},
    {"name": "stars", "description": "How good", "is_categorical": true, "possible_values": ["3", "4"]},
    {"name": "pool", "description": "To swim in", "is_categorical": true, "possible_values": ["True", "False"]},
    {"name": "hotel", "description": "Its name", "is_categorical": false, "possible_values": []}],
  "intents": [{
    "name": "BookRoom", "description": "Book a room", "is_transactional": true,
    "required_slots": ["city"], "optional_slots": {"stars": "dontcare", "pool": "False"}, "result_slots": ["hotel", "city"]}]
}]"""


@pytest.fixture
def folder(tmp_path: Path, sample: Path) -> SGDFolder:
    return SGDFolder(tmp_path / "sgd", sample)


def test_an_intent_is_a_tool(folder: SGDFolder) -> None:
    folder.schema.write_text(SERVICE)
    assert SGDLoader(folder.path).tools("train") == {
        "Hotels_1": (
            ToolSpec(
                "Hotels_1-BookRoom",
                "Book a room (Finds and books rooms)",
                {
                    "type": "object",
                    "properties": {
                        # The values of a slot that is not categorical are only examples.
                        "city": {"type": "string", "description": "Where"},
                        "stars": {
                            "type": "string",
                            "description": "How good",
                            "enum": ["3", "4", "dontcare"],
                            "default": "dontcare",
                        },
                        "pool": {"type": "string", "description": "To swim in", "enum": ["True", "False"], "default": "False"},
                    },
                    "required": ["city"],
                    "additionalProperties": False,
                },
                transactional=True,
                results=("hotel", "city"),
            ),
        )
    }


def test_a_schema_that_went_missing_is_named(folder: SGDFolder) -> None:
    loader = SGDLoader(folder.path)
    folder.schema.unlink()
    with pytest.raises(DataError, match=r"train/schema\.json is missing: every split of SGD has a schema\.json"):
        loader.tools("train")


SCHEMAS: dict[str, tuple[Change, str]] = {
    "no list": (lambda services: services[0].clear(), "is not an SGD schema: .*`service_name`"),
    "a field of another type": (put(0, "intents", 0, "required_slots", value="city"), r"is not an SGD schema: .*`\$\[0\]"),
    "a slot that is not described": (put(0, "intents", 0, "required_slots", 0, value="mood"), "slot 'mood' is used"),
    "a name that no model API takes": (put(0, "intents", 0, "name", value="Find it!"), "rename the service or the intent"),
    "a name that is too long": (put(0, "intents", 0, "name", value="F" * 70), "rename the service or the intent"),
    "two services of one name": (put(0, "service_name", value="Books_1"), "two services are called 'Books_1'"),
}


@pytest.mark.parametrize("fault", SCHEMAS)
def test_a_broken_schema_is_named(folder: SGDFolder, fault: str) -> None:
    change, reason = SCHEMAS[fault]
    folder.change_schema(change)
    with pytest.raises(DataError, match=rf"train/schema\.json.*{reason}"):
        list(SGDLoader(folder.path, strict=False).load("train"))


@pytest.mark.parametrize("content", [b"", b"[{", b"[" * 100_000, b'[{"service_name": "\xff"}]'])
def test_a_schema_that_is_no_json_is_named(folder: SGDFolder, content: bytes) -> None:
    folder.schema.write_bytes(content)
    with pytest.raises(DataError, match=r"train/schema\.json is not an SGD schema"):
        SGDLoader(folder.path).tools("train")
