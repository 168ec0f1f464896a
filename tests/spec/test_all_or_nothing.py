"""Ctrl-C, SIGKILL and a full disk, by force: the tree is as it was, or wholly new."""

import fcntl
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts import regenerate
from scripts.spec import swap

ROOT = Path(__file__).parents[2]
RUN = """
import sys
from pathlib import Path
from scripts import regenerate
sys.exit(regenerate.main(sys.argv[2:], root=Path(sys.argv[1])))
"""
STEPS = (
    "read",
    "diff",
    "upgrade",
    "overlay",
    "normalise",
    "generate",
    "operations",
    "stamp",
    "check",
    "swap",
)

SMALL: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Small", "version": "1"},
    "paths": {
        "/a": {
            "get": {
                "operationId": "get_a",
                "responses": {
                    "200": {
                        "description": "",
                        "content": {
                            "application/json": {"schema": {"$ref": "#/components/schemas/A"}}
                        },
                    }
                },
            }
        }
    },
    "components": {"schemas": {"A": {"type": "object", "properties": {"a": {"type": "string"}}}}},
}


def snapshot(root: Path) -> dict[str, bytes]:
    """Every file of a tree, hidden ones too."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def newer() -> str:
    """The small document with one operation more."""
    new = json.loads(json.dumps(SMALL))
    new["paths"]["/b"] = {
        "get": {"operationId": "get_b", "responses": {"204": {"description": ""}}}
    }
    return json.dumps(new)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small project, generated."""
    root = tmp_path_factory.mktemp("project")
    shutil.copy(ROOT / "pyproject.toml", root)
    (root / "openapi.json").write_text(json.dumps(SMALL))
    assert regenerate.main([], root=root) == 0
    return root


@pytest.fixture
def project(template: Path, tmp_path: Path) -> Path:
    """A copy of the small project, and beside it a newer document."""
    (tmp_path / "new.json").write_text(newer())
    return Path(shutil.copytree(template, tmp_path / "project"))


def start(project: Path, *arguments: str, **more: Any) -> subprocess.Popen[str]:
    """The script on *project*, in a process of its own."""
    command = [sys.executable, "-c", RUN, str(project), *arguments]
    # A process that is killed, or may not write, cannot keep a measurement either.
    more["env"] = {key: value for key, value in os.environ.items() if "COVERAGE" not in key}
    return subprocess.Popen(
        command, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, **more
    )


def until(process: subprocess.Popen[str], step: str) -> None:
    """Wait for the moment in which the step begins."""
    assert process.stderr is not None
    seen = ""
    while f"  {step} " not in seen:
        character = process.stderr.read(1)
        assert character, seen
        seen += character


def rest(process: subprocess.Popen[str]) -> str:
    """What else is said; the end comes when the keeper, who shares the pipe, is gone too."""
    assert process.stderr is not None
    text = process.stderr.read()
    process.stderr.close()
    process.wait(60)
    return text


