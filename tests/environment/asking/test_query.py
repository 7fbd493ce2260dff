"""A question is answered from the nearest recorded turns, with mocked tools; nothing is remembered unless asked to."""

import asyncio
import copy
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError
from typing import Any

import pytest

from agent_gym.environment import create_environment
from agent_gym.environment.asking.query import QueryAgent
from agent_gym.errors import AnswerError, ModelRefused, UsageError
from agent_gym.lm.prompt import EXAMPLE_OPEN
from agent_gym.messages import Tool, User
from conftest import ROOT
from servers import Asked, ModelServer, say

LOGS = ROOT / "scripts" / "customer_service.jsonl"
CANCEL = "I want to cancel my subscription"
LOOKUP = json.dumps({"tool_calls": [{"name": "lookup_account", "arguments": {"user_id": "123"}}]})


@pytest.fixture(scope="module")
def query_agent() -> QueryAgent:
    agent, _, _ = create_environment(LOGS, model="offline", cache=None)
    return agent


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


def served(server: ModelServer, reply: Callable[[Asked], str], **settings: Any) -> QueryAgent:
    """An agent whose model answers so, over HTTP."""
    server.reply = reply
    agent, _, _ = create_environment(LOGS, model="openai/any", api_base=server.openai, cache=None, **settings)
    return agent


def test_an_answer_prints_as_its_words_and_shows_what_it_is_made_of(query_agent: QueryAgent) -> None:
    response = query_agent("Where is order B-2210?")
    assert f"{response}" == response.text == "Your Coffee grinder is being packed. It should arrive on March 11th."
    assert [(call.name, call.parsed()) for call in response.calls] == [("lookup_order", {"order_id": "B-2210"})]
    assert response.neighbours[0].task.trace.conversation_id == "track-parcel"
    assert repr(response).startswith("Response('Your Coffee grinder is being packed.")
    assert 'calls=[lookup_order({"order_id":"B-2210"})], neighbours=[\'track-parcel#0\', ' in repr(response)
    with pytest.raises(FrozenInstanceError):
        response.text = "Something else"  # pyright: ignore[reportAttributeAccessIssue]


def test_the_trace_holds_everything_that_happened(query_agent: QueryAgent) -> None:
    trace = query_agent("Where is order B-2210?").trace
    assert [type(message).__name__ for message in trace.messages] == ["User", "Assistant", "Tool", "Assistant"]
    assert trace.metadata["rungs"] == ["recorded_elsewhere"]
    assert trace.metadata["neighbours"][0] == "track-parcel#0"
    assert {tool.name for tool in trace.tools} >= {"lookup_order", "refund_order"}


def test_the_nearest_turns_are_the_worked_examples_of_the_request(server: ModelServer) -> None:
    served(server, lambda asked: "Fine.", neighbours=2)(CANCEL)
    system = server.asked[0].turns[0][1]
    assert system.count(EXAMPLE_OPEN) == 2
    assert "it has become too expensive for me" in system
    assert "Glass vase" not in system


def test_the_examples_are_chosen_anew_for_each_question_and_kept_within_it(server: ModelServer) -> None:
    answers = iter([LOOKUP, "Fine.", "Fine."])
    agent = served(server, lambda asked: next(answers))
    agent(CANCEL)
    agent("My vase arrived broken")
    first, second, third = (asked.turns[0][1] for asked in server.asked)
    assert first == second
    assert "Glass vase" in third


def test_a_whole_recorded_turn_is_shown_call_and_result_included(server: ModelServer) -> None:
    served(server, lambda asked: "Fine.", neighbours=1)("When will order B-2210 be delivered?")
    system = server.asked[0].turns[0][1]
    (example,) = [json.loads(line) for line in system.splitlines() if line.startswith('{"conversation"')]
    assert [turn["content"][:12] for turn in example["conversation"]] == ["Can you tell", '{"tool_calls', "Result of lo"]
    assert example["action"] == "Your Coffee grinder is being packed. It should arrive on March 11th."


def test_without_neighbours_there_are_no_examples(server: ModelServer) -> None:
    served(server, lambda asked: "Fine.", neighbours=0, instruction="Be kind.")(CANCEL)
    system = server.asked[0].turns[0][1]
    assert system.startswith("Be kind.")
    assert EXAMPLE_OPEN not in system


