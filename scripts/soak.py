"""
Minutes of mixed traffic with short tokens and random faults against the sandbox; what broke?

    python scripts/soak.py                    5 minutes
    python scripts/soak.py --quick            20 s
    python scripts/soak.py --seconds N --seed N

    sandbox + weather (faults, revocations)  <-  workers (threads, asyncio, trio; one token store)
                                             ->  reports -> verdict

One worker keeps its tokens in memory, two share files, two share Redis where `redis-server` is
installed. It fails on

- an error that no fault explains: each call that raised is held against the faults set while it
  ran, and against what those may cause afterwards;
- a document created twice, or reported as created and lost;
- a call that takes longer than its timeouts allow, or never ends;
- memory that grows: a line is fitted through the samples of the second half, when caches are
  warm; it fails if that line rises by more than 8 MiB over that half, and the end of it does lie
  so much higher than its beginning (a single step is no leak);
- threads or open files that are left when the clients are closed;
- a worker that dies, or a complaint of the sandbox about itself.

Everything happens on loopback. Exit codes: 0 all is well, 1 it is not, 2 wrong use, 130 Ctrl-C,
which prints the summary so far.
"""

import argparse
import json
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from random import Random
from statistics import fmean
from typing import Any, TextIO

import attrs

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:  # pragma: no cover - only when run as a file
    sys.path.insert(0, str(ROOT))

from auth_ext import SignicatClient, paginate  # noqa: E402
from auth_ext._held import LEEWAY_SHARE  # noqa: E402
from auth_ext.sandbox import Sandbox  # noqa: E402
from generated_client.api.signature import list_document_summaries  # noqa: E402
from scripts.soak_traffic import (  # noqa: E402
    API_TIMEOUT,
    SETTLE,
    TOKEN_DEADLINE,
    Sample,
    Setting,
    Traffic,
    Trouble,
    seconds_of,
)

DEFAULT_SECONDS = 300.0
QUICK_SECONDS = 20.0
TOKEN_LIFETIME = 6.0
LATE = 7.0  # seconds by which slow answers are late: longer than anybody waits

LONGEST_CALL = TOKEN_DEADLINE + 3 * API_TIMEOUT + 2.0
PATIENCE = LONGEST_CALL + SETTLE + 10.0  # with a worker that was told to end
MOST_GROWTH = 8 * 1024 * 1024
FILES_LEFT = 2  # what a runtime opens once and keeps
SHOWN = 8  # troubles that the summary quotes


# Weather: what the sandbox is told, and which errors that explains


@attrs.frozen(kw_only=True)
class Kind:
    """
    One kind of bad weather.

    Attributes:
        name: As the summary says it.

        explains: Kinds of error that calls may raise because of it.

        lasts: Seconds after its end in which they still may.

        fault: What `Sandbox.misbehave` is told; None: *act* is done, once.

        act: What is done to the sandbox.

        most: The largest share of requests that meet the fault.
    """

    name: str
    explains: frozenset[str]
    lasts: float = 0.5
    fault: Mapping[str, Any] | None = None
    act: Callable[[Sandbox], object] | None = None
    most: float = 0.6


def _at_api(kind: str, *explains: str, **options: Any) -> Kind:
    return Kind(
        name=_named("API", kind, options),
        explains=frozenset(explains),
        fault={"kind": kind, "target": "api", **options},
    )


def _slow(**options: Any) -> Kind:
    # Answers that are late keep threads of the sandbox busy for a while after it has cleared up.
    kind = _at_api("slow", "ReadTimeout", **options)
    return attrs.evolve(kind, lasts=LATE + API_TIMEOUT, most=0.05)


def _at_token(kind: str, explains: str, **options: Any) -> Kind:
    # A token request is tried for as long as its deadline allows, and callers may join late.
    return Kind(
        name=_named("token", kind, options),
        explains=frozenset({explains} if explains else ()),
        lasts=TOKEN_DEADLINE + 2.0,
        fault={"kind": kind, "target": "token", **options},
    )


