import io
import json
import shutil
import signal
import sys
from collections import Counter
from contextlib import nullcontext
from pathlib import Path
from random import Random
from typing import Any

import attrs
import pytest

from auth_ext.sandbox import Sandbox
from scripts import soak, soak_traffic
from scripts.soak import (
    KINDS,
    InThread,
    Process,
    Soak,
    Spell,
    Weather,
    Worker,
    came_too_late,
    conclude,
    growth_of,
    main,
    percentile,
    problems,
    progress_on,
    summary,
)
from scripts.soak_traffic import Call, Sample, Setting, Tally, Trouble, bucket_of, kind_of

# httpx and httpcore leave generators of their own open when a call is cancelled; trio minds.
pytestmark = pytest.mark.filterwarnings("ignore:Async generator 'http:ResourceWarning")

MIB = 2**20
FIVE_HUNDRED = next(kind for kind in KINDS if kind.name == "API: status 500")


def short(folder: Path, **settings: Any) -> Soak:
    """
    A soak of three seconds in this process.
    """
    return attrs.evolve(
        Soak(seconds=3.0, seed=7, stores={"memory": "memory"}, folder=folder, runner=InThread),
        **settings,
    )


def quiet(_: Soak) -> None:
    """
    No progress to be seen.
    """


@pytest.fixture
def no_growth(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Memory is not judged: in one process with the tests it is theirs, too.
    """
    monkeypatch.setattr(soak, "MOST_GROWTH", 10**12)


def test_a_short_soak_in_bad_weather_ends_well(tmp_path: Path, no_growth: None) -> None:
    """
    Three seconds of threads, tasks and faults: calls of every kind, and nothing unexpected.
    """
    run = short(tmp_path)
    run.run(quiet)

    assert [] == problems(run)
    assert {"read", "status", "list", "download", "create", "file", "pipe"} <= set(
        run.workers[0].calls
    )
    assert run.requests > 20
    assert run.token_requests >= 2
    assert run.spells
    assert run.documents


def test_an_error_that_no_fault_explains_fails_it(tmp_path: Path, no_growth: None) -> None:
    """
    A 500 under a sky that explains none is a problem, named with the call.
    """
    run = short(tmp_path, kinds=(attrs.evolve(FIVE_HUNDRED, explains=frozenset()),))
    run.run(quiet)

    assert any(line.startswith("unexpected ApiError 500 on ") for line in problems(run))


def test_a_bug_in_the_client_fails_it(
    tmp_path: Path, no_growth: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    An exception that is no answer of the service is a problem in any weather.
    """

    def make(self: Call, client: object) -> None:
        raise RuntimeError("planted")

    monkeypatch.setattr(Call, "make", make)
    run = short(tmp_path, seconds=1.0)
    run.run(quiet)

    assert any(
        line.startswith("unexpected RuntimeError on ") and line.endswith(": planted")
        for line in problems(run)
    )


def test_a_leak_fails_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A worker that keeps 2 MiB with every report is found out within seconds.
    """
    kept: list[bytes] = []
    plain = Tally.report

    def report(self: Tally) -> dict[str, object]:
        kept.append(Random(0).randbytes(2 * MIB))
        return plain(self)

    monkeypatch.setattr(Tally, "report", report)
    monkeypatch.setattr(soak_traffic, "REPORT_EVERY", 0.1)
    run = short(tmp_path, kinds=())
    run.run(quiet)

    assert any("its memory grew by" in line for line in problems(run))


def test_ctrl_c_prints_the_summary_so_far(
    tmp_path: Path, no_growth: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    An interrupted soak ends its workers and tells what it has; the exit code says 130.
    """

    def interrupt(_: Soak) -> None:
        raise KeyboardInterrupt

    run = short(tmp_path, kinds=())
    run.run(interrupt)

    assert 130 == conclude(run)
    assert "s, interrupted" in capsys.readouterr().out
    assert run.workers[0].has_ended


def test_workers_are_processes_that_share_a_store(capsys: pytest.CaptureFixture[str]) -> None:
    """
    The command line runs real processes; it ends well, prints its figures and gives 0.
    """
    code = main(["--seconds", "2", "--seed", "3", "--no-redis"])

    told = capsys.readouterr().out
    assert 0 == code, told
    assert "soaking for 2 s with seed 3, stores: memory, file-1, file-2" in told
    assert "All is well." in told
    assert signal.SIG_DFL == signal.getsignal(signal.SIGTERM)


def test_redis_is_used_where_it_is_installed(
    tmp_path: Path, no_growth: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    A server of its own serves on loopback as long as the block runs.
    """
    if shutil.which("redis-server") is None:  # pragma: no cover - it is, where coverage is judged
        pytest.skip("redis-server is not installed")
    with soak.redis_url(tmp_path) as url:
        assert url is not None
        run = short(tmp_path, stores={"redis": url}, seconds=1.0, kinds=())
        run.run(quiet)

    assert [] == problems(run)


def test_redis_is_left_out_where_it_is_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], no_growth: None
) -> None:
    """
    Without redis-server the run says so and goes on.
    """
    monkeypatch.setattr(shutil, "which", lambda _: None)

    assert 0 == main(["--seconds", "1", "--seed", "1"], runner=InThread)
    assert "redis-server is not installed" in capsys.readouterr().out


def test_redis_is_shared_by_two_workers(monkeypatch: pytest.MonkeyPatch, no_growth: None) -> None:
    """
    Where there is a server, two workers are told its address.
    """
    asked: list[dict[str, str]] = []

    class Noted(Soak):
        def run(self, progress: object) -> None:
            asked.append(dict(self.stores))

    monkeypatch.setattr(soak, "redis_url", lambda _: nullcontext("redis://127.0.0.1:1/0"))
    monkeypatch.setattr(soak, "Soak", Noted)

    assert 0 == main(["--quick"])
    assert ["file-1", "file-2", "memory", "redis-1", "redis-2"] == sorted(asked[0])


def test_a_server_that_does_not_come_up_is_noticed() -> None:
    """
    Nobody listens: no URL.
    """
    assert not soak._answers(soak._free_port(), tries=1)


def test_a_worker_that_will_not_end_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    After its time it is ended by force, and that is a problem.
    """
    monkeypatch.setattr(Process, "command", (sys.executable, "-c", "import time; time.sleep(99)"))
    monkeypatch.setattr(soak, "PATIENCE", 0.1)
    worker = Worker("deaf")
    process = Process(setting("deaf"), worker, tmp_path)
    process.stop()
    process.join()

    assert "ended with never: no word" == worker.complaint
    assert ["ended with never: no word", "it never came to its end"] == list(soak._ails(worker))


def test_a_worker_that_dies_tells_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Its last words are in the summary.
    """
    monkeypatch.setattr(Process, "command", (sys.executable, "-c", "raise SystemExit('oh no')"))
    worker = Worker("frail")
    process = Process(setting("frail"), worker, tmp_path)
    process.join()
    process.stop()

    assert "ended with 1: oh no" == worker.complaint


def setting(name: str, sandbox: Sandbox | None = None) -> Setting:
    """
    A worker's setting; without a sandbox nothing answers.
    """
    return Setting(
        name=name,
        base_url="http://127.0.0.1:9" if sandbox is None else sandbox.url,
        token_url="http://127.0.0.1:9/token" if sandbox is None else sandbox.token_url,
        client_id="an-id" if sandbox is None else sandbox.client_id,
        client_secret="a-secret" if sandbox is None else sandbox.client_secret,
        store="memory",
        seed=1,
        seconds=30.0,
    )


def test_a_worker_process_ends_with_its_stdin(sandbox: Sandbox) -> None:
    """
    Whoever started it is gone: it reports once more and ends, long before its time.
    """
    sandbox.reset()
    said = io.StringIO()

    told = json.dumps(attrs.asdict(setting("orphan", sandbox)))
    assert 0 == soak_traffic.main(io.StringIO(told + "\n"), said)

    phases = [json.loads(line)["phase"] for line in said.getvalue().splitlines()]
    assert ("start", "end") == (phases[0], phases[-1])


def samples(*sizes: float) -> list[Sample]:
    """
    One sample a second, of so many MiB.
    """
    return [
        Sample(at=float(at), memory=int(size * MIB), threads=2, files=3)
        for at, size in enumerate(sizes)
    ]


@pytest.mark.parametrize(
    ("sizes", "grown"),
    [
        ([], 0),
        ([50] * 3, 0),
        ([20, 40, 50, 60] + [60] * 16, 0),  # warms up, then stands
        ([60] * 10 + list(range(60, 90, 2)), 18),  # grows to the end
        ([60] * 14 + [61] * 5 + [200], 0),  # one peak at the end
        ([60, 75] * 12, 0),  # garbage that comes and goes
        (list(range(60, 40, -1)), -6),  # shrinks
    ],
)
def test_growth_is_what_stays(sizes: list[float], grown: float) -> None:
    """
    Only memory that rises over the second half and stays counts as growth.
    """
    found = growth_of(samples(*sizes)) / MIB

    assert grown == pytest.approx(found, abs=3)


def test_growth_needs_time_to_pass() -> None:
    """
    Samples of one moment say nothing.
    """
    still = [attrs.evolve(sample, at=5.0) for sample in samples(*range(12))]

    assert 0.0 == growth_of(still)


def trouble(kind: str = "ApiError 500", began: float = 10.0, ended: float = 11.0) -> Trouble:
    """
    A call that raised.
    """
    return Trouble(kind=kind, call="read", began=began, ended=ended, text="oh")


@pytest.mark.parametrize(
    ("kind", "began", "ended", "explained"),
    [
        ("ApiError 500", 10.0, 11.0, True),
        ("ApiError 503", 10.0, 11.0, False),
        ("ApiError 500", 8.0, 8.9, False),  # over before it began
        ("ApiError 500", 8.0, 9.0, True),
        ("ApiError 500", 12.5, 13.0, True),  # just after: it was still on its way
        ("ApiError 500", 12.6, 13.0, False),
    ],
)
def test_a_spell_explains_what_it_can_cause(
    kind: str, began: float, ended: float, explained: bool
) -> None:
    """
    Weather from 9 to 12 explains its own kinds of error in that time, and 0.5 s after.
    """
    spell = Spell(FIVE_HUNDRED, began=9.0, ended=12.0)

    assert explained is spell.explains(trouble(kind, began, ended))


@pytest.mark.parametrize(
    ("kind", "call", "seconds", "late"),
    [
        ("Unauthorized 401", "pipe", 0.7, True),
        ("Unauthorized 401", "pipe", 0.5, False),
        ("Unauthorized 401", "file", 0.7, False),
        ("ApiError 500", "pipe", 0.7, False),
    ],
)
def test_only_a_pipe_may_come_too_late(kind: str, call: str, seconds: float, late: bool) -> None:
    """
    Its token ended on the way, it was longer on its way than the leeway, and cannot be sent again.
    """
    found = Trouble(kind=kind, call=call, began=10.0, ended=10.0 + seconds, text="")

    assert late is came_too_late(found)


def test_weather_that_lasts_explains_what_comes() -> None:
    """
    A spell without an end has not ended.
    """
    assert Spell(FIVE_HUNDRED, began=9.0).explains(trouble(began=1e9, ended=1e9))


def test_every_kind_of_weather_is_one_the_sandbox_knows(sandbox: Sandbox) -> None:
    """
    All of it can be set, and is taken back.
    """
    sandbox.reset()
    weather = Weather(sandbox, Random(1))
    for kind in KINDS:
        weather._begin(kind, Random(1))
    weather.stop()
    weather.run()

    assert len(KINDS) == len(weather.spells)
    sandbox.behave()


def finished(**facts: Any) -> Worker:
    """
    A worker that came to its end in good health.
    """
    ended = Worker("w", samples=samples(50, 50), has_ended=True)
    return attrs.evolve(ended, **facts)


LEFT_OVER = [*samples(50), Sample(at=9.0, memory=50 * MIB, threads=4, files=9)]


@pytest.mark.parametrize(
    ("worker", "said"),
    [
        (finished(), []),
        (finished(hung=2), ["2 of its users hang"]),
        (finished(slowest=(99.0, "list")), ["a list took 99.0 s, and its timeouts allow 27 s"]),
        (finished(samples=LEFT_OVER), ["2 threads are left", "6 open files are left"]),
        (finished(complaint="ended with 1: x"), ["ended with 1: x"]),
        (finished(has_ended=False), ["it never came to its end"]),
    ],
)
def test_what_ails_a_worker(worker: Worker, said: list[str]) -> None:
    """
    Each way to go wrong has a line of its own.
    """
    assert said == list(soak._ails(worker))


def test_documents_are_created_once_and_stay(tmp_path: Path) -> None:
    """
    A document that is there twice, or was reported and is not there, is a problem.
    """
    run = short(
        tmp_path,
        documents=Counter({"soak-a-1": 2, "soak-a-2": 1}),
        workers=[finished(created=["soak-a-1", "soak-a-2", "soak-a-3"])],
        violations=("GET /x: bad",),
    )

    assert [
        "the sandbox on itself: GET /x: bad",
        "document soak-a-1 was created twice",
        "document soak-a-3 was reported as created and is not there",
    ] == problems(run)
    assert "some were created twice" in summary(run)


def test_the_summary_has_the_figures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Counts, times, errors by kind as expected or not, memory, threads and files; exit code 1.
    """
    worker = finished(calls=Counter(read=3), times=Counter({bucket_of(0.01): 2, bucket_of(1.0): 1}))
    worker.troubles += [trouble(), *[trouble("KeyError")] * 12]
    worker.slowest = (1.0, "read")
    run = short(
        tmp_path,
        workers=[worker, Worker("late")],
        spells=[Spell(FIVE_HUNDRED, began=9.0, ended=12.0)],
        requests=4,
        token_requests=2,
        took=3.0,
    )
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)

    assert 1 == conclude(run)
    told = capsys.readouterr().out
    for line in (
        "seed 7, 3 s",
        "calls           3: read 3",
        "token requests  2, tokens live 6 s",
        "p50 10 ms, p99 1000 ms, slowest 1000 ms (read)",
        "weather         1 spells: API: status 500 1",
        "errors          13, 12 of them unexpected",
        f"    {'ApiError 500':34}      1 expected      0 unexpected",
        f"    {'KeyError':34}      0 expected     12 unexpected",
        "worker w         memory 50.0 MiB at the start",
        "worker late      no report",
        "PROBLEM: unexpected KeyError on read: oh",
        "PROBLEM: and 5 more",
    ):
        assert line in told


def test_no_calls_have_no_percentile() -> None:
    """
    Nothing was measured: zero.
    """
    assert 0.0 == percentile(Counter(), 0.5)


class Screen(io.StringIO):
    """
    A terminal.
    """

    def isatty(self) -> bool:
        """
        It is one.
        """
        return True


def test_progress_is_one_line_on_a_terminal(tmp_path: Path) -> None:
    """
    It is written over and over there, and not at all into a file.
    """
    run, screen, file = short(tmp_path), Screen(), io.StringIO()
    progress_on(screen)(run)
    progress_on(file)(run)

    assert "0 of 3 s: 0 requests, 0 token requests, 0 errors (0 unexpected)" in screen.getvalue()
    assert "" == file.getvalue()


@pytest.mark.parametrize("arguments", [["--seconds", "0"], ["--quick", "--seconds", "9"], ["x"]])
def test_wrong_use_is_one_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """
    Exit code 2, and nothing starts.
    """
    with pytest.raises(SystemExit) as end:
        main(arguments)

    assert 2 == end.value.code
    assert "soak: error:" in capsys.readouterr().err


def test_errors_in_a_group_are_named_by_themselves() -> None:
    """
    Task groups wrap; the summary does not.
    """
    assert "KeyError" == kind_of(ExceptionGroup("g", [ExceptionGroup("h", [KeyError()])]))


def test_a_system_that_tells_nothing_is_no_leak(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Where there is no /proc, memory and files count as zero.
    """
    monkeypatch.setattr(soak_traffic, "PROC", Path("/nowhere"))
    sample = Sample.take()

    assert (0, 0) == (sample.memory, sample.files)


def test_a_tally_begins_anew_after_each_report() -> None:
    """
    What was reported is not reported again.
    """
    tally = Tally()
    tally.add("read", 0.5, trouble(), created="soak-a-1")

    assert {"read": 1} == tally.report()["calls"]
    assert {} == tally.report()["calls"]
    assert 1 == tally.total
