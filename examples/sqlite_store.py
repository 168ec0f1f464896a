"""
A token store of one's own: tokens in an SQLite file, shared by the processes of one machine.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

from auth_ext import AccessToken


class SqliteTokenStore:
    """
    Satisfies `auth_ext.TokenStore`; put the file where only your user can read it.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._run("CREATE TABLE IF NOT EXISTS tokens (key TEXT PRIMARY KEY, token TEXT)")

    def get(self, key: str) -> AccessToken | None:
        rows = self._run("SELECT token FROM tokens WHERE key = ?", key)
        return AccessToken.from_dict(json.loads(rows[0][0])) if rows else None

    def set(self, key: str, token: AccessToken) -> None:
        self._run("INSERT OR REPLACE INTO tokens VALUES (?, ?)", key, json.dumps(token.to_dict()))

    def delete(self, key: str, token: AccessToken) -> None:
        text = json.dumps(token.to_dict())
        self._run("DELETE FROM tokens WHERE key = ? AND token = ?", key, text)

    @contextmanager
    def lock(self, key: str, timeout: float) -> Iterator[None]:
        # A file of its own, so that `set` can write meanwhile. Ends with the process.
        with closing(sqlite3.connect(f"{self._path}.{key}.lock", timeout=timeout)) as db:
            try:
                db.execute("BEGIN EXCLUSIVE")
            except sqlite3.OperationalError as error:
                raise TimeoutError(str(error)) from error
            yield

    def _run(self, statement: str, *values: str) -> list[tuple[str]]:
        with closing(sqlite3.connect(self._path)) as db, db:
            return db.execute(statement, values).fetchall()
