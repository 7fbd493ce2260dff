# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeStubs=false, reportUntypedBaseClass=false
"""What DSPy's optimizers see: a program that plays a whole task, examples, and one metric that answers each of them.

The traps this room closes, each of which costs a day elsewhere: a rollout that fails is data on its prediction and is counted,
it neither raises nor disappears; what does raise is a fault of this program, which DSPy would take for a score of 0: it is kept
and raised again; the metric returns a real bool where demos are chosen (a float of 0.01 would accept one), a
float where programs are compared, and a score with feedback where an optimizer asks for words; labelled examples carry the
predictor's own field names, so that they teach what to call and not that nothing was supplied.
"""

import threading
from collections.abc import Callable
from typing import Any

import dspy
import msgspec

from agent_gym.agents.dspy_agent import SGDAgentModule, step_inputs
from agent_gym.environment import ReplayEnvironment, drive_sync
from agent_gym.errors import BudgetSpent
from agent_gym.evaluation.evaluate import ExampleScore, score_example
from agent_gym.lm.prompt import parse_action, render_action
from agent_gym.messages import Assistant
from agent_gym.metrics import CombinedMetric, Metric
from agent_gym.metrics.combined import JUDGE
from agent_gym.optimization.so_far import SoFar
from agent_gym.traces import Trace
from agent_gym.traces.task import Task


class PlayedAgent(dspy.Module):
    """An agent in its environment, as one program: a task goes in, the trace of its rollout comes out."""

    def __init__(self, agent: SGDAgentModule, environment: ReplayEnvironment, so_far: SoFar | None = None) -> None:
        super().__init__()
        self.agent = agent
        # Kept out of the module's own attributes: DSPy walks those for parameters and copies them with every candidate.
        self._play = Shared(environment.play)
        self._faults = Shared(list[Exception]())
        self._so_far = Shared(so_far or SoFar([]))

    @property
    def faults(self) -> list[Exception]:
        """What this program and its copies raised."""
        return self._faults.value

    def forward(self, task: Task) -> dspy.Prediction:
        """Play one task. What fails is on the trace."""

        def act(messages: Any) -> Assistant:
            return parse_action(self.agent(messages=messages, tools=task.tools).action)

        so_far: SoFar = self._so_far.value
        try:
            with so_far.rollout():
                prediction: Any = dspy.Prediction(trace=drive_sync(self._play.value(task), act))
        except BudgetSpent as error:
            so_far.stop(error)
            self.faults.append(error)
            raise
        except Exception as error:
            self.faults.append(error)
            raise
        # Beside the prediction's own fields, which optimizers show to models.
        prediction._program = so_far.enter(self.agent.instruction, self.agent.demos)
        return prediction


class Shared:
    """Something that copies of a program have in common."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __deepcopy__(self, memo: dict[int, Any]) -> "Shared":
        return self


def example_of(task: Task) -> dspy.Example:
    """A task as an example; beside the task it carries its first step, which makes it a worked example when one is wanted."""
    first = next((message for message in task.expected if isinstance(message, Assistant)), Assistant())
    return dspy.Example(task=task, **step_inputs(task.prompt, task.tools), action=render_action(first)).with_inputs("task")


class DSPyMetric:
    """A metric in every shape that DSPy's optimizers ask for.

    Args:
        metric: what scores.
        threshold: the least score, in (0, 1], with which a rollout may become a worked example.
        on_example: told every outcome, from any thread.
        so_far: where the scores of each program are written down.

    Raises:
        BudgetSpent: when the metric asks a model that the budget does not allow any more.
    """

    def __init__(
        self,
        metric: Metric,
        *,
        threshold: float,
        on_example: Callable[[ExampleScore], None] | None = None,
        so_far: SoFar | None = None,
    ) -> None:
        self.metric = metric
        self.threshold = threshold
        self.on_example = on_example
        self.so_far = so_far or SoFar([])
        self.scored = 0
        self.failed = 0
        self.broken = 0
        self.unjudged = 0
        self._lock = threading.Lock()

    def __deepcopy__(self, memo: dict[int, Any]) -> "DSPyMetric":
        return self

    def __call__(self, gold: Any, pred: Any, trace: Any = None, pred_name: str | None = None, pred_trace: Any = None) -> Any:
        rollout = self._rollout(gold, pred)
        try:
            outcome = score_example(gold.task, rollout, self.metric)
        except BudgetSpent as error:
            self.so_far.stop(error)
            raise
        if outcome.unjudged and isinstance(self.metric, CombinedMetric):
            # The judge's failure is not the agent's: for the optimizer the other parts speak.
            outcome = msgspec.structs.replace(score_example(gold.task, rollout, self.metric.without(JUDGE)), unjudged=True)
        with self._lock:
            self.scored += 1
            self.unjudged += outcome.unjudged
            self.failed += outcome.score is None and not outcome.unjudged
            self.broken += outcome.score is not None and outcome.error is not None
        if self.on_example is not None:
            self.on_example(outcome)
        # An endpoint that failed scores nothing; the optimizer needs a number, and the run reports how often this happened.
        value = outcome.score or 0.0
        if (program := getattr(pred, "_program", None)) is not None:
            self.so_far.score(program, gold.task.id, value)
        if pred_name is not None:
            return dspy.Prediction(score=value, feedback=outcome.reason or outcome.error or "Right.")
        if trace is not None:
            return outcome.error is None and value >= self.threshold
        return value

    def _rollout(self, gold: Any, pred: Any) -> Trace:
        found = getattr(pred, "trace", None)
        if isinstance(found, Trace):
            return found
        return Trace(
            conversation_id=gold.task.id,
            messages=gold.task.prompt,
            error="the program gave no rollout",
            metadata={"fault": "agent", "rungs": []},
        )
