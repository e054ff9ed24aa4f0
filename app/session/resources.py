"""What the session uses of the machine."""

from dataclasses import dataclass

from app.session.session import Session
from models.memory import device_memory

_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class ResourceUse:
    """Bytes in use and how many there may be. `device_bytes` is None without an accelerator."""

    device: str
    device_bytes: int | None
    device_limit: int
    cache_bytes: int
    cache_limit: int


def resource_use(session: Session) -> ResourceUse:
    """Read the use of the device and of the frame cache; cheap enough for every second."""
    memory = device_memory()
    return ResourceUse(
        device=memory.name if memory else session.settings.device,
        device_bytes=memory.used if memory else None,
        device_limit=memory.total if memory else 0,
        cache_bytes=session.cache_bytes,
        cache_limit=session.settings.cache_mib * _MIB if session.is_open else 0,
    )
