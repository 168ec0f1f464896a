"""
The plugin in whole pytest runs: real test files, real servers.
"""

import subprocess
import sys
from pathlib import Path

import pytest
import vcr.stubs.httpx_stubs  # type: ignore[import-untyped]
import vcr.unittest  # type: ignore[import-untyped]  # noqa: F401

# Loaded before pytester notes what is loaded: it would throw it away after each inner run, and
# some of it can be loaded only once.
from auth_ext.testing import leaks
from tests.plugin.helpers import indiscreet_service

pytest_plugins = "pytester"

LISTED = """
    import pytest
    from auth_ext import SignicatClient
    from generated_client.api.signature import list_document_summaries


    def listed(client):
        return list_document_summaries.sync(client=client).data
"""
REPLAYABLE = f"""{LISTED}
    @pytest.mark.vcr
    def test_it(signicat_client):
        assert [] == listed(signicat_client)
"""


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Whatever this shell has set.
    """
    for name in ("CLIENT_ID", "CLIENT_SECRET", "BASE_URL", "TOKEN_URL", "SCOPES", "TOKEN_STORE"):
        monkeypatch.delenv(f"SIGNICAT_{name}", raising=False)


def run(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    """
    A pytest run on the files that were made.
    """
    return pytester.runpytest_inprocess("-W", "error", "-p", "no:cacheprovider", *arguments)


def test_three_lines_test_an_application(pytester: pytest.Pytester) -> None:
    """
    A test that takes the fixtures talks to a sandbox.
    """
    pytester.makepyfile(f"""{LISTED}
    def test_it(signicat_client, signicat_sandbox):
        assert [] == listed(signicat_client)
        assert {{"list_document_summaries": 1}} == dict(signicat_sandbox.requests.by_operation)
    """)

    run(pytester).assert_outcomes(passed=1)


def test_each_test_finds_the_sandbox_as_new(pytester: pytest.Pytester) -> None:
    """
    One server serves the session; nothing of one test is left for the next.
    """
    pytester.makepyfile("""
    import pytest

    urls = set()

    @pytest.mark.parametrize("turn", [1, 2])
    def test_it(turn, signicat_sandbox, signicat_server, signicat_client):
        urls.add(signicat_server.url)
        assert 1 == len(urls)
        assert 0 == signicat_sandbox.requests.token
        assert [] == signicat_sandbox.control("GET", "/faults")
        signicat_sandbox.misbehave("unauthorized")
        signicat_client.get_token("event")
    """)

    run(pytester).assert_outcomes(passed=2)


def test_a_developers_own_account_is_out_of_reach(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    SIGNICAT_* and proxy variables of the shell lead nowhere, and are there again afterwards.
    """
    for name in ("CLIENT_ID", "CLIENT_SECRET", "SCOPES"):
        monkeypatch.setenv(f"SIGNICAT_{name}", "real")
    monkeypatch.setenv("SIGNICAT_BASE_URL", "https://real.invalid")
    monkeypatch.setenv("SIGNICAT_TOKEN_STORE", "file:/nowhere")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    pytester.makepyfile(f"""{LISTED}
    import os

    def test_client(signicat_client):
        assert [] == listed(signicat_client)

    def test_own_client(signicat_environment):
        assert signicat_environment == {{k: v for k, v in os.environ.items() if "SIGNICAT_" in k}}
        with SignicatClient() as client:
            assert [] == listed(client)

    def test_without():
        assert "real" == os.environ["SIGNICAT_CLIENT_ID"]
    """)

    run(pytester).assert_outcomes(passed=3)


def test_async_tests_enter_the_client(pytester: pytest.Pytester) -> None:
    """
    The one client serves asyncio and trio too, and leaves nothing open.
    """
    pytester.makepyfile("""
    import pytest
    from generated_client.api.signature import list_document_summaries

    @pytest.mark.anyio
    @pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
    async def test_it(signicat_client, anyio_backend):
        async with signicat_client:
            page = await list_document_summaries.asyncio(client=signicat_client)
        assert [] == page.data
    """)

    run(pytester).assert_outcomes(passed=2)


def test_a_blocked_network_leaves_the_sandbox_open_and_nothing_else(
    pytester: pytest.Pytester,
) -> None:
    """
    Under --block-network loopback is open for tests with the sandbox only.
    """
    pytester.makepyfile(f"""{LISTED}
    import socket

    def connect(host):
        with socket.socket() as line:
            line.connect((host, 9))

    def test_sandbox(signicat_client):
        assert [] == listed(signicat_client)
        with pytest.raises(RuntimeError, match="Network is disabled"):
            connect("192.0.2.1")
        with pytest.raises(RuntimeError, match="Network is disabled"):
            connect("127.0.0.100")

    def test_without():
        with pytest.raises(RuntimeError, match="Network is disabled"):
            connect("127.0.0.1")
    """)

    run(pytester, "--block-network").assert_outcomes(passed=2)


