# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
"""The main job: measure an agent, tune it, measure it again on the same held-out examples, save what was found.

    runner = OptimizationRunner(data_path="data/raw/schema_guided_dialogue", strategy="bootstrap", num_train=50,
                                output_path="checkpoints/my_agent.json")
    result = runner.run()
    print(f"Improvement: {result.improvement_pct:+.1f}%")

Everything that can be found wrong is found before the first request. A run that was killed continues when it is started again:
what its models answered is replayed from the cache, everything else is computed from the seed, and the result is the same.
"""

import hashlib
import importlib.metadata
import time
from collections.abc import Callable, Collection, Mapping
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from agent_gym.environment import ReplayEnvironment
from agent_gym.errors import BudgetSpent, UsageError
from agent_gym.evaluation import Report, evaluate, require_played
from agent_gym.files import check_writable
from agent_gym.lm.budget import Budget
from agent_gym.lm.handle import Handle
from agent_gym.lm.loop import run_sync
from agent_gym.lm.meter import Meter
from agent_gym.metrics import Rubric
from agent_gym.metrics.rubric import RubricMark
from agent_gym.optimization.cut_short import AGAIN, compared, cut_short, evaluate_affordable, why_baseline
from agent_gym.optimization.events import Phases
from agent_gym.optimization.examples import Examples, draw_examples, draw_of
from agent_gym.optimization.limits import Limits, budget_of, rate_of
from agent_gym.optimization.losses import unproposed, unscored
from agent_gym.optimization.result import CandidateScore, Event, OptimizationResult
from agent_gym.optimization.roles import Roles
from agent_gym.optimization.scoring import combined_metric, rubric_of
from agent_gym.optimization.so_far import SoFar
from agent_gym.tools.recordings import read_recordings
from agent_gym.traces import open_data
from agent_gym.traces.task import Task

if TYPE_CHECKING:
    from agent_gym.optimization.plan import Plan

PACKAGES = ("agent-gym", "dspy", "optuna", "numpy", "msgspec")
LARGEST_SEED = 2**32 - 2
"""Optuna takes 32 bits, and `Mipro` adds one."""


