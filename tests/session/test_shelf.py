"""The shelf of models: fetched, paused, resumed, verified, used, removed."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from app.core.plan import Direction
from app.session.choices import best_models
from app.session.shelf.entries import Presence, ShelfEntry
from app.session.shelf.shelf import Shelf
from app.session.state.interactions import Interactions
from app.session.state.preferences import Preferences
from app.session.state.status import Report, Status
from app.storage.settings import Settings
from models import registry
from models.runtime.machine import Machine
from models.weights import store
from models.weights.zoo import NON_COMMERCIAL, ZOO
from tests.session.desk import Desk, draw
from tests.weights_server import CONTENT, DIGEST, Server, serving

NAME = "mobile-sam"


class Bench:
    """A shelf without a window, on a local server that offers MobileSAM's weights."""

    def __init__(self, qtbot: QtBot, server: Server) -> None:
        self.owner = QObject()
        self.qtbot, self.server = qtbot, server
        self.reports: list[Report] = []
        status = Status(self.owner)
        status.reported.connect(self.reports.append)
        self.preferences = Preferences(Settings(), None, status, Interactions(status), self.owner)
        self.shelf = Shelf(self.preferences, status, self.owner)

    def entry(self, name: str = NAME) -> ShelfEntry:
        return next(each for each in self.shelf.entries() if each.name == name)

    def wait(self) -> None:
        """Wait until nothing is done any more."""
        self.qtbot.waitUntil(lambda: not self.shelf.work)

    def wait_for(self, count: int) -> None:
        """Wait until so many bytes have arrived."""
        self.qtbot.waitUntil(lambda: self.shelf.work[NAME].done >= count)


