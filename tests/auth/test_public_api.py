import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import auth_ext
import auth_ext.stores

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("module", [auth_ext, auth_ext.stores])
def test_all_is_sorted_and_importable(module: object) -> None:
    """
    Whatever is named is there, once.
    """
    names: list[str] = module.__all__  # type: ignore[attr-defined]

    assert sorted(set(names)) == names
    for name in names:
        assert getattr(module, name) is not None
    assert set(names) <= set(dir(module))


def test_what_is_public_is_in_all() -> None:
    """
    No public class hides in errors, and nothing public is in the package besides its modules.
    """
    import auth_ext.errors as errors

    in_errors = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and value.__module__ == errors.__name__ and name[0] != "_"
    }
    assert in_errors <= set(auth_ext.__all__)
    public = {name for name in vars(auth_ext) if name.isidentifier() and name[0] != "_"}
    modules = {name for name in public if f"auth_ext.{name}" in sys.modules}
    assert public - modules - {"Any", "TYPE_CHECKING"} <= set(auth_ext.__all__)


def test_modules_are_there_without_importing_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    `auth_ext.errors` works after a plain `import auth_ext`.
    """
    for name in ("errors", "stores"):
        monkeypatch.delattr(auth_ext, name)
        assert sys.modules[f"auth_ext.{name}"] is getattr(auth_ext, name)


def test_unknown_names_are_attribute_errors() -> None:
    """
    As in any module.
    """
    for module in ("auth_ext", "auth_ext.stores"):
        with pytest.raises(AttributeError, match=f"module '{module}' has no attribute 'nothing'"):
            assert import_module(module).nothing


def test_everything_public_has_a_docstring() -> None:
    """
    One sentence first.
    """
    for name in set(auth_ext.__all__) - {"__version__"}:
        text = getattr(auth_ext, name).__doc__
        assert text, name
        assert text.strip().split("\n\n")[0].endswith((".", ":")), name


WITHOUT_GENERATED_CLIENT = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"generated_client", "redis", "filelock", "platformdirs"}:
            raise ImportError(f"{name} is blocked")

sys.meta_path.insert(0, Blocker())
import httpx
from auth_ext import AccessToken, AuthError, MemoryTokenStore, OAuth2ClientCredentials, TokenEvent
import auth_ext.errors

def endpoint(request):
    return httpx.Response(200, json={"access_token": "t", "expires_in": 3600})

auth = OAuth2ClientCredentials(
    "id", "secret", scopes="event", httpx_args={"transport": httpx.MockTransport(endpoint)}
)
api = httpx.MockTransport(lambda request: httpx.Response(200, json=dict(request.headers)))
with httpx.Client(auth=auth, transport=api) as client:
    assert client.get("https://api.signicat.io/x").json()["authorization"] == "Bearer t"
"""

NOTHING_HEAVY = """
import sys
import auth_ext
heavy = {"httpx", "attrs", "generated_client", "redis", "trio", "asyncio"} & set(sys.modules)
assert not heavy, heavy
from auth_ext import OAuth2ClientCredentials
heavy = {"generated_client", "redis", "trio", "filelock"} & set(sys.modules)
assert not heavy, heavy
"""


@pytest.mark.parametrize("program", [WITHOUT_GENERATED_CLIENT, NOTHING_HEAVY])
def test_the_auth_half_needs_nothing_else(program: str) -> None:
    """
    It works without generated code and without the libraries of the other stores.
    """
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        timeout=60,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (0, "") == (done.returncode, done.stderr)
