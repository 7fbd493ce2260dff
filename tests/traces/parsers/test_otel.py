"""OpenTelemetry exports: conversations put together from spans in any order and in every spelling of the conventions."""

import json
from itertools import permutations
from typing import Any, cast

import pytest

from agent_gym.messages import Assistant, System, Tool, ToolCall, ToolSpec, User
from agent_gym.traces import Fault, Trace, import_traces, read_logs

CALL = {"type": "tool_call", "id": "c1", "name": "lookup", "arguments": {"id": 7}}
ANSWER = {"type": "tool_call_response", "id": "c1", "response": {"status": "sent"}}
WHOLE = (
    User("Where is it?"),
    Assistant("", (ToolCall("lookup", '{"id":7}', "c1"),)),
    Tool("lookup", {"status": "sent"}, call_id="c1"),
    Assistant("It was sent."),
)


def text(role: str, words: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": words}]}


ASKED = text("user", "Where is it?")
CALLED = {"role": "assistant", "parts": [{"type": "reasoning", "content": "hm"}, CALL], "finish_reason": "tool_call"}
ANSWERED = {"role": "tool", "parts": [ANSWER]}
SAID = text("assistant", "It was sent.")


def value(one: Any) -> dict[str, Any]:
    return {"stringValue": one if isinstance(one, str) else json.dumps(one)}


def span(start: int = 1, trace: str = "t1", **attributes: Any) -> dict[str, Any]:
    named = {f"gen_ai.{name.replace('__', '.')}": one for name, one in attributes.items()}
    return {
        "traceId": trace,
        "spanId": f"s{start}",
        "startTimeUnixNano": str(start),
        "attributes": [{"key": name, "value": value(one)} for name, one in named.items()],
    }


def chat(start: int, said: list[Any], answer: Any, trace: str = "t1", **attributes: Any) -> dict[str, Any]:
    more = {"operation__name": "chat", "input__messages": said, "output__messages": [answer], **attributes}
    return span(start, trace, **more)


def tool(start: int = 2, trace: str = "t1", **attributes: Any) -> dict[str, Any]:
    more = {"tool__name": "lookup", "tool__call__arguments": '{"id": 7}', "tool__call__result": '{"status": "sent"}'}
    return span(start, trace, operation__name="execute_tool", **{**more, **attributes})


def export(*spans: dict[str, Any]) -> dict[str, Any]:
    return {"resourceSpans": [{"scopeSpans": [{"spans": list(spans)}]}]}


def read(*spans: dict[str, Any]) -> list[Trace]:
    return list(import_traces([export(*spans)]))


FIRST = chat(1, [ASKED], CALLED)
SECOND = chat(3, [ASKED, CALLED, ANSWERED], SAID)


def test_the_longest_request_of_a_trace_is_the_conversation_in_whatever_order_spans_come() -> None:
    for spans in permutations([FIRST, tool(), SECOND, span(0, operation__name="invoke_agent")]):
        (trace,) = read(*spans)
        assert trace == Trace(conversation_id="t1", messages=WHOLE, metadata={"trace_ids": ["t1"]})


def test_an_answer_that_no_request_holds_comes_from_the_run_of_the_tool() -> None:
    assert read(FIRST, tool(tool__call__id="c1"))[0].messages == WHOLE[:3]


def test_a_tool_that_failed_answers_with_its_error() -> None:
    failed = {**tool(tool__call__id="c1", tool__call__result="null"), "status": {"code": 2, "message": "no such order"}}
    assert read(FIRST, failed)[0].messages[2] == Tool("lookup", error="no such order", call_id="c1")


def test_where_only_the_agent_as_a_whole_was_recorded_the_runs_stand_before_its_answer() -> None:
    agent = span(1, operation__name="invoke_agent", conversation__id="c9", input__messages=[ASKED], output__messages=[SAID])
    (trace,) = read(agent, tool(tool__call__id="c1"))
    assert trace.conversation_id == "c9"
    assert trace.messages == (WHOLE[0], Assistant("", (ToolCall("lookup", '{"id": 7}', "c1"),)), *WHOLE[2:])


def test_one_export_holds_many_conversations() -> None:
    assert [trace.conversation_id for trace in read(FIRST, chat(2, [ASKED], SAID, "t2"), SECOND)] == ["t1", "t2"]


def test_turns_in_traces_of_their_own_are_one_conversation() -> None:
    thanks, welcome = text("user", "Thanks."), text("assistant", "You are welcome.")
    whole = chat(9, [ASKED, SAID, thanks], welcome, "t2", conversation__id="c9")
    alone = chat(9, [text("system", "Be kind."), thanks], welcome, "t2", conversation__id="c9")
    first = chat(1, [text("system", "Be kind."), ASKED], SAID, "t1", conversation__id="c9")
    expected = (
        System("Be kind."),
        User("Where is it?"),
        Assistant("It was sent."),
        User("Thanks."),
        Assistant("You are welcome."),
    )
    assert [trace.messages for trace in read(alone, first)] == [expected]
    assert [trace.messages for trace in read(whole, first)] == [expected[1:]]


def test_the_conversation_may_be_named_by_another_span_of_the_trace() -> None:
    assert [trace.conversation_id for trace in read(FIRST, span(0, conversation__id="c9"))] == ["c9"]


def test_instructions_and_tools_beside_the_messages_are_read() -> None:
    tools = [{"type": "function", "name": "lookup", "description": "Finds.", "parameters": {"type": "object"}}]
    told = [{"type": "text", "content": "Be kind."}]
    (trace,) = read(chat(1, [ASKED], SAID, system_instructions=told, tool__definitions=tools))
    assert trace.messages[0] == System("Be kind.")
    assert trace.tools == (ToolSpec("lookup", "Finds.", {"type": "object"}),)


def test_structured_attributes_are_read_like_json_text() -> None:
    def typed(one: Any) -> dict[str, Any]:
        if isinstance(one, dict):
            fields = cast(dict[str, Any], one).items()
            return {"kvlistValue": {"values": [{"key": key, "value": typed(item)} for key, item in fields]}}
        if isinstance(one, list):
            return {"arrayValue": {"values": [typed(item) for item in cast(list[Any], one)]}}
        return {"intValue": str(one)} if isinstance(one, int) else {"stringValue": one}

    structured = span(3, operation__name="chat")
    structured["attributes"] += [
        {"key": "gen_ai.input.messages", "value": typed([ASKED, CALLED, ANSWERED])},
        {"key": "gen_ai.output.messages", "value": typed([SAID])},
    ]
    assert read(structured)[0].messages == WHOLE


def test_spans_of_a_console_exporter_are_read_one_by_one() -> None:
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.input.messages": json.dumps([ASKED])}
    spans = [
        {"name": "chat", "context": {"trace_id": "0x1"}, "start_time": "2026-01-02T03:04:05.6Z", "attributes": attributes},
        {"name": "GET", "context": {"trace_id": "0x1"}, "attributes": {"http.method": "GET"}},
    ]
    (trace,) = import_traces(spans)
    assert (trace.conversation_id, trace.messages) == ("0x1", (User("Where is it?"),))


OLD_CALL = [{"id": "c1", "type": "function", "function": {"name": "lookup", "arguments": '{"id":7}'}}]
OLD = [
    ("gen_ai.system.message", {"content": "Be kind."}),
    ("gen_ai.user.message", {"content": "Where is it?"}),
    ("gen_ai.assistant.message", {"tool_calls": OLD_CALL}),
    ("gen_ai.tool.message", {"id": "c1", "content": '{"status": "sent"}'}),
    ("gen_ai.choice", {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "It was sent."}}),
    ("gen_ai.choice", {"index": 1, "message": {"content": "Another answer."}}),
    ("exception", {"message": "unrelated"}),
]


