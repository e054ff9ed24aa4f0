"""The memory in use: the accelerator's, and what this process holds without need."""

import ctypes
import sys
from typing import NamedTuple

_ARENA_MAX = -8  # glibc's M_ARENA_MAX


class DeviceMemory(NamedTuple):
    """Of the first CUDA device, by all processes, in bytes."""

    name: str
    used: int
    total: int


def device_memory() -> DeviceMemory | None:
    """Return the memory in use, or None where no model has touched a CUDA device yet.

    Never imports torch: it may be asked every second by a window that has no model loaded.
    """
    # Another thread may be in the middle of importing torch, which then lacks its last modules.
    cuda = getattr(sys.modules.get("torch"), "cuda", None)
    if cuda is None or not getattr(cuda, "is_initialized", bool)():
        return None
    free, total = cuda.mem_get_info()
    return DeviceMemory(str(cuda.get_device_name()), total - free, total)


def share_one_arena() -> None:
    """Let all threads allocate from one arena, where the C library has several.

    Threads that take turns with large maps would each hold back what they freed: 80 MB of lite's.
    It holds for the whole process, and for what is allocated from here on.
    """
    if sys.platform == "linux":
        options = getattr(ctypes.CDLL(None), "mallopt", None)
        if options is not None:
            options(_ARENA_MAX, 1)


def give_back_memory() -> None:
    """Return to the system what was freed and is still held for later, where that is possible."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # other C libraries have none
        if trim is not None:
            trim(0)
