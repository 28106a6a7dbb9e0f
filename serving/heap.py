"""The C library's heap, told to give back what nobody uses.

A session's cache and each reply's copy of it are blocks of megabytes. glibc takes such blocks from its heap once some
have been freed (its threshold for mapping them apart follows them up to 32 MB), so that a process which opens and
closes sessions all day keeps the holes between them. Smaller holes are left by the encoders, whose every call has
tensors of another length; glibc gives back the heap's end by itself, never its middle. To trim it takes 2 to 8 ms.

NumPy asks for huge pages where an array has 4 MB and more (`NUMPY_MADVISE_HUGEPAGE`), and the heap keeps that mark
once the array is gone: the kernel then fills holes that were given back, 2 MB at a time, whenever it comes by. It is
told not to.

A session that has ended is a ring of objects (socket, reader, outbox), which only Python's collector frees. It looks at
its oldest generation once a quarter as many objects wait as have lasted; a model and its libraries are 300,000, so dead
sessions would wait by the hundred. What lasts is therefore frozen, and the rest collected before each trim.
"""

from __future__ import annotations

import ctypes
import gc
import threading
from typing import Final

MMAP_THRESHOLD: Final = -3  # names of mallopt(3)
ARENA_MAX: Final = -8
PR_SET_THP_DISABLE: Final = 41  # of prctl(2)
MAPPED_BYTES: Final = 1024 * 1024
ARENAS: Final = 2
TRIM_S: Final = 20.0

_started = threading.Lock()


def settle(trim_s: float = TRIM_S, mapped_bytes: int = MAPPED_BYTES) -> bool:
    """Map blocks from `mapped_bytes` on apart, use ARENAS heaps at most, no huge pages, and collect and trim every
    `trim_s`.

    From the first call on a thread does it -> whether this C library was told so.
    """
    library = ctypes.CDLL(None)
    mallopt, trim = getattr(library, "mallopt", None), getattr(library, "malloc_trim", None)
    if mallopt is None or trim is None:
        return False
    if not all(mallopt(name, value) == 1 for name, value in ((MMAP_THRESHOLD, mapped_bytes), (ARENA_MAX, ARENAS))):
        return False
    if prctl := getattr(library, "prctl", None):
        prctl(PR_SET_THP_DISABLE, *(ctypes.c_ulong(value) for value in (1, 0, 0, 0)))
    if _started.acquire(blocking=False):
        threading.Thread(target=_trim, args=(trim, trim_s), name="heap", daemon=True).start()
    return True


def lasting() -> None:
    """What there is now lasts: the collector passes over it, until this is called again (0.2 s with a model)."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def _trim(trim: ctypes._NamedFuncPointer, every_s: float) -> None:
    never = threading.Event()
    while not never.wait(every_s):
        gc.collect()
        trim(0)
