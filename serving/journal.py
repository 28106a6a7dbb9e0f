"""Sessions outside of the process that serves them: what is needed to go on after it is gone.

A record holds words (notes of what was said), so it is as private as the home: it is deleted with its session, and
after `keep_s` at the latest. Audio is in it only where the owner asks for it.
"""

from __future__ import annotations

import json
import logging
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from time import time
from typing import Final, Protocol

from serving.records import Record
from soundflow.errors import ConfigError, DataError

MOST_BYTES: Final = 4 * 1024 * 1024
"""Of one record."""

FORGET_EVERY: Final = 256  # writes

log = logging.getLogger(__name__)


class Journal(Protocol):
    """Session id -> record. `put` returns at once; what was put is what `get` finds, also from another node."""

    def put(self, session: str, record: Record) -> None: ...

    def get(self, session: str) -> Record | None: ...

    def delete(self, session: str) -> None: ...

    def close(self) -> None: ...


class NoJournal:
    """Keeps nothing: a session ends with the process."""

    def put(self, session: str, record: Record) -> None:
        """Forgotten."""

    def get(self, session: str) -> Record | None:
        return None

    def delete(self, session: str) -> None:
        """Nothing is there."""

    def close(self) -> None:
        """Nothing is open."""


class SqliteJournal:
    """One file, written by one thread beside the loop; the newest record of a session replaces the one before.

    Args:
        path: the file; its folder must exist. It is readable by its owner only.
        keep_s: records that were not renewed for so long are deleted.
    """

    def __init__(self, path: Path, keep_s: float = 3600.0) -> None:
        try:
            path.touch(mode=0o600, exist_ok=True)
            self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.execute("PRAGMA secure_delete=ON")
            self._db.execute("CREATE TABLE IF NOT EXISTS session (id TEXT PRIMARY KEY, at REAL, record TEXT)")
        except (OSError, sqlite3.Error) as error:
            raise ConfigError(f"journal {path}: a writable SQLite file was expected ({error})") from error
        self._lock, self._keep_s = Lock(), keep_s
        self._waiting: dict[str, Record | None] = {}
        self._written = self.failures = 0
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._forget()

    def put(self, session: str, record: Record) -> None:
        """Records of one session that follow each other faster than the disk are written once, the last one."""
        self._later(session, record)

    def delete(self, session: str) -> None:
        self._later(session, None)

    def get(self, session: str) -> Record | None:
        """DataError where the file holds something else than a record, or cannot be read."""
        with self._lock:
            if session in self._waiting:
                return self._waiting[session]
        oldest = time() - self._keep_s
        try:
            query = "SELECT record FROM session WHERE id = ? AND at > ?"
            row = self._db.execute(query, (session, oldest)).fetchone()
        except sqlite3.Error as error:
            raise DataError(f"the journal cannot be read ({error})", session) from error
        return None if row is None else decoded(row[0], session)

    def close(self) -> None:
        self._writer.shutdown(wait=True)
        self._db.close()

    def _later(self, session: str, record: Record | None) -> None:
        with self._lock:
            known = session in self._waiting
            self._waiting[session] = record
        if not known:
            self._writer.submit(self._write, session)

    def _write(self, session: str) -> None:
        """What waits stays readable until it is written; what cannot be written is said, and tried with the next."""
        while True:
            with self._lock:
                record = self._waiting[session]
            try:
                self._store(session, record)
            except (sqlite3.Error, DataError) as error:
                self.failures += 1
                log.error("the journal could not be written: %s", type(error).__name__)
            with self._lock:
                if self._waiting[session] is record:
                    del self._waiting[session]
                    return

    def _store(self, session: str, record: Record | None) -> None:
        if record is None:
            self._db.execute("DELETE FROM session WHERE id = ?", (session,))
            return
        text = encoded(record, session)
        self._db.execute("INSERT OR REPLACE INTO session VALUES (?, ?, ?)", (session, time(), text))
        self._written += 1
        if self._written % FORGET_EVERY == 0:
            self._forget()

    def _forget(self) -> None:
        self._db.execute("DELETE FROM session WHERE at < ?", (time() - self._keep_s,))


class RedisJournal:
    """The same for several nodes. ConfigError where the package redis is missing or the server cannot be reached."""

    def __init__(self, url: str, keep_s: float = 3600.0) -> None:
        try:
            import redis
        except ImportError as error:
            raise ConfigError("a Redis journal needs the package redis: pip install 'soundflow[redis]'") from error
        self._client = redis.Redis.from_url(url, socket_timeout=2.0)
        self._keep_ms, self._failed = int(1000 * keep_s), redis.RedisError
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self.failures = 0
        try:
            self._client.ping()
        except redis.RedisError as error:
            raise ConfigError(f"journal: the Redis server cannot be reached ({type(error).__name__})") from error

    def put(self, session: str, record: Record) -> None:
        self._writer.submit(self._store, session, record)

    def delete(self, session: str) -> None:
        self._writer.submit(self._store, session, None)

    def _store(self, session: str, record: Record | None) -> None:
        try:
            if record is None:
                self._client.delete(_key(session))
            else:
                self._client.set(_key(session), encoded(record, session), px=self._keep_ms)
        except (self._failed, DataError) as error:
            self.failures += 1
            log.error("the journal could not be written: %s", type(error).__name__)

    def get(self, session: str) -> Record | None:
        """DataError where the server holds something else than a record, or does not answer."""
        try:
            raw = self._client.get(_key(session))
        except self._failed as error:
            raise DataError(f"the journal does not answer ({type(error).__name__})", session) from error
        return None if raw is None else decoded(raw, session)

    def close(self) -> None:
        self._writer.shutdown(wait=True)
        self._client.close()


def encoded(record: Record, session: str) -> str:
    """JSON of a record. DataError over MOST_BYTES."""
    text = json.dumps(record, separators=(",", ":"))
    if len(text) > MOST_BYTES:
        raise DataError(f"a record of at most {MOST_BYTES} bytes was expected, got {len(text)}", session)
    return text


def decoded(text: str | bytes, session: str) -> Record:
    try:
        record: Record = json.loads(text)
    except ValueError as error:
        raise DataError(f"a JSON record was expected ({error})", session) from error
    if not isinstance(record, dict):
        raise DataError(f"a JSON object was expected, got {type(record).__name__}", session)
    return record


def _key(session: str) -> str:
    return f"soundflow:session:{session}"
