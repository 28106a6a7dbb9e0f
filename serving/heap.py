"""The C library's heap, told to give large blocks back.

A session's cache and each reply's copy of it are blocks of megabytes. glibc takes such blocks from its heap once some
have been freed (its threshold for mapping them apart follows them up to 32 MB), so that a process which opens and
closes sessions all day keeps the holes between them: an hour's soak grew by 49 MB [31, 67] that way.
"""

from __future__ import annotations

import ctypes
from typing import Final

MMAP_THRESHOLD: Final = -3  # names of mallopt(3)
ARENA_MAX: Final = -8
MAPPED_BYTES: Final = 1024 * 1024
ARENAS: Final = 2


def settle() -> bool:
    """Map blocks from MAPPED_BYTES on apart, and use ARENAS heaps at most -> whether this C library was told so."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return all(mallopt(name, value) == 1 for name, value in ((MMAP_THRESHOLD, MAPPED_BYTES), (ARENA_MAX, ARENAS)))
