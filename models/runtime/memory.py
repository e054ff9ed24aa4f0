"""The memory in use: the accelerator's, and what this process holds without need."""

import ctypes
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_ARENA_MAX = -8  # glibc's M_ARENA_MAX
_DONTNEED = 4  # Linux's MADV_DONTNEED: read again from the file when it is used again
_MAPPINGS = Path("/proc/self/smaps")
_TORCH_FOLDERS = ("/torch/lib/", "/nvidia/")  # of the libraries that `import torch` loads
_CHANGED = ("Private_Dirty:", "Shared_Dirty:", "Anonymous:")


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


def give_back_libraries() -> None:
    """Let go of what was read of torch's libraries to start them, where no accelerator is used.

    Of CUDA's, which a CPU has no use for, that is 140 MB. What is used is read again, mostly from
    the system's cache. Not to be called while a thread loads one of these libraries.
    """
    if sys.platform == "linux" and _MAPPINGS.exists():
        advise = ctypes.CDLL(None).madvise
        advise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
        for start, size in list(_untouched()):
            advise(start, size, _DONTNEED)


def _untouched() -> Iterator[tuple[int, int]]:
    """Yield start and size of mappings of torch's libraries that are as their files are."""
    start = end = 0
    with _MAPPINGS.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            name, *values = line.split()
            if not name.endswith(":"):  # the first line of a mapping
                start, end = (int(each, 16) for each in name.split("-"))
                is_ours = any(folder in line for folder in _TORCH_FOLDERS)
                is_clean = is_ours and "w" not in values[0]
            elif name in _CHANGED:
                is_clean = is_clean and values[0] == "0"
            elif name == "VmFlags:" and is_clean:
                yield start, end - start
