"""What the session takes of the machine."""

from types import SimpleNamespace
from typing import cast

import pytest

from app.session import resources
from app.session.resources import ResourceUse, resource_use
from app.session.state.preferences import Preferences
from app.storage.settings import Settings
from models.runtime.memory import DeviceMemory
from tests.session.desk import Desk


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> list[DeviceMemory | None]:
    """What an accelerator holds, as a list of one, to be changed; None where there is none."""
    held: list[DeviceMemory | None] = [None]
    monkeypatch.setattr(resources, "device_memory", lambda: held[0])
    return held


def used(desk: Desk) -> ResourceUse:
    return resource_use(desk.session.video, desk.session.preferences)


def test_an_accelerator_tells_how_much_it_holds_of_how_much(
    desk: Desk, memory: list[DeviceMemory | None]
) -> None:
    memory[0] = DeviceMemory("A100", used=3, total=80)
    found = used(desk)
    assert (found.device, found.device_bytes, found.device_limit) == ("A100", 3, 80)
    memory[0] = None
    found = used(desk)
    assert (found.device, found.device_bytes, found.device_limit) == ("CPU", None, 0)


@pytest.mark.parametrize(
    ("chosen", "platform", "told"),
    [
        ("auto", "linux", "CPU"), ("auto", "darwin", "auto"), ("cpu", "darwin", "CPU"),
        ("cpu", "linux", "CPU"), ("cuda", "linux", "cuda"), ("mps", "darwin", "mps"),
    ],
)  # fmt: skip
def test_where_no_accelerator_holds_anything_what_was_chosen_is_told(
    desk: Desk, memory: list[None], monkeypatch: pytest.MonkeyPatch,
    chosen: str, platform: str, told: str,
) -> None:  # fmt: skip
    monkeypatch.setattr("app.session.resources.sys.platform", platform)
    preferences = cast("Preferences", SimpleNamespace(settings=Settings(device=chosen)))
    assert resource_use(desk.session.video, preferences).device == told


def test_the_cache_has_room_for_as_much_as_was_chosen_while_a_video_is_open(
    desk: Desk, memory: list[None]
) -> None:
    opened = desk.session.video.now
    assert opened is not None
    opened.cache.get(0)
    height, width = desk.session.video.size
    found = used(desk)
    assert found.cache_bytes >= height * width * 3  # others are read ahead
    assert found.cache_bytes % (height * width * 3) == 0
    assert found.cache_limit == desk.session.preferences.settings.cache_mib * 1024 * 1024
    desk.session.files.close()
    assert (used(desk).cache_bytes, used(desk).cache_limit) == (0, 0)
