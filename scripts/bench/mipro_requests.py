# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
"""What `mipro`, light, asks of the agent's model for 50 training examples; beside it what stock MIPROv2 asks for the same
agent.

    python scripts/bench/mipro_requests.py [DATA]

Requests that reach the provider: the runner's own count for the phase `optimize`, its cache empty at the start. An example is a
whole rollout here (call, result, answer), about 1.4 requests. `stock` is DSPy's MIPROv2(auto="light") on the same program,
examples, metric and model, without a cache, splitting the 50 examples by itself.
"""

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import dspy

from agent_gym.agents.dspy_agent import ActAdapter, SGDAgentModule
from agent_gym.environment import ReplayEnvironment
from agent_gym.lm import make_lm
from agent_gym.lm.dspy_lm import GymLM
from agent_gym.metrics import CombinedMetric
from agent_gym.optimization import OptimizationRunner
from agent_gym.optimization.compile import quiet
from agent_gym.optimization.program import DSPyMetric, PlayedAgent, example_of
from agent_gym.tools import Recordings

DATA = "data/raw/schema_guided_dialogue"


def stock(runner: OptimizationRunner) -> dict[str, int]:
    """DSPy's own optimizer, its defaults, no cache."""
    handle = make_lm("offline", cache=None)
    prompt = make_lm("offline", role="prompt", meter=handle.meter, cache=None)
    environment = ReplayEnvironment(Recordings())
    metric = DSPyMetric(CombinedMetric(), threshold=0.6)
    train = [example_of(task) for task in runner.examples.train]
    with quiet(), dspy.context(lm=GymLM(handle), adapter=ActAdapter(), trace=None, disable_history=True):
        optimizer = dspy.MIPROv2(metric=metric, prompt_model=GymLM(prompt, temperature=None), auto="light", num_threads=16)
        optimizer.compile(PlayedAgent(SGDAgentModule(), environment), trainset=train)
    return {role: usage.requests for role, usage in handle.meter.snapshot().items()}


def main(data: str = DATA) -> None:
    """Measure and print one JSON line."""
    with TemporaryDirectory() as folder:
        runner = OptimizationRunner(
            data,
            "mipro",
            num_train=50,
            model="offline",
            output_path=Path(folder) / "agent.json",
            cache=Path(folder) / "cache.sqlite",
        )
        result = runner.run()
        optimize = next(event for event in result.events if event.kind == "phase_finished" and event.phase == "optimize")
        used = optimize.usage
        print(
            json.dumps(
                {
                    "bench": "mipro_requests",
                    "num_train": 50,
                    "num_val": len(runner.examples.val),
                    "agent_requests": used["agent"].requests,
                    "bar": 310,
                    "agent_cache_hits": used["agent"].cache_hits,
                    "prompt_requests": used["prompt"].requests,
                    "rollouts": optimize.done,
                    "whole_run_agent_requests": result.usage["agent"].requests,
                    "stock": stock(runner),
                }
            )
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
