"""A paraphrase of our own sample's schemas, in the way of SGD-X: other names, same order.

Its hardest names are those that the original has too, for something else: `departure_time` of a ferry is what was its
`sailing_date`, and the two ends of its way are exchanged.
"""

import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

SGD_X = os.environ.get("AGENT_GYM_SGD_X")
"""A folder that holds the real `sgd_x`, where the installed data set does not."""
FALSE_FRIENDS = {
    "sailing_date": "departure_time",
    "departure_time": "hour",
    "origin": "destination",
    "destination": "origin",
    "city": "city",
}


def paraphrased_sample(sample: Path, folder: Path, splits: tuple[str, ...] = ("train", "dev", "test")) -> Path:
    """Make `folder` the sample with a variant `v1` beside it."""
    for split in splits:
        schema = (sample / split / "schema.json").read_bytes()
        services: list[Any] = msgspec.json.decode(schema)
        write_schema(folder / "sgd_x" / "data" / "v1" / split, [_service(service) for service in services])
        (folder / split).symlink_to(sample / split)
    return folder


def real_with_paraphrase(sgd: Path, folder: Path) -> Path:
    """The real data set with the real paraphrase beside it; in `folder`, when they lie in different places."""
    if (sgd / "sgd_x").is_dir():
        return sgd
    if SGD_X is None:
        pytest.skip("SGD-X is not installed: `agent-gym data fetch --from` its archive, or point AGENT_GYM_SGD_X at its folder")
    for name, place in (("train", sgd), ("dev", sgd), ("sgd_x", Path(SGD_X))):
        (folder / name).symlink_to((place / name).resolve())
    return folder


def write_schema(folder: Path, services: list[Any]) -> None:
    """Write the schema of a split."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "schema.json").write_bytes(msgspec.json.encode(services))


def _service(service: Any) -> Any:
    return {
        "service_name": service["service_name"] + "1",
        "description": f"In other words: {service['description']}",
        "slots": [{**slot, "name": _slot(slot["name"]), "description": "Said otherwise"} for slot in service["slots"]],
        "intents": [
            {
                **intent,
                "name": f"Do{intent['name']}",
                "description": f"Please {intent['description']}",
                "required_slots": [*map(_slot, intent["required_slots"])],
                "optional_slots": {_slot(slot): default for slot, default in intent["optional_slots"].items()},
                "result_slots": [*map(_slot, intent["result_slots"])],
            }
            for intent in service["intents"]
        ],
    }


def _slot(name: str) -> str:
    return FALSE_FRIENDS.get(name, f"the_{name}")
