"""The machine that models run on: its memory and its GPU, told without loading torch."""

import ctypes
import importlib.util
import os
import platform
import sys
from functools import cache
from pathlib import Path
from typing import NamedTuple

_NVML = {"linux": "libnvidia-ml.so.1", "win32": "nvml.dll"}


class Machine(NamedTuple):
    """Memory in bytes, 0 = not known; `gpu` is cuda, mps or empty, with its own memory."""

    memory: int
    gpu: str = ""
    gpu_memory: int = 0


class _Memory(ctypes.Structure):
    _fields_ = (
        ("total", ctypes.c_ulonglong),
        ("free", ctypes.c_ulonglong),
        ("used", ctypes.c_ulonglong),
    )


class _WindowsMemory(ctypes.Structure):
    _fields_ = (
        ("length", ctypes.c_ulong),
        ("load", ctypes.c_ulong),
        *((name, ctypes.c_ulonglong) for name in ("total", "free", "a", "b", "c", "d", "e")),
    )


@cache
def machine() -> Machine:
    """Return what this machine is; asked once, and in milliseconds."""
    memory = _memory()
    if sys.platform == "darwin" and platform.machine() == "arm64":
        return Machine(memory, "mps", memory)
    found = _nvidia_memory() if _torch_knows_cuda() else 0
    return Machine(memory, "cuda", found) if found else Machine(memory)


def _memory() -> int:
    if sys.platform == "win32":
        status = _WindowsMemory(length=ctypes.sizeof(_WindowsMemory))
        ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status))
        return int(status.total)
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 0


def _torch_knows_cuda() -> bool:
    """Whether the torch that is installed was built for CUDA: its version file says so."""
    spec = importlib.util.find_spec("torch")
    if spec is None or spec.origin is None:
        return False
    try:
        text = Path(spec.origin).with_name("version.py").read_text(encoding="utf-8")
    except OSError:
        return False
    said = [line for line in text.splitlines() if line.startswith("cuda")]
    return any("None" not in line.partition("=")[2] for line in said)


def _nvidia_memory() -> int:
    """Return the memory of the largest NVIDIA GPU that may be used, 0 where there is none.

    The driver's own library is asked: it starts nothing on the GPU.
    """
    if os.environ.get("CUDA_VISIBLE_DEVICES", "all") in {"", "-1"}:
        return 0
    try:
        nvml = ctypes.CDLL(_NVML.get(sys.platform, ""))
    except OSError:
        return 0
    if nvml.nvmlInit_v2():
        return 0
    count, largest = ctypes.c_uint(), 0
    nvml.nvmlDeviceGetCount_v2(ctypes.byref(count))
    for index in range(count.value):
        handle, memory = ctypes.c_void_p(), _Memory()
        failed = nvml.nvmlDeviceGetHandleByIndex_v2(index, ctypes.byref(handle))
        if not failed and not nvml.nvmlDeviceGetMemoryInfo(handle, ctypes.byref(memory)):
            largest = max(largest, int(memory.total))
    nvml.nvmlShutdown()
    return largest
