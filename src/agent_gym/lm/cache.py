"""Answers that were paid for, on disk: a question is asked once, also by a run that was killed and started again.

One SQLite file in write-ahead mode: it survives a killed process whole and serves several at once. A value is JSON, never a
pickle, so a planted file cannot run code. DSPy's own cache is not used: its key leaves out the endpoint (two checkpoints served
under one name answer for each other), synchronous and asynchronous calls do not share entries, equal calls in flight are each
sent, and its values are pickles.

The key is a digest of everything that decides an answer: model, endpoint, turns, temperature, limit, and `sample`, which tells
repeated draws of one prompt apart. Beside the answer stands the `run` that paid for it; a second table holds what each run has
paid in all, so that a budget holds for a run that is killed and started again.
"""

import hashlib
import logging
import os
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from agent_gym.errors import FileRefused, UsageError
from agent_gym.lm.base import Completion, Request
from agent_gym.lm.flights import Flights

VERSION = 1
_OURS = 0x41474D43
"""SQLite's application_id of our files."""
_PATIENCE = 10.0
"""Seconds to wait for another process that writes."""

_PAY = """INSERT INTO payments (run, answers, picodollars) VALUES (?, 1, ?)
          ON CONFLICT (run) DO UPDATE SET answers = answers + 1, picodollars = picodollars + excluded.picodollars"""

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Completion)
_log = logging.getLogger(__name__)


class Entry(msgspec.Struct, frozen=True):
    """An answer, and the run that paid for it."""

    completion: Completion
    run: str


class Paid(msgspec.Struct, frozen=True):
    """What a run has paid for."""

    answers: int = 0
    picodollars: int = 0
    """What those cost whose price was known, in 10^-12 US dollars."""


def cache_key(name: str, endpoint: str, request: Request) -> bytes:
    """The digest under which the answer to this request is kept."""
    # 0 and 0.0 are equal requests, but not equal JSON.
    temperature = None if request.temperature is None else float(request.temperature)
    asked = (VERSION, name, endpoint, request.turns, temperature, request.max_tokens, request.sample)
    return hashlib.sha256(_encoder.encode(asked)).digest()


class CompletionCache:
    """The answers in one file, which is made if it is missing, and the questions on their way to it.

    Raises:
        FileRefused: the file is damaged, of a newer version, or not ours.
        UsageError: the file cannot be made or written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.flights = Flights()
        self._connection: sqlite3.Connection | None = None
        self._process = 0
        self._lost = 0
        self._connect()

    @property
    def lost(self) -> int:
        """Answers that could not be kept, because the disk was full or the file was locked for too long."""
        return self._lost

    def get(self, key: bytes) -> Entry | None:
        """The answer kept under `key`; takes about 10 microseconds."""
        with self._reading():
            row = self._connect().execute("SELECT value, run FROM completions WHERE key = ?", (key,)).fetchone()
            return None if row is None else Entry(_decoder.decode(row[0]), row[1])

    def paid(self, run: str) -> Paid:
        """What this run has paid for, in this process and in others."""
        with self._reading():
            row = self._connect().execute("SELECT answers, picodollars FROM payments WHERE run = ?", (run,)).fetchone()
            return Paid() if row is None else Paid(*row)

    def put(self, key: bytes, completion: Completion, run: str, picodollars: int = 0) -> None:
        """Keep an answer and what it cost. The first one stays; one that cannot be written is counted in `lost`, not raised."""
        try:
            connection = self._connect()
            if run:
                # First, so that a process that is killed between the two has paid for too much rather than for nothing.
                connection.execute(_PAY, (run, picodollars))
            connection.execute(
                "INSERT OR IGNORE INTO completions (key, value, run) VALUES (?, ?, ?)", (key, _encoder.encode(completion), run)
            )
        except sqlite3.OperationalError as error:
            if not self._lost:
                _log.warning("answers are not kept: %s cannot be written (%s)", self.path, error)
            self._lost += 1
        except sqlite3.DatabaseError as error:
            raise self._damaged(error) from error

    def __len__(self) -> int:
        with self._reading():
            return self._connect().execute("SELECT count(*) FROM completions").fetchone()[0]

    def close(self) -> None:
        """Let go of the file; the next use opens it again."""
        if self._connection is not None and self._process == os.getpid():
            self._connection.close()
        self._connection = None

    def __del__(self) -> None:
        self.close()

    def _connect(self) -> sqlite3.Connection:
        # A connection must not be used, nor closed, by a child that inherited it: SQLite's locks belong to the parent.
        if self._connection is None or self._process != os.getpid():
            self._connection = _open(self.path)
            self._process = os.getpid()
        return self._connection

    @contextmanager
    def _reading(self) -> Generator[None, None, None]:
        try:
            yield
        except (sqlite3.DatabaseError, msgspec.DecodeError) as error:
            raise self._damaged(error) from error

    def _damaged(self, error: Exception) -> FileRefused:
        return FileRefused(f"the answer cache {self.path} is damaged ({error}); delete it, and answers will be paid for again")


def _open(path: Path) -> sqlite3.Connection:
    connection: sqlite3.Connection | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Prompts may be private: the file is made readable by its owner only, before SQLite makes it.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        connection = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
        _prepare(connection, path)
    except (OSError, sqlite3.OperationalError) as error:
        _discard(connection)
        raise UsageError(
            f"the answer cache {path} cannot be written ({error}); name a writable folder in AGENT_GYM_CACHE"
        ) from error
    except sqlite3.DatabaseError as error:
        _discard(connection)
        raise FileRefused(f"{path} is not an answer cache ({error}); delete it, and answers will be paid for again") from error
    except BaseException:
        _discard(connection)
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    def ask(pragma: str) -> int:
        return connection.execute(f"PRAGMA {pragma}").fetchone()[0]

    # Writing the table and the marks anew each time is also how a read-only or full disk is found before the first request.
    connection.execute("BEGIN IMMEDIATE")
    if ask("schema_version"):
        if ask("application_id") != _OURS:
            raise FileRefused(f"{path} is another program's database; name another folder in AGENT_GYM_CACHE")
        if ask("user_version") > VERSION:
            raise FileRefused(
                f"{path} was written by a newer agent-gym (version {ask('user_version')}, this one reads {VERSION}); "
                "update agent-gym, or name another folder in AGENT_GYM_CACHE"
            )
    connection.execute(
        "CREATE TABLE IF NOT EXISTS completions (key BLOB PRIMARY KEY, value BLOB NOT NULL, run TEXT NOT NULL) WITHOUT ROWID"
    )
    connection.execute(
        "CREATE TABLE IF NOT EXISTS payments (run TEXT PRIMARY KEY, answers INTEGER NOT NULL, picodollars INTEGER NOT NULL)"
    )
    connection.execute(f"PRAGMA application_id = {_OURS}")
    connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.execute("COMMIT")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")


def _discard(connection: sqlite3.Connection | None) -> None:
    if connection is not None:
        connection.close()
