"""SGD-X: the same services in other words, to see how far an agent's skill hangs on the names of its tools.

`sgd_x/data/VARIANT/SPLIT/schema.json` names services, intents and slots of a split anew. Nothing in it says what was what; it
stands in the order of the original. The first slot of the first service of dev, there and here:

    {"service_name": "Alarm_1", "slots": [{"name": "alarm_time", "description": "Time of the alarm", ...}, ...], ...}
    {"service_name": "Alarm_11", "slots": [{"name": "alert_time", "description": "Alarm time", ...}, ...], ...}

So the order is trusted only where kinds, values and the parts that slots play agree too. Values are the same in both: the
dialogues were spoken once. The data set: Lee et al., AAAI 2022.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from agent_gym.errors import DataError, UsageError
from agent_gym.messages import ToolCall, ToolSpec
from agent_gym.traces.renaming import Names, Renaming
from agent_gym.traces.sgd import is_sgd
from agent_gym.traces.sgd_schema import SGDService, read_tools
from agent_gym.traces.task import Task
from agent_gym.traces.trace import Trace

Recorded = TypeVar("Recorded", Trace, Task)


@dataclass(frozen=True)
class SchemaVariant:
    """One paraphrase of a split's schema, and the way there and back."""

    name: str
    there: Renaming
    """From the original names to the variant's."""
    back: Renaming

    @classmethod
    def read(cls, path: str | Path, split: str, name: str = "v1") -> "SchemaVariant":
        """Pair the schema of a split with its paraphrase.

        Args:
            path: an SGD folder that also holds `sgd_x`.
            split: whose schema.
            name: which paraphrase; the public data set has v1 to v5, from near to far.

        Raises:
            UsageError: when the folder is no SGD folder, or has no such paraphrase of this split.
            DataError: when a schema cannot be read, or the two do not fit together; names service and slot.
        """
        if not is_sgd(Path(path)):
            raise UsageError(f"schema variants are other names for SGD's tools, and {str(path)!r} is not SGD: ask for none")
        folder = Path(path) / "sgd_x" / "data"
        have = sorted(file.parent.parent.name for file in folder.glob(f"*/{split}/schema.json"))
        if name not in have:
            raise UsageError(
                f"no schema variant {name!r} of split {split!r} in {str(folder)!r}: it has {', '.join(have) or 'none'}; "
                "bring an archive of SGD-X there with `agent-gym data fetch --from ARCHIVE`"
            )
        there = _pair(Path(path) / split / "schema.json", folder / name / split / "schema.json")
        return cls(name, there, there.undone)

    def paraphrase(self, recorded: Recorded) -> Recorded:
        """The same conversation or task in the variant's names. What it is called and what it is about stay, so that scores
        can be laid side by side.

        Raises:
            DataError: when it holds a tool that is not in the split's schema.
        """
        return _renamed(recorded, self.there)

    def restore(self, recorded: Recorded) -> Recorded:
        """The way back from `paraphrase`, for conversations and for rollouts.

        Raises:
            DataError: when it holds a tool that is not in the variant's schema.
        """
        return _renamed(recorded, self.back)

    def original(self, call: ToolCall) -> ToolCall:
        """A call made in the variant's names, in the original ones.

        Names that neither schema has stay. An original name that the variant does not have is as wrong there as any other
        invention, so it is given a name that is wrong here.
        """
        return self.back.call(call)


def _renamed(recorded: Recorded, renaming: Renaming) -> Recorded:
    if isinstance(recorded, Task):
        return msgspec.structs.replace(recorded, trace=renaming.trace(recorded.trace))
    return renaming.trace(recorded)


_Services = Sequence[tuple[SGDService, tuple[ToolSpec, ...]]]


def _pair(original: Path, variant: Path) -> Renaming:
    try:
        return Renaming.of(_pairs(_read(original), _read(variant)))
    except _Mismatch as error:
        raise DataError(f"{variant} is no paraphrase of {original}: {error}; bring both from one release") from error


def _read(path: Path) -> _Services:
    tools = read_tools(path)
    services = msgspec.json.decode(path.read_bytes(), type=list[SGDService])
    return list(zip(services, tools.values(), strict=True))


class _Mismatch(Exception):
    """Two schemas that do not say the same."""


def _pairs(ours: _Services, theirs: _Services) -> Iterator[tuple[ToolSpec, ToolSpec, Names]]:
    _matched("", "service", [one.service_name for one, _ in ours], [one.service_name for one, _ in theirs])
    for (service, tools), (other, others) in zip(ours, theirs, strict=True):
        where = f"service {service.service_name!r} ({other.service_name!r})"
        slots = _matched(where, "slot", [slot.name for slot in service.slots], [slot.name for slot in other.slots])
        for one, two in zip(service.slots, other.slots, strict=True):
            place = f"{where}, slot {one.name!r} ({two.name!r})"
            _agree(place, "is_categorical", one.is_categorical, two.is_categorical)
            if one.is_categorical:
                _agree(place, "possible_values", sorted(one.possible_values), sorted(two.possible_values))
        _matched(where, "intent", [intent.name for intent in service.intents], [intent.name for intent in other.intents])
        for tool, counterpart in zip(tools, others, strict=True):
            place = f"{where}, tool {tool.name!r} ({counterpart.name!r})"
            _agree(place, "is_transactional", tool.transactional, counterpart.transactional)
            for slot, name in slots.items():
                _agree(f"{place}, slot {slot!r} ({name!r})", "it", _role(tool, slot), _role(counterpart, name))
            yield tool, counterpart, slots


def _matched(where: str, kind: str, ours: Sequence[str], theirs: Sequence[str]) -> Names:
    """The names by position."""
    place = where and f"{where}, "
    for names in (ours, theirs):
        if twice := [name for name in names if names.count(name) > 1]:
            raise _Mismatch(f"{place}{kind} {twice[0]!r}: there are two of that name")
    if left_over := [*ours[len(theirs) :], *theirs[len(ours) :]]:
        raise _Mismatch(
            f"{place}{kind} {left_over[0]!r}: nothing stands at its place in the other, {len(ours)} against {len(theirs)}"
        )
    return dict(zip(ours, theirs, strict=True))


def _agree(place: str, what: str, ours: Any, theirs: Any) -> None:
    if ours != theirs:
        raise _Mismatch(f"{place}: {what} is {ours} there and {theirs} here")


def _role(tool: ToolSpec, slot: str) -> str:
    """What a slot is to a tool."""
    shape = tool.parameters["properties"].get(slot)
    role = "no argument"
    if shape is not None:
        role = "required" if slot in tool.parameters["required"] else f"optional ({shape['default']!r} when left out)"
    return f"{role}, {'one' if slot in tool.results else 'none'} of the results"
