"""Other names for the same tools: a renaming that can be undone, of everything that carries a name.

Calls, results, tool specs, goals and the errors that tools answer with are renamed; what was said, values and everything else
stay. Names are exchanged, not replaced: where `city` becomes `town`, a `town` that was there becomes `city`. So no two names
ever fall together, whatever an agent writes, undoing gives back what was there before, and an agent that clings to an old name
does not hit the right one by accident.

    renaming.call(ToolCall("Hotels_1-Find", '{"city": "Oslo"}'))       # Hotels_11-Seek, {"town": "Oslo"}
    renaming.undone.call(ToolCall("Hotels_1-Find", '{"city": "Oslo"}'))    # Hotels_11-Seek, {"city": "Oslo"}: unknown there
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import msgspec

from agent_gym.errors import DataError
from agent_gym.messages import Assistant, Message, Tool, ToolCall, ToolSpec
from agent_gym.traces.trace import Goal, IntentGoal, Trace

Names = Mapping[str, str]
_UNCHANGED: Names = {}
# A string that is never closed ends with the text: a model's broken arguments are read once, not once for every quote.
_JSON_MARKS = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)(?=\s*(:)?)|[{}\[\]]', re.DOTALL)
_WORDS = re.compile(r"[\w-]+")


@dataclass(frozen=True)
class Renaming:
    """New names for tools and for the fields of their arguments and results; made by `of`."""

    names: Names
    """Tool to tool; every name that occurs on one side occurs on the other."""
    fields: Mapping[str, Names]
    """By a tool's name before the renaming: field to field, in the same way."""
    specs: Mapping[str, tuple[ToolSpec, ToolSpec]]
    """By a tool's name before the renaming: what it is before, and after."""

    @classmethod
    def of(cls, pairs: Iterable[tuple[ToolSpec, ToolSpec, Names]]) -> "Renaming":
        """A renaming from pairs of tools, each with the new names of its fields."""
        listed = list(pairs)
        return cls(
            names=_exchanged({before.name: after.name for before, after, _ in listed}),
            fields={before.name: _exchanged(fields) for before, _, fields in listed},
            specs={before.name: (before, after) for before, after, _ in listed},
        )

    @property
    def undone(self) -> "Renaming":
        """The way back: `renaming.undone.trace(renaming.trace(trace)) == trace`."""
        return Renaming(
            names=_turned(self.names),
            fields={self.names[tool]: _turned(fields) for tool, fields in self.fields.items()},
            specs={after.name: (after, before) for before, after in self.specs.values()},
        )

    def call(self, call: ToolCall) -> ToolCall:
        """A call, its arguments as they were written except for their names."""
        fields = self._fields(call.name)
        return ToolCall(
            self.names.get(call.name, call.name),
            _renamed_keys(call.arguments, fields),
            call.id,
            _renamed(call.accepted, fields),
        )

    def action(self, action: Assistant) -> Assistant:
        """What an agent did."""
        return Assistant(action.content, tuple(map(self.call, action.tool_calls))) if action.tool_calls else action

    def answer(self, answer: Tool) -> Tool:
        """What a tool answered: the fields of its rows, and the names in its error."""
        fields = self._fields(answer.name)
        return Tool(
            self.names.get(answer.name, answer.name),
            _renamed_rows(answer.result, fields),
            self._renamed_words(answer.error, fields) if answer.error else answer.error,
            answer.call_id,
            answer.source,
        )

    def message(self, message: Message) -> Message:
        """One message of a conversation; words stay as they are."""
        match message:
            case Assistant():
                return self.action(message)
            case Tool():
                return self.answer(message)
            case _:
                return message

    def tools(self, tools: Iterable[ToolSpec]) -> tuple[ToolSpec, ...]:
        """What an agent may call, in the same order.

        Raises:
            DataError: for a tool that this renaming does not know, or knows as another.
        """
        return tuple(map(self._spec, tools))

    def trace(self, trace: Trace) -> Trace:
        """A whole conversation.

        Raises:
            DataError: as `tools` does.
        """
        return msgspec.structs.replace(
            trace,
            messages=tuple(map(self.message, trace.messages)),
            tools=self.tools(trace.tools),
            goal=Goal(tuple(map(self._wish, trace.goal.intents))) if trace.goal is not None else None,
        )

    def _fields(self, tool: str) -> Names:
        return self.fields.get(tool, _UNCHANGED)

    def _spec(self, spec: ToolSpec) -> ToolSpec:
        before, after = self.specs.get(spec.name, (None, spec))
        if before != spec:
            fact = "is not what the schema says it is" if before else "is not in the schema"
            known = ", ".join(self.specs)
            raise DataError(f"tool {spec.name!r} {fact}; paraphrase with the schema of the trace's own split (it has {known})")
        return after

    def _wish(self, wish: IntentGoal) -> IntentGoal:
        fields = self._fields(wish.tool)
        requested = tuple(fields.get(field, field) for field in wish.requested)
        return IntentGoal(self.names.get(wish.tool, wish.tool), _renamed(wish.slots, fields), requested)

    def _renamed_words(self, text: str, fields: Names) -> str:
        return _WORDS.sub(lambda word: self.names.get(word[0]) or fields.get(word[0], word[0]), text)


def _exchanged(names: Names) -> Names:
    """The renaming as an exchange of names: a new name that was none before becomes the name that fell free."""
    origins = _turned(names)
    whole = dict(names)
    for new in names.values():
        if new not in names:
            free = new
            while free in origins:
                free = origins[free]
            whole[new] = free
    return whole


def _turned(names: Names) -> Names:
    return {new: old for old, new in names.items()}


def _renamed(values: Mapping[str, Any], fields: Names) -> dict[str, Any]:
    return {fields.get(name, name): value for name, value in values.items()}


def _renamed_rows(result: Any, fields: Names) -> Any:
    if isinstance(result, list):
        return [_renamed(cast(Any, row), fields) if isinstance(row, dict) else row for row in cast(list[Any], result)]
    return _renamed(cast(dict[str, Any], result), fields) if isinstance(result, dict) else result


def _renamed_keys(raw: str, fields: Names) -> str:
    """The text of a JSON object with other names for its members; as far as possible also where it is broken."""
    depth = 0

    def renamed(mark: re.Match[str]) -> str:
        nonlocal depth
        text = mark[0]
        if text in "{}[]":
            depth += 1 if text in "{[" else -1
            return text
        return _renamed_key(text, fields) if depth == 1 and mark[1] else text

    return _JSON_MARKS.sub(renamed, raw) if fields else raw


def _renamed_key(text: str, fields: Names) -> str:
    try:
        name = json.loads(text)
    except ValueError:
        return text
    return json.dumps(fields[name], ensure_ascii=False) if name in fields else text
