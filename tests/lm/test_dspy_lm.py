# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
"""DSPy asks a handle: its draws, temperatures and copies arrive, its history and warnings do not."""

import asyncio
import copy
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import dspy
import pytest
from dspy import lm15
from dspy.utils.exceptions import (
    LMInvalidRequestError,
    LMRateLimitError,
    LMServerError,
    LMTimeoutError,
    LMUnsupportedFeatureError,
)

from agent_gym.errors import ModelError, ModelRefused, ModelTimeout, RateLimited
from agent_gym.lm import Request, Turn, make_handle
from agent_gym.lm.dspy_lm import GymLM
from agent_gym.lm.faults import Unreadable
from lm_models import Echo, Scripted, Waits
from servers import ModelServer


def answers(text: str) -> str:
    return f"[[ ## answer ## ]]\n{text}\n\n[[ ## completed ## ]]"


def echo(**settings: Any) -> tuple[Echo, GymLM]:
    model = Echo(lambda request: answers("42"))
    return model, GymLM(make_handle(model), **settings)


def asked(model: Echo) -> list[tuple[float | None, int | None, str]]:
    return [(request.temperature, request.max_tokens, request.sample) for request in model.asked]


def test_a_plain_call_arrives_as_it_is() -> None:
    model, lm = echo(max_tokens=50)
    assert lm("Hello") == [answers("42")]
    assert model.asked == [Request(turns=(Turn("user", "Hello"),), temperature=0.0, max_tokens=50)]


def test_a_predictor_over_the_chat_adapter_arrives_as_turns() -> None:
    model, lm = echo(temperature=None)
    with dspy.context(lm=lm, adapter=dspy.ChatAdapter()):
        assert dspy.Predict("question -> answer")(question="What is six by seven?").answer == "42"
    [request] = model.asked
    assert [turn.role for turn in request.turns] == ["system", "user"]
    assert "What is six by seven?" in request.turns[1].content
    assert request.temperature is None


@pytest.mark.parametrize("adapter", [dspy.ChatAdapter(), dspy.JSONAdapter(), dspy.XMLAdapter()])
def test_no_adapter_asks_for_what_a_chat_of_text_cannot_carry(adapter: dspy.Adapter) -> None:
    text = {"ChatAdapter": answers("42"), "JSONAdapter": '{"answer": "42"}', "XMLAdapter": "<answer>42</answer>"}
    model = Echo(lambda request: text[type(adapter).__name__])
    with dspy.context(lm=GymLM(make_handle(model)), adapter=adapter):
        assert dspy.Predict("question -> answer")(question="What?").answer == "42"
    assert len(model.asked) == 1


def test_a_copy_draws_anew_at_its_temperature() -> None:
    model, lm = echo()
    lm.copy(rollout_id=7, temperature=1.0)("Hello")
    lm.copy(rollout_id=8)("Hello")
    lm("Hello")
    assert asked(model) == [(1.0, None, "7"), (0.0, None, "8"), (0.0, None, "")]


def test_settings_of_a_call_arrive() -> None:
    model, lm = echo()
    lm("Hello", temperature=0.7, rollout_id=3, max_tokens=9)
    with dspy.context(lm=lm, adapter=dspy.ChatAdapter()):
        dspy.Predict("question -> answer")(question="What?", config={"temperature": 0.3, "rollout_id": 4})
    assert asked(model) == [(0.7, 9, "3"), (0.3, None, "4")]


def test_several_answers_are_several_draws() -> None:
    model, lm = echo()
    assert len(lm("Hello", n=3, temperature=1.0)) == 3
    lm("Hello", n=2, temperature=1.0, rollout_id=5)
    assert [request.sample for request in model.asked] == ["", "#1", "#2", "5", "5#1"]


def test_equal_draws_are_paid_for_once(tmp_path: Path) -> None:
    model = Echo()
    lm = GymLM(make_handle(model, cache=tmp_path / "completions.sqlite"))
    for _ in range(3):
        lm("Hello", n=3, temperature=1.0)
    assert len(model.asked) == 3


def test_a_copied_program_asks_the_same_model() -> None:
    _, lm = echo()
    program = dspy.Predict("question -> answer")
    program.set_lm(lm)
    assert program.deepcopy().lm is lm
    assert copy.deepcopy(lm) is lm
    assert copy.copy(lm).handle is lm.handle
    assert lm.copy(temperature=0.5).handle is lm.handle


def test_nothing_is_remembered_by_dspy() -> None:
    from dspy.clients.base_lm import GLOBAL_HISTORY

    _, lm = echo()
    program = dspy.Predict("question -> answer")
    with dspy.context(lm=lm, adapter=dspy.ChatAdapter()):
        program(question="What?")
    assert (lm.history, program.history, GLOBAL_HISTORY) == ([], [], [])


def test_asynchronous_programs_ask_too() -> None:
    model, lm = echo()

    async def play() -> Any:
        with dspy.context(lm=lm, adapter=dspy.ChatAdapter()):
            return await dspy.Predict("question -> answer").acall(question="What?", config={"rollout_id": 4})

    assert asyncio.run(play()).answer == "42"
    assert asked(model) == [(0.0, None, "4")]


