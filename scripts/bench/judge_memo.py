"""An optimizer run with a judge in its metric: how often the judge is asked, against how many distinct outputs it was shown.

    python scripts/bench/judge_memo.py [DATA]

`bootstrap_random_search` on the sample with the embedded model for agent and judge. A scoring is one call of the metric; an
output is distinct when the judge's prompt is. The bar is one request for each.
"""

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock

from agent_gym.agents.dspy_agent import SGDAgentModule
from agent_gym.environment import ReplayEnvironment
from agent_gym.lm import Handle, Meter, make_lm
from agent_gym.metrics import CombinedMetric, LLMJudge, Score, ToolAccuracy
from agent_gym.optimization.compile import compile_agent
from agent_gym.optimization.examples import draw_examples
from agent_gym.optimization.strategies import make_strategy
from agent_gym.tools.recordings import read_recordings
from agent_gym.traces import SGDLoader, Trace
from agent_gym.traces.task import Task


class Watched(LLMJudge):
    """A judge that writes down what it was shown."""

    def __init__(self, handle: Handle) -> None:
        super().__init__(handle=handle)
        self.lock = Lock()
        self.shown: set[str] = set()
        self.scorings = 0

    def score(self, task: Task, trace: Trace, *, sample: str = "") -> Score:
        with self.lock:
            self.scorings += 1
            self.shown.add("\n".join(turn.content for turn in self.turn_prompt(task, trace)))
        return super().score(task, trace, sample=sample)


def main(data: str = "data/sample") -> None:
    """Measure and print one JSON line."""
    loader = SGDLoader(data)
    meter = Meter()
    with TemporaryDirectory() as folder:
        cache = Path(folder) / "cache.sqlite"
        judge = Watched(make_lm("offline", role="judge", meter=meter, cache=cache))
        compile_agent(
            make_strategy("bootstrap_random_search", {}),
            SGDAgentModule(),
            draw_examples(loader, (50, 40, 1)),
            ReplayEnvironment(read_recordings(loader)),
            CombinedMetric({"tool_accuracy": 0.5, "judge": 0.5}, [ToolAccuracy(), judge]),
            {"agent": make_lm("offline", meter=meter, cache=cache)},
            threads=8,
            seed=0,
            repeat=0,
            progress=lambda _: None,
        )
    requests = meter.snapshot()["judge"].requests
    print(
        json.dumps(
            {
                "bench": "judge_memo",
                "scorings": judge.scorings,
                "distinct_outputs": len(judge.shown),
                "judge_requests": requests,
                "requests_per_output": round(requests / len(judge.shown), 3),
                "bar": 1.0,
            }
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
