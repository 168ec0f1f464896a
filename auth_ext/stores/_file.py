"""
Tokens in files, shared by the processes of one user on one machine.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from auth_ext._clock import SYSTEM_CLOCK, Clock
from auth_ext._token import AccessToken
from auth_ext.errors import ConfigurationError
from auth_ext.stores._folder import TEMPORARY, PrivateFolder, private_folder
from auth_ext.stores._record import Complaints, Untrusted, dump, load

if TYPE_CHECKING:
    from filelock import BaseFileLock

APP = "signicat-express-client"
LOCK_POLL = 0.02
CLOCK_TOLERANCE = 5.0

# Cleaning up: how long after its end a file goes, and how much one visit may do.
LEFTOVER_AFTER = 3600.0
SWEEP_LOOKS = 1000
SWEEP_REMOVES = 20

# Long enough to be nobody else's: only files called so are ever removed from the folder.
PREFIX = "signicat-token-"
_KEY = re.compile(r"[A-Za-z0-9-]{1,200}", re.ASCII)
_OURS = re.compile(rf"{PREFIX}({_KEY.pattern})\.(json|lock)", re.ASCII)


class FileTokenStore:
    """
    Keeps tokens in a folder of files; shared by all processes of this user that name it.

    One file per key, readable by this user alone, replaced as a whole. A file that is corrupt,
    of another owner, open to others, a link or no file at all is not trusted: one warning on
    the logger `auth_ext.stores` says why, and the next token takes its place.

    Safe to use from any thread and process and after `os.fork`. A process that is killed holds
    nobody back: its lock ends with it. Nothing is opened or made before a token is needed.

    Args:
        path: The folder, made if it is missing; None: a folder of this library in the user's
            cache (`platformdirs`).

        clock: What time it is; for tests.

    Raises:
        ConfigurationError: *path* is a file, or empty, or there is no home folder.
    """

    def __init__(
        self, path: str | os.PathLike[str] | None = None, *, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        self._path = _default_folder() if path is None else _given_folder(path)
        self._clock = clock
        self._complaints = Complaints()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self._path)!r})"

    @property
    def path(self) -> Path:
        """
        The folder.
        """
        return self._path

    def get(self, key: str) -> AccessToken | None:
        """
        The token in the file of *key*; None if there is none that can be trusted.

        Raises:
            OSError: The folder cannot be used; the text says why.
        """
        name = _file_of(key)
        try:
            with private_folder(self._path, make=False) as folder:
                token = load(key, folder.read(name))
        except FileNotFoundError:
            return None
        except Untrusted as reason:
            self._complaints.warn(f"token file {self._path / name}", str(reason))
            return None
        if token.issued_at > self._clock.wall() + CLOCK_TOLERANCE:
            self._complaints.warn(
                f"token file {self._path / name}",
                "it comes from the future, so this machine's clock was set back",
            )
            return None
        return token

    def set(self, key: str, token: AccessToken) -> None:
        """
        Replace the file of *key*; it is whole at any moment, whoever is killed.

        Files of tokens that ended long ago are removed on the occasion.

        Raises:
            OSError: The folder is not writable, the disk is full, ...; the old file stays.
        """
        data = dump(key, token)
        with private_folder(self._path, make=True) as folder:
            folder.write(_file_of(key), data, modified=token.expires_at)
            with suppress(OSError):
                self._sweep(folder)

    def delete(self, key: str, token: AccessToken) -> None:
        """
        Remove the file of *key* if *token* is what it holds.

        Raises:
            OSError: The folder cannot be used.
        """

        def is_it(data: bytes) -> bool:
            return load(key, data).value == token.value

        # An untrusted file is not that token, and the next `set` replaces it anyway.
        with (
            suppress(FileNotFoundError, Untrusted),
            private_folder(self._path, make=False) as folder,
        ):
            folder.remove_if(_file_of(key), is_it)

    @contextmanager
    def lock(self, key: str, timeout: float) -> Iterator[None]:
        """
        Hold back every thread and process that would fetch a token for *key*.

        Not reentrant.

        Raises:
            TimeoutError: Somebody else held it for *timeout* seconds.

            OSError: The folder cannot be used.
        """
        with private_folder(self._path, make=True):
            lock = self._lock_file(_lock_of(key))
        try:
            lock.acquire(timeout=timeout, poll_interval=LOCK_POLL)
        except TimeoutError:
            raise TimeoutError(
                f"another process held {self._path / _lock_of(key)} for {timeout:g} s"
            ) from None
        try:
            yield
        finally:
            lock.release()

    def _lock_file(self, name: str) -> "BaseFileLock":
        # Imported here: a process that finds a token needs the lock's library only then.
        from filelock import FileLock

        # A lock object of its own for each holder, so that threads exclude each other as well.
        return FileLock(self._path / name, mode=0o600)

    def _sweep(self, folder: PrivateFolder) -> None:
        """
        Remove what is left of tokens that ended long ago and of writers that were killed.
        """
        due = self._clock.wall() - LEFTOVER_AFTER
        names = folder.names(SWEEP_LOOKS)
        left = SWEEP_REMOVES
        for name in names:
            ours = _OURS.fullmatch(name)
            temporary = name.startswith(f".{PREFIX}") and name.endswith(TEMPORARY)
            if not ours and not temporary:
                continue
            modified = folder.modified(name)
            if modified is None or modified >= due:
                continue
            if ours is None:
                folder.remove(name)
            else:
                self._forget(folder, ours[1], due)
            left -= 1
            if not left:
                return

    def _forget(self, folder: PrivateFolder, key: str, due: float) -> None:
        """
        Remove the files of *key*, unless somebody is busy with it.
        """
        lock = self._lock_file(_lock_of(key))
        with suppress(TimeoutError), lock.acquire(timeout=0):
            modified = folder.modified(_file_of(key))
            if modified is None or modified < due:
                folder.remove(_file_of(key))
                # Under the lock: who waits for it notices that its file is gone and makes one.
                folder.remove(_lock_of(key))


def _file_of(key: str) -> str:
    return f"{PREFIX}{_checked(key)}.json"


def _lock_of(key: str) -> str:
    return f"{PREFIX}{_checked(key)}.lock"


def _checked(key: str) -> str:
    if not _KEY.fullmatch(key):
        raise ValueError("a key has 1 to 200 ASCII letters, digits and dashes, nothing else")
    return key


def _default_folder() -> Path:
    import platformdirs

    folder = platformdirs.user_cache_path(APP, appauthor=False) / "tokens"
    if not folder.is_absolute():
        raise ConfigurationError(
            "this user has no home folder to keep tokens in. Give FileTokenStore a path"
        )
    return folder


def _given_folder(path: str | os.PathLike[str]) -> Path:
    if not os.fspath(path):
        raise ConfigurationError("the path of FileTokenStore is empty. Give it a folder")
    try:
        folder = Path(path).expanduser().absolute()
    except RuntimeError:
        raise ConfigurationError(
            f"the home folder in {os.fspath(path)!r} is unknown. Give FileTokenStore a full path"
        ) from None
    with suppress(OSError):  # what cannot be looked at is told when it is used
        if folder.exists() and not folder.is_dir():
            raise ConfigurationError(f"{folder} is a file. Give FileTokenStore a folder")
    return folder
