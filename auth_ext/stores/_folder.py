"""
A folder that belongs to this user alone, with files that are whole or not there.

Everything goes through one descriptor of the folder where the system has such a thing, so that
what was checked is what is used, even if somebody swaps a parent folder meanwhile.

Windows: no owners and modes there (the user's cache folder is private by its access list), no
descriptors of folders, and an open file cannot be replaced. Not tried on Windows or macOS.
"""

import os
import secrets
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path

from auth_ext.stores._record import MOST_BYTES, Untrusted

POSIX = os.name == "posix"
TEMPORARY = ".tmp"
REPLACE_TRIES = 20
REPLACE_PAUSE = 0.02

_READ = (
    os.O_RDONLY
    # Opening a pipe would wait for a writer, a terminal could take over the process.
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_BINARY", 0)
)
_CREATE = (
    os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
)


@contextmanager
def private_folder(path: Path, *, make: bool) -> Iterator["PrivateFolder"]:
    """
    The folder at *path*, checked, for as long as the block runs.

    Raises:
        FileNotFoundError: It does not exist and *make* is false.

        PermissionError: It belongs to somebody else, or others may write to it.

        OSError: It cannot be made or opened.
    """
    if make:
        _make(path)
    if not POSIX:
        path.stat()
        yield PrivateFolder(path, None)
        return
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _check(path, os.fstat(descriptor))
        yield PrivateFolder(path, descriptor)
    finally:
        os.close(descriptor)


def _make(path: Path) -> None:
    """
    Make *path* and what is missing above it, all for this user alone.
    """
    if path.is_dir():
        return
    if not path.parent.is_dir():
        _make(path.parent)
    with suppress(FileExistsError):  # another process was faster; what it made is checked next
        path.mkdir(mode=0o700)
        path.chmod(0o700)  # a strict umask may have taken our own rights away


def _check(path: Path, found: os.stat_result) -> None:
    if found.st_uid != os.geteuid():
        raise PermissionError(
            f"token folder {path} belongs to user {found.st_uid}, not to user {os.geteuid()}."
            " Give FileTokenStore a folder of your own"
        )
    if found.st_mode & 0o022:
        raise PermissionError(
            f"others may write to token folder {path} (mode {stat.S_IMODE(found.st_mode):04o})."
            f" Run: chmod 700 {path}"
        )


class PrivateFolder:
    """
    Files by name in a folder that was checked.
    """

    def __init__(self, path: Path, descriptor: int | None) -> None:
        self._path = path
        self._descriptor = descriptor

    def read(self, name: str) -> bytes:
        """
        What is in file *name*.

        Raises:
            FileNotFoundError: There is none.

            Untrusted: It is not a plain file that this user alone can read and write.
        """
        try:
            descriptor = os.open(self._at(name), _READ, dir_fd=self._descriptor)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise Untrusted(self._why_closed(name, error)) from error
        try:
            _check_file(os.fstat(descriptor))
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                data = file.read(MOST_BYTES + 1)
        finally:
            os.close(descriptor)
        if len(data) > MOST_BYTES:
            raise Untrusted(f"it is larger than {MOST_BYTES} bytes")
        return data

    def _why_closed(self, name: str, error: OSError) -> str:
        with suppress(OSError):
            found = os.stat(self._at(name), dir_fd=self._descriptor, follow_symlinks=False)
            if stat.S_ISLNK(found.st_mode):
                return "it is a symbolic link"
            if POSIX:
                _check_owner(found)
        return f"it cannot be opened ({error.strerror})"

    def write(self, name: str, data: bytes, *, modified: float) -> None:
        """
        Put *data* in place of file *name*, at once and on the disk; *modified* is its time.

        Raises:
            OSError: It is not possible; then the old file is still there, untouched.
        """
        temporary = f".{name}.{secrets.token_hex(8)}{TEMPORARY}"
        descriptor = os.open(self._at(temporary), _CREATE, 0o600, dir_fd=self._descriptor)
        try:
            with os.fdopen(descriptor, "wb") as file:
                if POSIX:
                    os.fchmod(descriptor, 0o600)  # whatever the umask took away
                file.write(data)
                file.flush()
                os.fsync(descriptor)
            os.utime(self._at(temporary), (modified, modified), dir_fd=self._descriptor)
            _patiently(lambda: self._rename(temporary, name))
        except BaseException:
            self.remove(temporary)
            raise
        if self._descriptor is not None:
            os.fsync(self._descriptor)  # without it a power cut may bring the old file back

    def remove(self, name: str) -> None:
        """
        Remove file *name* if it is there.
        """
        with suppress(FileNotFoundError):
            os.unlink(self._at(name), dir_fd=self._descriptor)

    def remove_if(self, name: str, is_it: Callable[[bytes], bool]) -> None:
        """
        Remove file *name* if *is_it* says so of its content.

        Taken aside first: between a look and a removal somebody may have put another there.
        """
        aside = f".{name}.{secrets.token_hex(8)}{TEMPORARY}"
        try:
            if not is_it(self.read(name)):
                return
            self._rename(name, aside)
        except FileNotFoundError:
            return
        try:
            if not is_it(self.read(aside)):
                # Put back, unless something still newer has come; a loss costs one request.
                with suppress(OSError):
                    os.link(
                        self._at(aside),
                        self._at(name),
                        src_dir_fd=self._descriptor,
                        dst_dir_fd=self._descriptor,
                    )
        finally:
            self.remove(aside)

    def modified(self, name: str) -> float | None:
        """
        When file *name* was modified, in seconds since the epoch; None: there is none.
        """
        try:
            found = os.stat(self._at(name), dir_fd=self._descriptor, follow_symlinks=False)
        except FileNotFoundError:
            return None
        return found.st_mtime

    def names(self, limit: int) -> list[str]:
        """
        The names of at most *limit* files.
        """
        with os.scandir(self._path if self._descriptor is None else self._descriptor) as entries:
            return [entry.name for entry in islice(entries, limit)]

    def _at(self, name: str) -> str:
        return name if self._descriptor is not None else str(self._path / name)

    def _rename(self, source: str, target: str) -> None:
        os.replace(
            self._at(source),
            self._at(target),
            src_dir_fd=self._descriptor,
            dst_dir_fd=self._descriptor,
        )


def _check_file(found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise Untrusted("it is not a regular file")
    if not POSIX:
        return
    _check_owner(found)
    if found.st_mode & 0o077:
        raise Untrusted(f"others may use it (mode {stat.S_IMODE(found.st_mode):04o})")


def _check_owner(found: os.stat_result) -> None:
    if found.st_uid != os.geteuid():
        raise Untrusted(f"it belongs to user {found.st_uid}, not to user {os.geteuid()}")


def _patiently(replace: Callable[[], None]) -> None:
    """
    Windows refuses to replace a file while somebody reads it, which takes a moment at most.
    """
    for _ in range(0 if POSIX else REPLACE_TRIES - 1):
        try:
            replace()
        except PermissionError:
            time.sleep(REPLACE_PAUSE)
        else:
            return
    replace()
