"""Tell the C library to give memory back: a worker lives for weeks and allocates in bursts."""

import ctypes

_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8  # of glibc's mallopt
_ARENAS = 2
_LARGE_BYTES = 256 * 1024


def give_memory_back() -> bool:
    """Keep large arrays out of the heap and threads in few arenas; say whether that is possible.

    By itself glibc raises the size from which it maps memory (and gives it back) to 32 MiB as soon
    as large arrays come and go, and keeps up to eight arenas a core. Other C libraries have no such
    knobs, and nothing is done.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)) and bool(mallopt(_M_ARENA_MAX, _ARENAS))
