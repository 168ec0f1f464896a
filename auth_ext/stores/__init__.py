"""
Places to keep tokens: in memory, in a folder of files, in Redis; `TokenStore` is what they share.

Imported on first use (PEP 562): only what you use costs time or needs its library installed.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from auth_ext.stores._memory import MemoryTokenStore
from auth_ext.stores._protocol import TokenStore

if TYPE_CHECKING:
    from auth_ext.stores._file import FileTokenStore
    from auth_ext.stores._redis import RedisTokenStore

__all__ = ["FileTokenStore", "MemoryTokenStore", "RedisTokenStore", "TokenStore"]

_LATER = {
    "FileTokenStore": "auth_ext.stores._file",
    "RedisTokenStore": "auth_ext.stores._redis",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_LATER[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
