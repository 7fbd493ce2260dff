"""Tool schemas read off recorded calls, for logs that hold none.

What is concluded, and from what:

- an argument's `type` is that of its values (integer, number, boolean, string, array, object; several when they differ; integer
  and number together are number); a null is an argument left out;
- it is `required` when it was given in every call that could be read;
- it has an `enum` when all its values are text, at least 10 were seen, at most 8 are distinct, and each was seen twice or more;
- a tool's `results` are the fields of the rows it answered with; `transactional` is unknown and stays False.

Neither memory nor much of the time grows with the log: of a tool the first 10,000 calls are looked at and at most 256 shapes of
its arguments kept, of an argument at most 9 values.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, cast

import msgspec

from agent_gym.errors import ArgumentsError
from agent_gym.messages import Assistant, Tool, ToolSpec
from agent_gym.traces.trace import Trace

MOST_CHOICES, FEWEST_VALUES, FEWEST_REPEATS = 8, 10, 2
"""Of an enum."""
MOST_TOOLS, MOST_FIELDS, MOST_SHAPES, LONGEST_CHOICE, DEEPEST = 256, 64, 256, 64, 3
"""What is kept of logs that go beyond anything a schema should say: further tools are left out (the model may have made their
names up), further fields of one object, longer texts from enums, and what stands deeper in arguments."""

MOST_CALLS = 10_000
"""Of one tool that are looked at."""

_TYPES = {bool: "boolean", str: "string", int: "integer", float: "number", list: "array", dict: "object"}


class _Slot:
    """What was seen of one argument."""

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.types: Counter[type] = Counter()
        self.choices: Counter[str] | None = Counter()
        self.items: _Slot | None = None
        self.fields: _Fields | None = None

    def see(self, value: Any) -> None:
        if value is not None:
            self.types[type(value)] += 1
            self.look_into(value)

    def look_into(self, value: Any) -> bool:
        """Take in what a value is, beyond its type. False when that will not matter any more."""
        if isinstance(value, str):
            if self.choices is not None:
                if len(value) <= LONGEST_CHOICE:
                    self.choices[value] += 1
                if len(value) > LONGEST_CHOICE or len(self.choices) > MOST_CHOICES:
                    self.choices = None
        elif value is not None:
            self.choices = None
            if self.depth < DEEPEST and isinstance(value, list):
                self.items = self.items or _Slot(self.depth + 1)
                for item in cast(list[Any], value):
                    self.items.see(item)
            elif self.depth < DEEPEST and isinstance(value, dict):
                self.fields = self.fields or _Fields(self.depth + 1)
                self.fields.see(cast(dict[str, Any], value))
        return self.choices is not None or self.items is not None or self.fields is not None

    def schema(self, types: Counter[type]) -> dict[str, Any]:
        """What values of these types, and how many of each, come to."""
        names = [name for type_, name in _TYPES.items() if types[type_] and not (type_ is int and types[float])]
        schema: dict[str, Any] = {"type": names[0] if len(names) == 1 else names} if names else {}
        choices = self.choices
        if choices and types.total() >= FEWEST_VALUES and min(choices.values()) >= FEWEST_REPEATS:
            schema["enum"] = sorted(choices)
        if self.items is not None and (inside := self.items.schema(self.items.types)):
            schema["items"] = inside
        if self.fields is not None and not self.fields.too_many:
            schema |= self.fields.schema(types[dict])
        return schema


class _Fields:
    """What was seen of the fields of one object: how often each shape (names and types), and the values where they matter."""

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.too_many = False
        self._slots: dict[str, _Slot] = {}
        self._shapes: dict[tuple[object, ...], int] = {}
        self._open: list[tuple[str, _Slot]] = []

    def see(self, value: dict[str, Any]) -> None:
        shape = (*value, *map(type, value.values()))
        times = self._shapes.get(shape)
        if times is None:
            self._meet(value)
            if len(self._shapes) >= MOST_SHAPES or len(value) > MOST_FIELDS:
                for name, slot in self._slots.items():
                    slot.see(value.get(name))
                return
            times = 0
        self._shapes[shape] = times + 1
        closed = [slot for name, slot in self._open if name in value and not slot.look_into(value[name])]
        if closed:
            self._open = [one for one in self._open if one[1] not in closed]

    def _meet(self, value: dict[str, Any]) -> None:
        for name in value:
            if name not in self._slots:
                if len(self._slots) >= MOST_FIELDS:
                    self.too_many = True
                    return
                self._slots[name] = _Slot(self.depth)
        # A value of a new type may matter again.
        self._open = list(self._slots.items())

    def schema(self, objects: int) -> dict[str, Any]:
        """Properties, and which of them every one of that many objects had."""
        types = {name: Counter(slot.types) for name, slot in self._slots.items()}
        for shape, times in self._shapes.items():
            half = len(shape) // 2
            for name, type_ in zip(shape[:half], shape[half:], strict=True):
                if type_ is not type(None) and name in types:
                    types[cast(str, name)][cast(type, type_)] += times
        return {
            "properties": {name: slot.schema(types[name]) for name, slot in self._slots.items()},
            "required": [name for name in self._slots if types[name].total() == objects],
        }


class _Called:
    """What was seen of one tool."""

    def __init__(self) -> None:
        self.calls = 0
        self.read = 0
        self.arguments = _Fields(1)
        self.results: dict[str, None] = {}

    def spec(self, name: str) -> ToolSpec:
        looked_at = min(self.calls, MOST_CALLS)
        unread = looked_at - self.read
        return ToolSpec(
            name=name,
            description=f"Inferred from {looked_at:,} recorded call{'s' if looked_at != 1 else ''}"
            + (f", {unread} of which could not be read." if unread else "."),
            parameters={"type": "object", **self.arguments.schema(self.read)},
            results=tuple(self.results),
        )


class ToolInference:
    """Gathers what traces show of their tools; `specs()` says what it comes to."""

    def __init__(self) -> None:
        self._tools: dict[str, _Called] = {}
        self._full: set[str] = set()
        """Tools of which no more calls are looked at."""

    def is_settled(self, called: Sequence[str]) -> bool:
        """Whether a conversation in which these tools were called would change nothing any more."""
        return len(self._full) == len(self._tools) and self._full.issuperset(called)

    def see(self, trace: Trace) -> None:
        """Take in the calls and results of one conversation."""
        for message in trace.messages:
            if type(message) is Assistant:
                for call in message.tool_calls:
                    tool = self._tools.get(call.name)
                    if tool is None:
                        if len(self._tools) >= MOST_TOOLS:
                            continue
                        tool = self._tools[call.name] = _Called()
                    tool.calls += 1
                    if tool.calls > MOST_CALLS:
                        self._full.add(call.name)
                        continue
                    try:
                        arguments = call.parsed()
                    except ArgumentsError:
                        continue
                    tool.read += 1
                    tool.arguments.see(arguments)
            elif type(message) is Tool and (tool := self._tools.get(message.name)) is not None and tool.calls <= MOST_CALLS:
                _see_rows(message.result, tool.results)

    def specs(self) -> tuple[ToolSpec, ...]:
        """A spec for every tool that was called, by name."""
        return tuple(tool.spec(name) for name, tool in sorted(self._tools.items()))


def called_in(trace: Trace) -> list[str]:
    """The names of the tools that were called, in order, one for each call."""
    return [call.name for one in trace.messages if type(one) is Assistant and one.tool_calls for call in one.tool_calls]


def _see_rows(result: Any, names: dict[str, None]) -> None:
    for row in cast(list[Any], result) if isinstance(result, list) else [result]:
        if isinstance(row, dict) and len(names) < MOST_FIELDS and not row.keys() <= names.keys():
            names.update(dict.fromkeys(list(cast(dict[str, Any], row))[: MOST_FIELDS - len(names)]))


def infer_tools(traces: Iterable[Trace]) -> tuple[ToolSpec, ...]:
    """The tools that the calls of some traces show."""
    inference = ToolInference()
    for trace in traces:
        inference.see(trace)
    return inference.specs()


def with_inferred_tools(traces: Sequence[Trace]) -> list[Trace]:
    """The traces; those without tools get the ones that their calls show, each of them all.

    All, because what an agent may call is more than what it happened to call: a conversation in which only one tool is on offer
    gives away which one to use.
    """
    specs = infer_tools(trace for trace in traces if not trace.tools)
    return [trace if trace.tools or not specs else msgspec.structs.replace(trace, tools=specs) for trace in traces]