def test_a_replay_may_not_even_reach_this_machine(pytester: pytest.Pytester) -> None:
    """
    Under --block-network a test that replays has no sandbox, and loopback stays shut.
    """
    pytester.makepyfile("""
    import socket, pytest

    @pytest.mark.vcr
    def test_it(signicat_client):
        with socket.socket() as line, pytest.raises(RuntimeError, match="Network is disabled"):
            line.connect(("127.0.0.1", 9))
    """)

    run(pytester, "--block-network").assert_outcomes(passed=1)


def test_hosts_that_a_project_allows_stay_allowed(pytester: pytest.Pytester) -> None:
    """
    The plugin adds this machine to a project's allowed hosts.
    """
    pytester.makepyfile("""
    def test_it(signicat_sandbox, allowed_hosts):
        assert "mine" == allowed_hosts[0]
        assert 1 < len(allowed_hosts)

    def test_without(allowed_hosts):
        assert ["mine"] == allowed_hosts
    """)

    run(pytester, "--allowed-hosts=mine").assert_outcomes(passed=2)


def test_a_cassette_is_recorded_from_the_sandbox_and_replayed_without_it(
    pytester: pytest.Pytester,
) -> None:
    """
    Recorded with --record-mode, replayed with the network blocked and no sandbox running.
    """
    pytester.makepyfile(test_app=REPLAYABLE)

    run(pytester, "--record-mode=once").assert_outcomes(passed=1)
    cassette = pytester.path / "cassettes" / "test_app" / "test_it.yaml"
    text = cassette.read_text()
    result = run(pytester, "--block-network", "--setup-show")

    result.assert_outcomes(passed=1)
    assert "signicat_server" not in result.stdout.str()
    assert [] == leaks(cassette)
    assert text.startswith("about:\n  origin: sandbox\n  recorded: '20")
    assert "https://api.signicat.io/signature/documents/summary" in text
    assert "127.0.0.1" not in text


def test_a_projects_own_vcr_config_wins_and_loses_no_scrubbing(pytester: pytest.Pytester) -> None:
    """
    Whatever a conftest says of vcr_config, a cassette is scrubbed.
    """
    pytester.makeconftest("""
    import pytest

    @pytest.fixture
    def vcr_config():
        return {"record_mode": "once", "before_record_request": lambda request: request}
    """)
    pytester.makepyfile(test_app=REPLAYABLE)

    run(pytester).assert_outcomes(passed=1)

    assert [] == leaks(pytester.path / "cassettes")


def test_a_vcr_config_from_another_plugin_is_extended(pytester: pytest.Pytester) -> None:
    """
    Settings of a plugin that the project uses stay, its own hooks too.
    """
    pytester.makepyfile(
        company="""
    import pytest

    def mark(request):
        request.headers["x-company"] = "here"
        return request

    @pytest.fixture
    def vcr_config():
        return {"record_mode": "once", "before_record_request": [mark]}
    """
    )
    pytester.makepyfile(test_app=REPLAYABLE)
    pytester.makeconftest("pytest_plugins = ['company']")
    pytester.syspathinsert()

    run(pytester).assert_outcomes(passed=1)

    text = (pytester.path / "cassettes" / "test_app" / "test_it.yaml").read_text()
    assert "x-company" in text
    assert [] == leaks(pytester.path / "cassettes")


def test_a_single_hook_of_another_plugin_stays_too(pytester: pytest.Pytester) -> None:
    """
    Vcrpy takes one hook or several; so does the fixture that is put over it.
    """
    pytester.makepyfile(
        company="""
    import pytest

    @pytest.fixture
    def vcr_config():
        return {"before_record_request": print}
    """
    )
    pytester.makepyfile("""
    def test_it(vcr_config):
        assert print is vcr_config["before_record_request"][0]
        assert 2 == len(vcr_config["before_record_request"])
    """)
    pytester.makeconftest("pytest_plugins = ['company']")
    pytester.syspathinsert()

    run(pytester).assert_outcomes(passed=1)


def test_cassettes_of_other_services_are_not_touched(pytester: pytest.Pytester) -> None:
    """
    Requests to other services are written byte for byte as they are without the plugin.
    """
    with indiscreet_service() as url:
        pytester.makepyfile(
            test_app=f"""
        import httpx, pytest

        @pytest.mark.vcr
        def test_it():
            httpx.get("{url}/people?email=a@b.no", headers={{"Authorization": "Bearer mine"}})
        """
        )
        cassette = pytester.path / "cassettes" / "test_app" / "test_it.yaml"
        texts = []
        for more in ((), ("-p", "no:signicat")):
            run(pytester, "--record-mode=rewrite", *more).assert_outcomes(passed=1)
            lines = cassette.read_text().splitlines()
            texts.append([line for line in lines if "GMT" not in line])

    assert "Bearer mine" in "\n".join(texts[0])
    assert texts[1] == texts[0]


