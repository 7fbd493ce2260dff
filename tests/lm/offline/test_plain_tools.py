"""Tools as users have them: names without a service, IDs for arguments, look-ups that end in a question."""

import json
from typing import Any

import pytest

from agent_gym.agents import PromptAgent
from agent_gym.lm import run_sync
from agent_gym.lm.offline import OfflineModel
from agent_gym.messages import Assistant, Message, Tool, ToolCall, ToolSpec, User


def tool(name: str, *required: str, transactional: bool = False, results: tuple[str, ...] = ()) -> ToolSpec:
    properties: dict[str, Any] = {slot: {"type": "string"} for slot in required}
    parameters = {"type": "object", "properties": properties, "required": [*required]}
    return ToolSpec(name, name.replace("_", " "), parameters, transactional=transactional, results=results)


TOOLS = (
    tool("lookup_account", "user_id", results=("user_id", "plan")),
    tool("lookup_order", "order_id", results=("order_id", "item", "name")),
    tool("refund_order", "order_id", transactional=True, results=("order_id", "amount")),
    tool("pause_subscription", "user_id", "months", transactional=True),
    tool("change_address", "order_id", "address", transactional=True),
)
CAREFUL = "Change something only when the user has agreed to it."


def demo(*messages: dict[str, str] | str) -> dict[str, Any]:
    *before, action = messages
    turns = [turn if isinstance(turn, dict) else {"role": "user", "content": turn} for turn in before]
    return {"conversation": turns, "action": action}


def said(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


def wrote(name: str, **arguments: str) -> str:
    return json.dumps({"tool_calls": [{"name": name, "arguments": arguments}]})


def act(*messages: Message | str, demos: tuple[dict[str, Any], ...] = ()) -> Assistant:
    """What the embedded model does next."""
    conversation = [User(message) if isinstance(message, str) else message for message in messages]
    return run_sync(PromptAgent(OfflineModel(), CAREFUL, demos).act(conversation, TOOLS))


def calls(action: Assistant) -> list[tuple[str, dict[str, Any]]]:
    return [(call.name, call.parsed()) for call in action.tool_calls]


@pytest.mark.parametrize(
    "words",
    [
        "Where is order A-1042?",
        "Please look up my order. The order ID is A-1042.",
        "I'd like to see A-1042, it's an order of mine",
    ],
)
def test_an_id_is_read_by_its_look_or_by_the_word_before_it(words: str) -> None:
    assert calls(act(words)) == [("lookup_order", {"order_id": "A-1042"})]


def test_an_id_of_digits_answers_the_question_for_it() -> None:
    assert calls(act("Look up my account", Assistant("What is your user ID?"), "It's 123.")) == [
        ("lookup_account", {"user_id": "123"})
    ]


def test_a_small_number_is_no_id() -> None:
    assert act("Pause my subscription for 3 months").content == "What is the user ID?"


def test_an_id_is_known_to_all_tools() -> None:
    looked = Assistant("", (ToolCall("lookup_account", '{"user_id": "123"}'),))
    found = Tool("lookup_account", [{"user_id": "123", "plan": "Plus"}])
    action = act(
        "Look up user 123", looked, found, Assistant("The plan is Plus."), "Please pause the subscription for 2 months"
    )
    assert action.content == "Please confirm the following details: Pause the subscription for user 123 for 2 months."


def test_a_question_after_a_look_up_asks_leave_and_yes_gives_it() -> None:
    looked = Assistant("", (ToolCall("lookup_order", '{"order_id": "C-3307"}'),))
    found = Tool("lookup_order", {"order_id": "C-3307", "item": "Vase"})
    asked = (looked, found, Assistant("The Vase was lost. Shall I refund order C-3307?"))
    assert calls(act("My order C-3307 is lost", *asked, "Yes, please.")) == [("refund_order", {"order_id": "C-3307"})]
    assert not act("My order C-3307 is lost", *asked, "No, I'd rather wait.").tool_calls
    assert not act("My order C-3307 is lost", *asked, "Thanks").tool_calls


def test_words_heard_before_a_call_of_this_very_tool_lead_to_it() -> None:
    heard = demo("I want my money back for B-2210", said(wrote("lookup_order", order_id="B-2210")), "That is a pity.")
    assert calls(act("Give me my money back for C-3307", demos=(heard,))) == [("lookup_order", {"order_id": "C-3307"})]


def test_it_asks_and_tells_in_the_words_of_the_nearest_example() -> None:
    asking = demo("Where is my parcel?", "Let me see. What is the order number?")
    telling = demo(
        "Where is A-1042?",
        said(wrote("lookup_order", order_id="A-1042")),
        'Result of lookup_order: {"order_id": "A-1042", "item": "Lamp"}',
        "Your Lamp is being packed.",
    )
    assert act("Look up my order", demos=(asking,)).content == "Let me see. What is the order number?"
    looked = Assistant("", (ToolCall("lookup_order", '{"order_id": "B-2210"}'),))
    found = Tool("lookup_order", {"order_id": "B-2210", "item": "Grinder"})
    assert act("Where is B-2210?", looked, found, demos=(telling,)).content == "Your Grinder is being packed."
    assert act("Where is B-2210?", looked, found).content == "The item is Grinder."


def test_a_failed_call_is_told() -> None:
    done = Assistant("", (ToolCall("refund_order", '{"order_id": "B-2210"}'),))
    failed = Tool("refund_order", error="the order was refunded before")
    assert act("Refund order B-2210", done, failed).content == "I'm sorry, that did not work: the order was refunded before."


def test_a_greeting_is_about_no_tool() -> None:
    assert act("Hello").content == "How can I help you?"
