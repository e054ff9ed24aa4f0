"""Random operations on a session: no mask on what it does not belong to, nothing lost unsaid.

`MASKWRIGHT_STEPS` is how many are made in all, a few hundred where it is not set.
"""

import os
import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.core.document import Key
from app.core.mask import Mask
from app.core.plan import Direction
from app.errors import ProjectError, UnsavedError
from app.session.session import Session
from app.session.state.status import SessionState
from app.storage.project.project import Project
from models.api import Click
from tests.fakes import square, write_frames
from tests.session.desk import FRAMES, Desk

STEPS = int(os.environ.get("MASKWRIGHT_STEPS", "600"))
RUNS = max(3, STEPS // 1000)
PLACES = 50  # of masks, by which they are told apart


class Player:
    """A person who does anything at any time; every mask tells its object and its video."""

    def __init__(self, desk: Desk, videos: list[Path], chance: random.Random) -> None:
        self.desk, self.videos, self.chance = desk, videos, chance
        self.is_full = False
        self.drafts: set[Key] = set()  # in the file only
        self.here = videos[0]

    @property
    def session(self) -> Session:
        return self.desk.session

    def corner(self, number: int) -> tuple[int, int]:
        return number % PLACES, 2 + 20 * self.videos.index(self.here)

    def some_object(self) -> int:
        objects = self.session.masks.objects
        if not objects or self.chance.random() < 0.1:
            return self.session.objects.add() or objects[0].id
        return self.chance.choice(objects).id

    def draw(self) -> None:
        number = self.some_object()
        x, y = self.corner(number)
        self.session.edit.draw_mask(self.chance.randrange(FRAMES), number, square(x, y), "Brush")

    def click(self) -> None:
        self.session.view.select(self.some_object())
        number = self.session.view.selected
        if number is not None:
            x, y = self.corner(number)
            self.session.clicks.click(Click(x + 5, y + 5))

    def delete(self) -> None:
        if self.session.masks.objects:
            self.session.objects.delete(self.chance.choice(self.session.masks.objects).id)

    def clear(self) -> None:
        number, first = self.some_object(), self.chance.randrange(FRAMES)
        self.session.edit.clear([Key(frame, number) for frame in range(first, FRAMES)])

    def mark(self) -> None:
        key = Key(self.chance.randrange(FRAMES), self.some_object())
        act = self.chance.choice(("verify", "unanchor", "mark_absent", "show_again"))
        getattr(self.session.edit, act)([key])

    def propagate(self) -> None:
        self.session.view.go_to(self.chance.randrange(FRAMES))
        self.session.jobs.propagate(self.chance.choice(list(Direction)))

    def heal(self) -> None:
        self.session.correction.verify_and_heal()

    def draft(self) -> None:
        number, frame = self.some_object(), self.chance.randrange(FRAMES)
        pixels = square(*self.corner(number)) if self.chance.random() < 0.7 else None
        self.session.autosave.keep_draft(frame, number, pixels)
        self.drafts.add(Key(frame, number))

    def let(self) -> None:
        for gate in (self.desk.made.fake_tracker.gate, self.desk.made.fake_segmenter.gate):
            gate.let(self.chance.randrange(4))

    def fill_or_empty(self) -> None:
        self.is_full = not self.is_full

    def reopen(self) -> None:
        target = self.chance.choice(self.videos)
        for gate in (self.desk.made.fake_tracker.gate, self.desk.made.fake_segmenter.gate):
            gate.open()
        try:
            self.session.files.close()
        except UnsavedError:
            assert self.session.video.is_open
            assert self.is_full
            return
        assert not self.session.video.is_open
        self.is_full = False
        self.drafts.clear()
        self.here = target
        self.session.files.open(target)
        self.desk.prepare()
        for gate in (self.desk.made.fake_tracker.gate, self.desk.made.fake_segmenter.gate):
            gate.close()

    def check(self) -> None:
        known = {info.id for info in self.session.masks.objects}
        assert len(known) == len(self.session.masks.objects)
        for key, entry in self.session.masks.snapshot().items():
            if entry.mask is not None and key.object in known:
                assert (entry.mask.box[2], entry.mask.box[0]) == self.corner(key.object), key
        assert all(key.object in known for key, _ in self.session.masks.document.items())

    def check_file(self) -> None:
        """What is read back is what is in the window."""
        if self.is_full:
            return
        for gate in (self.desk.made.fake_tracker.gate, self.desk.made.fake_segmenter.gate):
            gate.open()
        self.session.jobs.cancel()
        here, objects = dict(self.session.masks.document.items()), self.session.masks.objects
        project = self.session.files.project_path
        assert project is not None
        self.session.files.close()
        opened = Project.open(project)
        document = opened.load()
        opened.close()
        there = dict(document.items())
        for key in self.drafts:
            here.pop(key, None), there.pop(key, None)
        differ = [key for key in here.keys() | there.keys() if here.get(key) != there.get(key)]
        assert not differ
        assert document.objects == objects
        self.drafts.clear()
        self.session.files.open(self.here)
        self.desk.prepare()


@pytest.fixture
def player(
    desk: Desk, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Player]:
    other = write_frames(tmp_path / "other", FRAMES)
    # Masks tell by their whole shape whose they are, so that none may give to another.
    preferences = desk.session.preferences
    preferences.apply(replace(preferences.settings, overlap=True))
    player = Player(desk, [clip, other], random.Random(0))
    check = Project.check_place

    def check_place(project: Project) -> None:
        if player.is_full:
            raise ProjectError("The disk is full.")
        check(project)

    monkeypatch.setattr(Project, "check_place", check_place)
    monkeypatch.setattr("app.session.files.autosave._SOON_MS", 1)
    monkeypatch.setattr("app.session.files.autosave._RETRY_MS", 2)
    yield player
    player.is_full = False


@pytest.mark.parametrize("seed", range(RUNS))
def test_no_mask_lands_on_what_it_does_not_belong_to_and_none_is_lost(
    player: Player, seed: int, qtbot: QtBot
) -> None:
    player.chance = chance = random.Random(seed)
    acts: list[Callable[[], None]] = [
        *[player.draw] * 6, *[player.click] * 5, *[player.let] * 8, *[player.propagate] * 3,
        player.heal, player.delete, player.delete, player.clear, player.mark, player.mark,
        player.session.history.undo, player.session.history.undo, player.session.history.redo,
        player.draft, player.session.jobs.cancel, player.fill_or_empty, player.reopen,
    ]  # fmt: skip
    for step in range(max(STEPS // RUNS, 1)):
        chance.choice(acts)()
        if chance.random() < 0.3:
            qtbot.wait(chance.randrange(4))
        player.check()
        if step % 100 == 99:
            player.check_file()
    player.is_full = False
    player.desk.made.fake_tracker.gate.open()
    player.desk.made.fake_segmenter.gate.open()
    qtbot.waitUntil(lambda: player.session.status.state is SessionState.IDLE)
    player.check()


def test_killed_at_any_statement_a_save_is_whole_or_not_begun(
    desk: Desk, clip: Path, tmp_path: Path
) -> None:
    session = desk.session
    for number in (1, 2):
        session.objects.add()
        for frame in range(4):
            session.edit.draw_mask(frame, number, square(10 * number), "Brush")
    session.files.save()
    path = clip.with_name("clip.maskwright")
    before = (session.masks.objects, dict(session.masks.document.items()))
    copies: list[Path] = []

    def copy(_statement: str) -> None:
        folder = tmp_path / f"killed{len(copies)}"
        folder.mkdir()
        for name in (path.name, f"{path.name}-wal"):
            shutil.copy(path.with_name(name), folder / name)
        copies.append(folder / path.name)

    project = session.autosave._project
    assert project is not None
    project._database.set_trace_callback(copy)
    session.objects.delete(1)
    session.edit.draw_mask(9, 2, square(30), "Brush")
    session.files.save()
    project._database.set_trace_callback(None)
    after = (session.masks.objects, dict(session.masks.document.items()))
    found = []
    for copied in copies:
        opened = Project.open(copied)
        document = opened.load()
        found.append((document.objects, dict(document.items())))
        opened.close()
    assert len(copies) > 5
    assert all(state in (before, after) for state in found)
    assert found[0] == before
    assert Mask.encode(square(30)) is not None
