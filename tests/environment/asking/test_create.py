"""One call from somebody's own logs to an agent grounded in them, mocked tools and a reward function."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agent_gym import create_environment
from agent_gym.environment.asking.query import QueryAgent
from agent_gym.errors import DataError, MissingKey, UsageError
from agent_gym.traces import Trace, load_trace
from conftest import ROOT

LOGS = ROOT / "scripts" / "customer_service.jsonl"
Log = dict[str, Any]


@pytest.fixture
def logs() -> list[Log]:
    return [json.loads(line) for line in LOGS.read_text().splitlines()]


def offline(traces: Any, **settings: Any) -> QueryAgent:
    query_agent, _, _ = create_environment(traces, model="offline", **settings)
    return query_agent


def test_the_promised_lines_work_as_written(logs: list[Log], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENT_GYM_MODEL", "offline")
    traces = logs

    query_agent, tool_mocker, reward_fn = create_environment(traces)
    response = query_agent("I want to cancel my subscription")
    tool_result = tool_mocker("lookup_account", {"user_id": "123"})
    score = reward_fn(response, ground_truth="Expected response...")

    assert str(response) == "That's a pity. What is your user ID?"
    assert tool_result.value["plan"] == "Plus"
    assert tool_result.source == "recorded_elsewhere"
    assert 0.0 <= score <= 1.0


def sources(logs: list[Log], folder: Path) -> Iterator[object]:
    """The same conversations in every way in which they can be handed over."""
    (folder / "traces.json").write_text(json.dumps(logs))
    yield LOGS
    yield str(LOGS)
    yield folder
    yield folder / "traces.json"
    yield logs
    yield [load_trace(log) for log in logs]
    yield (load_trace(log) for log in logs)


def test_traces_come_as_a_path_as_values_and_as_traces(logs: list[Log], tmp_path: Path) -> None:
    answers = [offline(source)("Where is order B-2210?") for source in sources(logs, tmp_path)]
    assert len(answers) == 7
    assert {answer.text for answer in answers} == {"Your Coffee grinder is being packed. It should arrive on March 11th."}
    assert len({msgspec.json.encode(answer.trace) for answer in answers}) == 1


def test_chat_messages_of_openai_are_traces_too() -> None:
    lookup = {"id": "c1", "type": "function", "function": {"name": "lookup_account", "arguments": '{"user_id": "123"}'}}
    log = {
        "messages": [
            {"role": "user", "content": "Which plan has user 123?"},
            {"role": "assistant", "content": None, "tool_calls": [lookup]},
            {"role": "tool", "tool_call_id": "c1", "content": '{"plan": "Plus"}'},
            {"role": "assistant", "content": "The Plus plan."},
        ]
    }
    query_agent, tool_mocker, _ = create_environment([log], model="offline")
    assert tool_mocker("lookup_account", {"user_id": "123"}).value == {"plan": "Plus"}
    assert str(query_agent("Which plan has user 123?")) == "The Plus plan."


def test_tools_are_inferred_where_the_traces_carry_none(logs: list[Log]) -> None:
    bare = [{name: value for name, value in log.items() if name != "tools"} for log in logs]
    _, tool_mocker, _ = create_environment(bare, model="offline")
    assert {*tool_mocker.catalog} == {tool["name"] for tool in logs[0]["tools"]}
    assert tool_mocker("lookup_order").error == "lookup_order: argument 'order_id' is missing"
    assert tool_mocker("no_such_tool", {}).error == "there is no tool 'no_such_tool'"


def test_what_a_trace_says_of_a_tool_counts_for_the_others_calls(logs: list[Log]) -> None:
    bare = {name: value for name, value in logs[0].items() if name != "tools"}
    _, tool_mocker, _ = create_environment([bare, *logs[1:]], model="offline")
    assert tool_mocker.catalog["cancel_subscription"].transactional


def test_the_date_is_told(logs: list[Log]) -> None:
    response = offline(logs, today="2025-03-03")("Where is order B-2210?")
    assert response.trace.metadata["date"] == "2025-03-03"
    assert offline(logs)("Where is order B-2210?").trace.metadata.keys() == {"start", "rungs", "neighbours"}


@pytest.mark.parametrize(
    ("traces", "told"),
    [
        ([], "there are no traces to make an environment of"),
        ("no/such.jsonl", "'no/such.jsonl' does not exist: give a JSON or JSON lines file, or a folder of them"),
        (
            [Trace(conversation_id="a", messages=())],
            "nothing to ground answers in: none of the 1 traces holds a user's message with an answer",
        ),
        (
            [
                {
                    "conversation_id": "a",
                    "messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}],
                }
            ],
            "nothing to mock: none of the 1 traces names a tool or calls one",
        ),
    ],
)
def test_traces_that_hold_nothing_to_work_with_are_refused_in_one_line(traces: Any, told: str) -> None:
    with pytest.raises(UsageError) as refused:
        offline(traces)
    assert str(refused.value) == told


def test_a_trace_that_cannot_be_read_is_named() -> None:
    with pytest.raises(DataError, match=r"row 1.*role"):
        offline([{"conversation_id": "a", "messages": [{"role": "user", "content": "Hi"}]}, {"messages": [{"role": "boss"}]}])


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"neighbours": -1}, "neighbours is -1; it is how many recorded turns are shown, 0 or more"),
        ({"weights": {"luck": 1.0}}, "there is no metric 'luck' to weigh"),
        ({"weights": {"judge": -1.0, "similarity": 2.0}}, "weights must not be negative"),
        ({"weights": {"similarity": 0.0}}, "weights must not be negative and must have a positive, finite sum"),
        ({"model": "no-provider"}, "unknown model 'no-provider'"),
        ({"judge_model": "no-provider"}, "unknown model 'no-provider'"),
        ({"api_base": "localhost"}, "the offline model has no endpoint"),
    ],
)
def test_a_setting_that_cannot_be_used_is_refused_at_once(settings: dict[str, Any], told: str) -> None:
    merged: dict[str, Any] = {"model": "offline", **settings}
    with pytest.raises(UsageError, match=told):
        create_environment(LOGS, **merged)


def test_only_what_asks_a_model_needs_a_key(logs: list[Log]) -> None:
    query_agent, tool_mocker, reward_fn = create_environment(logs, model="openai/any")
    assert tool_mocker("lookup_account", {"user_id": "123"}).error is None
    assert reward_fn("Hello", ground_truth="hello!") == 1.0
    with pytest.raises(MissingKey, match="openai/any needs OPENAI_API_KEY in the environment"):
        query_agent("Hello")


def test_a_key_that_comes_later_is_found(logs: list[Log], monkeypatch: pytest.MonkeyPatch) -> None:
    query_agent, _, _ = create_environment(logs, model="openai/any")
    with pytest.raises(MissingKey):
        query_agent("Hello")
    monkeypatch.setenv("AGENT_GYM_MODEL", "offline")
    monkeypatch.setenv("OPENAI_API_KEY", "a key")
    with pytest.raises(UsageError, match="there is no question"):
        query_agent(" ")
