"""Ray plays what one process plays, and a worker that dies takes nothing with it."""

# pyright: reportUnknownMemberType=false

import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from agent_gym.environment.rollouts.cluster import RayCluster
from agent_gym.environment.rollouts.many import rollout_many
from agent_gym.errors import BudgetSpent, UsageError
from agent_gym.traces.store import read_traces
from seeded_episodes import Faulty, Fragile, Mortal, Parrot, Poor, environment, lines

TWO = RayCluster(workers=2)


@pytest.fixture(scope="module")
def ray_folder() -> Iterator[Path]:
    """Where Ray puts its files; short, for the name of a socket has room for 107 characters."""
    pytest.importorskip("ray")
    folder = Path(tempfile.mkdtemp(prefix="ray-"))
    (folder / "token").write_text("0123456789abcdef" * 4)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parents[2]), prepend=os.pathsep)
        patch.setenv("RAY_TMPDIR", str(folder))
        patch.setenv("RAY_AUTH_TOKEN_PATH", str(folder / "token"))
        yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def joined(ray_folder: Path) -> Iterator[None]:
    """A cluster of two CPUs that this process has joined."""
    import ray

    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False, _node_ip_address="127.0.0.2")
    yield
    ray.shutdown()


def in_process(path: Path, count: int = 20, samples: int = 1) -> set[bytes]:
    rollout_many(Parrot(), environment(count), samples=samples, output=path, settings={"agent": "x"})
    return lines(path)


def test_a_cluster_that_is_not_there_is_said_in_one_line() -> None:
    pytest.importorskip("ray")
    with pytest.raises(UsageError, match=r"'127\.0\.0\.1:1' cannot be joined"):
        rollout_many(Parrot, environment, executor=RayCluster(address="127.0.0.1:1"))


@pytest.mark.slow
def test_a_cluster_of_its_own_plays_what_one_process_plays(ray_folder: Path, tmp_path: Path) -> None:
    import ray

    makes = partial(environment, 20)
    summary = rollout_many(Parrot, makes, samples=2, output=tmp_path / "ray.jsonl", executor=TWO, settings={"agent": "x"})
    assert (summary.episodes, summary.lost) == (40, 0)
    assert lines(tmp_path / "ray.jsonl") == in_process(tmp_path / "local.jsonl", samples=2)
    assert not ray.is_initialized()


@pytest.mark.slow
def test_a_killed_worker_loses_nothing(joined: None, tmp_path: Path) -> None:
    agent = partial(Fragile, tmp_path)
    rollout_many(agent, environment, output=tmp_path / "ray.jsonl", executor=TWO, settings={"agent": "x"})
    assert int((tmp_path / "killed").read_text()) != os.getpid()
    assert lines(tmp_path / "ray.jsonl") == in_process(tmp_path / "local.jsonl")


@pytest.mark.slow
def test_a_process_is_in_one_cluster_at_a_time(joined: None) -> None:
    with pytest.raises(UsageError, match="joined a cluster of Ray already"):
        rollout_many(Parrot, environment, executor=RayCluster(address="127.0.0.1:1"))


@pytest.mark.slow
def test_workers_that_only_die_end_the_run(joined: None) -> None:
    with pytest.raises(UsageError, match="workers died 4 times without finishing an episode"):
        rollout_many(Mortal, environment, executor=RayCluster(workers=1))


@pytest.mark.slow
def test_a_budget_spent_by_a_worker_ends_the_run_as_it_does_here(joined: None, tmp_path: Path) -> None:
    with pytest.raises(BudgetSpent, match=r"^the budget of 1 request is spent$"):
        rollout_many(Poor, environment, output=tmp_path / "r.jsonl", executor=TWO, concurrency=2)
    assert {trace.conversation_id for trace in read_traces(tmp_path / "r.jsonl")} == {"t0"}


@pytest.mark.slow
def test_a_fault_of_the_program_shows_where_it_was(joined: None) -> None:
    with pytest.raises(ZeroDivisionError, match=r"seeded_episodes\.py"):
        rollout_many(Faulty, environment, executor=TWO)


def test_without_ray_its_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UsageError, match=r"pip install 'agent-gym\[ray\]'"):
        rollout_many(Parrot, environment, executor="ray")


def test_what_cannot_be_sent_is_refused_before_anything_starts() -> None:
    pytest.importorskip("ray")
    with pytest.raises(UsageError, match="makes an agent in each worker and got a Parrot"):
        rollout_many(Parrot(), environment, executor="ray")
    with pytest.raises(UsageError, match="makes an environment in each worker and got a DialogueEnvironment"):
        rollout_many(Parrot, environment(), executor="ray")
    lock = threading.Lock()
    with pytest.raises(UsageError, match="cannot be sent to Ray's workers"):
        rollout_many(lambda: Parrot({str(lock): 1}), environment, executor="ray")


def test_a_cluster_has_workers() -> None:
    with pytest.raises(UsageError, match="workers=0"):
        rollout_many(Parrot, environment, executor=RayCluster(workers=0))
