"""
Every code block of README.md and docs/*.md runs.
"""

import gc
import json
import re
import shlex
import tomllib
from importlib.metadata import entry_points
from pathlib import Path

import httpx
import pytest

from auth_ext import SignicatClient
from auth_ext.cli import main as signicat
from auth_ext.sandbox import Sandbox
from tests.docs.blocks import blocks

pytest_plugins = "pytester"

ROOT = Path(__file__).resolve().parents[2]
TESTING = ROOT / "docs" / "testing.md"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


@pytest.mark.parametrize("page", [page for page in PAGES if page != TESTING], ids=lambda p: p.name)
def test_python_blocks_run(page: Path, sandbox: Sandbox) -> None:
    """
    From top to bottom, in one namespace; whole programs, which test_examples.py runs, are current.
    """
    found = list(blocks(page, "python"))
    assert page.read_text("utf-8").count("```python") == len(found)
    namespace: dict[str, object] = {"__name__": page.stem}

    for block in found:
        if block.program is None:
            block.run(namespace)
        else:
            assert (ROOT / block.program).read_text("utf-8") == block.text

    for value in namespace.values():
        if isinstance(value, httpx.Client):
            value.close()
        elif isinstance(value, SignicatClient):
            value.get_httpx_client().close()
    namespace.clear()
    gc.collect()  # what a page leaves open is told now, as a failure of this page


def test_a_mistake_in_a_block_is_seen(tmp_path: Path) -> None:
    """
    A block that does not run fails, and the traceback names the page and the line.
    """
    page = tmp_path / "page.md"
    page.write_text('# A page\n\n```python title="x"\n\nnonsense\n```\n', "utf-8")
    (block,) = blocks(page, "python")

    with pytest.raises(NameError, match="nonsense") as caught:
        block.run({})

    assert (str(page), 5) == (str(caught.traceback[-1].path), caught.traceback[-1].lineno + 1)


# What the blocks of testing.md leave to the reader: imports, a fixture, an application.
READER = """
import os
import subprocess
import sys
import uuid

import pytest
from auth_ext import RateLimited
from generated_client.api.signature import list_document_summaries


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture(autouse=True)
def two_documents(request):
    # By another process: what this one sends would be recorded.
    if request.node.name == "test_lists_documents":
        sandbox = request.getfixturevalue("signicat_sandbox")
        code = "import test_blocks as t; [t.send_contract('x') for _ in 'ab']"
        environment = {**os.environ, **sandbox.environment, "PYTHONPATH": os.pathsep.join(sys.path)}
        subprocess.run([sys.executable, "-c", code], env=environment, check=True)


def send_contract(path):
    from auth_ext import SignicatClient
    with SignicatClient() as client:
        send(client, path)


def send(client, path):
    from auth_ext.sandbox import examples
    from generated_client.api.signature import create_document
    from generated_client.models import SignatureDocumentCreateOptions
    named = {**examples.body("create_document"), "externalId": f"reader-{uuid.uuid4()}"}
    body = SignatureDocumentCreateOptions.from_dict(named)
    return create_document.sync(client=client, body=body).document_id


def archive(client, document):
    from generated_client.api.signature import get_document_file
    from generated_client.models import GetDocumentFileFileFormat
    return get_document_file.sync(
        document, client=client, file_format=GetDocumentFileFileFormat.UNSIGNED
    ).payload.read()
"""


def test_the_blocks_of_the_page_on_testing_are_tests_that_pass(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    All of them in one file, with what they leave to the reader; cassettes are recorded first.
    """
    for name in ("CLIENT_ID", "CLIENT_SECRET", "BASE_URL", "TOKEN_URL", "TOKEN_STORE"):
        monkeypatch.delenv(f"SIGNICAT_{name}", raising=False)
    texts = [block.text for block in blocks(TESTING, "python")]
    assert 8 < len(texts)
    pytester.makeini("[pytest]\nmarkers =\n    vcr: recorded\n    anyio: async\n")
    pytester.mkdir("tests")
    source = READER + "\n\n".join(text.replace("    ...\n", "    pass\n") for text in texts)
    (pytester.path / "tests" / "test_blocks.py").write_text(source, "utf-8")
    installed = entry_points(group="pytest11", name="signicat")
    plugin = () if installed else ("-p", "auth_ext.pytest_plugin")
    count = len(re.findall(r"^(?:async )?def test_", source, re.MULTILINE))

    pytester.runpytest_inprocess(*plugin, "--record-mode=once", "-k", "vcr or documents or token")
    replayed = pytester.runpytest_inprocess(*plugin, "--block-network", "-W", "error")

    replayed.assert_outcomes(passed=count)


# Shell: what the first words of a line lead to. A line of none of these kinds fails.


def _sh_lines() -> list[tuple[str, str]]:
    return [
        (str(block), line)
        for page in PAGES
        for block in blocks(page, "sh")
        for line in block.text.replace("\\\n", " ").splitlines()
        if line.strip()
    ]


def _check_nox(words: list[str]) -> None:
    import noxfile

    sessions = [words[i + 1] for i, word in enumerate(words) if word == "-s"]
    assert sessions or "-l" in words
    assert all(callable(getattr(noxfile, name, None)) for name in sessions)


def _check_extras(words: list[str]) -> None:
    known = {PYPROJECT["project"]["name"], "nox"}
    for word in words:
        name, _, extras = word.partition("[")
        assert name in known
        assert set(filter(None, extras.rstrip("]").split(","))) <= set(
            PYPROJECT["project"]["optional-dependencies"]
        )


def _check_curl(words: list[str], sandbox: Sandbox) -> None:
    (address,) = (word for word in words if word.startswith("http://127.0.0.1"))
    path = address.partition("/_sandbox")[2]
    sandbox.control(words[words.index("-X") + 1], path, **json.loads(words[words.index("-d") + 1]))


def _check_variables(words: list[str]) -> None:
    known = {"CLIENT_ID", "CLIENT_SECRET", "SCOPES", "BASE_URL", "TOKEN_URL", "TOKEN_STORE"}
    assert {word.partition("=")[0] for word in words} <= {f"SIGNICAT_{name}" for name in known}


def _check_signicat(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == signicat(words), capsys.readouterr()


@pytest.mark.parametrize(("where", "line"), _sh_lines())
def test_shell_lines_are_right(
    where: str,
    line: str,
    sandbox: Sandbox,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """
    Commands of ours run; sessions, extras, variables and programs that are named exist.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SIGNICAT_TOKEN_STORE", f"file:{tmp_path / 'tokens'}")
    for command in line.split("&&"):
        match shlex.split(command, comments=True):
            case ["signicat", *words]:
                _check_signicat(words, capsys)
            case ["python", "-m", "nox", *words]:
                _check_nox(words)
            case ["python", "-m", "pip", "install", *words] | ["pip", "install", *words]:
                _check_extras(words)
            case ["export", *words]:
                _check_variables(words)
            case ["curl", *words]:
                _check_curl(words, sandbox)
            case ["python", "-m", "auth_ext.sandbox"]:
                assert (ROOT / "auth_ext" / "sandbox" / "__main__.py").exists()
            case ["pytest", *words]:
                options = {"--record-mode=once", "--signicat-account", "--block-network"}
                assert set(words) <= options
            case other:
                pytest.fail(f"{where}: nobody knows how to check {other}")
