"""
Tokens in files: who may read them, what is trusted, what happens when a disk is in the way.
"""

import itertools
import json
import logging
import os
import re
import shutil
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, Self

import httpx
import pytest

from auth_ext import ConfigurationError, FileTokenStore, OAuth2ClientCredentials, TokenStore
from auth_ext._events import EventHook
from auth_ext.stores import _file, _folder
from auth_ext.stores._record import MOST_BYTES
from tests.stores.helpers import PATIENCE, ROOT, SECRET, Hands, Service, token
from tests.stores.test_contract import token_in

if TYPE_CHECKING:
    from filelock import BaseFileLock

NAME = "signicat-token-a.json"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """
    Where the tokens of a test lie.
    """
    return tmp_path / "tokens"


@pytest.fixture
def store(folder: Path, hands: Hands) -> FileTokenStore:
    """
    A store in that folder, on the clock of the test.
    """
    return FileTokenStore(folder, clock=hands.clock)


@pytest.fixture
def umask() -> Iterator[Callable[[int], int]]:
    """
    Sets the umask for one test.
    """
    old = os.umask(0o022)
    yield os.umask
    os.umask(old)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def _auth(
    api: Service, store: TokenStore, *, on_event: EventHook | None = None
) -> OAuth2ClientCredentials:
    return OAuth2ClientCredentials(
        "client",
        SECRET,
        scopes="document_read",
        token_url=f"{api.url}/oauth/connect/token",
        origins=(api.url,),
        store=store,
        on_event=on_event,
    )


# Where and how


def test_nothing_is_made_before_it_is_needed(store: FileTokenStore, folder: Path) -> None:
    """
    Neither the constructor nor a look-up makes the folder.
    """
    assert None is store.get("a")
    assert not folder.exists()


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077, 0o777])
def test_only_this_user_can_get_in(
    tmp_path: Path, umask: Callable[[int], int], mask: int, hands: Hands
) -> None:
    """
    Folders are 0700 and files 0600 whatever the umask, the folders above included.
    """
    store = FileTokenStore(tmp_path / "above" / "tokens", clock=hands.clock)
    umask(mask)

    with store.lock("a", 1.0):
        store.set("a", token(now=hands.now))

    assert 0o700 == _mode(tmp_path / "above")
    assert 0o700 == _mode(tmp_path / "above" / "tokens")
    assert 0o600 == _mode(store.path / NAME)
    assert all(not _mode(path) & 0o077 for path in store.path.iterdir())
    assert "token-1" == token_in(store, "a").value


