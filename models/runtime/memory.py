"""The accelerator's memory in use."""

import sys
from typing import NamedTuple


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
