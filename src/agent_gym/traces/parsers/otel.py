"""OpenTelemetry exports of GenAI spans: OTLP as JSON, whole or in lines, and the spans of console exporters.

    {"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "5b8e", "attributes": [...]}, ...]}]}]}

A conversation is what shares a `gen_ai.conversation.id`, else a trace id. An agent sends the whole history with every request,
so the longest request of a trace, with its answer, is the conversation; requests of the same conversation in other traces are
put together in the order of their time, unless one holds the other. What tools answered comes from the history, and where the
history ends too early from `execute_tool` spans. Spans come in any order, so that the longest history of each conversation is
in memory until the end of the export.
"""

from collections.abc import Iterable, Iterator
from typing import Any, cast

import msgspec

from agent_gym.messages import Assistant, Message, System, Tool, ToolCall
from agent_gym.traces.line import BROKEN
from agent_gym.traces.parsers.openai import Said
from agent_gym.traces.parsers.row import Entry, Fault, Place, Problem, Row, Unreadable, problem_of
from agent_gym.traces.parsers.spans import (
    DETAILS,
    Chat,
    Execution,
    Silent,
    attributes_of,
    messages_of,
    plain,
    read_event,
    read_span,
    span_of,
    start_of,
    trace_of,
)
from agent_gym.traces.trace import Trace

_NESTS = {
    "resourceSpans": (("scopeSpans", "instrumentationLibrarySpans"), ("spans",)),
    "resource_spans": (("scope_spans",), ("spans",)),
    "batches": (("scopeSpans", "instrumentationLibrarySpans"), ("spans",)),
    "resourceLogs": (("scopeLogs",), ("logRecords",)),
    "resource_logs": (("scope_logs",), ("log_records",)),
}


def is_otel(value: dict[str, Any]) -> bool:
    """Whether an object is an export, or a span by itself."""
    return any(name in value for name in _NESTS) or bool("attributes" in value and trace_of(value))


def otel(rows: Iterable[Row | Fault]) -> Iterator[Entry | Fault]:
    """The conversations of an export, which come at its end, and the faults, which come as they are found."""
    export = _Export()
    first: Place | None = None
    for row in rows:
        if isinstance(row, Fault):
            yield row
            continue
        first = first or row.place
        try:
            value = msgspec.json.decode(row.data)
        except BROKEN as error:
            problem = problem_of(error)
            yield Fault(row.place, problem.path, problem.reason)
            continue
        for problem in export.read(value, row.place):
            yield Fault(row.place, problem.path, problem.reason)
    if first is not None and not export.found:
        yield Fault(first, "$", "no GenAI span: none has an attribute gen_ai.operation.name or gen_ai.input.messages")
    yield from export.entries()


class _Export:
    """What is known of the spans seen so far."""

    def __init__(self) -> None:
        self.found = False
        self._chats: dict[str, list[Chat]] = {}
        self._executions: dict[str, list[Execution]] = {}
        self._silent: dict[str, Silent] = {}
        self._conversations: dict[str, str] = {}
        """Trace id to the conversation that one of its spans names."""
        self._events: dict[tuple[str, str], list[Said]] = {}

    def read(self, value: Any, place: Place) -> Iterator[Problem]:
        """Take in a row; gives what is wrong with it."""
        if not isinstance(value, dict) or not is_otel(cast(dict[str, Any], value)):
            yield Problem("$", "no OpenTelemetry export: expected resourceSpans, or a span")
            return
        for path, one in _spans(cast(dict[str, Any], value)):
            if one is None:
                yield Problem(path, "expected an object or a list")
                continue
            try:
                for span in (
                    self._record(one, place, path)
                    if "logRecords" in path or "log_records" in path
                    else read_span(one, place, path)
                ):
                    self._take(span)
            except Unreadable as error:
                self.found = True
                yield from error.problems
            except RecursionError:
                yield Problem(path, "nested too deep")

    def _record(self, record: dict[str, Any], place: Place, path: str) -> Iterator[Chat | Execution | Silent]:
        attributes = attributes_of(record)
        name = str(record.get("eventName") or record.get("event_name") or attributes.get("event.name") or "")
        body = plain(record.get("body"))
        fields = cast(dict[str, Any], body) if isinstance(body, dict) else {"content": body}
        if name == DETAILS:
            merged = {**attributes, **fields}
            yield from read_span({**record, "attributes": merged}, place, path)
            return
        key = (trace_of(record), span_of(record))
        said = [*read_event(name, {**attributes, **fields}, path)]
        if said:
            heard = self._events.setdefault(key, [])
            heard += said
            if name == "gen_ai.choice":
                del self._events[key]
                conversation = str(attributes.get("gen_ai.conversation.id") or "")
                yield Chat(place, key[0], start_of(record), messages_of({}, heard, path), conversation=conversation)

    def _take(self, span: Chat | Execution | Silent) -> None:
        self.found = True
        match span:
            case Execution():
                self._executions.setdefault(span.trace, []).append(span)
            case Silent():
                if span.conversation and span.trace:
                    self._conversations[span.trace] = span.conversation
                if span.chat:
                    self._silent.setdefault(span.trace, span)
            case Chat():
                if span.conversation and span.trace:
                    self._conversations[span.trace] = span.conversation
                _add(self._chats.setdefault(span.conversation or self._conversations.get(span.trace, span.trace), []), span)

    def entries(self) -> Iterator[Entry | Fault]:
        """The conversations, in the order in which they were first met."""
        groups: dict[str, list[Chat]] = {}
        for key, chats in self._chats.items():
            group = groups.setdefault(self._conversations.get(key, key), [])
            for chat in chats:
                _add(group, chat)
        heard = {chat.trace for chats in groups.values() for chat in chats}
        heard |= {trace for trace, conversation in self._conversations.items() if conversation in groups}
        for trace, silent in self._silent.items():
            if trace not in heard:
                reason = "a request without its messages: have the instrumentation record message content"
                yield Fault(silent.place, silent.path, reason)
        for key, chats in groups.items():
            yield self._entry(key, sorted(chats, key=lambda chat: chat.start))

    def _entry(self, key: str, chats: list[Chat]) -> Entry:
        messages: list[Message] = []
        for chat in chats:
            whole = _completed(chat.messages, self._executions.get(chat.trace, []))
            messages += [one for one in whole if not messages or not isinstance(one, System)] if messages else whole
        longest = max(chats, key=lambda chat: len(chat.messages))
        tools = max((chat.tools for chat in chats), key=len)
        traces = list(dict.fromkeys(chat.trace for chat in chats if chat.trace))
        metadata = {"trace_ids": traces} if traces else {}
        name = key or longest.place.conversation_id
        return Entry(longest.place, Trace(conversation_id=name, messages=tuple(messages), tools=tools, metadata=metadata))


