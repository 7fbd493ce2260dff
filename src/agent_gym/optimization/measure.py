"""One agent on one split, from names to report: what `agent-gym evaluate` does."""

from collections.abc import Callable, Mapping
from pathlib import Path

from agent_gym.environment import ReplayEnvironment
from agent_gym.errors import UsageError
from agent_gym.evaluation import Report, evaluate, require_played
from agent_gym.lm.loop import run_sync
from agent_gym.lm.meter import Meter
from agent_gym.lm.model import make_lm
from agent_gym.lm.usage import Usage
from agent_gym.metrics import CombinedMetric
from agent_gym.optimization.events import Phases
from agent_gym.optimization.examples import read_recordings
from agent_gym.optimization.result import Event
from agent_gym.traces import SGDLoader
from agent_gym.traces.draw import draw_tasks


def measure(
    agent_path: str | Path | None,
    data_path: str | Path,
    split: str = "dev",
    *,
    limit: int = 100,
    model: str | None = None,
    api_base: str | None = None,
    weights: Mapping[str, float] | None = None,
    seed: int = 0,
    threads: int = 32,
    timeout: float = 120.0,
    attempts: int = 4,
    on_event: Callable[[Event], None] | None = None,
) -> tuple[Report, Mapping[str, Usage]]:
    """Play a saved agent, or the baseline, on examples of a split; with the same split, number and seed, on those that
    `OptimizationRunner` measures on (unless it drew all its examples from that split).

    Raises:
        UsageError: for what can be known to go wrong before the first request.
        ModelError: when not one example could be played.
    """
    from agent_gym.agents.dspy_agent import SGDAgentModule
    from agent_gym.optimization.agent_file import load_agent

    if limit < 1 or threads < 1:
        raise UsageError(f"limit and threads must be 1 or more, got {limit} and {threads}")
    metric = CombinedMetric(weights)
    loader = SGDLoader(data_path, strict=False)
    meter = Meter()
    handle = make_lm(model, api_base=api_base, meter=meter, timeout=timeout, attempts=attempts)
    agent = load_agent(agent_path) if agent_path is not None else SGDAgentModule()
    (tasks,) = draw_tasks(loader, split, [limit], seed=seed)
    environment = ReplayEnvironment(lambda: read_recordings(loader))
    phases = Phases(meter, on_event)
    for fault in loader.report.faults:
        phases.note(f"left out, cannot be read: {fault}")
    with phases.phase("evaluate", len(tasks)) as progress:
        playing = evaluate(
            agent.agent(handle), tasks, metric, environment, concurrency=threads, on_example=lambda _: progress(1)
        )
        report = require_played(run_sync(playing))
    return report, meter.snapshot()
