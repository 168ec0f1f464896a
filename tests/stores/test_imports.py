"""
Stores cost nothing until they are used.
"""

import subprocess
import sys
from pathlib import Path

import pytest

import auth_ext
from auth_ext import ConfigurationError, RedisTokenStore, stores


def _python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30
    )
    return done.stdout.strip()


def test_importing_the_package_loads_no_store_library() -> None:
    """
    `import auth_ext` imports none of redis, filelock and platformdirs.
    """
    code = (
        "import sys, auth_ext, auth_ext.stores;"
        "print({'redis', 'filelock', 'platformdirs'} & set(sys.modules) or 'none')"
    )

    assert "none" == _python(code)


def test_reading_a_token_file_loads_no_lock_library(tmp_path: Path) -> None:
    """
    A process that finds its token in a file imports neither redis nor filelock.
    """
    code = (
        "import sys; from auth_ext import FileTokenStore;"
        f"FileTokenStore({str(tmp_path)!r}).get('a');"
        "print({'redis', 'filelock', 'platformdirs'} & set(sys.modules) or 'none')"
    )

    assert "none" == _python(code)


def test_all_names_are_there() -> None:
    """
    Every public name can be had and is listed, whatever is installed.
    """
    code = "import sys; sys.modules['redis'] = None; from auth_ext.stores import *; print('fine')"

    assert "fine" == _python(code)
    assert set(stores.__all__) <= set(dir(stores))
    assert auth_ext.FileTokenStore is stores.FileTokenStore


def test_an_unknown_name() -> None:
    """
    A name that is not there is an AttributeError as in any module.
    """
    with pytest.raises(AttributeError, match="no attribute 'SqlTokenStore'"):
        stores.SqlTokenStore  # noqa: B018


def test_redis_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Without redis-py there is one line that says what to run.
    """
    monkeypatch.setitem(sys.modules, "redis", None)

    with pytest.raises(ConfigurationError) as caught:
        RedisTokenStore("redis://127.0.0.1")

    assert 'Run: pip install "signicat-express-client[redis]"' in str(caught.value)
    assert "\n" not in str(caught.value)
