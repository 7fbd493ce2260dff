"""An agent in whole conversations, from names to report: what `agent-gym evaluate --mode simulate` and `--mode replay` do."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Unpack

from agent_gym.agents.prompt_agent import PromptAgent
from agent_gym.environment import RecordedEnvironment, rollout_many
from agent_gym.environment.episode import MAX_STEPS, MAX_TURNS
from agent_gym.environment.rewards import Mode, Paid
from agent_gym.environment.users import LLMUser
from agent_gym.environment.users import User as Player
from agent_gym.errors import ModelError, UsageError
from agent_gym.evaluation.episodes import EpisodeReport, EpisodeScore, score_episode, summarize_episodes
from agent_gym.evaluation.paths import FollowedPath, PathReport, follow, summarize_paths
from agent_gym.lm.handle import Handle
from agent_gym.lm.meter import Meter
from agent_gym.lm.usage import Usage
from agent_gym.messages import User
from agent_gym.metrics import LLMJudge, Rubric
from agent_gym.optimization.events import Phases
from agent_gym.optimization.limits import Limits, budget_of, rate_of
from agent_gym.optimization.result import Event
from agent_gym.optimization.roles import Roles
from agent_gym.traces import Trace, open_data, read_traces
from agent_gym.traces.draw import how_many
from agent_gym.traces.task import tasks_of

JUDGED = ("judge", "combined")


class Asking(Limits, total=False):
    """Who is asked, how, and for how much."""

    model: str | None
    api_base: str | None
    threads: int
    timeout: float
    attempts: int
    on_event: Callable[[Event], None] | None


class _Asked:
    """The models of one measurement, on one meter."""

    def __init__(self, names: Mapping[str, str | None], asking: Asking) -> None:
        self.meter = Meter()
        self.phases = Phases(self.meter, asking.get("on_event"))
        self._threads = asking.get("threads", 32)
        self._budget = budget_of(asking)
        self._roles = Roles(
            names,
            asking.get("api_base"),
            self.meter,
            rate_of(asking),
            timeout=asking.get("timeout", 120.0),
            attempts=asking.get("attempts", 4),
        )

    def handle(self, role: str) -> Handle:
        return self._roles.handle(role, self._budget)

    def agent(self, path: str | Path | None) -> PromptAgent:
        from agent_gym.agents.dspy_agent import SGDAgentModule
        from agent_gym.optimization.agent_file import load_agent

        return (load_agent(path) if path is not None else SGDAgentModule()).agent(self.handle("agent"))

    def play(
        self,
        agent: PromptAgent,
        environment: RecordedEnvironment,
        on_trace: Callable[[Trace], None],
        *,
        samples: int = 1,
        seed: int = 0,
        output: Path | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        with self.phases.phase("play", len(environment.tasks) * samples) as progress:

            def finished(trace: Trace) -> None:
                on_trace(trace)
                progress(1)

            rollout_many(
                agent,
                environment,
                samples=samples,
                seed=seed,
                concurrency=self._threads,
                output=output,
                on_trace=finished,
                settings=settings,
            )


def measure_simulated(
    agent_path: str | Path | None,
    data_path: str | Path,
    split: str = "dev",
    *,
    user: str = "agenda",
    user_model: str | None = None,
    samples: int = 1,
    reward: Mode = "ground_truth",
    paid: Paid = "end",
    judge_model: str | None = None,
    rubric: Rubric | str | Path | None = None,
    limit: int | None = None,
    seed: int = 0,
    output: str | Path | None = None,
    **asking: Unpack[Asking],
) -> tuple[EpisodeReport, Mapping[str, Usage]]:
    """Let a saved agent, or the baseline, talk with a user who reacts.

    Args:
        user: "agenda", "replay", or "llm", which `user_model` then plays (the agent's model when left out).
        samples: how often each conversation is played; the later times with answers of their own.
        limit: how many conversations of the split; 100 when left out, or all there are.
        output: a JSON lines file for the episodes; a run that was cut short goes on from it.

    Raises:
        UsageError: for what can be known to go wrong before the first request.
        ModelError: when not one episode came to its end.
        BudgetSpent: before all episodes were played; what was played is kept.
    """
    _require_positive(limit=1 if limit is None else limit, samples=samples, threads=asking.get("threads", 32))
    if user != "llm" and user_model is not None:
        raise UsageError(f"user {user!r} asks no model, so user_model={user_model!r} would be ignored: leave it out")
    if reward not in JUDGED and (judge_model is not None or rubric is not None):
        raise UsageError(f"reward {reward!r} asks no judge, so a judge's model or rubric would be ignored: leave it out")
    names = {"agent": asking.get("model")}
    names |= {"user": user_model or asking.get("model")} if user == "llm" else {}
    names |= {"judge": judge_model or asking.get("model")} if reward in JUDGED else {}
    asked = _Asked(names, asking)
    talking: Player | str = LLMUser(asked.handle("user")) if user == "llm" else user
    judge = LLMJudge(handle=asked.handle("judge"), rubric=rubric) if reward in JUDGED else None
    data = open_data(data_path, strict=False)
    agent = asked.agent(agent_path)
    size = how_many(data, split, limit)
    environment = RecordedEnvironment(data, split, user=talking, mode=reward, paid=paid, judge=judge, limit=size, seed=seed)
    asked.phases.note_faults(data)
    scores: dict[tuple[str, int], EpisodeScore] = {}

    def finished(trace: Trace) -> None:
        score = score_episode(trace)
        scores[score.task, score.sample] = score

    file = Path(output) if output is not None else None
    settings = {"data": data.name, "split": split}
    asked.play(agent, environment, finished, samples=samples, seed=seed, output=file, settings=settings)
    if file is not None:
        # What an earlier run has played.
        wanted = {(task.conversation_id, number) for task in environment.tasks for number in range(samples)}
        for trace in read_traces(file):
            score = score_episode(trace)
            if (key := (score.task, score.sample)) in wanted:
                scores.setdefault(key, score)
    report = summarize_episodes(scores.values(), user=user)
    if not report.n:
        raise ModelError(_nothing_played([one.error for one in scores.values()], report.spoilt))
    return report, asked.meter.snapshot()


def measure_replayed(
    agent_path: str | Path | None,
    data_path: str | Path,
    split: str = "dev",
    *,
    limit: int | None = None,
    seed: int = 0,
    **asking: Unpack[Asking],
) -> tuple[PathReport, Mapping[str, Usage]]:
    """Let a saved agent, or the baseline, talk with the recorded user, and say where it leaves the recorded path.

    Raises:
        UsageError, ModelError, BudgetSpent: see `measure_simulated`.
    """
    _require_positive(limit=1 if limit is None else limit, threads=asking.get("threads", 32))
    asked = _Asked({"agent": asking.get("model")}, asking)
    data = open_data(data_path, strict=False)
    agent = asked.agent(agent_path)
    environment = RecordedEnvironment(data, split, user="replay", limit=how_many(data, split, limit), seed=seed)
    asked.phases.note_faults(data)
    # Who does what was recorded runs into no limit.
    said = [sum(isinstance(message, User) for message in trace.messages) for trace in environment.tasks]
    done = [len(task.expected) for trace in environment.tasks for task in tasks_of(trace)]
    environment.max_turns, environment.max_steps = max([MAX_TURNS, *said]), max([MAX_STEPS, *done])
    recorded = {task.conversation_id: task for task in environment.tasks}
    paths: list[FollowedPath] = []
    errors: list[str | None] = []

    def finished(trace: Trace) -> None:
        paths.append(follow(recorded[str(trace.metadata["task"])], trace))
        errors.append(trace.error)

    asked.play(agent, environment, finished)
    report = summarize_paths(paths)
    if not report.n:
        raise ModelError(_nothing_played(errors, Counter(path.spoilt or "no turn that was answered" for path in paths)))
    return report, asked.meter.snapshot()


def _require_positive(**numbers: int) -> None:
    for name, value in numbers.items():
        if value < 1:
            raise UsageError(f"{name} must be 1 or more, got {value}")


def _nothing_played(errors: Sequence[str | None], spoilt: Mapping[str, int]) -> str:
    first = next((f": {error}" for error in errors if error), "")
    why = ", ".join(f"{who} {count}" for who, count in spoilt.items())
    return f"no conversation could be played to its end, all {len(errors)} were spoilt ({why}){first}"
