# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeStubs=false
"""A strategy at work: DSPy set up around it, and kept from talking."""

import io
import logging
import random
import warnings
from collections.abc import Generator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout

import dspy

from agent_gym.agents.dspy_agent import ActAdapter, SGDAgentModule
from agent_gym.environment import ReplayEnvironment
from agent_gym.errors import BudgetSpent
from agent_gym.lm.dspy_lm import GymLM
from agent_gym.lm.handle import Handle
from agent_gym.metrics import Metric
from agent_gym.optimization.events import Progress
from agent_gym.optimization.examples import Examples, draw_of
from agent_gym.optimization.interrupt import interruptible
from agent_gym.optimization.losses import Lost
from agent_gym.optimization.program import DSPyMetric, PlayedAgent, example_of
from agent_gym.optimization.repeats import Repeat
from agent_gym.optimization.so_far import SoFar
from agent_gym.optimization.strategies.base import ANY, Candidate, Strategy, Workbench


def compile_agent(
    strategy: Strategy,
    agent: SGDAgentModule,
    examples: Examples,
    environment: ReplayEnvironment,
    metric: Metric,
    models: Mapping[str, Handle],
    threads: int,
    seed: int,
    repeat: int,
    progress: Progress,
    so_far: SoFar | None = None,
) -> tuple[SGDAgentModule, list[Candidate], Lost]:
    """Tune an agent. Returns the tuned agent, the programs tried, and how many rollouts went without a score.

    Args:
        so_far: where the scores of each program are written down, for the case that the budget ends first.

    Raises:
        BudgetSpent: the budget did not allow a question; the optimizer has ended.
    """
    so_far = so_far or SoFar([])
    scorer = DSPyMetric(metric, threshold=strategy.metric_threshold, on_example=lambda _: progress(1), so_far=so_far)
    program = PlayedAgent(agent, environment, so_far)
    with quiet(), interruptible(models, so_far.stop) as handles:
        asked = {role: Repeat(handle, draw_of(repeat)) for role, handle in handles.items()}
        agent_lm = GymLM(asked["agent"])
        # Far from the seeds that a user gives one after the other, and within Optuna's 32 bits.
        seed = (seed + 1000 * repeat) % (2**32 - 1)
        train = [example_of(task) for task in examples.train]
        if repeat:
            # What DSPy draws of worked examples it draws by their order, with a seed of its own.
            random.Random(seed).shuffle(train)
        bench = Workbench(
            train=train,
            val=[example_of(task) for task in examples.val],
            metric=scorer,
            agent_lm=agent_lm,
            # Proposals are meant to differ: the model's own temperature, unless the optimizer names one.
            prompt_lm=GymLM(asked["prompt"], temperature=None) if "prompt" in asked else agent_lm,
            threads=threads,
            seed=seed,
        )
        # DSPy keeps every step and every request of the process unless told not to.
        with dspy.context(
            lm=agent_lm, adapter=ActAdapter(), trace=None, disable_history=True, num_threads=threads, max_errors=ANY
        ):
            try:
                tuned, tried = strategy.compile(program, bench)
            except Exception:
                # Some optimizers give up over a fault of the program, and say only that they did.
                if fault := _fault(program, so_far):
                    raise fault from None
                raise
    if fault := _fault(program, so_far):
        raise fault
    return tuned.agent, tried, Lost(scorer.failed, scorer.unjudged)


def _fault(program: PlayedAgent, so_far: SoFar) -> Exception | None:
    """What ended, or should have ended, the optimizer; a fault of the program before a budget that is spent."""
    if so_far.spent is not None:
        # The threads that DSPy leaves behind tell of their end on its logger when nobody keeps it quiet any more.
        logging.getLogger("dspy.utils.parallelizer").setLevel(logging.CRITICAL)
        so_far.settle()
    faults = [fault for fault in program.faults if not isinstance(fault, BudgetSpent)]
    return faults[0] if faults else so_far.spent


@contextmanager
def quiet() -> Generator[None]:
    """DSPy prints its progress on both streams; ours is told through events."""
    logger = logging.getLogger("dspy")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()), warnings.catch_warnings():
            # Optuna says that a parameter of its sampler is experimental.
            warnings.filterwarnings("ignore", module="optuna")
            yield
    finally:
        logger.setLevel(level)
