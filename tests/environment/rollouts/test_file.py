"""The file of a run: whole lines whatever happens, one writer, and nothing in it that was played in another way."""

import os
import resource
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_gym import files
from agent_gym.environment.rollouts.file import rollout_file
from agent_gym.environment.rollouts.many import rollout_many
from agent_gym.environment.rollouts.summary import Counts
from agent_gym.errors import FileRefused, UsageError
from agent_gym.traces.store import read_traces
from seeded_episodes import Parrot, environment, lines


@contextmanager
def disk_with_room_for(size: int) -> Generator[None]:
    """No file may grow beyond some bytes: to a writer, a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The file of a run of five episodes."""
    path = tmp_path_factory.mktemp("written") / "r.jsonl"
    rollout_many(Parrot(), environment(5), output=path, concurrency=1)
    return path.read_bytes()


def test_the_lines_are_traces(written: bytes, tmp_path: Path) -> None:
    (tmp_path / "r.jsonl").write_bytes(written)
    assert [trace.conversation_id for trace in read_traces(tmp_path / "r.jsonl")] == ["t0", "t1", "t2", "t3", "t4"]


@given(cut=st.floats(0, 1))
def test_wherever_a_run_was_cut_off_it_goes_on_to_the_same_lines(
    cut: float, written: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("cut") / "r.jsonl"
    path.write_bytes(written[: int(cut * len(written))])
    summary = rollout_many(Parrot(), environment(5), output=path)
    assert lines(path) == set(written.splitlines(keepends=True))
    assert summary.episodes == 5


def test_a_finished_run_is_not_played_again(written: bytes, tmp_path: Path) -> None:
    (tmp_path / "r.jsonl").write_bytes(written)
    agent = Parrot()
    summary = rollout_many(agent, environment(5), output=tmp_path / "r.jsonl")
    assert (summary.episodes, summary.resumed, agent.most) == (5, 5, 0)
    assert (tmp_path / "r.jsonl").read_bytes() == written


def test_a_line_that_is_there_twice_counts_once(written: bytes, tmp_path: Path) -> None:
    (tmp_path / "r.jsonl").write_bytes(written + written)
    assert rollout_many(Parrot(), environment(5), output=tmp_path / "r.jsonl").episodes == 5


@pytest.mark.parametrize(
    "foreign",
    [
        b"my notes\n",
        b"my notes",
        b"{}\n",
        b"[1, 2]\n",
        b"\0\0\0",
        b'{"conversation_id":"a","messages":[]}\n',
        b'{"conversation_id":"a","messages":[]}',
        b'{"conversation_id":"a","messages":[],"metadata":{"task":"a","sample":0,"settings":{}}}\n',
        b'{"conversation_id":"a","messages":[],"metadata":{"task":"a","sample":"x","settings":7}}\n',
        b"[" * 100_000 + b"\n",
        b"\xff\xfe\n",
    ],
)
def test_a_file_that_is_no_rollout_of_this_run_is_refused_and_left_alone(foreign: bytes, tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_bytes(foreign)
    with pytest.raises(FileRefused, match="line 1"):
        rollout_many(Parrot(), environment(2), output=path)
    assert path.read_bytes() == foreign


def test_a_broken_line_in_the_middle_is_named(written: bytes, tmp_path: Path) -> None:
    (tmp_path / "r.jsonl").write_bytes(written.replace(b'"t1"', b'"t1', 1))
    with pytest.raises(FileRefused, match="line 2, is no rollout"):
        rollout_many(Parrot(), environment(5), output=tmp_path / "r.jsonl")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"seed": 1}, "seed: 0 there, 1 here"),
        ({"settings": {"agent": "v2"}}, "agent: 'Parrot' there, 'v2' here"),
        ({"settings": {"data": "dev"}}, "data: None there, 'dev' here"),
    ],
)
def test_a_file_of_another_run_is_refused_with_what_differs(
    change: dict[str, object], told: str, written: bytes, tmp_path: Path
) -> None:
    (tmp_path / "r.jsonl").write_bytes(written)
    with pytest.raises(FileRefused, match=told):
        rollout_many(Parrot(), environment(5), output=tmp_path / "r.jsonl", **change)  # pyright: ignore[reportArgumentType]


def test_settings_are_any_json_values(tmp_path: Path) -> None:
    for resumed in (0, 2):
        summary = rollout_many(Parrot(), environment(2), output=tmp_path / "r.jsonl", settings={"data": ("a", 1.5)})
        assert summary.resumed == resumed
    with pytest.raises(UsageError, match="must be JSON values"):
        rollout_many(Parrot(), environment(2), settings={"data": tmp_path})


def test_two_runs_do_not_write_one_file(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    with rollout_file(path, {}, Counts()), pytest.raises(UsageError, match="another run is writing"):
        rollout_many(Parrot(), environment(2), output=path)
    assert rollout_many(Parrot(), environment(2), output=path).episodes == 2


def test_where_the_system_knows_no_locks_a_file_says_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "fcntl", None)
    path = tmp_path / "r.jsonl"
    with rollout_file(path, {}, Counts()), pytest.raises(UsageError, match=r"delete .*\.r\.jsonl\.lock"):
        rollout_many(Parrot(), environment(2), output=path)
    assert os.listdir(tmp_path) == ["r.jsonl"]


def test_the_folder_is_made(tmp_path: Path) -> None:
    rollout_many(Parrot(), environment(1), output=tmp_path / "a" / "b" / "r.jsonl")
    assert len(lines(tmp_path / "a" / "b" / "r.jsonl")) == 1


def test_what_is_no_file_is_no_place_for_rollouts(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="it is not a file"):
        rollout_many(Parrot(), environment(1), output=tmp_path)


def test_a_full_disk_is_said_in_one_line_and_the_file_stays_whole(written: bytes, tmp_path: Path) -> None:
    (tmp_path / "before.jsonl").write_bytes(written)
    first, second, *_ = read_traces(tmp_path / "before.jsonl")
    path = tmp_path / "r.jsonl"
    with rollout_file(path, {}, Counts()) as file:
        file.append(first)
        with disk_with_room_for(path.stat().st_size + 100), pytest.raises(UsageError, match="make room and run again"):
            file.append(second)
    assert lines(path) == {written.splitlines(keepends=True)[0]}
