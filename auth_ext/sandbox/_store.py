"""The sandbox's state: one SQLite database, in memory or in a file."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CHUNK = 64 * 1024

_SCHEMA = """
CREATE TABLE IF NOT EXISTS token (
    value TEXT PRIMARY KEY, client TEXT, scope TEXT, issued REAL, expires REAL, revoked INTEGER
);
CREATE TABLE IF NOT EXISTS document (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE, external_id TEXT UNIQUE, body TEXT,
    status TEXT, created REAL, updated REAL, signed REAL, deadline REAL, delete_at REAL,
    warned INTEGER DEFAULT 0
);
CREATE TABLE IF NOT EXISTS signer (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE, document TEXT, body TEXT, signature TEXT
);
CREATE INDEX IF NOT EXISTS signer_of ON signer (document);
CREATE TABLE IF NOT EXISTS attachment (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE, document TEXT, body TEXT
);
CREATE INDEX IF NOT EXISTS attachment_of ON attachment (document);
CREATE TABLE IF NOT EXISTS file (seq INTEGER PRIMARY KEY, id TEXT UNIQUE, content BLOB);
CREATE TABLE IF NOT EXISTS mail (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, document TEXT, body TEXT
);
CREATE TABLE IF NOT EXISTS event (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE, type TEXT, moment REAL, payload TEXT,
    tags TEXT, locked_until REAL DEFAULT 0, handled INTEGER DEFAULT 0
);
CREATE TABLE IF NOT EXISTS webhook (
    id INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT, created REAL, updated REAL, last_response TEXT
);
CREATE TABLE IF NOT EXISTS delivery (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, webhook INTEGER, body TEXT
);
CREATE TABLE IF NOT EXISTS session (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE, body TEXT, created REAL, ended TEXT
);
"""
TABLES = (
    "token", "document", "signer", "attachment", "file", "mail", "event", "webhook", "delivery",
    "session",
)  # fmt: skip


class Store:
    """One connection behind one lock: the sandbox's requests change its state one by one.

    Raises:
        OSError: *database* cannot be opened or is no database.
    """

    def __init__(self, database: str | Path = ":memory:") -> None:
        self._lock = threading.RLock()
        try:
            self._connection = sqlite3.connect(
                database, check_same_thread=False, isolation_level=None
            )
        except sqlite3.Error as exc:
            raise OSError(f"{database}: cannot be opened as a database ({exc})") from exc
        self._connection.row_factory = sqlite3.Row
        try:
            self._connection.executescript(_SCHEMA)
        except sqlite3.Error as exc:
            self._connection.close()
            raise OSError(f"{database}: is not a database of the sandbox ({exc})") from exc

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """The connection, alone with it; all of what is done is kept, or nothing."""
        with self._lock:
            if self._connection.in_transaction:
                yield self._connection
                return
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def keep_file(self, name: str, content: bytes) -> None:
        """Keep *content* under *name*."""
        with self.transaction() as db:
            db.execute("INSERT OR REPLACE INTO file (id, content) VALUES (?, ?)", (name, content))

    def file_length(self, name: str) -> int:
        """How many bytes the file has."""
        with self.transaction() as db:
            row = db.execute("SELECT length(content) FROM file WHERE id = ?", (name,)).fetchone()
            return int(row[0])

    def read_file(self, name: str, start: int = 0) -> Iterator[bytes]:
        """The file's bytes from *start* on, in pieces, so that nobody holds all of it."""
        while True:
            with self.transaction() as db:
                found = db.execute(
                    "SELECT substr(content, ?, ?) FROM file WHERE id = ?", (start + 1, CHUNK, name)
                ).fetchone()
            if found is None or not found[0]:
                return
            start += len(found[0])
            yield found[0]

    def clear(self) -> None:
        """Forget everything."""
        with self.transaction() as db:
            for table in TABLES:
                db.execute(f"DELETE FROM {table}")  # noqa: S608 - names from this file
            db.execute("DELETE FROM sqlite_sequence")

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._connection.close()


def dumps(value: Any) -> str:
    """*value* as compact JSON text."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def loads(text: str) -> Any:
    """What `dumps` wrote."""
    return json.loads(text)