def test_the_tools_are_played_until_there_are_words(server: ModelServer) -> None:
    answers = iter([LOOKUP, LOOKUP, "You are on the Plus plan."])
    response = served(server, lambda asked: next(answers))(CANCEL)
    results = [message for message in response.trace.messages if isinstance(message, Tool)]
    assert [result.result["plan"] for result in results] == ["Plus", "Plus"]
    assert response.text == "You are on the Plus plan."


def test_nothing_is_remembered_between_questions(query_agent: QueryAgent) -> None:
    alone = query_agent("My ID is 123")
    query_agent(CANCEL)
    assert query_agent("My ID is 123") == alone


def test_a_conversation_remembers_its_own_words(query_agent: QueryAgent) -> None:
    talk = query_agent.conversation()
    said = [str(talk(words)) for words in (CANCEL, "My ID is 123", "Yes, please")]
    assert said[1] == "Thank you, Mara Lind. You are on the Plus plan for $19.00 a month. Do you want me to cancel it?"
    assert said[2] == "Your Plus plan has been cancelled. You can use it until March 14th."
    assert [message.content for message in talk.messages if isinstance(message, User)] == [
        CANCEL,
        "My ID is 123",
        "Yes, please",
    ]


def test_conversations_do_not_see_each_other(query_agent: QueryAgent) -> None:
    one, other = query_agent.conversation(), query_agent.conversation()
    one(CANCEL)
    other("Where is my order?")
    assert "Mara Lind" in str(one("123"))
    assert "Coffee grinder" in str(other("B-2210"))


def test_many_conversations_at_once_go_as_they_go_alone(query_agent: QueryAgent) -> None:
    def hold(number: int) -> list[str]:
        talk = query_agent.conversation()
        return [str(talk(words)) for words in ((CANCEL, "123", "Yes"), ("Where is my order?", "B-2210"))[number % 2]]

    with ThreadPoolExecutor(8) as pool:
        assert [*pool.map(hold, range(16))] == [*map(hold, range(16))]


def test_it_can_be_awaited(query_agent: QueryAgent) -> None:
    async def both() -> list[str]:
        talk = query_agent.conversation()
        return [str(await query_agent.ask(CANCEL)), str(await talk.ask(CANCEL))]

    first, second = asyncio.run(both())
    assert first == second == str(query_agent(CANCEL))


@pytest.mark.parametrize("nothing", ["", " \n"])
def test_an_empty_question_is_refused(query_agent: QueryAgent, nothing: str) -> None:
    with pytest.raises(UsageError, match="there is no question: the text is empty"):
        query_agent(nothing)


def test_an_endpoint_that_refuses_is_raised_to_whoever_asked(server: ModelServer) -> None:
    from aiohttp import web

    server.response = lambda asked: web.Response(status=404, text='{"error": {"message": "no such model"}}')
    with pytest.raises(ModelRefused, match="no such model"):
        served(server, lambda asked: "")(CANCEL)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ('{"tool_calls": [{"name": ""}]}', "a tool call without a name"),
        (LOOKUP, "'I want to cancel my subscription': the agent still calls tools after 4 steps"),
    ],
)
def test_an_agent_that_never_comes_to_words_is_raised_to_whoever_asked(server: ModelServer, written: str, told: str) -> None:
    with pytest.raises(AnswerError, match=told):
        served(server, lambda asked: written)(CANCEL)


def test_a_conversation_is_left_as_it_was_by_what_fails(server: ModelServer) -> None:
    answers = iter(["What is your ID?", '{"tool_calls": [{"name": ""}]}', "Done."])
    talk = served(server, lambda asked: next(answers)).conversation()
    talk(CANCEL)
    before = copy.copy(talk.messages)
    with pytest.raises(AnswerError):
        talk("123")
    assert talk.messages == before
    assert str(talk("123")) == "Done."
    assert len(talk.messages) == 4


def test_a_failed_question_costs_one_endpoints_answer_only(server: ModelServer) -> None:
    server.response = lambda asked: say(asked, "Hello!") if len(server.asked) > 1 else say(asked, '{"tool_calls": [{}]}')
    agent = served(server, lambda asked: "")
    with pytest.raises(AnswerError):
        agent("Hello")
    assert str(agent("Hello")) == "Hello!"