def _named(target: str, kind: str, options: Mapping[str, Any]) -> str:
    status = options.get("status")
    return f"{target}: {kind}" + (f" {status}" if status else "")


def _taking(name: str, act: Callable[[Sandbox], object]) -> Kind:
    # A 401 renews a token once in 5 s; what is revoked again meanwhile is refused for good. And
    # an upload from a pipe is never sent twice.
    return Kind(name=name, explains=frozenset({"Unauthorized 401"}), lasts=6.0, act=act)


UNAVAILABLE = "TokenEndpointUnavailable"
CUT = ("RemoteProtocolError", "ReadError", "WriteError")

KINDS = (
    _at_api("status", "ApiError 500", status=500),
    _at_api("status", "ApiError 503", status=503, retry_after=1),
    _at_api("status", "RateLimited 429", status=429, retry_after=1),
    _slow(before=LATE),
    _slow(during=LATE),
    _at_api("cut", *CUT),
    _at_api("cut", *CUT, after=0),
    _at_api("not_http", *CUT),
    _at_api("garbage", "MalformedResponse 200"),
    _at_api("html", "MalformedResponse 200"),
    _at_api("html", "ApiError 502", status=502),
    _at_api("empty", "MalformedResponse 200"),
    _at_api("redirect", "ApiError 307"),
    _at_api("date_skew", seconds=3600.0),
    attrs.evolve(_at_api("unauthorized", "Unauthorized 401"), lasts=6.0),
    _at_token("status", f"{UNAVAILABLE} 503", status=503),
    _at_token("status", f"{UNAVAILABLE} 429", status=429, retry_after=1),
    _at_token("slow", UNAVAILABLE, before=LATE),
    _at_token("cut", UNAVAILABLE, after=0),
    _at_token("cut", UNAVAILABLE),
    _at_token("not_http", UNAVAILABLE),
    _at_token("garbage", "InvalidTokenResponse 200"),
    _at_token("html", "InvalidTokenResponse 200"),
    _at_token("html", f"{UNAVAILABLE} 502", status=502),
    _at_token("empty", "InvalidTokenResponse 200"),
    _at_token("date_skew", "", seconds=-3600.0),
    _taking("all tokens revoked", lambda sandbox: sandbox.revoke()),
    _taking("tokens end early", lambda sandbox: sandbox.advance(TOKEN_LIFETIME)),
)


@attrs.define
class Spell:
    """
    Some weather, and when it was; `ended` is None while it lasts.
    """

    kind: Kind
    began: float
    ended: float | None = None

    def explains(self, trouble: Trouble) -> bool:
        """
        Whether *trouble* may be due to it.
        """
        if trouble.kind not in self.kind.explains:
            return False
        over = None if self.ended is None else self.ended + self.kind.lasts
        return trouble.ended >= self.began and (over is None or trouble.began <= over)


class Weather:
    """
    Sets and takes back faults at random: calm for a while, then one to three at a time.
    """

    def __init__(self, sandbox: Sandbox, random: Random, kinds: Sequence[Kind] = KINDS) -> None:
        self._sandbox = sandbox
        self._random = random
        self._kinds = kinds
        self._over = threading.Event()
        self.spells: list[Spell] = []

    def run(self) -> None:
        """
        Until `stop`; leaves the sky clear.
        """
        random = self._random
        while not self._over.wait(random.uniform(0.5, 2.0)):
            spells = [
                self._begin(kind, random)
                for kind in random.sample(self._kinds, min(random.randint(1, 3), len(self._kinds)))
            ]
            self._over.wait(random.uniform(0.5, 3.0))
            self._sandbox.behave()
            for spell in spells:
                spell.ended = spell.ended or time.time()

    def stop(self) -> None:
        """
        Clear up.
        """
        self._over.set()

    def _begin(self, kind: Kind, random: Random) -> Spell:
        spell = Spell(kind, time.time())
        self.spells.append(spell)
        if kind.fault is not None:
            self._sandbox.misbehave(
                probability=random.uniform(kind.most / 5, kind.most), **kind.fault
            )
        else:
            assert kind.act is not None
            kind.act(self._sandbox)
            spell.ended = time.time()
        return spell


