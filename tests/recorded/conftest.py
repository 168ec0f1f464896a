"""
Recorded once over real HTTP, replayed here with every socket closed.

`python -m nox -s record` records them all again; see scripts/record.py.
"""

from collections.abc import Awaitable, Callable, Coroutine, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import anyio
import attrs
import pytest

from auth_ext import SignicatClient
from auth_ext.sandbox import Sandbox

# When the sandbox believes that it is: moments in cassettes stay the same.
RECORDED_AT = "2026-01-01T12:00:00Z"
_T = TypeVar("_T")


def pytest_addoption(parser: pytest.Parser) -> None:
    """
    What scripts/record.py says.
    """
    parser.addoption("--cassettes", type=Path, help="a folder for cassettes, in place of ours")
    parser.addoption("--replayed", help="names of cassettes, with commas: only tests that use them")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """
    Nothing here may connect to anything, this machine included, unless it records.
    """
    for item in items:
        if item.get_closest_marker("vcr") and Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.block_network(allowed_hosts=["(?!)"]))
    replayed = config.getoption("--replayed", None)
    if replayed is not None:
        items[:] = [item for item in items if _cassette_of(item) in replayed.split(",")]


def _cassette_of(item: pytest.Item) -> str:
    mark = item.get_closest_marker("default_cassette")
    return "" if mark is None else str(mark.args[0])


@pytest.fixture(scope="module")
def vcr_cassette_dir(request: pytest.FixtureRequest) -> str:
    """
    One folder for all: file names are said by the tests, and tests may share them.
    """
    folder: Path = request.config.getoption("--cassettes", None) or Path(__file__).parent
    return str(folder / "cassettes")


@pytest.fixture
def vcr_config(vcr_config: dict[str, Any]) -> dict[str, Any]:
    """
    A request plays only what was recorded for the same body and the same token.
    """
    everything = ["method", "scheme", "host", "port", "path", "query", "raw_body", "credentials"]
    return {**vcr_config, "match_on": everything}


def pytest_recording_configure(config: pytest.Config, vcr: Any) -> None:
    """
    Teach vcrpy to compare credentials.
    """
    vcr.register_matcher("credentials", _same_credentials)


def _same_credentials(live: Any, recorded: Any) -> None:
    scheme, _, value = (live.headers.get("authorization") or "").partition(" ")
    expected = recorded.headers.get("authorization") or ""
    assert expected in {f"{scheme} {value}", f"{scheme} scrubbed"}


@attrs.frozen
class Caller:
    """
    Runs one and the same story on the sync functions, on asyncio or on trio.
    """

    backend: str
    client: SignicatClient

    async def call(self, operation: ModuleType, *arguments: Any, **named: Any) -> Any:
        """
        What the operation returns.
        """
        if self.backend == "sync":
            return operation.sync(*arguments, client=self.client, **named)
        return await operation.asyncio(*arguments, client=self.client, **named)

    def run(self, story: Callable[["Caller"], Coroutine[Any, Any, _T]]) -> _T:
        """
        What *story* returns.
        """
        if self.backend != "sync":
            return anyio.run(self._entered, story, backend=self.backend)
        try:
            story(self).send(None)  # it awaits nothing that would wait
        except StopIteration as end:
            result: _T = end.value
            return result
        raise AssertionError("a sync story has waited")

    async def _entered(self, story: Callable[["Caller"], Awaitable[_T]]) -> _T:
        async with self.client:
            return await story(self)


@pytest.fixture(params=["sync", "asyncio", "trio"])
def caller(request: pytest.FixtureRequest, signicat_client: SignicatClient) -> Caller:
    """
    Each way to call, in turn.
    """
    return Caller(request.param, signicat_client)


@pytest.fixture
def sandbox(request: pytest.FixtureRequest, record_mode: str) -> Sandbox | None:
    """
    The sandbox while it is recorded from; None while a cassette is replayed.

    Tests that ask for it do what no account allows: they are not recorded at one.
    """
    if record_mode == "none":
        return None
    if request.config.getoption("--signicat-account"):
        pytest.skip("recorded from the sandbox only: it needs the signer's or the server's hands")
    running: Sandbox = request.getfixturevalue("signicat_sandbox")
    return running


@pytest.fixture(autouse=True)
def _steady_clock(request: pytest.FixtureRequest, record_mode: str) -> None:
    if record_mode != "none" and not request.config.getoption("--signicat-account"):
        request.getfixturevalue("signicat_sandbox").control("POST", "/clock", to=RECORDED_AT)


@pytest.fixture(autouse=True)
def _all_played(request: pytest.FixtureRequest, record_mode: str) -> Iterator[None]:
    """
    A replay uses every recorded answer, each once: no request too few, none too many.
    """
    yield
    cassette = request.getfixturevalue("vcr")
    if cassette is not None and record_mode == "none":
        assert cassette.all_played
        assert len(cassette) == cassette.play_count