def _spans(value: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any] | None]]:
    """Paths and spans; None for what stands where a span should and is none."""
    if not any(name in value for name in _NESTS):
        yield "$", value
        return
    for name, (scopes, leaves) in _NESTS.items():
        for path, resource in _items(value, "$", (name,)):
            if resource is None:
                yield path, None
                continue
            for inner, scope in _items(resource, path, scopes):
                yield from [(inner, None)] if scope is None else _items(scope, inner, leaves)


def _items(value: dict[str, Any], path: str, names: Iterable[str]) -> Iterator[tuple[str, dict[str, Any] | None]]:
    for name in names:
        items = value.get(name)
        if items is not None and not isinstance(items, list):
            yield f"{path}.{name}", None
            continue
        for index, item in enumerate(cast(list[Any], items or [])):
            yield f"{path}.{name}[{index}]", cast(dict[str, Any], item) if isinstance(item, dict) else None


def _add(chats: list[Chat], new: Chat) -> None:
    """Keep of each trace the longest request, and none that another one holds."""
    for old in chats:
        if old.trace == new.trace and (len(old.messages), old.start) > (len(new.messages), new.start):
            return
    words = _words(new)
    kept = [old for old in chats if old.trace != new.trace]
    if any(_words(old)[: len(words)] == words for old in kept):
        chats[:] = kept
        return
    chats[:] = [old for old in kept if words[: len(held := _words(old))] != held]
    chats.append(new)


def _words(chat: Chat) -> list[Message]:
    return [message for message in chat.messages if not isinstance(message, System)]


def _completed(messages: tuple[Message, ...], executions: list[Execution]) -> list[Message]:
    """Messages with the answers of calls that the history does not hold, as far as the runs of the tools are known."""
    if not executions:
        return list(messages)
    runs = sorted(executions, key=lambda run: run.start)
    calls = [call for message in messages if isinstance(message, Assistant) for call in message.tool_calls]
    if not calls:
        # Only the agent as a whole was recorded: the tools ran between what it was asked and what it answered.
        made = [one for run in runs for one in (Assistant("", (ToolCall(run.answer.name, run.arguments, run.id),)), run.answer)]
        at = len(messages) - (1 if messages and isinstance(messages[-1], Assistant) else 0)
        return [*messages[:at], *made, *messages[at:]]
    answered = {message.call_id for message in messages if isinstance(message, Tool)}
    known = {run.id: run.answer for run in runs if run.id}
    whole: list[Message] = []
    for message in messages:
        whole.append(message)
        if isinstance(message, Assistant):
            missing = [call for call in message.tool_calls if call.id and call.id not in answered and call.id in known]
            whole += [msgspec.structs.replace(known[call.id], name=call.name) for call in missing]
    return whole