# Workers, as processes or, for tests, as a thread


@attrs.define
class Worker:
    """
    What one worker has reported so far.
    """

    name: str
    samples: list[Sample] = attrs.field(factory=list)
    times: Counter[int] = attrs.field(factory=Counter)
    calls: Counter[str] = attrs.field(factory=Counter)
    slowest: tuple[float, str] = (0.0, "")
    troubles: list[Trouble] = attrs.field(factory=list)
    created: list[str] = attrs.field(factory=list)
    hung: int = 0
    has_ended: bool = False
    complaint: str | None = None

    def hear(self, report: Mapping[str, Any]) -> None:
        """
        Take in one report.
        """
        self.samples.append(Sample(**report["sample"]))
        self.times.update(dict(report["times"]))
        self.calls.update(report["calls"])
        seconds, call = report["slowest"]
        self.slowest = max(self.slowest, (seconds, call))
        self.troubles += [Trouble(**trouble) for trouble in report["troubles"]]
        self.created += report["created"]
        self.hung = report.get("hung", 0)
        self.has_ended = report["phase"] == "end"


class Process:
    """
    A worker that is a process of its own. Whatever it writes to stderr is a complaint.
    """

    command = (sys.executable, "-W", "default", "-m", "scripts.soak_traffic")

    def __init__(self, setting: Setting, worker: Worker, folder: Path) -> None:
        self._worker = worker
        self._stderr = folder / f"{setting.name}.stderr"
        with self._stderr.open("w") as stderr:
            self._process = subprocess.Popen(
                self.command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                cwd=ROOT,
                text=True,
                start_new_session=True,  # Ctrl-C is for us; its stdin ends when we do
            )
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # it is dead already, and `join` says how it died
            self._process.stdin.write(json.dumps(attrs.asdict(setting)) + "\n")
            self._process.stdin.flush()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._worker.hear(json.loads(line))

    def stop(self) -> None:
        """
        Tell it to come to its end.
        """
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()

    def join(self) -> None:
        """
        Wait for its end; kill it when that does not come.
        """
        try:
            code: int | str = self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            code = "never"
        self._thread.join()
        assert self._process.stdout is not None
        self._process.stdout.close()
        said = self._stderr.read_text(errors="replace").strip()
        if code != 0 or said:
            self._worker.complaint = f"ended with {code}: {said[-2000:] or 'no word'}"


