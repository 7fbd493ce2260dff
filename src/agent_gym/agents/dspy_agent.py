# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeStubs=false, reportUntypedBaseClass=false
"""The agent as a DSPy program, so that DSPy's optimizers can tune it.

One `Predict` per step: call a tool, or answer. Its state is an instruction and worked examples; model, tools and date come from
outside. `agent(model)` gives the agent that plays it (`prompt_agent.py`), `ActAdapter` is what the optimizers send through.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import dspy
from dspy.utils.exceptions import AdapterParseError, LMError

from agent_gym.agents.prompt_agent import PromptAgent, act_request, render_context
from agent_gym.errors import AgentGymError, AnswerError, BudgetSpent, ModelError
from agent_gym.lm.base import Turn
from agent_gym.lm.dspy_lm import GymLM
from agent_gym.lm.prompt import render_conversation, render_examples, render_tools
from agent_gym.messages import Message, ToolSpec

INSTRUCTION = """\
You are an assistant that completes tasks for its user with tools: it finds what the user asks for and books what the user \
chooses. Decide the next step of the conversation: call a tool, or say something to the user."""

DRAWS = 3
"""How often a proposal is asked for."""

DEMO_FIELDS = ("conversation", "action")


class Act(dspy.Signature):
    __doc__ = INSTRUCTION

    context: str = dspy.InputField(desc="what the assistant is told beside the conversation, such as the date")
    tools: str = dspy.InputField(desc="the tools there are, one JSON object a line")
    conversation: list[dict[str, str]] = dspy.InputField(desc="the turns so far: role and content")
    action: str = dspy.OutputField(desc="words to the user, or a JSON object with tool_calls")


class SGDAgentModule(dspy.Module):
    """A tool-calling dialogue agent."""

    def __init__(self) -> None:
        super().__init__()
        self.step = dspy.Predict(Act)

    def forward(self, messages: Sequence[Message], tools: tuple[ToolSpec, ...]) -> dspy.Prediction:
        """One step; the prediction's `action` is the text the model wrote."""
        return self.step(**step_inputs(messages, tools))

    @property
    def instruction(self) -> str:
        """What the agent is told to do."""
        signature: Any = self.step.signature
        return str(signature.instructions)

    @property
    def demos(self) -> list[dict[str, Any]]:
        """The worked examples: conversation and action of each."""
        return [{name: demo[name] for name in DEMO_FIELDS} for demo in self.step.demos if demo.get("action")]

    def agent(self, model: Any, *, sample: str = "", temperature: float = 0.0) -> PromptAgent:
        """The agent that plays this program over a model; see `PromptAgent`."""
        return PromptAgent(model, self.instruction, self.demos, sample=sample, temperature=temperature)


def step_inputs(messages: Sequence[Message], tools: tuple[ToolSpec, ...]) -> dict[str, Any]:
    """The input fields of `Act`, all of them JSON values so that a worked example can be saved."""
    return {
        "context": render_context(messages),
        "tools": render_tools(tools),
        "conversation": [{"role": turn.role, "content": turn.content} for turn in render_conversation(messages)],
    }


class ActAdapter(dspy.ChatAdapter):
    """Sends `Act` in the playing agent's own words, and everything else (proposals, reflections) as `ChatAdapter` does."""

    def __init__(self) -> None:
        # Without this a text that cannot be read is asked for again through another adapter, unseen and paid twice.
        super().__init__(use_json_adapter_fallback=False)

    def __call__(
        self,
        lm: Any,
        lm_kwargs: dict[str, Any],
        signature: type[dspy.Signature],
        demos: list[dict[str, Any]],
        inputs: dict[str, Any],
    ) -> list[dict[str, Any]]:
        if set(signature.fields) != set(Act.fields) or not isinstance(lm, GymLM):
            return self._ask_again(lm, lm_kwargs, signature, demos, inputs)
        settings: Mapping[str, Any] = {**lm.kwargs, **lm_kwargs}
        request = act_request(
            signature.instructions,
            render_examples(demos),
            inputs["tools"],
            inputs["context"],
            [Turn(turn["role"], turn["content"]) for turn in inputs["conversation"]],
            temperature=settings.get("temperature"),
            sample=str(settings.get("rollout_id") or ""),
        )
        return [{"action": lm.handle.complete_sync(request).text}]

    def _ask_again(
        self,
        lm: Any,
        lm_kwargs: dict[str, Any],
        signature: type[dspy.Signature],
        demos: list[dict[str, Any]],
        inputs: dict[str, Any],
    ) -> list[dict[str, Any]]:
        """A proposal that cannot be read, or is not given, would end the whole run: it is asked for anew, as a draw of its own.

        Raises:
            AnswerError: when the last of `DRAWS` answers could not be read either.
            ModelError: when the endpoint failed the last time too, or refused.
        """
        failure: AgentGymError | None = None
        for draw in range(DRAWS):
            again = {"rollout_id": f"{lm_kwargs.get('rollout_id', lm.kwargs.get('rollout_id', ''))}/{draw}"} if draw else {}
            try:
                return super().__call__(lm, {**lm_kwargs, **again}, signature, demos, inputs)
            except AdapterParseError as error:
                fields = ", ".join(signature.output_fields)
                unread = f"wrote nothing readable, last: {str(error.lm_response)[:200]!r}"
                failure = AnswerError(f"{lm.model} was asked {DRAWS} times for {fields} and {unread}")
            except LMError as error:
                failure = _our_error(error)
                if not getattr(failure, "retryable", False):
                    break
        assert failure is not None
        raise failure


def _our_error(error: BaseException) -> ModelError | BudgetSpent:
    """What our model raised, from inside what DSPy made of it."""
    inner: BaseException | None = error
    while inner is not None and not isinstance(inner, ModelError | BudgetSpent):
        inner = inner.__cause__
    return inner or ModelError(str(error))