@pytest.mark.parametrize(
    ("error", "theirs"),
    [
        (RateLimited("429", retry_after=3.0), LMRateLimitError),
        (ModelTimeout("late"), LMTimeoutError),
        (ModelRefused("400"), LMInvalidRequestError),
        (Unreadable("<html>"), LMServerError),
    ],
)
def test_an_error_is_dspys_with_ours_behind_it(error: ModelError, theirs: type[Exception]) -> None:
    lm = GymLM(make_handle(Scripted(error), attempts=1, sleep=Waits()))
    with pytest.raises(theirs) as caught:
        lm("Hello")
    assert caught.value.__cause__ is not None
    assert caught.value.__cause__.__cause__ is error


@pytest.mark.parametrize("setting", [{"stop": ["END"]}, {"response_format": {"type": "json_object"}}, {"logprobs": True}])
def test_what_a_handle_cannot_carry_is_refused(setting: dict[str, Any]) -> None:
    _, lm = echo()
    with pytest.raises(LMUnsupportedFeatureError, match="tools and other settings stay out"):
        lm("Hello", **setting)


def test_pictures_are_refused() -> None:
    _, lm = echo()
    picture = lm15.Message.user([lm15.ImagePart(data="aGVsbG8=")])
    with pytest.raises(LMUnsupportedFeatureError, match="more than text"):
        lm(lm15.Request(model=lm.model, messages=(picture,)))


def test_models_that_dspy_has_rules_for_are_taken_as_they_are() -> None:
    model = Echo()
    model.name = "openai/gpt-5"
    assert GymLM(make_handle(model), temperature=0.0, max_tokens=100)("Hello") == ["Hello"]


def test_a_saved_program_names_its_model_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1234567890")
    program = dspy.Predict("question -> answer")
    from agent_gym.lm import make_lm

    program.set_lm(GymLM(make_lm("openai/gpt-5-mini", role="judge"), temperature=0.5))
    program.save(tmp_path / "program.json")
    assert "sk-1234567890" not in (tmp_path / "program.json").read_text()
    again = dspy.Predict("question -> answer")
    again.load(tmp_path / "program.json", allow_unsafe_lm_state=True)
    lm = again.lm
    assert isinstance(lm, GymLM)
    assert (lm.handle.name, lm.handle.role, lm.kwargs["temperature"]) == ("openai/gpt-5-mini", "judge", 0.5)


def test_eight_threads_of_dspy_overlap() -> None:
    with ModelServer(reply=lambda asked: answers("42"), crowd=8) as server:
        from agent_gym.lm import make_lm

        lm = GymLM(make_lm("openai/any", api_base=server.openai, cache=None))
        program = dspy.Predict("question -> answer")
        with dspy.context(lm=lm, adapter=dspy.ChatAdapter()):
            pairs = [(program, dspy.Example(question=str(number)).with_inputs("question")) for number in range(8)]
            results = dspy.Parallel(num_threads=8, disable_progress_bar=True)(pairs)
    assert [result.answer for result in results] == ["42"] * 8


QUESTIONS = [dspy.Example(question=f"What is {n} and {n}?", answer=str(2 * n)).with_inputs("question") for n in range(20)]


def right(example: dspy.Example, prediction: dspy.Prediction, trace: object = None) -> bool:
    return example.answer == prediction.answer


def pupil(request: Request) -> str:
    """Adds up only when it was told to think; as a proposer, tells to think."""
    if "## answer ##" in request.turns[0].content:
        number = int(request.turns[-1].content.split("What is ")[-1].split()[0])
        return answers(str(2 * number if "think" in request.turns[0].content else 0))
    fields = [
        line.split("[[ ## ")[1].split(" ##")[0] for line in request.turns[0].content.splitlines() if line.startswith("[[ ## ")
    ]
    return "\n".join(f"[[ ## {field} ## ]]\nthink {request.sample}" for field in fields)


@pytest.mark.slow
def test_the_proposer_of_mipro_draws_from_a_handle() -> None:
    agent, proposer = Echo(pupil), Echo(pupil)
    task, prompt = GymLM(make_handle(agent)), GymLM(make_handle(proposer, role="prompt"), temperature=1.0)
    with dspy.context(lm=task, adapter=dspy.ChatAdapter(), trace=None), warnings.catch_warnings():
        # Optuna's own warnings about what it thinks of DSPy's use of it.
        warnings.filterwarnings("ignore", module="optuna")
        best = dspy.MIPROv2(
            metric=right, prompt_model=prompt, task_model=task, auto=None, num_candidates=3, num_threads=4, seed=1
        ).compile(
            dspy.Predict("question -> answer"), trainset=QUESTIONS[:8], valset=QUESTIONS[8:], num_trials=2, minibatch=False
        )
    assert "think" in best.signature.instructions
    assert len({request.sample for request in proposer.asked}) > 1


@pytest.mark.slow
def test_copro_draws_its_candidates_from_a_handle() -> None:
    agent, proposer = Echo(pupil), Echo(pupil)
    task, prompt = GymLM(make_handle(agent)), GymLM(make_handle(proposer, role="prompt"), temperature=1.0)
    with dspy.context(lm=task, adapter=dspy.ChatAdapter(), trace=None):
        best = dspy.COPRO(prompt_model=prompt, metric=right, breadth=4, depth=1).compile(
            dspy.Predict("question -> answer"),
            trainset=QUESTIONS[:4],
            eval_kwargs={"num_threads": 2, "display_progress": False},
        )
    assert "think" in best.signature.instructions
    assert [request.sample for request in proposer.asked] == ["", "#1", "#2"]


def test_threads_of_ones_own_ask_too() -> None:
    _, lm = echo()
    with ThreadPoolExecutor(8) as pool:
        assert [*pool.map(lm, [f"Hello {number}" for number in range(40)])] == [[answers("42")]] * 40
