"""A score of an answer: a number like any other, with its parts; against words, against calls, or by a judge."""

import copy
import json
import pickle
from collections.abc import Iterator
from typing import Any

import pytest

from agent_gym.environment import create_environment
from agent_gym.environment.asking.grading import Grade, RewardFunction
from agent_gym.environment.asking.query import QueryAgent, Response
from agent_gym.errors import DataError, JudgeFailed, UsageError
from agent_gym.messages import Assistant, ToolCall, User
from agent_gym.traces import load_trace
from conftest import ROOT
from servers import Asked, ModelServer

LOGS = ROOT / "scripts" / "customer_service.jsonl"
QUESTION = "When will order B-2210 be here?"
WORDS = "Your Coffee grinder is being packed. It should arrive on March 11th."
CALL = {"name": "lookup_order", "arguments": {"order_id": "b-2210"}}


@pytest.fixture(scope="module")
def environment() -> tuple[QueryAgent, RewardFunction]:
    query_agent, _, reward_fn = create_environment(LOGS, model="offline", cache=None)
    return query_agent, reward_fn


@pytest.fixture(scope="module")
def response(environment: tuple[QueryAgent, RewardFunction]) -> Response:
    answered = environment[0](QUESTION)
    assert answered.text == WORDS
    return answered


@pytest.fixture(scope="module")
def reward_fn(environment: tuple[QueryAgent, RewardFunction]) -> RewardFunction:
    return environment[1]


def test_a_grade_is_a_number() -> None:
    grade = Grade(0.75, {"similarity": 0.75}, "Expected more.")
    assert (f"{grade:.2f}", str(grade), round(grade, 1)) == ("0.75", "0.75", 0.8)
    assert grade > 0.5
    assert grade == 0.75
    assert sum([grade, grade]) / 2 == max(grade, 0.1) == 0.75
    assert json.dumps({"score": grade}) == '{"score": 0.75}'
    assert repr(grade) == "Grade(0.75, {'similarity': 0.75}, 'Expected more.')"


def test_a_copied_grade_keeps_its_parts() -> None:
    grade = Grade(0.75, {"similarity": 0.75}, "Expected more.")
    for same in (copy.deepcopy(grade), pickle.loads(pickle.dumps(grade))):
        assert (same, same.parts, same.reason) == (grade, grade.parts, grade.reason)


def test_a_text_is_compared_by_its_words(response: Response, reward_fn: RewardFunction) -> None:
    assert reward_fn(response, ground_truth=WORDS) == 1.0
    grade = reward_fn(response, ground_truth="It should arrive on April 1st.")
    assert grade.parts == {"similarity": pytest.approx(4 / 14)}
    assert grade == grade.parts["similarity"]
    assert grade.reason.startswith("Expected the reply 'It should arrive on April 1st.', got ")


def test_the_words_of_any_other_agent_are_compared_too(reward_fn: RewardFunction) -> None:
    assert reward_fn("Hello there", ground_truth="hello") == 0.5


def forms(words: str) -> list[Any]:
    """The same expected answer in every form."""
    recorded = [{"role": "assistant", "tool_calls": [CALL]}, {"role": "assistant", "content": words}]
    question = {"role": "user", "content": "  when will Order B-2210 be here? "}
    other = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]
    function = {"id": "c", "type": "function", "function": {"name": "lookup_order", "arguments": '{"order_id": "B-2210"}'}}
    whole = {"conversation_id": "a", "messages": [*other, question, *recorded]}
    return [
        {"content": words, "tool_calls": [CALL]},
        {"role": "assistant", "content": words, "tool_calls": [function]},
        recorded,
        [Assistant(words, (ToolCall("lookup_order", '{"order_id": "B-2210"}'),))],
        [question, *recorded],
        whole,
        load_trace(whole),
    ]


@pytest.mark.parametrize("form", range(7))
def test_messages_are_compared_by_words_and_calls(form: int, response: Response, reward_fn: RewardFunction) -> None:
    assert reward_fn(response, ground_truth=forms(WORDS)[form]) == 1.0
    assert reward_fn(response, ground_truth=forms("Tomorrow")[form]).parts == {"similarity": 0.0, "tool_accuracy": 1.0}


def test_expected_calls_without_words_are_compared_alone(response: Response, reward_fn: RewardFunction) -> None:
    assert reward_fn(response, ground_truth={"tool_calls": [CALL]}).parts == {"tool_accuracy": 1.0}
    assert reward_fn(response, ground_truth={"tool_calls": [{**CALL, "name": "refund_order"}]}) == 0.0


