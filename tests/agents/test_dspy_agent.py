# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
"""The agent as a DSPy program, and what its adapter does with questions that are not about a step."""

from typing import Any

import dspy
import pytest

from agent_gym.agents.dspy_agent import DRAWS, Act, ActAdapter, SGDAgentModule, step_inputs
from agent_gym.errors import AnswerError, ModelError, ModelRefused, RateLimited
from agent_gym.lm import make_handle
from agent_gym.lm.dspy_lm import GymLM
from agent_gym.messages import System, User
from agent_gym.testing import Answer, ScriptedLM

BUSY = RateLimited("slow down")
READABLE = "[[ ## proposal ## ]]\nBe kind.\n\n[[ ## completed ## ]]"


def propose(model: ScriptedLM, **settings: Any) -> str:
    lm: Any = GymLM(make_handle(model, attempts=1))
    with dspy.context(lm=lm.copy(**settings) if settings else lm, adapter=ActAdapter(), trace=None):
        return str(dspy.Predict("task -> proposal")(task="Improve").proposal)


def test_the_program_is_one_step_with_an_instruction_and_no_examples() -> None:
    agent = SGDAgentModule()
    assert [name for name, _ in agent.named_predictors()] == ["step"]
    assert agent.instruction.startswith("You are an assistant that completes tasks for its user with tools")
    assert agent.demos == []


def test_a_steps_inputs_are_the_fields_of_the_signature_and_plain_json() -> None:
    inputs = step_inputs((System("Today is Friday."), User("Hi")), ())
    assert inputs == {"context": "Today is Friday.", "tools": "", "conversation": [{"role": "user", "content": "Hi"}]}
    assert {*inputs, "action"} == {*Act.fields}


def test_only_examples_with_an_action_are_worked_examples() -> None:
    agent = SGDAgentModule()
    turns = [{"role": "user", "content": "Hi"}]
    agent.step.demos = [dspy.Example(conversation=turns, tools="", action=action) for action in ("Hello", "")]
    assert agent.demos == [{"conversation": turns, "action": "Hello"}]


def test_a_readable_proposal_costs_one_request() -> None:
    model = ScriptedLM([READABLE])
    assert propose(model) == "Be kind."
    assert len(model.asked) == 1


@pytest.mark.parametrize("first", ["I would rather not.", BUSY], ids=["unreadable", "busy"])
def test_a_proposal_that_does_not_come_is_asked_for_again_each_time_as_a_draw_of_its_own(first: Answer) -> None:
    model = ScriptedLM([first, first, READABLE])
    assert propose(model, rollout_id=7, temperature=1.0) == "Be kind."
    assert [request.sample for request in model.asked] == ["7", "7/1", "7/2"]
    assert {request.temperature for request in model.asked} == {1.0}


def test_a_proposal_that_stays_unreadable_is_an_answer_error_that_shows_the_last_one() -> None:
    model = ScriptedLM(["No.", "No!", "Never."])
    with pytest.raises(AnswerError, match=f"asked {DRAWS} times for proposal and wrote nothing readable, last: 'Never.'"):
        propose(model)


def test_an_endpoint_that_stays_busy_is_a_model_error_and_not_one_of_dspys() -> None:
    model = ScriptedLM([BUSY] * DRAWS)
    with pytest.raises(RateLimited, match="slow down"):
        propose(model)
    assert len(model.asked) == DRAWS


def test_an_endpoint_that_refuses_is_asked_once() -> None:
    model = ScriptedLM([ModelRefused("no such model")])
    with pytest.raises(ModelError, match="no such model"):
        propose(model)
    assert len(model.asked) == 1


def test_a_step_is_asked_once_and_its_errors_are_ours() -> None:
    model = ScriptedLM([BUSY])
    with (
        dspy.context(lm=GymLM(make_handle(model, attempts=1)), adapter=ActAdapter(), trace=None),
        pytest.raises(RateLimited),
    ):
        SGDAgentModule()(messages=(User("Hi"),), tools=())
    assert len(model.asked) == 1


def test_repeated_draws_of_a_step_are_told_apart() -> None:
    model = ScriptedLM(lambda request: "Hello")
    lm: Any = GymLM(make_handle(model))
    with dspy.context(lm=lm.copy(rollout_id=3, temperature=1.0), adapter=ActAdapter(), trace=None):
        SGDAgentModule()(messages=(User("Hi"),), tools=())
    assert [(request.sample, request.temperature) for request in model.asked] == [("3", 1.0)]
    assert lm.kwargs["temperature"] == 0.0, "the copy changed the original"
