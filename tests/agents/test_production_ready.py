"""An agent that only writes text is an agent like any other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_gym.actions import ACTIONS, ActionFactory
from agent_gym.agents import Agent, ProductionReadyAgent
from agent_gym.agents.production_ready import BROKEN, ChatMessage, read_answer
from agent_gym.environment import play, rollout
from agent_gym.errors import AgentGymError, AnswerError, BudgetSpent, ModelError, ModelRefused, ModelTimeout, RateLimited
from agent_gym.lm import run_sync
from agent_gym.lm.faults import ServerFailed, Unreachable
from agent_gym.messages import Assistant, Message, System, Tool, ToolCall, ToolSpec, User
from agent_gym.tools import Recordings, ToolCatalog, ToolMocker
from agent_gym.traces import Trace
from agent_gym.traces.task import tasks_of

FIND = ToolSpec("Restaurants_1-Find", "Find one", {"type": "object", "properties": {"city": {"type": "string"}}})
CREATE = ActionFactory.create_file("a.json", "{}")


class Writes(ProductionReadyAgent):
    """Writes what it is given; an error is raised."""

    def __init__(self, answer: object) -> None:
        self.answer = answer
        self.seen: list[list[ChatMessage]] = []

    async def generate_response(self, messages: list[ChatMessage]) -> str:
        self.seen.append(messages)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer  # pyright: ignore[reportReturnType]  # what a user's code may do all the same


def acted(answer: object, *messages: Message, tools: tuple[ToolSpec, ...] = ACTIONS.specs()) -> Assistant:
    """One step of an agent that writes this."""
    agent: Agent = Writes(answer)
    return run_sync(agent.act(messages or (User("Go"),), tools))


def test_actions_in_the_text_become_calls_and_the_rest_is_said() -> None:
    said = acted(f"Sure.\n```json\n{CREATE.to_json()}\n```\nThere.")
    assert said == Assistant("Sure.\nThere.", (ToolCall("create_file", '{"path":"a.json","content":"{}"}', "call_0"),))
    assert acted("  Which file? ") == Assistant("Which file?")


def test_any_tool_can_be_called_as_an_action() -> None:
    said = acted('{"action_type": "Restaurants_1-Find", "parameters": {"city": "Napa"}}', tools=(FIND,))
    assert said == Assistant("", (ToolCall("Restaurants_1-Find", '{"city":"Napa"}', "call_0"),))


def test_the_model_is_told_how_to_act_the_tools_and_the_conversation() -> None:
    agent = Writes("Fine.")
    conversation = (
        System("Today is Friday."),
        User("Find one"),
        Assistant("I look.", (ToolCall("Restaurants_1-Find", '{"city": "Napa"}'), ToolCall("odd", f"{BROKEN}it breaks off"))),
        Tool("Restaurants_1-Find", [{"name": "Sino"}]),
        Tool("odd", error="there is no tool 'odd'"),
    )
    run_sync(agent.act(conversation, (FIND,)))
    system, *turns = agent.seen[0]
    assert system["role"] == "system"
    assert system["content"].startswith(agent.instruction)
    assert "Restaurants_1-Find" in system["content"]
    assert system["content"].endswith("Today is Friday.")
    assert turns == [
        {"role": "user", "content": "Find one"},
        {
            "role": "assistant",
            "content": 'I look.\n{"action_type": "Restaurants_1-Find", "parameters": {"city": "Napa"}}'
            "\n(an action that could not be read)",
        },
        {"role": "user", "content": 'Result of Restaurants_1-Find: [{"name":"Sino"}]'},
        {"role": "user", "content": "Error of odd: there is no tool 'odd'"},
    ]


def test_it_plays_in_a_rollout() -> None:
    call = ToolCall(FIND.name, '{"city":"Napa"}')
    messages = (User("Find one"), Assistant("", (call,)), Tool(FIND.name, [{"name": "Sino"}]), Assistant("Sino."))
    recorded = Trace(conversation_id="one", messages=messages, tools=(FIND,))
    task = next(tasks_of(recorded))

    class Finds(ProductionReadyAgent):
        async def generate_response(self, messages: list[ChatMessage]) -> str:
            asked = messages[-1]["content"] == "Find one"
            return '{"action_type": "Restaurants_1-Find", "parameters": {"city": "Napa"}}' if asked else "Sino."

    backend = ToolMocker(ToolCatalog(task.tools), Recordings([recorded]), recorded)
    trace = run_sync(rollout(Finds(), task, play(task, backend)))
    assert (trace.error, trace.messages[-1]) == (None, Assistant("Sino."))


def test_an_action_that_cannot_be_done_is_a_call_which_says_why() -> None:
    said = acted(
        'Here: {"action_type": "create_file", "parameters": {"path": 3}} and\n```json\n{"action_type": "edit_file", "pa'
    )
    assert said.content == "Here:\nand"
    assert [call.name for call in said.tool_calls] == ["create_file", "edit_file"]
    assert all(call.arguments.startswith(BROKEN) for call in said.tool_calls)
    assert "content: Field required" in said.tool_calls[0].arguments


class Status(Exception):
    """What clients of HTTP endpoints raise."""

    def __init__(self, status: int) -> None:
        super().__init__(f"Error code: {status}")
        self.status_code = status


class APIConnectionError(Exception):
    """As some clients call it."""


class APITimeoutError(APIConnectionError):
    """As some clients call it."""


@pytest.mark.parametrize(
    ("raised", "ours"),
    [
        (TimeoutError(), ModelTimeout),
        (APITimeoutError("late"), ModelTimeout),
        (Status(408), ModelTimeout),
        (ConnectionResetError("gone"), Unreachable),
        (APIConnectionError("no route"), Unreachable),
        (Status(429), RateLimited),
        (Status(401), ModelRefused),
        (Status(503), ServerFailed),
        (KeyError("choices"), AnswerError),
        (ValueError("not JSON"), AnswerError),
        (RateLimited("slow down"), RateLimited),
        (BudgetSpent("spent"), BudgetSpent),
        (None, AnswerError),
        ("", AnswerError),
        (" \n", AnswerError),
    ],
    ids=repr,
)
def test_what_goes_wrong_is_told_apart(raised: object, ours: type[AgentGymError]) -> None:
    with pytest.raises(AgentGymError) as caught:
        acted(raised)
    assert type(caught.value) is ours


@pytest.mark.parametrize("mistake", [TypeError("a bug"), AttributeError("a bug"), RuntimeError("a bug")], ids=repr)
def test_a_mistake_in_the_subclass_is_raised_as_it_is(mistake: Exception) -> None:
    with pytest.raises(type(mistake), match="a bug"):
        acted(mistake)


def test_a_foreign_error_brings_no_key_along(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "sk-123456789")
    with pytest.raises(ModelError, match=r"\[key\]") as caught:
        acted(ConnectionError("refused with sk-123456789"))
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@given(
    st.text()
    | st.lists(st.sampled_from([CREATE.to_json(), "```json\n", '{"action_type": "', "}", "\ud800", "words "])).map("".join)
)
def test_no_text_makes_reading_raise(text: str) -> None:
    said = read_answer(text)
    said.content.encode()
    assert len({call.id for call in said.tool_calls}) == len(said.tool_calls)
