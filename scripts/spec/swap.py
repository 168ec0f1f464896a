"""
All or nothing: the new package and the new document take their places together.

Two places in one folder cannot be renamed in one system call, so a small process of its own, the
keeper, does the renames: it is in another session, where neither Ctrl-C nor a signal to this
process reaches it. Whoever is killed, the other one tidies up:

    this process dies    the keeper sees its input end: before "commit" it removes the work folder,
                         after it, it finishes all renames
    the keeper dies      this process puts back what the journal lists
    both die at once     the next start puts back what the journal lists

This file imports the standard library only: the keeper runs it as a script.
"""

import contextlib
import ctypes
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows has no flock; a left folder is then always tidied
    fcntl = None  # type: ignore[assignment]

WORK_PREFIX = ".regenerate-"
JOURNAL = "journal.json"
LOCK = "keeper.lock"
KEEPER = Path(__file__)
AT_FDCWD = -100
RENAME_EXCHANGE = 2


class SwapError(OSError):
    """The new files could not take their places; the old ones are back."""


class Workplace:
    """
    A folder beside the target, and the keeper who looks after it.

    As a context manager: whatever ends the block, the folder is gone afterwards.
    """

    def __init__(self, beside: Path) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=WORK_PREFIX, dir=beside))
        command = [sys.executable, "-I", "-S", "-B", str(KEEPER), str(self.folder)]
        try:
            self._keeper = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,
                text=True,
            )
            self._answer()  # it holds the lock now
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let the keeper remove the folder, and do it here when the keeper is no more."""
        self._close()
        recover(self.folder.parent)

    def _close(self) -> None:
        for pipe in (self._keeper.stdin, self._keeper.stdout):
            assert pipe is not None
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
        self._keeper.wait()

    def _answer(self) -> str:
        assert self._keeper.stdout is not None
        return self._keeper.stdout.readline().strip()

    def commit(self, moves: list[tuple[Path, Path]]) -> None:
        """
        Put each new file or folder into its place; all of them or none.

        Args:
            moves: What is new, inside the work folder -> where it belongs.

        Raises:
            SwapError: It could not be done; everything is as it was.
        """
        for new, _ in moves:
            _flush(new)
        write_journal(self.folder, plan(self.folder, moves))
        with contextlib.suppress(BrokenPipeError):
            assert self._keeper.stdin is not None
            self._keeper.stdin.write("commit\n")
            self._keeper.stdin.flush()
        answer = self._answer()
        if answer != "done":
            self._close()
            recover(self.folder.parent)
            raise SwapError(answer or "the process that does the renames was killed")


def _flush(path: Path) -> None:
    """On the disk before the rename: after a power cut a name must not lead to an empty file."""
    files = [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file()]
    for file in files:
        with file.open("rb") as opened:
            os.fsync(opened.fileno())


# --- the journal ---


def plan(folder: Path, moves: list[tuple[Path, Path]]) -> list[dict[str, Any]]:
    """
    What is about to move.

    The old thing is known by its inode: wherever a kill stopped the renames, it can be found.
    """
    return [
        {
            "new": str(new),
            "place": str(place),
            "aside": str(folder / f"old-{number}"),
            "inode": place.stat().st_ino if place.exists() else None,
        }
        for number, (new, place) in enumerate(moves)
    ]


def write_journal(folder: Path, moves: list[dict[str, Any]]) -> None:
    """Write it whole or not at all."""
    draft = folder / f"{JOURNAL}.draft"
    with draft.open("w", encoding="utf-8") as file:
        json.dump(moves, file)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(folder / JOURNAL)


def recover(parent: Path) -> list[str]:
    """
    Put back what killed runs left half done in *parent*, and remove their folders.

    A folder whose keeper lives is left alone. Returns the names of the folders dealt with.
    """
    found = []
    for folder in sorted(parent.glob(f"{WORK_PREFIX}*")):
        if not folder.is_dir() or _is_kept(folder):
            continue
        journal = folder / JOURNAL
        if journal.is_file():
            roll_back(json.loads(journal.read_text("utf-8")))
            journal.unlink()
        shutil.rmtree(folder, ignore_errors=True)
        found.append(folder.name)
    return found


def _is_kept(folder: Path) -> bool:
    """Whether a keeper looks after the folder: it holds the lock as long as it lives."""
    try:
        with (folder / LOCK).open("rb") as file:
            if fcntl is not None:  # pragma: no branch - Windows
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


# --- the renames ---


def exchange(one: str, two: str) -> bool:
    """
    Swap two names in one step, where the system can (Linux, renameat2(2)).

    Nobody who imports the package meanwhile finds its place empty.
    """
    try:
        renameat2: Callable[..., int] = ctypes.CDLL(None).renameat2
    except (OSError, AttributeError, TypeError):  # pragma: no cover - other systems
        return False
    done = renameat2(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(two), RENAME_EXCHANGE)
    return done == 0


def roll_forward(moves: list[dict[str, Any]], step: Callable[[], None] = lambda: None) -> None:
    """Each new thing to its place. *step* is called after every rename."""
    for move in moves:
        new, place, aside = move["new"], move["place"], move["aside"]
        if move["inode"] is None:
            Path(new).rename(place)
        elif not exchange(new, place):
            Path(place).rename(aside)
            step()
            Path(new).rename(place)
        step()


def roll_back(moves: list[dict[str, Any]]) -> None:
    """Each old thing back to its place, wherever *roll_forward* was stopped."""
    for number, move in enumerate(reversed(moves)):
        place, inode = move["place"], move["inode"]
        if inode is None:
            if Path(place).exists() and not Path(move["new"]).exists():
                Path(place).rename(move["new"])
            continue
        where = next(
            (one for one in (place, move["new"], move["aside"]) if _inode(one) == inode), place
        )
        if where == place:
            continue
        if Path(place).exists():
            Path(place).rename(Path(move["aside"]).with_name(f"undone-{number}"))
        Path(where).rename(place)


def _inode(path: str) -> int | None:
    try:
        return Path(path).stat().st_ino
    except FileNotFoundError:
        return None


# --- the keeper ---


def keep(folder: Path, step: Callable[[], None] = lambda: None) -> None:
    """
    Hold the folder's lock until the input ends; commit when told to; remove the folder.
    """
    with (folder / LOCK).open("wb") as lock:
        if fcntl is not None:  # pragma: no branch - Windows
            fcntl.flock(lock, fcntl.LOCK_EX)
        _say("ready")
        if sys.stdin.readline() == "commit\n":
            _say(_commit(folder, step))
            sys.stdin.readline()
        shutil.rmtree(folder, ignore_errors=True)


def _commit(folder: Path, step: Callable[[], None]) -> str:
    journal = folder / JOURNAL
    moves = json.loads(journal.read_text("utf-8"))
    try:
        roll_forward(moves, step)
    except OSError as error:
        roll_back(moves)
        journal.unlink()
        return f"{error.strerror} ({error.filename})"
    journal.unlink()  # from here on it is done
    return "done"


def _say(text: str) -> None:
    """Tell the other process, if it still lives."""
    with contextlib.suppress(BrokenPipeError):
        print(text, flush=True)


if __name__ == "__main__":
    keep(Path(sys.argv[1]))
