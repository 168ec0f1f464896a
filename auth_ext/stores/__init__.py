"""
Places to keep tokens: in memory, in a folder of files, in Redis; `TokenStore` is what they share.

Imported on first use: only what you use needs its library to be installed.
"""

from auth_ext.stores._memory import MemoryTokenStore
from auth_ext.stores._protocol import TokenStore

__all__ = ["MemoryTokenStore", "TokenStore"]