@pytest.mark.parametrize("where", ["mark", "settings"])
def test_a_record_mode_may_be_said_by_the_mark_or_the_settings(
    pytester: pytest.Pytester, where: str
) -> None:
    """
    The client goes where the effective record mode wants it.
    """
    mode = 'record_mode="once"' if where == "mark" else ""
    config = "{}" if where == "mark" else '{"record_mode": "once"}'
    pytester.makepyfile(f"""{LISTED}
    @pytest.fixture
    def vcr_config(vcr_config):
        return {{**vcr_config, **{config}}}

    @pytest.mark.vcr({mode})
    def test_it(signicat_client, signicat_sandbox):
        assert [] == listed(signicat_client)
        assert 1 == signicat_sandbox.requests.api
    """)

    run(pytester).assert_outcomes(passed=1)


def test_with_recording_disabled_a_vcr_test_uses_the_sandbox(pytester: pytest.Pytester) -> None:
    """
    --disable-recording makes of a cassette's test one of the sandbox.
    """
    pytester.makepyfile(REPLAYABLE)

    run(pytester, "--disable-recording").assert_outcomes(passed=1)


def test_an_account_is_used_only_when_asked_for(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    --signicat-account records at what SIGNICAT_* name, with a store of its own.
    """
    pytester.makepyfile("""
    import os, pytest

    @pytest.mark.vcr
    def test_it(signicat_environment):
        assert "mine" == os.environ["SIGNICAT_CLIENT_ID"]
        assert "memory" == os.environ["SIGNICAT_TOKEN_STORE"]
    """)
    monkeypatch.setenv("SIGNICAT_CLIENT_ID", "mine")
    monkeypatch.setenv("SIGNICAT_CLIENT_SECRET", "secret")
    monkeypatch.setenv("SIGNICAT_TOKEN_STORE", "file:/nowhere")

    run(pytester, "--record-mode=all", "--signicat-account").assert_outcomes(passed=1)
    run(pytester, "--record-mode=all").assert_outcomes(failed=1)


def test_an_account_without_credentials_is_a_usage_error(pytester: pytest.Pytester) -> None:
    """
    --signicat-account with nothing set says what to set.
    """
    pytester.makepyfile(REPLAYABLE)

    result = run(pytester, "--record-mode=all", "--signicat-account")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*needs SIGNICAT_CLIENT_ID and SIGNICAT_CLIENT_SECRET to be set*"])


def test_without_the_extra_only_tests_that_need_it_fail(pytester: pytest.Pytester) -> None:
    """
    A missing library fails the test that uses a fixture, in one line that says what to install.
    """
    pytester.makeconftest("""
    import sys

    sys.modules["flask"] = None
    for name in [name for name in sys.modules if name.startswith("auth_ext.sandbox")]:
        del sys.modules[name]
    """)
    pytester.makepyfile("""
    def test_with(signicat_sandbox):
        pass

    def test_without():
        pass
    """)

    result = run(pytester)

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*pip install 'signicat-express-client*testing*no module*flask*"])
    assert "Traceback" not in result.stdout.str()


def test_without_pytest_recording_the_sandbox_works(pytester: pytest.Pytester) -> None:
    """
    The sandbox's fixtures need nothing of pytest-recording; there is no vcr_config then.
    """
    pytester.makepyfile(f"""{LISTED}
    def test_it(signicat_client):
        assert [] == listed(signicat_client)

    def test_none(request):
        with pytest.raises(pytest.FixtureLookupError):
            request.getfixturevalue("vcr_config")
    """)

    run(pytester, "-p", "no:recording").assert_outcomes(passed=2)


def test_workers_have_a_sandbox_each(pytester: pytest.Pytester) -> None:
    """
    With pytest-xdist each worker resets its own sandbox only.
    """
    pytest.importorskip("xdist", reason="pytest-xdist is not installed")
    pytester.makepyfile("""
    import pytest
    from auth_ext.sandbox import examples

    @pytest.mark.parametrize("turn", range(6))
    def test_it(turn, signicat_client, signicat_sandbox):
        example = examples.request("create_document", everything=False)
        for number in range(3):
            body = {**example.json, "externalId": f"number-{number}"}
            answer = signicat_client.get_httpx_client().post(example.path, json=body)
            assert 200 == answer.status_code
        assert {"create_document": 3} == dict(signicat_sandbox.requests.by_operation)
    """)

    result = pytester.runpytest_subprocess("-n", "2", "-p", "no:cacheprovider")

    result.assert_outcomes(passed=6)


def test_loading_the_plugin_imports_nothing_heavy() -> None:
    """
    Every pytest run of an environment loads it: it must bring in pytest and itself, no more.
    """
    code = """
import sys, pytest
before = set(sys.modules)
import auth_ext.pytest_plugin
print(*sorted(name.partition(".")[0] for name in set(sys.modules) - before))
"""
    loaded = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )

    assert {"auth_ext"} == set(loaded.stdout.split())
