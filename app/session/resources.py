"""The resources of the machine that the session uses."""

import sys
from dataclasses import dataclass

from app.session.state.preferences import Preferences
from app.session.state.video import CurrentVideo
from models.runtime.memory import device_memory

_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class ResourceUse:
    """Bytes in use and how many there may be. `device_bytes` is None without an accelerator."""

    device: str
    device_bytes: int | None
    device_limit: int
    cache_bytes: int
    cache_limit: int


def resource_use(video: CurrentVideo, preferences: Preferences) -> ResourceUse:
    """Read the use of the device and of the frame cache; cheap enough for every second."""
    memory = device_memory()
    return ResourceUse(
        device=memory.name if memory else _chosen_device(preferences),
        device_bytes=memory.used if memory else None,
        device_limit=memory.total if memory else 0,
        cache_bytes=video.cache_bytes,
        cache_limit=preferences.settings.cache_mib * _MIB if video.is_open else 0,
    )


def _chosen_device(preferences: Preferences) -> str:
    """Return what computes while no accelerator holds anything."""
    chosen = preferences.settings.device
    # On a Mac "auto" may be the GPU, whose memory is the machine's.
    at_hand = chosen == "auto" and sys.platform != "darwin"
    return "CPU" if at_hand or chosen == "cpu" else chosen
