"""Answers on disk: found again by their question only, whole after a kill, and never a danger."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_gym.errors import FileRefused, UsageError
from agent_gym.lm import Completion, Request, Turn
from agent_gym.lm.cache import CompletionCache, Entry, cache_key
from lm_models import ask, said

turns = st.lists(st.builds(Turn, st.sampled_from(["system", "user", "assistant"]), st.text()), min_size=1).map(tuple)
requests = st.builds(
    Request,
    turns=turns,
    temperature=st.none() | st.floats(0, 2),
    max_tokens=st.none() | st.integers(1, 10**6),
    sample=st.text(),
)
questions = st.tuples(st.text(), st.text(), requests)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "completions.sqlite"


@given(questions, questions)
def test_different_questions_have_different_keys(one: tuple[str, str, Request], other: tuple[str, str, Request]) -> None:
    assert (cache_key(*one) == cache_key(*other)) == (one == other)


def test_everything_that_decides_an_answer_is_in_the_key() -> None:
    keys = {
        cache_key("openai/a", "http://one/v1", ask("Hi")),
        cache_key("openai/b", "http://one/v1", ask("Hi")),
        cache_key("openai/a", "http://two/v1", ask("Hi")),
        cache_key("openai/a", "http://one/v1", ask("Ho")),
        cache_key("openai/a", "http://one/v1", ask("Hi", temperature=0.5)),
        cache_key("openai/a", "http://one/v1", ask("Hi", temperature=None)),
        cache_key("openai/a", "http://one/v1", ask("Hi", max_tokens=5)),
        cache_key("openai/a", "http://one/v1", ask("Hi", sample="1")),
        cache_key("openai/a", "http://one/v1", Request(turns=(Turn("assistant", "Hi"),))),
    }
    assert len(keys) == 9


def test_equal_questions_have_equal_keys() -> None:
    assert cache_key("a", "b", ask(temperature=0)) == cache_key("a", "b", ask(temperature=0.0))


def test_an_answer_comes_back_as_it_was(path: Path) -> None:
    answer = Completion(text="Grüße \x00 🍲", finish="stop", prompt_tokens=1, completion_tokens=2, reasoning_tokens=3)
    CompletionCache(path).put(b"key", answer, "run 1")
    assert CompletionCache(path).get(b"key") == Entry(answer, "run 1")
    assert CompletionCache(path).get(b"other") is None


def test_the_first_answer_stays(path: Path) -> None:
    cache = CompletionCache(path)
    cache.put(b"key", said("first"), "one")
    cache.put(b"key", said("second"), "two")
    assert cache.get(b"key") == Entry(said("first"), "one")
    assert len(cache) == 1


def test_values_are_json(path: Path) -> None:
    CompletionCache(path).put(b"key", said("Hi"), "run")
    [(value,)] = sqlite3.connect(path).execute("SELECT value FROM completions").fetchall()
    assert msgspec.json.decode(value)["text"] == "Hi"


def test_only_the_owner_reads_what_was_said(path: Path) -> None:
    CompletionCache(path)
    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.stat().st_mode & 0o077 == 0


WRITER = """
import sys
from pathlib import Path
from agent_gym.lm import Completion
from agent_gym.lm.cache import CompletionCache

cache = CompletionCache(Path(sys.argv[1]))
for number in range(10**9):
    cache.put(f"{sys.argv[2]} {number}".encode(), Completion(text=str(number) * 100), "run")
    print(number, flush=True)
