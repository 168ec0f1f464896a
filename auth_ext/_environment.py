"""
What the environment says about where tokens are kept.
"""

from auth_ext.errors import ConfigurationError
from auth_ext.stores import MemoryTokenStore, TokenStore


def store_named(name: str) -> TokenStore:
    """
    The store that a value of SIGNICAT_TOKEN_STORE means.

    Args:
        name: `memory`, `file`, `file:PATH`, or a Redis URL (`redis://`, `rediss://`, `unix://`).

    Raises:
        ConfigurationError: It is none of these. The text never quotes a URL, which may hold a
            password.
    """
    kind, colon, rest = name.strip().partition(":")
    if kind == "memory" and not rest:
        return MemoryTokenStore()
    if kind == "file" and (rest or not colon):
        from auth_ext.stores import FileTokenStore

        return FileTokenStore(rest or None)
    if kind in {"redis", "rediss", "unix"} and rest.startswith("//"):
        from auth_ext.stores import RedisTokenStore

        return RedisTokenStore(name.strip())
    raise ConfigurationError(
        "SIGNICAT_TOKEN_STORE must be memory, file, file:PATH or a URL that starts with redis://,"
        f" rediss:// or unix:// (it starts with {kind[:10]!r})"
    )