class InThread:
    """
    A worker that is a thread of this process, for tests; its samples count the sandbox in.
    """

    def __init__(self, setting: Setting, worker: Worker, _folder: Path) -> None:
        self._traffic = Traffic(setting)
        self._thread = threading.Thread(target=self._traffic.run, args=(worker.hear,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """
        Tell it to come to its end.
        """
        self._traffic.stop()

    def join(self) -> None:
        """
        Wait for its end.
        """
        self._thread.join(PATIENCE)


Runner = type[Process] | type[InThread]


@contextmanager
def redis_url(folder: Path) -> Iterator[str | None]:
    """
    A Redis of our own while the block runs; None where `redis-server` is not installed.
    """
    server = shutil.which("redis-server")
    if server is None:
        yield None
        return
    port = _free_port()
    address = ["--port", str(port), "--bind", "127.0.0.1"]
    with subprocess.Popen(
        [server, *address, "--save", "", "--dir", str(folder)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            yield f"redis://127.0.0.1:{port}/0" if _answers(port) else None
        finally:
            process.terminate()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _answers(port: int, tries: int = 100) -> bool:
    for _ in range(tries):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
        except OSError:
            time.sleep(0.05)
        else:
            return True
    return False


# The run


@attrs.define
class Soak:
    """
    One soak: how it is set, and what came of it.
    """

    seconds: float
    seed: int
    stores: Mapping[str, str]
    folder: Path
    runner: Runner = Process
    kinds: Sequence[Kind] = KINDS
    workers: list[Worker] = attrs.field(factory=list)
    spells: list[Spell] = attrs.field(factory=list)
    violations: tuple[str, ...] = ()
    documents: Counter[str] = attrs.field(factory=Counter)
    requests: int = 0
    token_requests: int = 0
    took: float = 0.0
    was_interrupted: bool = False

    def run(self, progress: Callable[["Soak"], None]) -> None:
        """
        All of it; Ctrl-C ends it early, and what came so far stays.
        """
        started = time.monotonic()
        with Sandbox(token_lifetime=TOKEN_LIFETIME) as sandbox:
            sandbox.seed("get_document")
            sandbox.seed("upload_bucket_file")
            weather = Weather(sandbox, Random(self.seed), self.kinds)  # noqa: S311 - chance, not secrecy
            self.spells = weather.spells
            runners = [self._start(sandbox, name) for name in self.stores]
            clouds = threading.Thread(target=weather.run, daemon=True)
            clouds.start()
            try:
                while time.monotonic() < started + self.seconds:
                    time.sleep(min(0.5, self.seconds / 10))
                    self._count(sandbox)
                    self.took = time.monotonic() - started
                    progress(self)
            except KeyboardInterrupt:
                self.was_interrupted = True
            weather.stop()
            clouds.join()
            for runner in runners:
                runner.stop()
            for runner in runners:
                runner.join()
            self.took = time.monotonic() - started
            self._count(sandbox)
            self.documents = _references(sandbox)
            self.violations = sandbox.violations

    def _start(self, sandbox: Sandbox, name: str) -> Process | InThread:
        worker = Worker(name)
        self.workers.append(worker)
        setting = Setting(
            name=name,
            base_url=sandbox.url,
            token_url=sandbox.token_url,
            client_id=sandbox.client_id,
            client_secret=sandbox.client_secret,
            store=self.stores[name],
            seed=self.seed * 1000 + 100 * len(self.workers),
            seconds=self.seconds + 60.0,  # we tell it when; this is in case we cannot
        )
        return self.runner(setting, worker, self.folder)

    def _count(self, sandbox: Sandbox) -> None:
        counted = sandbox.requests
        self.requests, self.token_requests = counted.api, counted.token

    @property
    def troubles(self) -> list[Trouble]:
        """
        All calls that raised.
        """
        return [trouble for worker in self.workers for trouble in worker.troubles]

    @property
    def unexpected(self) -> list[Trouble]:
        """
        Those that no fault explains.
        """
        return [
            trouble
            for trouble in self.troubles
            if not came_too_late(trouble)
            and not any(spell.explains(trouble) for spell in self.spells)
        ]


def came_too_late(trouble: Trouble) -> bool:
    """
    Whether a call was on its way for so long that its token may have ended before it arrived.

    Any other call is sent again then; an upload from a pipe cannot be.
    """
    was_refused = (trouble.kind, trouble.call) == ("Unauthorized 401", "pipe")
    return was_refused and trouble.ended - trouble.began > TOKEN_LIFETIME * LEEWAY_SHARE


def _references(sandbox: Sandbox) -> Counter[str]:
    """
    How often each document is there that the workers created, by their references.
    """
    with SignicatClient(
        sandbox.client_id,
        sandbox.client_secret,
        base_url=sandbox.url,
        token_url=sandbox.token_url,
    ) as client:
        listed = paginate(list_document_summaries, client=client, limit=100)
        found = [str(document.external_id) for document in listed]
    return Counter(name for name in found if name.startswith("soak-"))


# The verdict


def problems(soak: Soak) -> list[str]:
    """
    Everything that is not as it must be, one line each; empty: all is well.
    """
    found = [f"the sandbox on itself: {text}" for text in soak.violations]
    found += [
        f"unexpected {trouble.kind} on {trouble.call}: {trouble.text}"
        for trouble in soak.unexpected
    ]
    twice = sorted(name for name, count in soak.documents.items() if count > 1)
    found += [f"document {name} was created twice" for name in twice]
    for worker in soak.workers:
        lost = [name for name in worker.created if not soak.documents[name]]
        found += [f"document {name} was reported as created and is not there" for name in lost]
        found += [f"worker {worker.name}: {text}" for text in _ails(worker)]
    return found


def _ails(worker: Worker) -> Iterator[str]:
    if worker.complaint:
        yield worker.complaint
    if not worker.has_ended:
        yield "it never came to its end"
        return
    if worker.hung:
        yield f"{worker.hung} of its users hang"
    seconds, call = worker.slowest
    if seconds > LONGEST_CALL:
        yield f"a {call} took {seconds:.1f} s, and its timeouts allow {LONGEST_CALL:.0f} s"
    growth = growth_of(worker.samples)
    if growth > MOST_GROWTH:
        yield f"its memory grew by {_mib(growth)} in the second half"
    first, last = worker.samples[0], worker.samples[-1]
    if last.threads > first.threads:
        yield f"{last.threads - first.threads} threads are left"
    if last.files > first.files + FILES_LEFT:
        yield f"{last.files - first.files} open files are left"


def growth_of(samples: Sequence[Sample]) -> float:
    """
    Bytes by which memory grew steadily over the second half of *samples*.

    The smaller of two measures: the rise of the line of least squares, which one peak at the end
    hardly lifts, and the step between the lowest of its first and of its last third, which
    garbage that comes and goes does not show in.
    """
    half = samples[len(samples) // 2 :]
    third = len(half) // 3
    if third == 0:
        return 0.0
    step = min(s.memory for s in half[-third:]) - min(s.memory for s in half[:third])
    return min(_rise(half), float(step))


def _rise(samples: Sequence[Sample]) -> float:
    at = [sample.at for sample in samples]
    middle, mean = fmean(at), fmean(sample.memory for sample in samples)
    spread = sum((x - middle) ** 2 for x in at)
    if spread == 0.0:
        return 0.0
    slope = sum((s.at - middle) * (s.memory - mean) for s in samples) / spread
    return slope * (at[-1] - at[0])


# What people see


def summary(soak: Soak) -> str:
    """
    The figures, as text.
    """
    times: Counter[int] = sum((worker.times for worker in soak.workers), Counter())
    calls: Counter[str] = sum((worker.calls for worker in soak.workers), Counter())
    seconds, call = max((worker.slowest for worker in soak.workers), default=(0.0, ""))
    unexpected = Counter(trouble.kind for trouble in soak.unexpected)
    raised = Counter(trouble.kind for trouble in soak.troubles)
    weather = Counter(spell.kind.name for spell in soak.spells)
    lines = [
        f"seed {soak.seed}, {soak.took:.0f} s{', interrupted' if soak.was_interrupted else ''}",
        f"calls           {calls.total()}: "
        + ", ".join(f"{name} {count}" for name, count in sorted(calls.items())),
        f"API requests    {soak.requests}",
        f"token requests  {soak.token_requests}, tokens live {TOKEN_LIFETIME:g} s",
        f"documents       {len(soak.documents)}, each created once"
        if all(count == 1 for count in soak.documents.values())
        else "documents       some were created twice",
        f"time per call   p50 {_ms(percentile(times, 0.5))}, p99 {_ms(percentile(times, 0.99))},"
        f" slowest {_ms(seconds)} ({call})",
        f"weather         {len(soak.spells)} spells: "
        + ", ".join(f"{name} {count}" for name, count in sorted(weather.items())),
        f"errors          {raised.total()}, {unexpected.total()} of them unexpected",
        *(
            f"    {kind:34} {count:6} expected {unexpected[kind]:6} unexpected"
            for kind, count in sorted((raised - unexpected).items() | _only(unexpected, raised))
        ),
    ]
    return "\n".join([*lines, *map(_worker_line, soak.workers)])


def _only(unexpected: Counter[str], raised: Counter[str]) -> set[tuple[str, int]]:
    return {(kind, 0) for kind in unexpected if not (raised - unexpected)[kind]}


def _worker_line(worker: Worker) -> str:
    if not worker.samples:
        return f"worker {worker.name:9} no report"
    first, last = worker.samples[0], worker.samples[-1]
    middle = worker.samples[len(worker.samples) // 2]
    return (
        f"worker {worker.name:9} memory {_mib(first.memory)} at the start,"
        f" {_mib(middle.memory)} half way, {_mib(last.memory)} at the end"
        f" (grew {_mib(growth_of(worker.samples))} in the second half);"
        f" threads {first.threads} -> {last.threads}, files {first.files} -> {last.files}"
    )


def percentile(times: Counter[int], share: float) -> float:
    """
    Seconds within which *share* of the calls ended.
    """
    left = share * times.total()
    for bucket in sorted(times):
        left -= times[bucket]
        if left <= 0:
            return seconds_of(bucket)
    return 0.0


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


def _mib(size: float) -> str:
    return f"{size / 2**20:.1f} MiB"


def progress_on(stream: TextIO) -> Callable[[Soak], None]:
    """
    A line that is written over and over on a terminal; nothing elsewhere.
    """
    if not stream.isatty():
        return lambda _: None

    def show(soak: Soak) -> None:
        unexpected = len(soak.unexpected)
        stream.write(
            f"\r\x1b[K{soak.took:.0f} of {soak.seconds:.0f} s: {soak.requests} requests,"
            f" {soak.token_requests} token requests, {len(soak.troubles)} errors"
            f" ({unexpected} unexpected)"
        )
        stream.flush()

    return show


def main(arguments: Sequence[str] | None = None, runner: Runner = Process) -> int:
    """
    The command line; gives the exit code.
    """
    options = _parser().parse_args(arguments)
    seconds = options.seconds or (QUICK_SECONDS if options.quick else DEFAULT_SECONDS)
    seed = options.seed if options.seed is not None else Random().randrange(1_000_000)  # noqa: S311 - chance, not secrecy
    with ExitStack() as stack:
        # Told to end, it ends as by Ctrl-C, and takes its processes along.
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)
        stack.callback(signal.signal, signal.SIGTERM, before)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        redis = None if options.no_redis else stack.enter_context(redis_url(folder))
        files = f"file:{folder / 'tokens'}"
        stores = {"memory": "memory", "file-1": files, "file-2": files}
        if redis is not None:
            stores |= {"redis-1": redis, "redis-2": redis}
        elif not options.no_redis:
            print("redis-server is not installed: tokens in Redis are left out")
        if runner is InThread:
            stores = {"memory": "memory"}
        soak = Soak(seconds=seconds, seed=seed, stores=stores, folder=folder, runner=runner)
        print(f"soaking for {seconds:g} s with seed {seed}, stores: {', '.join(stores)}")
        soak.run(progress_on(sys.stderr))
    return conclude(soak)


def conclude(soak: Soak) -> int:
    """
    Print the summary and what is wrong; gives the exit code.
    """
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")
    print(summary(soak))
    found = problems(soak)
    for line in found[:SHOWN]:
        print(f"PROBLEM: {line}")
    if len(found) > SHOWN:
        print(f"PROBLEM: and {len(found) - SHOWN} more")
    if not found:
        print("All is well.")
    if soak.was_interrupted:
        return 130
    return 1 if found else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="soak", description=(__doc__ or "").partition("\n\n")[0])
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--quick", action="store_true", help="20 s, as in CI")
    length.add_argument("--seconds", type=_seconds, help="how long (300)")
    parser.add_argument("--seed", type=int, help="repeat the random choices of another run")
    parser.add_argument("--no-redis", action="store_true", help="leave Redis out")
    return parser


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 1.0 <= seconds <= 24 * 3600.0:
        raise argparse.ArgumentTypeError("must lie between 1 and 86400")
    return seconds


if __name__ == "__main__":  # pragma: no cover - the same, as a program
    sys.exit(main())