"""


def writer(path: Path, name: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", WRITER, str(path), name], stdout=subprocess.PIPE, text=True)


def read_until(process: subprocess.Popen[str], number: int) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if int(line) >= number:
            return


def test_a_killed_writer_leaves_every_answer_it_had_kept(path: Path) -> None:
    with writer(path, "one") as process:
        read_until(process, 200)
        process.send_signal(signal.SIGKILL)
    cache = CompletionCache(path)
    assert [cache.get(f"one {number}".encode()) for number in range(201)] == [
        Entry(Completion(text=str(number) * 100), "run") for number in range(201)
    ]
    cache.put(b"afterwards", said(), "run")
    assert cache.lost == 0


def test_several_processes_write_at_once(path: Path) -> None:
    processes = [writer(path, name) for name in "abcd"]
    for process in processes:
        with process:
            read_until(process, 100)
            process.kill()
    cache = CompletionCache(path)
    assert all(cache.get(f"{name} {number}".encode()) for name in "abcd" for number in range(101))


def test_a_file_that_is_no_database_is_refused_with_the_way_out(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"this is not a database, but it is long enough to be looked at" * 100)
    with pytest.raises(FileRefused, match=r"completions\.sqlite is not an answer cache .*; delete it"):
        CompletionCache(path)


def test_a_damaged_page_is_found_when_it_is_met(path: Path) -> None:
    cache = CompletionCache(path)
    for number in range(200):
        cache.put(str(number).encode(), said("x" * 1000), "run")
    cache.close()
    with path.open("r+b") as file:
        file.seek(8192)
        file.write(b"\xff" * (path.stat().st_size - 8192))
    again = CompletionCache(path)
    with pytest.raises(FileRefused, match=r"is damaged .*; delete it"):
        [again.get(str(number).encode()) for number in range(200)]


def test_an_entry_that_is_no_answer_is_damage(path: Path) -> None:
    cache = CompletionCache(path)
    with sqlite3.connect(path) as connection:
        connection.execute("INSERT INTO completions VALUES (?, ?, ?)", (b"key", b'{"text": 7}', "run"))
    with pytest.raises(FileRefused, match="is damaged"):
        cache.get(b"key")


def test_a_newer_file_is_refused_by_its_version(path: Path) -> None:
    CompletionCache(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(FileRefused, match=r"newer agent-gym \(version 99"):
        CompletionCache(path)


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "theirs.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE treasure (gold INTEGER)")
    before = path.read_bytes()
    with pytest.raises(FileRefused, match="another program's database"):
        CompletionCache(path)
    assert path.read_bytes() == before


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="whoever may do anything is not stopped by a mode")
def test_a_folder_that_cannot_be_written_is_found_at_once(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(UsageError, match=r"cannot be written .*AGENT_GYM_CACHE"):
        CompletionCache(tmp_path / "completions.sqlite")


def test_a_path_through_a_file_is_found_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"cannot be written .*AGENT_GYM_CACHE"):
        CompletionCache(tmp_path / "file" / "completions.sqlite")


def test_a_full_disk_loses_answers_but_not_the_run(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cache = CompletionCache(path)
    limit_pages(cache)
    for number in range(100):
        cache.put(str(number).encode(), said("x" * 1000), "run")
    assert cache.lost > 0
    assert len(cache) == 100 - cache.lost
    assert [record.message for record in caplog.records] == [
        f"answers are not kept: {path} cannot be written (database or disk is full)"
    ]


def limit_pages(cache: CompletionCache) -> None:
    """SQLite behaves at this limit as it does at the end of a disk."""
    connection = cache._connection  # pyright: ignore[reportPrivateUsage]
    assert connection is not None
    connection.execute("PRAGMA max_page_count = 10")


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
def test_a_forked_child_opens_the_file_anew(path: Path) -> None:
    cache = CompletionCache(path)
    cache.put(b"parent", said(), "run")
    code = "\n".join(
        [
            "import os, sys",
            "from pathlib import Path",
            "from agent_gym.lm import Completion",
            "from agent_gym.lm.cache import CompletionCache",
            "cache = CompletionCache(Path(sys.argv[1]))",
            "child = os.fork()",
            "if child == 0:",
            "    cache.put(b'child', Completion(text='Hi'), 'run')",
            "    os._exit(0 if cache.get(b'parent') else 1)",
            "sys.exit(os.waitpid(child, 0)[1] or cache.get(b'child') is None)",
        ]
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=True)