def test_a_call_that_was_not_expected_counts(response: Response, reward_fn: RewardFunction) -> None:
    grade = reward_fn(response, ground_truth={"content": WORDS})
    assert grade.parts == {"similarity": 1.0, "tool_accuracy": 0.0}
    assert grade.reason.startswith("The call lookup_order(")


def test_a_turn_said_twice_means_the_one_at_the_same_place(environment: tuple[QueryAgent, RewardFunction]) -> None:
    query_agent, reward_fn = environment
    talk = query_agent.conversation()
    for words in ("Hello", "Hello"):
        answer = talk(words)
    recorded = [User("Hello"), Assistant("Good morning."), User("Hello"), Assistant(answer.text)]
    assert reward_fn(answer, ground_truth=recorded) == 1.0


@pytest.mark.parametrize(
    ("ground_truth", "told"),
    [
        ("", "the ground truth says nothing: leave it out to ask the judge"),
        ("  ", "the ground truth says nothing"),
        ([], "the ground truth says nothing"),
        (
            [User("Something else"), Assistant("Fine.")],
            "does not answer the question 'When will order B-2210 be here\\?': hand over the messages behind it",
        ),
    ],
)
def test_a_ground_truth_that_cannot_serve_is_refused(
    ground_truth: Any, told: str, response: Response, reward_fn: RewardFunction
) -> None:
    with pytest.raises(UsageError, match=told):
        reward_fn(response, ground_truth=ground_truth)


def test_a_ground_truth_that_cannot_be_read_says_where(response: Response, reward_fn: RewardFunction) -> None:
    with pytest.raises(DataError, match=r"the ground truth cannot be read: .*tool_calls"):
        reward_fn(response, ground_truth={"tool_calls": [{"arguments": {}}]})


def test_weights_decide_what_counts(response: Response) -> None:
    _, _, calls_only = create_environment(LOGS, model="offline", weights={"similarity": 0, "tool_accuracy": 1})
    assert calls_only(response, ground_truth={"content": "Tomorrow", "tool_calls": [CALL]}) == 1.0
    with pytest.raises(UsageError, match="weigh nothing that this ground truth tells; a text tells words only"):
        calls_only(response, ground_truth="Tomorrow")


CRITERIA = ("task_completion", "action_quality", "efficiency", "creativity")


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


def judged(server: ModelServer, verdict: str, **settings: Any) -> RewardFunction:
    """A reward function whose judge writes this, over HTTP."""
    server.reply = lambda asked: verdict
    _, _, reward_fn = create_environment(
        LOGS, model="offline", judge_model="openai/judge", api_base=server.openai, cache=None, **settings
    )
    return reward_fn


SEVEN = json.dumps({**{f"{name}_reason": "So so." for name in CRITERIA}, **dict.fromkeys(CRITERIA, 7)})


def test_without_a_ground_truth_the_judge_is_asked_about_the_whole_turn(server: ModelServer, response: Response) -> None:
    grade = judged(server, SEVEN)(response)
    assert grade == pytest.approx(0.7)
    assert grade.parts == dict.fromkeys(CRITERIA, 0.7)
    shown = asked_of(server.asked[0])
    assert QUESTION in shown
    assert WORDS in shown
    assert "lookup_order" in shown


def asked_of(asked: Asked) -> str:
    return "\n".join(words for _, words in asked.turns)


def test_the_judge_may_be_weighed_beside_the_ground_truth(server: ModelServer, response: Response) -> None:
    reward_fn = judged(server, SEVEN, weights={"similarity": 1, "judge": 1})
    grade = reward_fn(response, ground_truth=WORDS)
    assert grade == pytest.approx(0.85)
    assert grade.parts == {"similarity": 1.0, "judge": pytest.approx(0.7)}


def test_a_judge_that_fails_is_raised_and_never_a_zero(server: ModelServer, response: Response) -> None:
    with pytest.raises(JudgeFailed, match="gave no readable answer"):
        judged(server, "I would rather not say.")(response)


def test_a_judge_is_not_asked_about_words_without_their_question(reward_fn: RewardFunction) -> None:
    with pytest.raises(UsageError, match="a judge must see the question: hand over the whole response"):
        reward_fn("Hello")


def test_the_embedded_model_judges_too(response: Response, reward_fn: RewardFunction) -> None:
    assert {*reward_fn(response).parts} == {*CRITERIA}