@pytest.mark.parametrize("wrapped", [False, True])
def test_the_older_events_on_a_span_are_read(wrapped: bool) -> None:
    events = [
        {"name": name, "attributes": {"gen_ai.event.content": json.dumps(body)} if wrapped else body} for name, body in OLD
    ]
    (trace,) = read({**span(1, operation__name="chat"), "events": events})
    assert trace.messages == (System("Be kind."), *WHOLE)


def test_the_older_events_as_log_records_are_read() -> None:
    records = [{"eventName": name, "traceId": "t1", "spanId": "s1", "body": body} for name, body in OLD]
    (trace,) = import_traces([{"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]}])
    assert trace.messages == (System("Be kind."), *WHOLE)


def test_the_event_of_all_details_is_read() -> None:
    attributes = {"gen_ai.input.messages": [ASKED], "gen_ai.output.messages": [SAID]}
    event = {"name": "gen_ai.client.inference.operation.details", "attributes": attributes}
    record = {"eventName": event["name"], "traceId": "t2", "attributes": attributes}
    logs = {"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}
    read_ = import_traces([export({**span(1, operation__name="chat"), "events": [event]}), logs])
    assert [trace.messages for trace in read_] == [(WHOLE[0], WHOLE[3])] * 2


def faults(*rows: Any) -> list[tuple[str, str]]:
    return [(one.path, one.reason) for one in read_logs(list(rows), "otel") if isinstance(one, Fault)]


def test_a_faulty_span_is_named_with_its_path_and_the_others_are_read() -> None:
    broken = chat(1, [ASKED, {"role": "tool", "parts": [{"type": "tool_call_response", "id": 3}]}], SAID, "t2")
    read_ = list(read_logs([export(SECOND, broken)]))
    assert [one for one in read_ if not isinstance(one, Fault)] != []
    at = "$.resourceSpans[0].scopeSpans[0].spans[1].attributes['gen_ai.input.messages'][1].parts[0].id"
    assert [(one.path, one.reason) for one in read_ if isinstance(one, Fault)] == [(at, "Expected `str | null`, got `int`")]


@pytest.mark.parametrize(
    ("row", "path", "reason"),
    [
        (export(), "$", "no GenAI span"),
        ({"resourceSpans": 3}, "$.resourceSpans", "expected an object or a list"),
        ({"resourceSpans": [{"scopeSpans": ["x"]}]}, "$.resourceSpans[0].scopeSpans[0]", "expected an object or a list"),
        ({"messages": []}, "$", "no OpenTelemetry export"),
        (export(span(1, operation__name="chat")), "$.resourceSpans[0].scopeSpans[0].spans[0]", "message content"),
        (
            export(span(1, operation__name="chat", input__messages="{oops")),
            "$.resourceSpans[0].scopeSpans[0].spans[0].attributes['gen_ai.input.messages']",
            "not JSON",
        ),
    ],
)
def test_what_holds_no_conversation_is_a_fault(row: dict[str, Any], path: str, reason: str) -> None:
    found, said = faults(row)[0]
    assert found == path
    assert reason in said