@pytest.fixture
def bench(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    with serving(Server(knows_versions=True)) as server:
        made = replace(ZOO[NAME], url=server.url, digest=DIGEST, packaged=None, size=len(CONTENT))
        monkeypatch.setitem(ZOO, NAME, made)
        bench = Bench(qtbot, server)
        yield bench
        bench.shelf.stop()


def test_what_is_said_of_a_model_before_it_is_fetched(bench: Bench) -> None:
    entry = bench.entry()
    assert entry.presence is Presence.ABSENT
    assert entry.roles == ("segmenter", "refiner", "sharpener")
    assert (entry.size, entry.licence, entry.url) == (len(CONTENT), "Apache-2.0", bench.server.url)
    assert bench.entry("lite").presence is Presence.BUNDLED
    assert bench.entry("classic").can_be_used
    assert bench.entry("vmos").presence is Presence.BY_HAND
    assert bench.entry("hiera-depth").presence is Presence.UNPUBLISHED
    assert bench.entry("depth-large").terms
    assert "Meta" in bench.entry("sam3-tracker").terms


def test_every_model_of_the_registry_is_on_the_shelf_and_those_here_come_first(
    bench: Bench,
) -> None:
    entries = bench.shelf.entries()
    assert {each.name for each in registry.models()} <= {each.name for each in entries}
    usable = [each.can_be_used for each in entries if each.roles]
    assert usable == sorted(usable, reverse=True)


def test_a_model_is_fetched_with_progress_and_can_be_used(bench: Bench) -> None:
    bench.server.piece_s = 0.005
    bench.shelf.fetch(NAME)
    bench.wait_for(100_000)
    assert bench.shelf.work[NAME].total == len(CONTENT)
    bench.server.piece_s = 0.0
    bench.wait()
    assert bench.entry().presence is Presence.HERE
    assert "checksum is as published" in bench.shelf.said(NAME)
    bench.shelf.use(NAME, "segmenter")
    assert bench.preferences.settings.segmenter == NAME
    assert bench.entry().used_as == ("segmenter", "refiner")  # which was not chosen apart
    assert bench.entry("lite").used_as == ("tracker",)


def test_the_begin_and_the_end_of_work_are_told_at_once(bench: Bench) -> None:
    told = list[tuple[str, bool]]()
    bench.shelf.changed.connect(lambda: told.append(("changed", NAME in bench.shelf.work)))
    bench.shelf.progressed.connect(lambda: told.append(("progress", NAME in bench.shelf.work)))
    bench.server.piece_s = 0.005
    bench.shelf.fetch(NAME)
    assert told == [("changed", True)]
    bench.shelf.fetch(NAME)  # it is under way
    assert told == [("changed", True)]
    bench.wait_for(100_000)
    bench.qtbot.waitUntil(lambda: ("progress", True) in told)
    bench.server.piece_s = 0.0
    bench.wait()
    assert told[-2:] == [("changed", False), ("progress", False)]
    assert told.count(("changed", True)) == 1
    bench.qtbot.wait(300)
    assert told[-2:] == [("changed", False), ("progress", False)]  # nobody looks any more
    bench.shelf.remove(NAME)
    assert told[-1] == ("changed", False)


def test_a_pause_keeps_what_has_arrived_and_a_resume_goes_on_there(bench: Bench) -> None:
    bench.server.piece_s = 0.005
    bench.shelf.fetch(NAME)
    bench.wait_for(100_000)
    bench.shelf.pause(NAME)
    bench.wait()
    entry = bench.entry()
    assert entry.presence is Presence.PARTLY
    assert 0 < entry.arrived < len(CONTENT)
    assert not entry.can_be_used
    assert bench.reports == []  # it is no failure
    bench.server.piece_s = 0.0
    bench.shelf.fetch(NAME)
    bench.wait()
    assert bench.entry().can_be_used
    assert bench.server.asked == [None, f"bytes={entry.arrived}-"]
    assert store.place(NAME).read_bytes() == CONTENT


@pytest.mark.parametrize("is_paused", [False, True])
def test_a_cancel_leaves_nothing(bench: Bench, is_paused: bool) -> None:
    bench.server.piece_s = 0.005
    bench.shelf.fetch(NAME)
    bench.wait_for(50_000)
    if is_paused:
        bench.shelf.pause(NAME)
        bench.wait()
    bench.shelf.cancel(NAME)
    bench.wait()
    assert bench.entry().presence is Presence.ABSENT
    assert list(store.folder().iterdir()) == []


def test_a_wrong_file_is_never_used_and_said(bench: Bench) -> None:
    bench.server.content = CONTENT[::-1]
    bench.shelf.fetch(NAME)
    bench.wait()
    assert not bench.entry().can_be_used
    assert "checksum differs" in bench.shelf.said(NAME)
    assert bench.reports[-1].level == "error"
    assert list(store.folder().iterdir()) == []


def test_a_licence_has_to_be_accepted_before_anything_is_fetched(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ZOO, NAME, replace(ZOO[NAME], licence=NON_COMMERCIAL))
    assert "commercial" in bench.entry().terms
    bench.shelf.fetch(NAME)
    bench.wait()
    assert bench.server.asked == []
    assert "licensed" in bench.shelf.said(NAME)
    bench.shelf.fetch(NAME, accept_licence=True)
    bench.wait()
    assert bench.entry().can_be_used


def test_verify_finds_a_file_that_was_changed(bench: Bench) -> None:
    bench.shelf.fetch(NAME)
    bench.wait()
    bench.shelf.verify(NAME)
    bench.wait()
    assert bench.shelf.said(NAME) == "Its checksum is as published."
    store.place(NAME).write_bytes(b"something else")
    bench.shelf.verify(NAME)
    bench.wait()
    assert "not the published file" in bench.shelf.said(NAME)


def test_a_removed_model_is_used_for_nothing_any_more(bench: Bench) -> None:
    bench.shelf.fetch(NAME)
    bench.wait()
    bench.shelf.use(NAME, "refiner")
    bench.shelf.remove(NAME)
    assert bench.preferences.settings.refiner == ""
    assert bench.entry().presence is Presence.ABSENT


def test_a_file_that_a_person_fetched_has_to_be_the_published_one(
    bench: Bench, tmp_path: Path
) -> None:
    file = tmp_path / "from elsewhere.pt"
    file.write_bytes(CONTENT[:-1])
    bench.shelf.put(NAME, file)
    bench.wait()
    assert "checksum differs" in bench.shelf.said(NAME)
    assert not bench.entry().can_be_used
    file.write_bytes(CONTENT)
    bench.shelf.put(NAME, file)
    bench.wait()
    assert bench.entry().can_be_used
    file.write_bytes(b"nothing that a model could load")
    for name in ("vmos", "sam3"):
        bench.shelf.put(name, file)
        bench.wait()
        assert not bench.entry(name).can_be_used
        assert bench.entry(name).presence is Presence.BY_HAND
    assert "not a usable weights file" in bench.shelf.said("vmos")


def test_weights_of_ones_own_are_taken_in_used_and_removed(bench: Bench, tmp_path: Path) -> None:
    file = tmp_path / "tuned.safetensors"
    shutil.copy(store.place("lite"), file)
    bench.shelf.add(file, "lite", "kitchen")
    bench.wait()
    entry = bench.entry("kitchen")
    assert (entry.family, entry.presence, entry.licence) == ("lite", Presence.HERE, "yours")
    bench.shelf.use("kitchen", "tracker")
    assert bench.preferences.settings.tracker == "kitchen"
    bench.shelf.remove("kitchen")
    assert bench.preferences.settings.tracker == ""
    assert file.exists()


def test_weights_of_ones_own_that_do_not_fit_are_refused(bench: Bench, tmp_path: Path) -> None:
    file = tmp_path / "tuned.safetensors"
    shutil.copy(store.place("lite"), file)
    bench.shelf.add(file, "cutie-base", "kitchen")
    bench.wait()
    assert "does not fit the model" in bench.shelf.said("kitchen")
    assert "kitchen" not in {each.name for each in bench.shelf.entries()}


@pytest.mark.parametrize("is_better", [True, False])
def test_the_session_takes_a_better_model_that_has_come(
    desk: Desk,
    qtbot: QtBot,
    idle: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
    is_better: bool,
) -> None:
    gpu = "cuda" if is_better else ""
    monkeypatch.setattr(registry, "machine", lambda: Machine(64 << 30, gpu, 24 << 30))
    draw(desk, 0)
    desk.session.jobs.propagate(Direction.FORWARD)
    idle()
    assert len(desk.models) == 1
    place = store.place("sam2.1-large")
    place.parent.mkdir(parents=True)
    place.write_bytes(b"stands for the real file")
    desk.session.preferences.weights_changed.emit()
    qtbot.wait(50)
    desk.prepare()
    draw(desk, 0, x=14)
    desk.session.jobs.propagate(Direction.FORWARD)
    idle()
    assert len(desk.models) == (2 if is_better else 1)
    assert best_models(Settings())[0] == ("sam2.1-large" if is_better else "lite")
