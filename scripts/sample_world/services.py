"""The invented services: their schemas, their tables of things, and what a call to one of them answers.

A call is a pure function of service, seed and arguments: the same query gets the same rows in every dialogue and split.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from sample_world.words import Dice, Slot

Row = dict[str, str]
MOST_ROWS = 10
"""A search answers at most this many, as in SGD."""


@dataclass(frozen=True)
class Intent:
    """Something a service can do; `words` holds the JSON entry with its phrases."""

    name: str
    transactional: bool
    required: tuple[str, ...]
    optional: Mapping[str, str]
    results: tuple[str, ...]
    words: Mapping[str, Any]

    @property
    def arguments(self) -> tuple[str, ...]:
        return (*self.required, *self.optional)


class Service:
    """One service of the world, read from its JSON file; the seed fills its table."""

    def __init__(self, source: Mapping[str, Any], kinds: Mapping[str, Any], seed: int) -> None:
        self.name: str = source["service_name"]
        self.source = source
        self._seed = seed
        self.slots = {
            entry["name"]: Slot(self.name, entry["name"], entry["kind"], {**kinds.get(entry["kind"], {}), **entry})
            for entry in source["slots"]
        }
        intents = [_intent(entry) for entry in source["intents"]]
        self.search = next(intent for intent in intents if not intent.transactional)
        self.booking = next((intent for intent in intents if intent.transactional), None)

    @property
    def linked(self) -> bool:
        """What the search finds can be booked."""
        return self.booking is not None and self.name_slot in self.booking.required

    @property
    def name_slot(self) -> str:
        """The slot that names a row of the table."""
        return self.search.results[0]

    @cached_property
    def table(self) -> list[Row]:
        """Everything the service knows of, each name once."""
        dice = Dice(self._seed, self.name, "table")
        columns = [self.slots[entry["name"]] for entry in self.source["slots"] if entry.get("column")]
        names = list(dict.fromkeys(self.slots[self.name_slot].draw(dice) for _ in range(160)))[:48]
        return [{column.name: column.draw(dice) for column in columns} | {self.name_slot: name} for name in names]

    def matches(self, query: Row) -> list[Row]:
        """The rows that agree with the query in every column it names."""
        return [row for row in self.table if all(row.get(slot, value) == value for slot, value in query.items())]

    def find(self, query: Row) -> list[Row]:
        """What the search intent answers; arguments that are no columns (a date) come back in every row."""
        found = self.matches(query)[:MOST_ROWS]
        return [{slot: (query | row)[slot] for slot in sorted(self.search.results)} for row in found]

    def book(self, arguments: Row) -> list[Row]:
        """What the transactional intent answers: one row with everything about the deal, or, once in eight, nothing."""
        assert self.booking is not None, f"{self.name} has no transactional intent"
        key = json.dumps([self.name, self._seed, arguments], sort_keys=True)
        if hashlib.sha256(key.encode()).digest()[0] % 8 == 0:
            return []
        row = next((row for row in self.table if self.linked and row[self.name_slot] == arguments[self.name_slot]), Row())
        dice = Dice(key)
        return [{slot: (row | arguments).get(slot) or self.slots[slot].draw(dice) for slot in sorted(self.booking.results)}]

    def schema(self) -> dict[str, Any]:
        """The service as SGD's schema.json describes one."""
        return {
            "service_name": self.name,
            "description": self.source["description"],
            "slots": [
                {
                    "name": slot.name,
                    "description": slot.words["description"],
                    "is_categorical": slot.categorical,
                    "possible_values": slot.values if slot.categorical or slot.kind == "city" else slot.values[:3],
                }
                for slot in self.slots.values()
            ],
            "intents": [
                {
                    "name": entry["name"],
                    "description": entry["description"],
                    "is_transactional": entry["is_transactional"],
                    "required_slots": entry["required_slots"],
                    "optional_slots": entry["optional_slots"],
                    "result_slots": entry["result_slots"],
                }
                for entry in self.source["intents"]
            ],
        }


def _intent(entry: Mapping[str, Any]) -> Intent:
    return Intent(
        entry["name"],
        entry["is_transactional"],
        tuple(entry["required_slots"]),
        entry["optional_slots"],
        tuple(entry["result_slots"]),
        entry,
    )


def load_services(seed: int) -> dict[str, Service]:
    """All services of the world by name."""
    folder = Path(__file__).parent
    kinds = json.loads((folder / "speech.json").read_text(encoding="utf-8"))["kinds"]
    sources = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*_1.json"))]
    return {source["service_name"]: Service(source, kinds, seed) for source in sources}
