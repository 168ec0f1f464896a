import sys
from pathlib import Path

import pytest

from auth_ext import ConfigurationError, FileTokenStore, MemoryTokenStore, RedisTokenStore
from auth_ext._environment import store_named


def test_memory() -> None:
    """
    A store of its own each time.
    """
    assert MemoryTokenStore is type(store_named(" memory "))
    assert store_named("memory") is not store_named("memory")


@pytest.mark.skipif(sys.platform == "win32", reason="folders have no mode there")
def test_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    With a path, colons included, or in the user's cache folder.
    """
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    assert FileTokenStore is type(store_named("file"))
    assert FileTokenStore is type(store_named(f"file:{tmp_path / 'a:b'}"))
    assert "a:b" in repr(store_named(f"file:{tmp_path / 'a:b'}"))


@pytest.mark.parametrize(
    "url", ["redis://localhost:1/0", "rediss://localhost:1/0", "unix:///nowhere/redis.sock"]
)
def test_redis(url: str) -> None:
    """
    The URLs that redis-py takes; nothing is connected yet.
    """
    assert RedisTokenStore is type(store_named(url))


@pytest.mark.parametrize(
    "name",
    [
        "",
        "memory:x",
        "disk",
        "redis",
        "redis:host",
        "file:",
        "http://h",
        "Memory",
        "s3cr3t-pa55word",
    ],
)
def test_anything_else_is_refused(name: str) -> None:
    """
    The text lists what there is and shows ten characters at most.
    """
    with pytest.raises(
        ConfigurationError,
        match=r"SIGNICAT_TOKEN_STORE must be memory, file, file:PATH or a URL",
    ) as caught:
        store_named(name)

    assert "pa55word" not in str(caught.value)
