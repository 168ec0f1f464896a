"""
The pytest plugin: the sandbox and cassettes for an application's own tests.

    def test_sends_the_contract(signicat_sandbox, signicat_environment):
        send_contract("contract.pdf")  # makes its own SignicatClient()
        assert signicat_sandbox.requests.by_operation == {"create_document": 1}

pytest loads it in every run where the package is installed. It therefore imports nothing but
pytest until one of its fixtures is used, and touches no test that uses none of them. Cassettes of
pytest-recording with requests to the service in them are scrubbed when they are written.

Needs the extra `testing`.
"""

import os
from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from auth_ext import SignicatClient
    from auth_ext.sandbox import Sandbox

LOOPBACK = (r"127\.0\.0\.1$", "::1$", "localhost$")
CREDENTIALS = ("SIGNICAT_CLIENT_ID", "SIGNICAT_CLIENT_SECRET")
# What stands for credentials when a cassette is replayed: nothing is sent.
REPLAYED = dict.fromkeys(CREDENTIALS, "replayed")

_SERVER = pytest.StashKey["Sandbox | None"]()
_WHOSE = pytest.StashKey[Any]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """
    Where cassettes are recorded, and how.
    """
    group = parser.getgroup("signicat")
    group.addoption(
        "--signicat-steady",
        action="store_true",
        help="Replace ids and moments in recorded cassettes too, so that recording them again"
        " gives small differences.",
    )
    group.addoption(
        "--signicat-account",
        action="store_true",
        help="Record cassettes at the account of SIGNICAT_CLIENT_ID and SIGNICAT_CLIENT_SECRET,"
        " not at the sandbox. It creates real documents there.",
    )


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """
    Put our fixtures over those of pytest-recording, and under everybody else's.
    """
    if config.pluginmanager.has_plugin("recording"):
        config.pluginmanager.register(_WithRecording(), "signicat-recording")


@pytest.fixture(scope="session")
def signicat_server(pytestconfig: pytest.Config) -> "Iterator[Sandbox]":
    """
    A running sandbox for the whole session (with pytest-xdist: one for each worker).

    For fixtures of a wide scope that need its URL; tests use `signicat_sandbox`.
    """
    with _needed("auth_ext.sandbox", "Sandbox")() as sandbox:
        pytestconfig.stash[_SERVER] = sandbox
        yield sandbox
        pytestconfig.stash[_SERVER] = None


@pytest.fixture
def signicat_sandbox(signicat_server: "Sandbox") -> "Sandbox":
    """
    The sandbox, as new: no documents, tokens, faults or counted requests.
    """
    signicat_server.reset()
    return signicat_server


@pytest.fixture
def signicat_environment(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """
    SIGNICAT_* variables that lead to the sandbox; all others of that name are gone.

    A `SignicatClient()` that the application makes by itself is then one of the sandbox's. In a
    test that replays a cassette they lead nowhere; in one that records, to the sandbox, or with
    `--signicat-account` to the account they named before.
    """
    variables = _variables(request)
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("SIGNICAT_")]:
            patch.delenv(name)
        for name, value in variables.items():
            patch.setenv(name, value)
        for name in ("NO_PROXY", "no_proxy"):
            # The sandbox is on this machine, whatever a developer's proxy settings say.
            patch.setenv(name, ",".join(filter(None, [os.environ.get(name), "127.0.0.1"])))
        yield variables


@pytest.fixture
def signicat_client(
    signicat_environment: dict[str, str],  # noqa: ARG001 - asked for what it sets
) -> "Iterator[SignicatClient]":
    """
    A `SignicatClient` for the sandbox, or for the cassette of a test marked `vcr`.

    Closed at the end. An async test enters it: `async with signicat_client:`.
    """
    with _needed("auth_ext", "SignicatClient")() as client:
        yield client


