"""The file that jobs are kept in: opened, its schema, transactions. Knows SQLite; knows not what is done with jobs."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from heygem.errors import NOTHING, QueueError, Text

SCHEMA_VERSION = 1
"""Kept in the file's user_version."""

_BUSY_MS = 30_000
"""How long another process may hold the file, in ms."""

_SCHEMA = """
CREATE TABLE batch (
    id TEXT PRIMARY KEY,
    created_s REAL NOT NULL
) STRICT;
CREATE TABLE job (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    batch_id TEXT REFERENCES batch (id),
    request TEXT NOT NULL,
    search TEXT NOT NULL,
    speech_s REAL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled', 'interrupted')),
    priority INTEGER NOT NULL DEFAULT 0,
    place INTEGER NOT NULL,
    attempt INTEGER NOT NULL DEFAULT 0,
    fence INTEGER NOT NULL DEFAULT 0,
    owner TEXT,
    lease_until REAL,
    cancel_asked INTEGER NOT NULL DEFAULT 0,
    progress TEXT,
    result TEXT,
    error TEXT,
    queued_s REAL NOT NULL,
    started_s REAL,
    ended_s REAL,
    submission TEXT,
    item INTEGER NOT NULL,
    UNIQUE (submission, item)
) STRICT;
CREATE INDEX job_order ON job (state, priority DESC, place);
CREATE INDEX job_place ON job (place);
CREATE INDEX job_ended ON job (state, ended_s);
CREATE INDEX job_batch ON job (batch_id);
CREATE TABLE event (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    job_id TEXT NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    at_s REAL NOT NULL,
    what TEXT NOT NULL
) STRICT;
CREATE INDEX event_job ON event (job_id);
"""


class JobDatabase:
    """An open file of jobs, for any thread, beside other processes that have it open too.

    A change is on the disk when its transaction is over: it survives a killed process and a power cut. Write-ahead
    logging needs a disk of this machine, not a network share.

    Args:
        path: The file; it is made, with its folder, if it is not there.

    Raises:
        QueueError: it cannot be opened, is not one of ours, or was made by a newer version.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Threads take turns by our lock; transactions are begun and ended here.
            self._connection = sqlite3.connect(
                path, timeout=_BUSY_MS / 1000, isolation_level=None, check_same_thread=False
            )
        except (OSError, sqlite3.Error) as error:
            raise self._failure(error) from error
        self._connection.row_factory = sqlite3.Row
        try:
            with self._translated():
                self._prepare()
        except BaseException:
            self._connection.close()
            raise

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that no other writer comes between; undone if the block ends with an error.

        Raises:
            QueueError: the file could not be written; nothing has changed.
        """
        with self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A transaction that sees the file as it is at one moment.

        Raises:
            QueueError: the file could not be read.
        """
        with self._transaction("BEGIN") as connection:
            yield connection

    def close(self) -> None:
        """Close the file; nothing can be asked any more."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        with self._lock, self._translated():
            self._connection.execute(begin)
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                # SQLite may have done so itself, where the disk is full.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def _prepare(self) -> None:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", f"busy_timeout={_BUSY_MS}", "foreign_keys=ON"):
            self._connection.execute(f"PRAGMA {pragma}")
        with self.writing() as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version > SCHEMA_VERSION:
                raise QueueError(
                    Text(
                        f"队列文件 {self.path} 由更新的版本写成（{version}，本版本为 {SCHEMA_VERSION}）。",
                        f"The queue's file {self.path} was written by a newer version ({version}; this one knows "
                        f"{SCHEMA_VERSION}).",
                    ),
                    hint=Text("请使用新版本，或移走该文件。", "Run the newer version, or move the file away."),
                    code="queue_too_new",
                )
            if version == 0:
                for statement in _SCHEMA.split(";"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self._failure(error) from error

    def _failure(self, error: Exception) -> QueueError:
        foreign = "not a database" in str(error)
        return QueueError(
            Text(f"队列文件 {self.path} 无法使用：{error}。", f"The queue's file {self.path} cannot be used: {error}."),
            hint=Text("请移走该文件。", "Move the file away.")
            if foreign
            else Text("请检查磁盘空间和写入权限。", "Check free space and write permission.")
            if isinstance(error, OSError | sqlite3.OperationalError)
            else NOTHING,
            code="queue_unavailable",
        )