class OptimizationRunner:
    """Tunes the dialogue agent on a data set.

    Args:
        data_path: an SGD folder, or traces: a file of JSON lines, or a folder of them.
        strategy: a name of `STRATEGIES`, such as `bootstrap` or `mipro`.
        num_train: examples to learn from; with `num_val` examples to choose by, drawn from `train`.
        num_test: held-out examples, drawn from `dev`, on which before and after are measured.
        output_path: where the agent is saved; the result goes beside it, as `NAME_result.json`.
        split: draw all three from this split.
        model: the agent's model; AGENT_GYM_MODEL, else Gemini 3 Pro, when left out.
        prompt_model: writes proposals; the agent's model when left out.
        judge_model: judges, where `weights` has a part `judge`; the agent's model when left out.
        rubric: how it judges: a file in the format of `metrics/rubric.py`, or a rubric; the one of this package when left out.
        api_base: another endpoint for the models; not for one that is `offline` where another is not.
        weights: metric name to weight; (similarity + tool accuracy) / 2 when left out.
        seed: decides the examples and everything else that is drawn; from 0 to 4,294,967,294.
        threads: rollouts in flight at once.
        timeout: seconds until a request counts as lost.
        attempts: times a request is sent before it counts as failed.
        cache: the file of answers, AGENT_GYM_CACHE or ~/.cache/agent-gym by default; None pays for every request.
        max_cost: US dollars that the run may spend, over all its roles and phases, and over all its starts.
        max_requests: questions that it may ask, likewise; what the cache answers is free.
        max_seconds: how long it may go on asking, from `run` on.
        requests_per_minute: how fast it may ask, over all its roles.
        tokens_per_minute: likewise, of prompts and answers together.
        max_concurrency: requests in flight at once.
        optimize_requests: requests that the strategy may spend, agent and proposals together; measuring comes on top. With it
            strategies are compared at equal budgets.
        optimize_cost: the same in US dollars.
        on_event: told what happens, from any thread.
        options: what the strategy takes, e.g. `max_bootstrapped_demos=2`.

    Raises:
        UsageError: for anything that can be known to go wrong: an option that is unknown or would be ignored, a missing key,
            an output that cannot be written; from `run`, before the first request: too few examples.
    """

    def __init__(
        self,
        data_path: str | Path,
        strategy: str = "bootstrap",
        *,
        num_train: int = 50,
        num_val: int = 40,
        num_test: int = 100,
        output_path: str | Path = "checkpoints/agent.json",
        split: str | None = None,
        model: str | None = None,
        prompt_model: str | None = None,
        judge_model: str | None = None,
        rubric: Rubric | str | Path | None = None,
        api_base: str | None = None,
        weights: Mapping[str, float] | None = None,
        seed: int = 0,
        repeat: int = 0,
        threads: int = 16,
        timeout: float = 120.0,
        attempts: int = 4,
        cache: Path | Literal["default"] | None = "default",
        max_cost: float | None = None,
        max_requests: int | None = None,
        max_seconds: float | None = None,
        requests_per_minute: float | None = None,
        tokens_per_minute: float | None = None,
        max_concurrency: int | None = None,
        optimize_requests: int | None = None,
        optimize_cost: float | None = None,
        on_event: Callable[[Event], None] | None = None,
        **options: Any,
    ) -> None:
        from agent_gym.optimization.strategies import check_packages, make_strategy

        for name, value in {"num_train": num_train, "num_val": num_val, "num_test": num_test, "threads": threads}.items():
            if value < 1:
                raise UsageError(f"{name} must be 1 or more, got {value}")
        if not 0 <= seed <= LARGEST_SEED:
            raise UsageError(f"seed must be from 0 to {LARGEST_SEED}, got {seed}")
        if repeat < 0:
            raise UsageError(f"repeat must be 0 or more, got {repeat}")
        self.strategy = make_strategy(strategy, options)
        self.strategy.check(num_train, num_val)
        check_packages(self.strategy)
        if prompt_model is not None and not self.strategy.proposes:
            raise UsageError(
                f"{strategy} proposes no instructions, so prompt_model={prompt_model!r} would be ignored: leave it out"
            )
        self._rubric = rubric_of(weights, rubric, judge_model)
        self.data = open_data(data_path, strict=False)
        self.sizes = (num_train, num_val, num_test)
        self.split, self.seed, self.repeat, self.threads = split, seed, repeat, threads
        self.output_path = Path(output_path)
        if self.output_path.suffix != ".json":
            raise UsageError(f"output_path must end in .json, got {str(output_path)!r}")
        self.meter = Meter()
        self._on_event = on_event
        limits: Limits = {
            "max_cost": max_cost,
            "max_requests": max_requests,
            "max_seconds": max_seconds,
            "requests_per_minute": requests_per_minute,
            "tokens_per_minute": tokens_per_minute,
            "max_concurrency": max_concurrency,
        }
        self._new_budget = partial(budget_of, limits)
        self._optimize_limits: Limits | None = None
        if optimize_requests is not None or optimize_cost is not None:
            if any(limit is not None for limit in (max_cost, max_requests, max_seconds)):
                raise UsageError("a budget for the whole run and one for optimizing alone do not go together: give one of them")
            self._optimize_limits = {"max_requests": optimize_requests, "max_cost": optimize_cost}
            budget_of(self._optimize_limits)
        budget, rate = self._new_budget(), rate_of(limits)
        named = {role: {"prompt": prompt_model, "judge": judge_model}.get(role) or model for role in self._roles}
        self._models = Roles(named, api_base, self.meter, rate, cache, timeout, attempts)
        # Made once now, for what they refuse: an unknown model, a missing key, a price that nobody knows.
        self._names = {role: self._models.handle(role, budget).name for role in self._roles}
        self._weights = weights
        # A judge joins it when the run has a name to pay under.
        self.metric = combined_metric(weights, rubric=self._rubric, embedder=self._models.embedder(budget))
        for path in (self.output_path, self.result_path):
            if path.is_dir():
                raise UsageError(f"{str(path)!r} is a folder: choose another --output")
        # Last of all, for it leaves a folder behind.
        check_writable(self.output_path.parent)

    @property
    def result_path(self) -> Path:
        """Where the result is saved."""
        return self.output_path.with_name(f"{self.output_path.stem}_result.json")

    @property
    def rubric(self) -> RubricMark | None:
        """By what the judge scores; None when no weight asks for one."""
        return None if self._rubric is None else self._rubric.mark()

    @property
    def judge(self) -> str | None:
        """The judge's model; None when no weight asks for one."""
        return self._names.get("judge")

    @property
    def _roles(self) -> tuple[str, ...]:
        return ("agent", *(["prompt"] if self.strategy.proposes else []), *(["judge"] if self._rubric else []))

    @cached_property
    def examples(self) -> Examples:
        """The examples of the run."""
        return draw_examples(self.data, self.sizes, split=self.split, seed=self.seed)

    def plan(self, *, paid: Collection[str] = ()) -> "Plan":
        """What `run` will take, phase by phase; asks nothing of any model.

        Args:
            paid: phases that another run on the same examples will have paid for, such as "baseline".

        Raises:
            UsageError: as `run`, for too few examples.
        """
        from agent_gym.agents.dspy_agent import SGDAgentModule
        from agent_gym.optimization.effort import effort_of, writes_of
        from agent_gym.optimization.plan import plan

        writes = writes_of(self._names.get("prompt", ""))
        effort = effort_of(self.strategy, len(self.examples.train), len(self.examples.val), writes)
        return plan(self.strategy.name, effort, self.examples, self._names, SGDAgentModule().instruction, paid=paid)

    def run(self) -> OptimizationResult:
        """Do the whole job and save agent and result. When the budget ends first, the best program so far is saved, and the
        result is `partial`.

        Raises:
            BudgetSpent: before the baseline was measured; nothing is saved then.
            ModelError: when not one example could be played; nothing is saved then.
        """
        from agent_gym.agents.dspy_agent import SGDAgentModule
        from agent_gym.optimization.agent_file import clean, made_of, save_agent
        from agent_gym.optimization.compile import compile_agent

        started = time.time()
        phases = Phases(self.meter, self._on_event)
        with phases.phase("examples"):
            examples = self.examples
            phases.note_faults(self.data)
            # Read now, not when the first tool call needs them: that would hold up every request on its way.
            self._environment = ReplayEnvironment(read_recordings(self.data))
            run = self._run_id(examples)
            # Neither is part of the run's name: with a larger budget it is the same run, which continues.
            budget = self._new_budget()
            models = {role: self._models.handle(role, budget, run) for role in self._roles}
            embedder = self._models.embedder(budget, run)
            self.metric = combined_metric(self._weights, models.get("judge"), rubric=self._rubric, embedder=embedder)
        before = SGDAgentModule()
        baseline = self._measure(phases, "baseline", before, examples.test, models)
        so_far = SoFar(task.id for task in examples.val)
        try:
            with phases.phase("optimize") as progress:
                tuned, tried, lost = compile_agent(
                    self.strategy,
                    before,
                    examples,
                    self._environment,
                    self.metric,
                    self._tuners(models, run),
                    self.threads,
                    self.seed,
                    self.repeat,
                    progress,
                    so_far,
                )
                for said in unscored(lost):
                    phases.note(said)
            after = clean(tuned)
            scored = [
                CandidateScore(one.program.agent.instruction, len(one.program.agent.demos), one.score, one.examples)
                for one in tried
            ]
        except BudgetSpent:
            best = so_far.best
            phases.note(cut_short(best))
            after = made_of(best.instruction, best.demos) if best is not None else before
            scored = [CandidateScore(one.instruction, len(one.demos), one.score, one.examples) for one in so_far.found]
        if said := unproposed(self.strategy.name, self._names.get("prompt", ""), self.meter.snapshot().get("prompt")):
            phases.note(said)
        by_val = {
            "baseline": self._measure(phases, "validate baseline", before, examples.val, models, budget),
            "optimized": self._measure(phases, "validate optimized", after, examples.val, models, budget),
        }
        kept: Literal["optimized", "baseline"] = "optimized"
        if why := why_baseline(by_val["baseline"], by_val["optimized"], len(examples.val), partial=bool(budget.refused)):
            phases.note(f"{why}: the baseline is kept")
            kept, after = "baseline", before
        optimized = self._measure(phases, "optimized", after, examples.test, models, budget)
        if budget.refused:
            if optimized.n < baseline.n:
                phases.note(compared(baseline, optimized))
            phases.note(f"partial: {budget.spent} is reached; {AGAIN}")
        usage = self.meter.snapshot()
        result = OptimizationResult(
            strategy=self.strategy.name,
            options=self._options,
            models=self._names,
            seed=self.seed,
            repeat=self.repeat,
            weights=self.metric.weights,
            rubric=self.rubric,
            data=self._data(examples),
            packages={name: importlib.metadata.version(name) for name in PACKAGES},
            baseline=baseline,
            optimized=optimized,
            validation={name: report.score for name, report in by_val.items()},
            kept=kept,
            initial_prompt=before.instruction,
            optimized_prompt=after.instruction,
            few_shot_demos=tuple(after.demos),
            candidates=tuple(scored),
            usage=usage,
            costs={role: used.cost for role, used in usage.items()},
            agent_path=self.output_path.name,
            events=tuple(phases.events),
            partial=bool(budget.refused),
            notes=tuple(phases.notes),
            times={"started": started, "seconds": time.time() - started},
        )
        save_agent(after, self.output_path)
        result.save(self.result_path)
        return result

    def _tuners(self, models: Mapping[str, Handle], run: str) -> Mapping[str, Handle]:
        """The models that the strategy asks: the run's own, or the same under a budget for optimizing alone."""
        if self._optimize_limits is None:
            return models
        budget = budget_of(self._optimize_limits)
        return {role: self._models.handle(role, budget, f"{run}/optimize") for role in models}

    def _measure(
        self,
        phases: Phases,
        phase: str,
        agent: Any,
        tasks: list[Task],
        models: Mapping[str, Handle],
        budget: Budget | None = None,
    ) -> Report:
        """Play an agent on examples; with a budget, those that it still allows."""
        player = agent.agent(models["agent"], sample=draw_of(self.repeat))
        with phases.phase(phase, len(tasks)) as progress:
            play = evaluate if budget is None else evaluate_affordable
            playing = play(
                player, tasks, self.metric, self._environment, concurrency=self.threads, on_example=lambda _: progress(1)
            )
            report = run_sync(playing)
            left = len(tasks) - len(report.examples)
            if left and budget is not None:
                phases.note(f"{phase}: {left} of {len(tasks)} examples were not played, the budget is spent")
            else:
                require_played(report)
        if report.failed:
            phases.note(f"{phase}: {report.failed} of {len(tasks)} examples failed at the endpoint and are not scored")
        if report.unjudged:
            phases.note(f"{phase}: the judge gave no score for {report.unjudged} of {len(tasks)} examples; they are not scored")
        return report

    @property
    def _options(self) -> dict[str, Any]:
        from agent_gym.optimization.strategies import options_of

        return options_of(self.strategy)

    def _data(self, examples: Examples) -> dict[str, Any]:
        parts = {"train": examples.train, "val": examples.val, "test": examples.test}
        return {
            "name": self.data.name,
            "fingerprint": examples.fingerprint,
            "splits": {"train": self.split or "train", "val": self.split or "train", "test": self.split or "dev"},
            "examples": {part: [task.id for task in tasks] for part, tasks in parts.items()},
            "with_calls": {part: sum(bool(task.expected_calls) for task in tasks) for part, tasks in parts.items()},
        }

    def _run_id(self, examples: Examples) -> str:
        """What makes this run this run: the same command has the same, and replays what it has paid for."""
        identity = [
            self.strategy.name,
            self._options,
            self._names,
            self.metric.weights,
            self.rubric,
            self.seed,
            self.repeat,
            self.sizes,
            examples.fingerprint,
            importlib.metadata.version("agent-gym"),
            str(self.output_path.absolute()),
        ]
        return hashlib.sha256(msgspec.json.encode(identity, order="deterministic")).hexdigest()
