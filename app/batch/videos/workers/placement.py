"""The placement of workers: how many have room, by the memory that a video takes."""

import math
import os
import sys
from collections.abc import Iterable, Mapping

from app.errors import UsageError

_FINEST = 10_000  # parts of a GPU that Ray tells apart
_ADVICE = "Give a smaller --memory, or leave such a GPU out."


def devices(found: Mapping[str, int], need: int | None) -> list[str]:
    """Return the device of each worker that has room: one a device, or as many as fit.

    `found` are the bytes of each device, `need` those that a video takes, None = all of it. Raises
    UsageError where there are devices and none has room.
    """
    if need is None:
        return list(found)
    if found and max(found.values()) < need:
        raise UsageError(f"No device has {_gib(need)}, only {_gib(max(found.values()))}. {_ADVICE}")
    # In turns, so that fewer workers than there is room for are spread over the devices.
    most = max((size // need for size in found.values()), default=0)
    return [name for turn in range(most) for name, size in found.items() if size // need > turn]


def places(need: int | None) -> int:
    """Return how many videos this machine's memory holds at a time, at least one.

    Where the system does not tell, or nothing is needed, that is more than anyone has.
    """
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return sys.maxsize
    return max(1, total // need) if need else sys.maxsize


def share(memories: Iterable[int], need: int | None) -> float:
    """Return the part of a GPU that a video is given on a cluster: 1, or less where more fit.

    `memories` are the bytes of the GPUs. Raises UsageError where one of them has no room.
    """
    least = min(memories)
    if need is None:
        return 1.0
    if need > least:
        raise UsageError(
            f"A GPU of the cluster has {_gib(least)}, and a video takes {_gib(need)}. {_ADVICE}"
        )
    return math.floor(_FINEST / (least // need)) / _FINEST


def _gib(size: int) -> str:
    return f"{size / 2**30:.1f} GiB"
