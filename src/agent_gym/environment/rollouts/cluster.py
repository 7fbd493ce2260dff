"""Episodes played by Ray: one actor a worker, each with an agent and an environment that it made itself.

    rollout_many(make_agent, make_environment, executor="ray")                     a cluster on this machine, ended afterwards
    rollout_many(make_agent, make_environment, executor=RayCluster(workers=8, address="10.0.0.5:6379"))

The run stays where it was started: it hands out one episode at a time, counts and writes. When a worker dies, another takes its
place and plays what was under way there; an episode follows from its seed, so that nothing is lost or comes out differently.
Workers that die again and again without finishing anything end the run.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

import asyncio
import logging
import os
import re
import socket
import sys
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import urlsplit

from agent_gym.agents.base import Agent
from agent_gym.environment.dialogue import DialogueEnvironment
from agent_gym.environment.rollouts.sample import Sample, play_sample
from agent_gym.environment.rollouts.settings import described_agent
from agent_gym.environment.rollouts.sources import AgentSource, EnvironmentSource, made_agent, made_environment, makes_agent
from agent_gym.errors import AgentGymError, UsageError
from agent_gym.lm.loop import hop
from agent_gym.traces import Trace

STORE = 100_000_000
"""Bytes of shared memory for a cluster of our own: an episode is some ten thousand, and is let go of at once."""
PATIENCE = 10.0
"""Seconds in which a cluster must answer."""
DEATHS = 3
"""So many deaths for each worker, with no episode finished between them, end the run."""

_WORKER = {"max_concurrency": 1000, "scheduling_strategy": "SPREAD"}
_WAY_OUT = "give functions of a module that make them, or functools.partial of such"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RayCluster:
    """Where Ray plays.

    Args:
        workers: processes that play; by default one for each CPU of the cluster.
        address: a running cluster, as Ray writes it; by default RAY_ADDRESS, else one is started on this machine.
        options: of each worker, in Ray's own names: `{"num_gpus": 1}`.
    """

    workers: int | None = None
    address: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])


class Worker:
    """What runs in a worker's process; agent and environment are made at the first use.

    Args:
        sources: what makes the two, as the run's own process sent it.
    """

    def __init__(self, sources: bytes) -> None:
        self._sources = sources
        self._made: tuple[Agent, DialogueEnvironment] | None = None

    def _players(self) -> tuple[Agent, DialogueEnvironment]:
        if self._made is None:
            from ray.cloudpickle import loads

            try:
                agent, environment = loads(self._sources)
            except ImportError as error:
                way_out = "start from its folder, or name that in PYTHONPATH on every machine"
                raise UsageError(f"Ray's workers cannot import what makes the agent ({error}): {way_out}") from error
            self._made = made_agent(agent), made_environment(environment)
        return self._made

    async def describe(self) -> str:
        """Which agent this worker made."""
        return described_agent(self._players()[0])

    async def play(self, task: Trace, number: int, seed: int) -> Trace:
        """Play an episode, on the one loop where connections live."""
        agent, environment = self._players()
        return await hop(play_sample(agent, environment, Sample(task, number, seed)))


class Place:
    """A seat for a worker: whoever sits on it plays what is sent there."""

    def __init__(self, worker: Any) -> None:
        self.worker = worker
        self.playing = 0


class Pool:
    """The workers of a run."""

    def __init__(self, ray: Any, cluster: RayCluster, sources: bytes) -> None:
        self._ray = ray
        self._new = lambda: ray.remote(Worker).options(**{**_WORKER, **cluster.options}).remote(sources)
        count = cluster.workers or max(1, int(ray.cluster_resources().get("CPU", 1)))
        self._places = [Place(self._new()) for _ in range(count)]
        self._deaths = 0

    async def describe(self) -> str:
        """Which agent the workers play."""
        return await self._ask("describe")

    async def play(self, sample: Sample) -> Trace:
        """Play an episode where the fewest are under way.

        Raises:
            BudgetSpent: when a model's budget does not allow another question.
            UsageError: when workers do nothing but die.
        """
        return await self._ask("play", *sample)

    async def _ask(self, method: str, *args: object) -> Any:
        from ray import exceptions

        dead = (
            exceptions.RayActorError,
            exceptions.WorkerCrashedError,
            exceptions.NodeDiedError,
            exceptions.ObjectLostError,
            exceptions.OutOfMemoryError,
        )
        while True:
            place = min(self._places, key=lambda place: place.playing)
            worker = place.worker
            place.playing += 1
            try:
                answer = await getattr(worker, method).remote(*args)
            except exceptions.RayTaskError as error:
                if isinstance(error.cause, AgentGymError):
                    raise error.cause from None
                # A fault of the program; as Ray raises it, it holds the remote traceback.
                raise
            except dead as error:
                self._replace(place, worker, error)
            else:
                self._deaths = 0
                return answer
            finally:
                place.playing -= 1

    def _replace(self, place: Place, worker: Any, error: Exception) -> None:
        # All that were under way there come here; the first of them calls for another worker.
        if place.worker is not worker:
            return
        self._deaths += 1
        if self._deaths > DEATHS * len(self._places):
            raise UsageError(
                f"Ray's workers died {self._deaths} times without finishing an episode, the last one with: "
                f"{_in_one_line(error)}"
            ) from error
        _log.warning("a worker of Ray died and is replaced; what it was playing is played again")
        self._ray.kill(worker)
        place.worker = self._new()

    def close(self) -> None:
        """End the workers."""
        for place in self._places:
            self._ray.kill(place.worker)


@asynccontextmanager
async def joined(cluster: RayCluster, agent: AgentSource, environment: EnvironmentSource) -> AsyncGenerator[Pool]:
    """Workers on a cluster: on the one this process has joined already, else on that of an address, else on a new one here.

    Raises:
        UsageError: Ray is not installed, agent or environment cannot be sent, or there is no such cluster.
    """
    if cluster.workers is not None and cluster.workers < 1:
        raise UsageError(f"a cluster has one worker or more, got workers={cluster.workers}")
    # Set before Ray is loaded: it would tell its makers that it was used.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError:
        raise UsageError("executor='ray' needs Ray: pip install 'agent-gym[ray]'") from None
    _require_function("agent", agent, makes_agent(agent))
    _require_function("environment", environment, not isinstance(environment, DialogueEnvironment))
    try:
        sources: bytes = cast(Any, ray).cloudpickle.dumps((agent, environment))
    except Exception as error:
        # What a function holds on to may refuse in its own way.
        raise UsageError(f"what makes agent and environment cannot be sent to Ray's workers ({error}): {_WAY_OUT}") from error
    ours = not ray.is_initialized()
    if cluster.address and not ours:
        raise UsageError(f"this process has joined a cluster of Ray already: leave out the address {cluster.address!r}")
    try:
        if ours:
            await asyncio.to_thread(_start, ray, cluster)
        pool = await asyncio.to_thread(Pool, ray, cluster, sources)
        try:
            yield pool
        finally:
            pool.close()
    finally:
        if ours:
            await asyncio.to_thread(ray.shutdown)


def _require_function(name: str, source: object, is_function: bool) -> None:
    if not is_function:
        raise UsageError(f"executor='ray' makes an {name} in each worker and got a {type(source).__name__}: {_WAY_OUT}")


def _require_reachable(address: str) -> None:
    """Ray itself tries for minutes."""
    at = urlsplit(address if "://" in address else f"//{address}")
    if at.hostname and at.port:
        socket.create_connection((at.hostname, at.port), timeout=PATIENCE).close()


def _start(ray: Any, cluster: RayCluster) -> None:
    address = cluster.address or os.environ.get("RAY_ADDRESS")
    here: dict[str, Any] = {
        "address": "local",
        "num_cpus": cluster.workers,
        "include_dashboard": False,
        "object_store_memory": STORE,
    }
    if sys.platform == "linux":
        # Ray takes 127.0.0.1 for a mistake and looks for an address that others can reach; there are no others.
        here["_node_ip_address"] = "127.0.0.2"
    try:
        if address:
            _require_reachable(address)
        with _quiet():
            ray.init(log_to_driver=False, configure_logging=False, **({"address": address} if address else here))
    except (ray.exceptions.RayError, ImportError, OSError, RuntimeError, ValueError) as error:
        what = f"the cluster at {address!r} cannot be joined" if address else "a cluster cannot be started here"
        way_out = " (set RAY_AUTH_MODE=token if it asks for a token)" if address else ""
        raise UsageError(f"{what}: {_in_one_line(error)}{way_out}") from error


def _in_one_line(error: Exception) -> str:
    """What Ray says, in black and white."""
    return " ".join(re.sub(r"\x1b\[\d*m", "", str(error)).split())[:300]


@contextmanager
def _quiet() -> Generator[None]:
    """Without Ray's remarks on signals and tokens, which are no news to anyone."""
    log = logging.getLogger("ray")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(before)
