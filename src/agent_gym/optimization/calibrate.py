"""An agent plays, a judge scores, and the truth is known: what `agent-gym judge calibrate` does.

calibration = calibrate("data/sample", "dev", limit=60, model="offline")
calibration.save("checkpoints/judge.json")
"""

from collections.abc import Callable
from pathlib import Path
from typing import Unpack

from agent_gym.environment import ReplayEnvironment
from agent_gym.errors import JudgeFailed, ModelError, UsageError
from agent_gym.evaluation import Report, evaluate
from agent_gym.lm.loop import run_sync
from agent_gym.lm.meter import Meter
from agent_gym.messages import Assistant
from agent_gym.metrics import CombinedMetric, LLMJudge, Rubric, Score
from agent_gym.optimization.calibration import Calibration, Judged, agreement
from agent_gym.optimization.events import Phases
from agent_gym.optimization.limits import Limits, budget_of, rate_of
from agent_gym.optimization.result import Event
from agent_gym.optimization.roles import Roles
from agent_gym.tools.recordings import read_recordings
from agent_gym.traces import Trace, open_data
from agent_gym.traces.draw import draw_tasks
from agent_gym.traces.task import Task

RIGHT = 1.0
"""The tool accuracy of exactly right calls."""


def calibrate(
    data_path: str | Path,
    split: str = "dev",
    *,
    limit: int = 100,
    model: str | None = None,
    judge_model: str | None = None,
    rubric: Rubric | str | Path | None = None,
    agent_path: str | Path | None = None,
    repeats: int = 1,
    seed: int = 0,
    threads: int = 16,
    api_base: str | None = None,
    on_event: Callable[[Event], None] | None = None,
    **limits: Unpack[Limits],
) -> Calibration:
    """Play examples of a split, have every rollout judged, and hold the judge against the truth.

    Args:
        limit: how many examples.
        model: plays.
        judge_model: judges; the agent's model when left out.
        rubric: a file in the format of `metrics/rubric.py`, or a rubric; the one of this package when left out.
        agent_path: a saved agent; the baseline when left out.
        repeats: times that the judge is asked about each rollout; two or more tell how far it agrees with itself.
        threads: rollouts in flight at once.
        limits: what may be spent, by agent and judge together, and how fast.

    Raises:
        UsageError: for what can be known to go wrong before the first request.
        ModelError: when not one example could be played.
        JudgeFailed: when the judge gave not one score.
        BudgetSpent: before all rollouts were judged; what was answered is kept.
    """
    from agent_gym.agents.dspy_agent import SGDAgentModule
    from agent_gym.optimization.agent_file import load_agent

    for name, number in {"limit": limit, "repeats": repeats, "threads": threads}.items():
        if number < 1:
            raise UsageError(f"{name} must be 1 or more, got {number}")
    data = open_data(data_path, strict=False)
    how = rubric if isinstance(rubric, Rubric) else Rubric.load(rubric)
    agent = load_agent(agent_path) if agent_path is not None else SGDAgentModule()
    meter, budget, rate = Meter(), budget_of(limits), rate_of(limits)
    roles = Roles({"agent": model, "judge": judge_model or model}, api_base, meter, rate)
    player = roles.handle("agent", budget)
    judge = LLMJudge(handle=roles.handle("judge", budget), rubric=how)
    (tasks,) = draw_tasks(data, split, [limit], seed=seed)
    phases = Phases(meter, on_event)
    phases.note_faults(data)
    trial = Trial(judge, repeats)
    environment = ReplayEnvironment(lambda: read_recordings(data))
    with phases.phase("calibrate", len(tasks)) as progress:
        playing = evaluate(
            agent.agent(player), tasks, trial, environment, concurrency=threads, on_example=lambda _: progress(1)
        )
        report = run_sync(playing)
    judged = trial.judged(tasks)
    if not judged:
        raise _nothing(report)
    return Calibration(
        data=f"{data.name}, {split}",
        seed=seed,
        models={"agent": player.name, "judge": judge.handle.name},
        agent="baseline" if agent_path is None else Path(agent_path).name,
        rubric=how.mark(judge.scale),
        repeats=repeats,
        judged=judged,
        failed=report.failed,
        broken=report.broken,
        unjudged=report.unjudged,
        agreement=agreement(judged, seed=seed),
        notes=tuple(phases.notes),
        usage=meter.snapshot(),
    )


class Trial:
    """A metric that keeps, for every rollout, the judge's scores beside the truth; its own value is the judge's."""

    name = "judge"

    def __init__(self, judge: LLMJudge, repeats: int) -> None:
        self._judge = judge
        self._repeats = repeats
        self._truth = CombinedMetric()
        self._found: dict[str, Judged] = {}

    def score(self, task: Task, trace: Trace) -> Score:
        """For synchronous callers."""
        return run_sync(self.ascore(task, trace))

    async def ascore(self, task: Task, trace: Trace) -> Score:
        """Judge a rollout as often as asked.

        Raises:
            JudgeFailed: when no judgement came; one that did not come among others that did is left out.
        """
        scores: list[Score] = []
        fault: JudgeFailed | None = None
        for repeat in range(self._repeats):
            try:
                # The first is what a judge that is asked once says, and what the cache may know already.
                scores.append(await self._judge.ascore(task, trace, sample=f"repeat {repeat}" if repeat else ""))
            except JudgeFailed as error:
                fault = error
        if not scores:
            assert fault is not None, "a judge that gives no score says why"
            raise fault
        truth = self._truth.score(task, trace)
        self._found[task.id] = Judged(
            id=task.id,
            scores=tuple(score.value for score in scores),
            passed=truth.parts["tool_accuracy"] >= RIGHT,
            truth=truth.value,
            length=sum(len(one.content) for one in trace.messages[task.start + 1 :] if isinstance(one, Assistant)),
        )
        return scores[0]

    def judged(self, tasks: list[Task]) -> tuple[Judged, ...]:
        """The rollouts that were judged, in the order of their tasks."""
        return tuple(self._found[task.id] for task in tasks if task.id in self._found)


def _nothing(report: Report) -> JudgeFailed | ModelError:
    """Why not one rollout was judged."""
    errors = [example.error for example in report.examples if example.error]
    said = f"the first error: {errors[0]}" if errors else "there was nothing to play"
    if report.unjudged:
        return JudgeFailed(f"the judge scored none of {len(report.examples)} rollouts; {said}")
    return ModelError(f"not one of {len(report.examples)} rollouts came to an end that can be judged; {said}")