@pytest.fixture(scope="module")
def outcomes(
    template: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """The tree as it is, and as a whole run with the newer document leaves it."""
    folder = tmp_path_factory.mktemp("whole")
    copy = Path(shutil.copytree(template, folder / "project"))
    (folder / "new.json").write_text(newer())
    assert regenerate.main(["--from", str(folder / "new.json")], root=copy) == 0
    return snapshot(template), snapshot(copy)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("kind", [signal.SIGKILL, signal.SIGINT])
def test_a_signal_at_any_step_leaves_the_tree_whole(
    project: Path, outcomes: tuple[dict[str, bytes], ...], step: str, kind: signal.Signals
) -> None:
    """Killed or interrupted when a step begins: as it was; while swapping, perhaps all new."""
    before, after = outcomes
    process = start(project, "--from", str(project.parent / "new.json"))
    until(process, step)

    process.send_signal(kind)
    said = rest(process)

    allowed = [before, after] if step == "swap" else [before]
    assert snapshot(project) in allowed
    assert "Traceback" not in said
    if kind == signal.SIGINT and step != "swap":
        assert process.returncode == 130


def test_a_signal_to_the_whole_group_leaves_the_tree_whole(
    project: Path, outcomes: tuple[dict[str, bytes], ...]
) -> None:
    """A terminal's Ctrl-C, and a batch system's kill, go to every process of the group."""
    before, after = outcomes
    process = start(project, "--from", str(project.parent / "new.json"), start_new_session=True)
    until(process, "stamp")

    os.killpg(process.pid, signal.SIGKILL)
    rest(process)

    assert snapshot(project) in (before, after)


DYING_KEEPER = """
import os, signal, sys
sys.path.insert(0, {folder!r})
import swap
left = {steps}
def step():
    global left
    left -= 1
    if left < 0:
        os.kill({victim}, signal.SIGKILL)
{before}
from pathlib import Path
swap.keep(Path(sys.argv[1]), step)
"""


@pytest.fixture
def dying_keeper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A keeper that sends SIGKILL, to itself or to its parent too, after some renames."""

    def prepare(steps: int, *, victim: str = "os.getpid()", before: str = "") -> None:
        script = tmp_path / "keeper.py"
        folder = str(Path(swap.__file__).parent)
        script.write_text(
            DYING_KEEPER.format(folder=folder, steps=steps, victim=victim, before=before)
        )
        monkeypatch.setattr(swap, "KEEPER", script)

    return prepare


def places(folder: Path) -> list[tuple[Path, Path]]:
    """A package and a document, old in their places."""
    (folder / "package").mkdir(parents=True)
    (folder / "package" / "a").write_text("old")
    (folder / "document").write_text("old")
    return [(Path("package"), folder / "package"), (Path("document"), folder / "document")]


def commit(folder: Path) -> None:
    """Swap a new package and a new document in."""
    with swap.Workplace(folder) as work:
        new = work.folder / "package"
        new.mkdir()
        (new / "a").write_text("new")
        (work.folder / "document").write_text("new")
        work.commit([(new, folder / "package"), (work.folder / "document", folder / "document")])


NO_EXCHANGE = "swap.exchange = lambda one, two: False"


@pytest.mark.parametrize(
    ("before", "steps"),
    [("", 0), ("", 1), (NO_EXCHANGE, 0), (NO_EXCHANGE, 1), (NO_EXCHANGE, 2), (NO_EXCHANGE, 3)],
)
def test_the_keeper_killed_between_renames(
    tmp_path: Path, dying_keeper: Callable[..., None], steps: int, before: str
) -> None:
    """Whatever was renamed is put back by the one who lives, and said."""
    folder = tmp_path / "tree"
    places(folder)
    dying_keeper(steps, before=before)

    with pytest.raises(swap.SwapError, match="killed"):
        commit(folder)

    assert {"package/a": b"old", "document": b"old"} == snapshot(folder)


@pytest.mark.parametrize("before", ["", NO_EXCHANGE], ids=["exchange", "two renames"])
@pytest.mark.parametrize("steps", [0, 1])
def test_both_killed_between_renames(
    tmp_path: Path, dying_keeper: Callable[..., None], steps: int, before: str
) -> None:
    """Nobody was left to tidy up: the next start puts everything back."""
    folder = tmp_path / "tree"
    places(folder)
    dying_keeper(steps, victim="os.getppid()", before=before)
    script = tmp_path / "keeper.py"
    script.write_text(script.read_text().replace("SIGKILL)", "SIGKILL), os.kill(os.getpid(), 9)"))
    code = (
        "import sys; from pathlib import Path; from scripts.spec import swap\n"
        "from tests.spec.test_all_or_nothing import commit\n"
        "swap.KEEPER = Path(sys.argv[1]); commit(Path(sys.argv[2]))"
    )
    killed = subprocess.run(
        [sys.executable, "-c", code, str(script), str(folder)], cwd=ROOT, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    (left,) = folder.glob(".regenerate-*")
    with (left / swap.LOCK).open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the keeper dies a moment later

    assert len(swap.recover(folder)) == 1

    assert {"package/a": b"old", "document": b"old"} == snapshot(folder)


def test_a_rename_that_fails_puts_back_those_before_it(tmp_path: Path) -> None:
    """The second place is a folder that has gone: the first one is as it was."""
    folder = tmp_path / "tree"
    places(folder)
    with swap.Workplace(folder) as work:
        new = work.folder / "package"
        new.mkdir()
        extra = work.folder / "extra"
        extra.write_text("new")

        with pytest.raises(swap.SwapError, match="No such file"):
            work.commit([(new, folder / "package"), (extra, folder / "gone" / "extra")])

        assert (folder / "package" / "a").read_text() == "old"
    assert {"package/a": b"old", "document": b"old"} == snapshot(folder)


@pytest.mark.parametrize("exchanges", [True, False])
def test_a_swap_in_one_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, exchanges: bool
) -> None:
    """Forward is all new, back is all old, with or without the system's exchange."""
    if not exchanges:
        monkeypatch.setattr(swap, "exchange", lambda one, two: False)
    folder = tmp_path / "tree"
    places(folder)
    work = tmp_path / "work"
    (work / "package").mkdir(parents=True)
    (work / "package" / "a").write_text("new")
    (work / "fresh").write_text("new")
    moves = swap.plan(
        work, [(work / "package", folder / "package"), (work / "fresh", folder / "fresh")]
    )

    swap.roll_forward(moves)
    new = snapshot(folder)
    swap.roll_back(moves)
    swap.roll_back(moves)

    assert {"package/a": b"new", "document": b"old", "fresh": b"new"} == new
    assert {"package/a": b"old", "document": b"old"} == snapshot(folder)


def test_the_keeper_in_this_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It commits when told, removes its folder, and says when it could not."""
    from io import StringIO

    folder = tmp_path / "tree"
    places(folder)
    for number, target in enumerate([folder / "document", folder / "gone" / "document"]):
        work = tmp_path / f"work{number}"
        work.mkdir()
        (work / "document").write_text("new")
        swap.write_journal(work, swap.plan(work, [(work / "document", target)]))
        monkeypatch.setattr(sys, "stdin", StringIO("commit\n"))
        swap.keep(work)
        assert not work.exists()

    ready, done, again, failed = capsys.readouterr().out.splitlines()
    assert ("ready", "done", "ready") == (ready, done, again)
    assert "No such file" in failed
    assert (folder / "document").read_text() == "new"


def test_a_folder_with_a_living_keeper_is_left_alone(tmp_path: Path) -> None:
    """Two runs at once do not tidy each other away."""
    with swap.Workplace(tmp_path) as work:
        assert swap.recover(tmp_path) == []
        assert work.folder.is_dir()
    assert [] == list(tmp_path.iterdir())


def test_a_keeper_that_cannot_start_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No process, no folder."""
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python"))

    with pytest.raises(FileNotFoundError):
        swap.Workplace(tmp_path)

    assert [] == list(tmp_path.iterdir())


@pytest.fixture
def small_disk(tmp_path: Path, template: Path) -> Iterator[Callable[[int], Path]]:
    """A project on a disk of its own, with so many bytes free."""
    mounted: list[Path] = []

    def make(free: int) -> Path:
        disk = tmp_path / "disk"
        disk.mkdir()
        used = sum(-(-len(data) // 4096) * 4096 for data in snapshot(template).values())
        used += 8192 * sum(1 for path in template.rglob("*") if path.is_dir())
        options = f"size={used + free}"
        mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(disk)]
        result = subprocess.run(mount, capture_output=True, text=True, check=False)
        if result.returncode:
            pytest.skip(f"no disk can be mounted here: {result.stderr.strip()}")
        mounted.append(disk)
        return Path(shutil.copytree(template, disk / "project"))

    yield make
    for disk in mounted:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize("free", [0, 16_384, 65_536, 110_000])
def test_a_full_disk_leaves_the_tree_as_it_was(
    small_disk: Callable[[int], Path], tmp_path: Path, free: int
) -> None:
    """Whichever step meets the end of the disk: one line, exit code 6, nothing changed."""
    project = small_disk(free)
    document = json.loads(json.dumps(SMALL))
    document["info"]["description"] = "x" * 200_000
    (tmp_path / "new.json").write_text(json.dumps(document))
    before = snapshot(project)

    process = start(project, "--from", str(tmp_path / "new.json"))
    said = rest(process)

    assert (6, before) == (process.returncode, snapshot(project)), said
    assert "Traceback" not in said
    assert "No space left" in said


@pytest.mark.parametrize("limit", [1_000, 10_000])
def test_a_file_too_large_for_the_disk_leaves_the_tree_as_it_was(project: Path, limit: int) -> None:
    """A limit on file sizes, which needs no rights to set: the same."""
    before = snapshot(project)

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    process = start(project, "--from", str(project.parent / "new.json"), preexec_fn=limited)
    said = rest(process)

    assert (6, before) == (process.returncode, snapshot(project)), said
    assert "File too large" in said
    assert "Traceback" not in said