@pytest.hookimpl(optionalhook=True, trylast=True)
def pytest_recording_configure(config: pytest.Config, vcr: Any) -> None:
    """
    Have pytest-recording write cassettes without secrets, whatever `vcr_config` says.
    """
    from auth_ext.testing._cassettes import scrub

    whose = config.stash.get(_WHOSE, None) or _whose(config)
    config.stash[_WHOSE] = None
    scrub(vcr, whose=whose, steady=config.getoption("--signicat-steady"))


class _WithRecording:
    """
    Fixtures of pytest-recording, extended. A conftest's own ones lie over these.
    """

    @pytest.fixture
    def vcr_config(self, vcr_config: dict[str, Any], pytestconfig: pytest.Config) -> dict[str, Any]:
        """
        Settings of vcrpy: requests to the sandbox are compared as requests to the service.

        Scrubbing does not depend on it: cassettes are scrubbed when they are written.
        """
        from auth_ext.testing._cassettes import matching

        whose = pytestconfig.stash[_WHOSE] = _whose(pytestconfig)
        before = vcr_config.get("before_record_request") or ()
        before = (before,) if callable(before) else tuple(before)
        return {**vcr_config, "before_record_request": (*before, matching(whose))}

    @pytest.fixture
    def allowed_hosts(
        self, request: pytest.FixtureRequest, allowed_hosts: list[str] | None
    ) -> list[str] | None:
        """
        Hosts that `--block-network` leaves open: this machine too, for tests with the sandbox.
        """
        asked = {"signicat_server", "signicat_sandbox"} & set(request.fixturenames)
        through = {"signicat_environment", "signicat_client"} & set(request.fixturenames)
        if asked or (through and not _replays(request)):
            return [*(allowed_hosts or ()), *LOOPBACK]
        return allowed_hosts


def _variables(request: pytest.FixtureRequest) -> dict[str, str]:
    """
    The SIGNICAT_* variables for the service that a test is to talk to.
    """
    if _replays(request):
        return dict(REPLAYED)
    if _is_recorded(request) and request.config.getoption("--signicat-account"):
        return _account(os.environ)
    sandbox: Sandbox = request.getfixturevalue("signicat_sandbox")
    return sandbox.environment


def _account(environment: Any) -> dict[str, str]:
    """
    The account's variables. A token kept from before would leave no token request to record.
    """
    missing = [name for name in CREDENTIALS if not environment.get(name)]
    if missing:
        raise pytest.UsageError(f"--signicat-account needs {' and '.join(missing)} to be set")
    given = {name: value for name, value in environment.items() if name.startswith("SIGNICAT_")}
    return {**given, "SIGNICAT_TOKEN_STORE": "memory"}


def _is_recorded(request: pytest.FixtureRequest) -> bool:
    """
    Whether the test has a cassette, to record or to replay.
    """
    config = request.config
    marked = request.node.get_closest_marker("vcr") is not None
    recording = config.pluginmanager.has_plugin("recording")
    return marked and recording and not config.getoption("--disable-recording")


def _replays(request: pytest.FixtureRequest) -> bool:
    """
    Whether the test replays a cassette and may send nothing.
    """
    if not _is_recorded(request):
        return False
    mode = request.config.getoption("--record-mode")
    if mode is None:
        # As pytest-recording has it: the closest mark, then the settings.
        marks = [mark.kwargs for mark in request.node.iter_markers("vcr")]
        settings = [*marks, request.getfixturevalue("vcr_config")]
        mode = next((one["record_mode"] for one in settings if "record_mode" in one), "none")
    return str(getattr(mode, "value", mode)) == "none"


def _whose(config: pytest.Config) -> Any:
    from auth_ext.testing._origin import Whose

    def urls() -> list[str]:
        server = config.stash.get(_SERVER, None)
        return [] if server is None else [server.url]

    return Whose(more=urls)


def _needed(module: str, name: str) -> Any:
    """
    Something that needs the extra; without it the test fails, with one line that says so.
    """
    try:
        return getattr(import_module(module), name)
    except ModuleNotFoundError as error:
        pytest.fail(
            f"signicat_* fixtures need the extra: pip install 'signicat-express-client[testing]'"
            f" (there is no module {error.name})",
            pytrace=False,
        )
