"""Tools replayed from recordings, so that an agent can be run without the real services.

A call is answered by the first rung that can:

    recorded             the answer of this very conversation
    recorded_elsewhere   the answer of the same call in any other; the most frequent one when they differ
    entity_table         a query over every row the tool ever returned
    echo                 a transactional tool succeeds: arguments and result fields come back
    miss                 an empty result

A call that breaks the schema is `refused` with an error that the agent sees. Same call, same answer, always. What is *not*
covered: writes are not remembered, so a booking never shows up in a later search.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from agent_gym.messages import ToolCall, ToolResult, ToolSpec
from agent_gym.tools.catalog import ToolCatalog, check_arguments, shapes_of
from agent_gym.tools.recordings import Recordings, Row, answered_calls
from agent_gym.traces import Trace
from agent_gym.values import matches

RUNGS = ("recorded", "recorded_elsewhere", "entity_table", "echo", "miss", "refused")


class ToolMocker:
    """A tool backend made of recordings.

    Args:
        catalog: the tools there are.
        recordings: what tools answered in other conversations, or a function that reads it when it is first needed (most calls
            are answered by the conversation's own recording).
        conversation: the trace being replayed, if any.
        limit: rows that the entity table gives at most.
    """

    def __init__(
        self,
        catalog: ToolCatalog,
        recordings: Recordings | Callable[[], Recordings],
        conversation: Trace | None = None,
        *,
        limit: int = 10,
    ) -> None:
        self.catalog = catalog
        self.limit = limit
        self._recordings = recordings
        self._own = answered_calls(conversation) if conversation is not None else []

    @property
    def blocking(self) -> bool:
        """Whether a call may have to read the recordings first, which takes seconds."""
        return not isinstance(self._recordings, Recordings)

    def __call__(self, name: str, arguments: Mapping[str, Any] | None = None) -> ToolResult:
        """Answer a call, as `call` does: a mocker passes for the function behind the tools."""
        return self.call(name, arguments or {})

    def call(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        """Answer a call; the result's `source` is the rung that did."""
        for call, answer in self._own:
            if is_same_call(call, name, arguments):
                return ToolResult(answer.result, answer.error, "recorded")
        spec = self.catalog.get(name)
        if spec is None:
            return ToolResult(error=f"there is no tool {name!r}", source="refused")
        if faults := check_arguments(spec, arguments):
            return ToolResult(error="; ".join(faults), source="refused")
        return self.from_others(spec, arguments)

    def from_others(self, spec: ToolSpec, arguments: Mapping[str, Any], *, without: str | None = None) -> ToolResult:
        """Answer from what other conversations recorded, the conversation `without` left out."""
        recordings = self._recordings
        if not isinstance(recordings, Recordings):
            recordings = self._recordings = recordings()
        recording = recordings.tool(spec.name)
        if answer := recording.answered(arguments, without=without):
            note = f"given {answer.times} of {answer.of} times"
            return ToolResult(answer.value, answer.error, "recorded_elsewhere", note)
        rows: Sequence[Row]
        if spec.transactional:
            rows, source = [_echo(spec, arguments, recording.nearest(arguments, without=without) or {})], "echo"
        else:
            rows = recording.search({**_defaults(spec), **arguments}, limit=self.limit, without=without)
            source = "entity_table" if rows else "miss"
        # In the shape in which the tool answers: one object, or a list of them.
        return ToolResult(next(iter(rows), dict[str, Any]()) if recording.gives_objects else rows, source=source)


def is_same_call(recorded: ToolCall, name: str, arguments: Mapping[str, Any]) -> bool:
    """Whether a call asks what a recorded one asked, any known variant of a value counting as that value."""
    if recorded.name != name:
        return False
    expected = recorded.parsed()
    return expected.keys() == arguments.keys() and all(
        matches(arguments[slot], value, recorded.accepted.get(slot, ())) for slot, value in expected.items()
    )


def _defaults(spec: ToolSpec) -> dict[str, Any]:
    return {slot: shape["default"] for slot, shape in shapes_of(spec).items() if shape.get("default") is not None}


def _echo(spec: ToolSpec, arguments: Mapping[str, Any], nearest: Row) -> Row:
    known = {field: nearest[field] for field in spec.results if field in nearest}
    return cast(Row, {**known, **arguments})