def test_no_moment_in_which_others_can_read(
    store: FileTokenStore,
    hands: Hands,
    umask: Callable[[int], int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    File and folder are private from their first moment on, not only once their mode is set.
    """
    modes: list[int] = []
    change_file, change_folder = os.fchmod, Path.chmod

    def file_seen(descriptor: int, mode: int) -> None:
        modes.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        change_file(descriptor, mode)

    def folder_seen(path: Path, mode: int) -> None:
        modes.append(_mode(path))
        change_folder(path, mode)

    monkeypatch.setattr(os, "fchmod", file_seen)
    monkeypatch.setattr(Path, "chmod", folder_seen)
    umask(0)
    store.set("a", token(now=hands.now))

    assert [0o700, 0o600] == modes


def test_file_and_folder_reach_the_disk_in_order(
    store: FileTokenStore, folder: Path, hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The file is on the disk before it gets its name, the name before `set` returns.
    """
    folder.mkdir(0o700)
    acts: list[str] = []
    sync, replace = os.fsync, os.replace

    def synced(descriptor: int) -> None:
        acts.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        sync(descriptor)

    def replaced(source: str, target: str, **folders: int | None) -> None:
        acts.append("replace")
        replace(source, target, **folders)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", replaced)
    store.set("a", token(now=hands.now))

    assert ["file", "replace", "folder"] == acts


def test_the_default_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """
    Without a path tokens lie in the user's cache.
    """
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    store = FileTokenStore()

    assert store.path.is_relative_to(tmp_path) or sys.platform != "linux"
    assert ("signicat-express-client", "tokens") == store.path.parts[-2:]


def test_no_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A user without a home folder is told to give a path.
    """
    import platformdirs

    monkeypatch.setattr(platformdirs, "user_cache_path", lambda *_, **__: Path("~/.cache/x"))

    with pytest.raises(ConfigurationError, match="Give FileTokenStore a path"):
        FileTokenStore()


def test_paths_that_cannot_be_folders(tmp_path: Path) -> None:
    """
    An empty path, a file and an unknown home are refused with one line each.
    """
    (tmp_path / "file").touch()

    paths: list[str | Path] = ["", tmp_path / "file", "~no-such-user-here/tokens"]
    for path in paths:
        with pytest.raises(ConfigurationError, match=r"Give (it|FileTokenStore) a f") as caught:
            FileTokenStore(path)
        assert "\n" not in str(caught.value)


def test_a_relative_path_stays_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A process that changes its folder later, as daemons do, keeps its tokens.
    """
    monkeypatch.chdir(tmp_path)
    store = FileTokenStore("tokens")
    monkeypatch.chdir("/")

    assert tmp_path / "tokens" == store.path
    assert f"FileTokenStore({str(tmp_path / 'tokens')!r})" == repr(store)


@pytest.mark.parametrize("key", ["", "../a", "a/b", "a.b", "a b", "ä", "x" * 201, "a\n"])
def test_a_key_cannot_leave_the_folder(store: FileTokenStore, key: str) -> None:
    """
    Keys that could be more than a file name are refused.
    """
    acts: list[Callable[[str], object]] = [store.get, lambda key: store.set(key, token(now=1.0))]
    for act in acts:
        with pytest.raises(ValueError, match="ASCII letters"):
            act(key)


# What is trusted


def _spoil_link(file: Path, folder: Path) -> None:
    file.rename(folder / "elsewhere")
    file.symlink_to(folder / "elsewhere")


def _spoil_pipe(file: Path, _: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def _spoil_huge(file: Path, _: Path) -> None:
    with file.open("r+b") as opened:
        opened.truncate(MOST_BYTES + 1)


SPOILS: dict[str, tuple[Callable[[Path, Path], object], str]] = {
    "truncated": (lambda file, _: os.truncate(file, 40), "corrupt"),
    "empty": (lambda file, _: os.truncate(file, 0), "corrupt"),
    "readable by the group": (lambda file, _: file.chmod(0o640), "others may use it .mode 0640"),
    "writable by others": (lambda file, _: file.chmod(0o602), "others may use it .mode 0602"),
    "a symbolic link": (_spoil_link, "symbolic link"),
    "a pipe": (_spoil_pipe, "not a regular file"),
    "huge": (_spoil_huge, "larger than"),
    "another key's": (
        lambda file, _: file.write_bytes(file.read_bytes().replace(b'"key": "', b'"key": "b')),
        "another client",
    ),
}


@pytest.mark.parametrize("spoil", SPOILS)
def test_an_untrusted_file(
    store: FileTokenStore, folder: Path, hands: Hands, caplog: pytest.LogCaptureFixture, spoil: str
) -> None:
    """
    It is not used, one warning says why, delete leaves it alone, the next token replaces it.
    """
    store.set("a", token("planted", now=hands.now))
    act, why = SPOILS[spoil]
    act(folder / NAME, folder)

    with caplog.at_level(logging.WARNING, "auth_ext.stores"):
        assert [None] * 3 == [store.get("a") for _ in range(3)]
    store.delete("a", token("planted", now=hands.now))

    assert 1 == len(caplog.records)
    assert NAME in caplog.text
    assert re.search(why, caplog.text)
    assert "planted" not in caplog.text
    assert (folder / NAME).is_symlink() or (folder / NAME).exists()
    store.set("a", token("good", now=hands.now))
    assert "good" == token_in(store, "a").value
    assert 0o600 == _mode(folder / NAME)


def test_a_link_is_replaced_not_followed(
    store: FileTokenStore, folder: Path, tmp_path: Path, hands: Hands
) -> None:
    """
    Where a link points to, nothing is ever written.
    """
    target = tmp_path / "precious"
    target.write_text("mine")
    folder.mkdir(0o700)
    (folder / NAME).symlink_to(target)

    store.set("a", token(now=hands.now))

    assert "mine" == target.read_text()
    assert not (folder / NAME).is_symlink()


def _open_descriptors() -> int:
    count = 0
    for descriptor in range(256):
        with suppress(OSError):
            os.fstat(descriptor)
            count += 1
    return count


def test_a_folder_in_place_of_the_file(
    store: FileTokenStore, folder: Path, hands: Hands, caplog: pytest.LogCaptureFixture
) -> None:
    """
    It is not trusted, no descriptor is left open, and `set` says why it cannot replace it.
    """
    (folder / NAME).mkdir(parents=True)
    folder.chmod(0o700)
    before = _open_descriptors()

    assert [None] * 3 == [store.get("a") for _ in range(3)]
    assert before == _open_descriptors()
    assert "not a regular file" in caplog.text
    with pytest.raises(IsADirectoryError):
        store.set("a", token(now=hands.now))
    assert [NAME] == [path.name for path in folder.iterdir()]


def test_a_socket_cannot_even_be_opened(
    store: FileTokenStore,
    folder: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    What the system refuses to open is untrusted as well.
    """
    folder.mkdir(0o700)
    monkeypatch.chdir(folder)  # a socket's full path may be too long
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(NAME)

    assert None is store.get("a")
    assert "cannot be opened" in caplog.text


def test_a_file_of_somebody_else(
    store: FileTokenStore, folder: Path, hands: Hands, caplog: pytest.LogCaptureFixture
) -> None:
    """
    A file that another user put there is not used.
    """
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    store.set("a", token(now=hands.now))
    os.chown(folder / NAME, 65534, 65534)

    assert None is store.get("a")
    assert "belongs to user 65534, not to user 0" in caplog.text


def test_a_file_of_another_owner_without_being_root(
    store: FileTokenStore,
    hands: Hands,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    The owner that counts is the user this process acts as.
    """
    store.set("a", token(now=hands.now))
    me = os.geteuid()
    answers = itertools.chain([me], itertools.repeat(me + 1))  # the folder is still ours
    monkeypatch.setattr(os, "geteuid", lambda: next(answers))

    assert None is store.get("a")
    assert f"belongs to user {me}, not to user {me + 1}" in caplog.text


@pytest.mark.parametrize(("ahead", "trusted"), [(5.0, True), (5.1, False)])
def test_a_token_from_the_future(
    store: FileTokenStore,
    hands: Hands,
    caplog: pytest.LogCaptureFixture,
    ahead: float,
    trusted: bool,
) -> None:
    """
    After the clock was set back a stored token is not used: nobody knows how old it is.
    """
    store.set("a", token(now=hands.now + ahead))

    assert trusted is (store.get("a") is not None)
    assert trusted is ("clock was set back" not in caplog.text)


@pytest.mark.parametrize("spoil", SPOILS)
def test_a_request_succeeds_over_an_untrusted_file(api: Service, folder: Path, spoil: str) -> None:
    """
    Whatever lies in the folder, the request is served by a token request.
    """
    with httpx.Client(auth=_auth(api, FileTokenStore(folder)), trust_env=False) as client:
        assert 200 == client.get(api.url).status_code
    file = next(folder.glob("*.json"))
    SPOILS[spoil][0](file, folder)

    with httpx.Client(auth=_auth(api, FileTokenStore(folder)), trust_env=False) as client:
        assert 200 == client.get(api.url).status_code

    assert 2 == len(api.tokens)
    with httpx.Client(auth=_auth(api, FileTokenStore(folder)), trust_env=False) as client:
        assert 200 == client.get(api.url).status_code
    assert 2 == len(api.tokens)


# Folders that are refused


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o702, 0o1777])
def test_a_folder_that_others_may_write_to(
    store: FileTokenStore, folder: Path, hands: Hands, mode: int
) -> None:
    """
    It is refused with the command that mends it.
    """
    folder.mkdir()
    folder.chmod(mode)

    acts: list[Callable[[], object]] = [
        lambda: store.get("a"),
        lambda: store.set("a", token(now=hands.now)),
    ]
    for act in acts:
        with pytest.raises(PermissionError, match=f"Run: chmod 700 {folder}"):
            act()
    with pytest.raises(PermissionError), store.lock("a", 0.0):
        pass
    assert [] == list(folder.iterdir())


def test_a_folder_of_somebody_else(
    store: FileTokenStore, hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    It is refused by whoever is not its owner.
    """
    store.set("a", token(now=hands.now))
    me = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: me + 1)

    with pytest.raises(PermissionError, match="a folder of your own"):
        store.get("a")


def test_a_folder_that_others_may_only_read_serves(
    store: FileTokenStore, folder: Path, hands: Hands
) -> None:
    """
    A folder made with usual rights is fine: the files in it are private.
    """
    folder.mkdir()
    folder.chmod(0o755)

    store.set("a", token(now=hands.now))

    assert "token-1" == token_in(store, "a").value


def test_two_processes_make_the_folder_at_once(
    folder: Path, hands: Hands, store: FileTokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Whoever comes second takes the folder the first one made.
    """
    make = Path.mkdir

    def overtaken(path: Path, *, mode: int) -> None:
        make(path, mode=mode)
        make(path, mode=mode)

    monkeypatch.setattr(Path, "mkdir", overtaken)
    store.set("a", token(now=hands.now))

    assert "token-1" == token_in(store, "a").value


# Disks that are full or read-only: in processes of their own, for real

DEGRADED = """
import json, logging, resource, sys
import httpx
from auth_ext import FileTokenStore
from tests.stores.test_file import _auth
class Api: url = sys.argv[1]
logging.basicConfig(format="%(message)s")
events = []
if {limit}:
    import signal
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))
auth = _auth(Api, FileTokenStore(sys.argv[2]), on_event=lambda event: events.append(event.kind))
with httpx.Client(auth=auth, trust_env=False) as client:
    statuses = [client.get(Api.url).status_code for _ in range(3)]
print(json.dumps([statuses, events]))
"""


def _degraded(
    api: Service, folder: Path, *, limit: bool = False, prefix: Sequence[str] = ()
) -> str:
    done = subprocess.run(
        [*prefix, sys.executable, "-c", DEGRADED.format(limit=limit), api.url, str(folder)],
        cwd=ROOT,
        # Not measured: coverage could not write its data either, and would say so.
        env={k: v for k, v in os.environ.items() if not k.startswith("COVERAGE_")},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert 0 == done.returncode, done.stderr
    statuses, events = json.loads(done.stdout)
    warnings = done.stderr.strip().splitlines()
    assert [200] * 3 == statuses
    assert ["store_failed"] == [event for event in events if event == "store_failed"]
    assert 1 == len(warnings), warnings
    assert "going on without it" in warnings[0]
    return warnings[0]


def test_a_full_disk(api: Service, folder: Path) -> None:
    """
    A file that cannot grow: requests are served from memory, with one warning, nothing is left.
    """
    warning = _degraded(api, folder, limit=True)

    assert "failed on set" in warning
    assert 1 == len(api.tokens)
    assert [] == [path.name for path in folder.iterdir() if path.suffix != ".lock"]


def _fill(path: Path) -> None:
    with path.open("wb", buffering=0) as filler, suppress(OSError):
        while True:
            filler.write(bytes(4096))


def test_a_full_file_system(api: Service, tmp_path: Path) -> None:
    """
    The same on a file system of 64 kB that is full to the last byte.
    """
    folder = tmp_path / "small"
    folder.mkdir(0o700)
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k,mode=700", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a file system")
    try:
        _fill(folder / "filler")
        _degraded(api, folder)
        assert [] == list(folder.glob("*.json"))
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_read_only_file_system(api: Service, tmp_path: Path) -> None:
    """
    A mounted folder that nobody, not even root, can write to.
    """
    folder = tmp_path / "fixed"
    folder.mkdir(0o700)
    mount = ["mount", "-t", "tmpfs", "-o", "ro,size=64k,mode=700", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a file system")
    try:
        assert "Read-only file system" in _degraded(api, folder)
    finally:
        subprocess.run(["umount", str(folder)], check=True)
    assert 1 == len(api.tokens)


def test_a_read_only_folder(api: Service, folder: Path) -> None:
    """
    A folder this user may not write to.
    """
    folder.mkdir(0o500)
    # Root may write anywhere, unless it lays that power down.
    powerless = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    if os.geteuid() == 0 and shutil.which("setpriv") is None:
        pytest.skip("root needs setpriv (Debian package util-linux) to be refused anything")

    warning = _degraded(api, folder, prefix=powerless if os.geteuid() == 0 else ())

    assert "Permission denied" in warning
    assert 1 == len(api.tokens)


def test_a_write_that_fails_leaves_the_old_file(
    store: FileTokenStore, folder: Path, hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Whatever goes wrong before the new file has its name, the old one stays and nothing else.
    """
    store.set("a", token("old", now=hands.now))

    def broken(*_: object, **__: object) -> NoReturn:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "replace", broken)
    with pytest.raises(OSError, match="Input/output error"):
        store.set("a", token("new", now=hands.now))

    assert "old" == token_in(store, "a").value
    assert [NAME] == [path.name for path in folder.iterdir()]


# Deleting


def _no_links(*_: object, **__: object) -> NoReturn:
    raise OSError(1, "Operation not permitted")


def test_delete_takes_the_file_away(store: FileTokenStore, folder: Path, hands: Hands) -> None:
    """
    Nothing is left of a deleted token.
    """
    store.set("a", token(now=hands.now))
    store.delete("a", token(now=hands.now))

    assert [] == list(folder.iterdir())


@pytest.mark.parametrize("restorable", [True, False])
def test_delete_gives_back_what_came_in_between(
    store: FileTokenStore,
    folder: Path,
    hands: Hands,
    monkeypatch: pytest.MonkeyPatch,
    restorable: bool,
) -> None:
    """
    A token that replaced the refused one at the very last moment is put back.
    """
    store.set("a", token("refused", now=hands.now))
    rename = _folder.PrivateFolder._rename

    def interrupted(self: _folder.PrivateFolder, source: str, target: str) -> None:
        monkeypatch.setattr(_folder.PrivateFolder, "_rename", rename)
        store.set("a", token("newer", now=hands.now))
        if not restorable:
            monkeypatch.setattr(os, "link", _no_links)
        rename(self, source, target)

    monkeypatch.setattr(_folder.PrivateFolder, "_rename", interrupted)
    store.delete("a", token("refused", now=hands.now))

    kept = store.get("a")
    assert ("newer" if restorable else None) == (kept and kept.value)
    assert restorable is (folder / NAME).exists()
    assert [] == list(folder.glob(".*"))


# Locks


def test_a_lock_that_is_not_given_back_in_time(store: FileTokenStore) -> None:
    """
    Whoever waits in vain is told which file, after the time given.
    """
    with store.lock("a", 1.0):
        started = time.monotonic()
        with (
            ThreadWaiting(lambda: store.lock("a", 0.1)) as waiting,
            pytest.raises(TimeoutError, match=r"held .*signicat-token-a\.lock for 0\.1 s"),
        ):
            waiting.result()
        assert time.monotonic() - started < PATIENCE / 4


class ThreadWaiting:
    """
    Enters a lock in another thread.
    """

    def __init__(self, lock: Callable[[], AbstractContextManager[object]]) -> None:
        self._lock = lock
        self._error: BaseException | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return self

    def _run(self) -> None:
        try:
            with self._lock():
                pass
        except BaseException as error:  # noqa: BLE001
            self._error = error

    def result(self) -> None:
        """
        What came of it; raises what it raised.
        """
        self._thread.join(PATIENCE)
        if self._error:
            raise self._error

    def __exit__(self, *_: object) -> None:
        self._thread.join(PATIENCE)


def test_a_fork_takes_no_lock_along(store: FileTokenStore) -> None:
    """
    A child forked while a thread holds the lock does not hold it on when the thread is done.
    """
    read, write = os.pipe()
    with store.lock("a", 1.0):
        child = os.fork()
        if child == 0:  # pragma: no cover - coverage does not follow
            os.close(write)
            os.read(read, 1)
            os._exit(0)
    try:
        with store.lock("a", 0.5):
            pass
    finally:
        os.close(write)
        os.close(read)
        os.waitpid(child, 0)


# Cleaning up


def test_what_ended_long_ago_is_removed(store: FileTokenStore, folder: Path, hands: Hands) -> None:
    """
    Files and locks of ended tokens and of killed writers go; live ones and strangers stay.
    """
    for key in ("old", "busy", "live"):
        with store.lock(key, 1.0):
            store.set(key, token(now=hands.now, lifetime=8000 if key == "live" else 60))
    (folder / "signicat-token-orphan.lock").touch()
    (folder / ".signicat-token-old.json.0123.tmp").touch()
    for stranger in ("package.json", "poetry.lock", "x.tmp"):
        (folder / stranger).touch()
    for path in folder.iterdir():
        if "live" not in path.name and path.suffix != ".json":
            os.utime(path, (hands.now, hands.now))
    hands.turn(60 + _file.LEFTOVER_AFTER + 1)

    with FileTokenStore(folder).lock("busy", 1.0):
        store.set("a", token(now=hands.now))
        left = {path.name for path in folder.iterdir()}

    assert {"package.json", "poetry.lock", "x.tmp", NAME} <= left
    assert "signicat-token-live.json" in left
    assert {"signicat-token-busy.json", "signicat-token-busy.lock"} <= left
    assert not [name for name in left if "old" in name or "orphan" in name]


def test_cleaning_up_is_bounded(
    store: FileTokenStore, folder: Path, hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    One visit removes a few files at most, so that no request waits for thousands.
    """
    monkeypatch.setattr(_file, "SWEEP_REMOVES", 3)
    for number in range(5):
        store.set(f"old-{number}", token(now=hands.now, lifetime=60))
    hands.turn(60 + _file.LEFTOVER_AFTER + 1)

    store.set("a", token(now=hands.now))
    assert 3 == len(list(folder.glob("*.json")))
    store.set("a", token(now=hands.now))
    assert [NAME] == [path.name for path in folder.glob("*.json")]


def test_a_token_renewed_during_clean_up_stays(
    store: FileTokenStore, folder: Path, hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Between the look and the removal a new token may come; it is not removed.
    """
    store.set("old", token(now=hands.now, lifetime=60))
    hands.turn(60 + _file.LEFTOVER_AFTER + 1)
    lock_file = store._lock_file

    def overtaken(name: str) -> "BaseFileLock":
        FileTokenStore(folder, clock=Hands(0.0).clock).set("old", token("new", now=hands.now))
        return lock_file(name)

    monkeypatch.setattr(store, "_lock_file", overtaken)
    store.set("a", token(now=hands.now))

    assert "new" == token_in(store, "old").value


def test_clean_up_that_fails_is_no_matter(
    store: FileTokenStore, hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The token is written even if nothing can be removed.
    """

    def broken(*_: object) -> NoReturn:
        raise PermissionError

    monkeypatch.setattr(_folder.PrivateFolder, "names", broken)
    store.set("a", token(now=hands.now))

    assert "token-1" == token_in(store, "a").value


def test_a_file_that_vanishes_during_clean_up(
    store: FileTokenStore, hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Another process cleaning up at the same time is no trouble.
    """
    monkeypatch.setattr(
        _folder.PrivateFolder, "names", lambda *_: ["signicat-token-gone.json", NAME]
    )
    store.set("a", token(now=hands.now))

    assert "token-1" == token_in(store, "a").value


# Windows, as far as it can be tried elsewhere


@pytest.mark.parametrize(("refusals", "works"), [(3, True), (_folder.REPLACE_TRIES, False)])
def test_a_file_that_is_being_read_is_replaced_in_a_moment(
    store: FileTokenStore, hands: Hands, monkeypatch: pytest.MonkeyPatch, refusals: int, works: bool
) -> None:
    """
    Where an open file cannot be replaced, a few more tries within half a second do it.
    """
    monkeypatch.setattr(_folder, "POSIX", False)
    monkeypatch.setattr(_folder, "REPLACE_PAUSE", 0.0)
    replace, tries = os.replace, itertools.count(1)

    def busy(source: str, target: str, **folders: int | None) -> None:
        if next(tries) <= refusals:
            raise PermissionError(13, "The process cannot access the file")
        replace(source, target, **folders)

    monkeypatch.setattr(os, "replace", busy)
    if works:
        store.set("a", token(now=hands.now))
        assert "token-1" == token_in(store, "a").value
    else:
        with pytest.raises(PermissionError):
            store.set("a", token(now=hands.now))


def test_without_owners_there_is_nothing_to_check(
    store: FileTokenStore, folder: Path, hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Where modes mean nothing, an open mode is no reason for distrust; a link still is.
    """
    monkeypatch.setattr(_folder, "POSIX", False)
    store.set("a", token(now=hands.now))
    (folder / NAME).chmod(0o666)
    assert "token-1" == token_in(store, "a").value

    _spoil_link(folder / NAME, folder)
    assert None is store.get("a")
    (folder / NAME).unlink()
    (folder / NAME).mkdir()
    assert None is store.get("a")


def test_a_file_that_cannot_be_opened_where_there_are_no_owners(
    store: FileTokenStore,
    folder: Path,
    hands: Hands,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """
    What Windows refuses to open, such as a folder, is untrusted like anything else.
    """
    monkeypatch.setattr(_folder, "POSIX", False)
    store.set("a", token(now=hands.now))

    def refused(*_: object, **__: object) -> NoReturn:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refused)
    assert None is store.get("a")
    assert "it cannot be opened (Permission denied)" in caplog.text


def test_a_token_deleted_by_two_at_once(
    store: FileTokenStore, hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Whoever comes second finds nothing to delete, which is no error.
    """
    store.set("a", token(now=hands.now))

    def vanished(*_: object) -> NoReturn:
        raise FileNotFoundError

    monkeypatch.setattr(_folder.PrivateFolder, "_rename", vanished)
    store.delete("a", token(now=hands.now))
