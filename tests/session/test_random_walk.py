"""Random work on the session with models in their thread: what must hold whatever is done.

No model changes an anchor, a verified or a locked mask; undo and redo are exact; masks of a frame
do not overlap. `MASKWRIGHT_WALKS` sets how many walks are made, each from its own seed.
"""

import os
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.core.document import Document, Entry, Key
from app.core.exclusion import points_into
from app.core.plan import Direction
from app.session.state.status import SessionState
from models.api import Box, Click
from tests.fakes import SIZE, square, write_frames
from tests.session.desk import Desk

FRAMES = 12
STEPS = 60
WALKS = int(os.environ.get("MASKWRIGHT_WALKS", "3"))
Entries = dict[Key, Entry]


class Walker:
    """Does at random what a person can do, and looks at every change of the masks."""

    def __init__(self, desk: Desk, qtbot: QtBot, seed: int) -> None:
        self.desk, self.session, self.qtbot = desk, desk.session, qtbot
        self.random = random.Random(seed)
        self.done: list[str] = []
        self.by_hand = False  # whether a call of the person is under way
        self.pointed: list[tuple[int, tuple[Click, ...], Box | None]] = []
        self.asked: set[Key] = set()  # what the person clicks at since the last rest
        self.last: Entries = {}
        for _ in range(3):
            self.session.objects.add()
        self.session.masks.document_changed.connect(self.on_change)
        self.session.jobs.replaced.connect(self.on_replaced)
        self.wrong: list[str] = []

    def entries(self) -> Entries:
        return dict(self.session.masks.document.items())

    def everything(self) -> tuple[object, ...]:
        """Return all that a step may change."""
        document = self.session.masks.document
        return document.objects, document.attributes, self.entries(), self.session.changes.open

    def on_change(self, keys: frozenset[Key]) -> None:
        """Look at what changed without a call of the person: answers to clicks, ended jobs."""
        now = self.entries()
        for key in keys if not self.by_hand else ():
            before = self.last.get(key)
            if before is None or before == now.get(key):
                continue
            if self.session.masks.is_locked(key.object):
                self.wrong.append(f"{key} is locked and was changed")
            pixels = before.mask.decode() if before.is_anchor and before.mask else None
            own = any(each == key for each in self.asked)
            if pixels is not None and not own and not self.points_into(key.frame, pixels):
                self.wrong.append(f"{key} is an anchor and was changed")
        self.last = now

    def on_replaced(self) -> None:
        """Look at what a job has replaced."""
        for key, before in self.session.jobs.before.items():
            if before is not None and before.is_anchor:
                self.wrong.append(f"a job replaced the anchor at {key}")
            if self.session.masks.is_locked(key.object):
                self.wrong.append(f"a job changed the locked object at {key}")

    def points_into(self, frame: int, pixels: np.ndarray) -> bool:
        return any(
            points_into(pixels, clicks, box) for at, clicks, box in self.pointed if at == frame
        )

    # What a person does

    def frame(self) -> int:
        return self.random.randrange(FRAMES)

    def number(self) -> int:
        return self.random.choice([info.id for info in self.session.masks.objects])

    def place(self) -> tuple[int, int]:
        return self.random.randrange(4, SIZE[1] - 12), self.random.randrange(4, SIZE[0] - 12)

    def look(self) -> Key:
        """Go somewhere and select an object; undo may have taken them all back."""
        while len(self.session.masks.objects) < 3:
            self.session.objects.add()
        if self.random.random() < 0.7:
            self.session.view.go_to(self.frame())
        self.session.view.select(self.number())
        return Key(self.session.view.frame, self.session.view.selected or 0)

    def draw(self) -> None:
        key, side = self.look(), self.random.choice([4, 10, 16])
        pixels = square(*self.place(), side=side)
        before = self.session.masks.pixels(*key)
        pixels = before & ~pixels if self.random.random() < 0.3 else before | pixels
        self.session.edit.draw_mask(*key, pixels, "Brush")

    def click(self) -> None:
        key = self.look()
        for _ in range(self.random.choice([1, 1, 3])):
            x, y = self.place()
            click = Click(x, y, positive=self.random.random() < 0.8)
            entry = self.session.masks.entry(key)
            earlier = entry.clicks if entry else ()
            self.pointed.append((key.frame, (*earlier, click), None))
            self.asked.add(key)
            self.session.clicks.click(click)

    def box(self) -> None:
        key, (x, y) = self.look(), self.place()
        box = Box(x, y, x + 9, y + 9)
        self.pointed.append((key.frame, (), box))
        self.asked.add(key)
        self.session.clicks.set_box(box)

    def tab(self) -> None:
        for _ in range(self.random.randrange(1, 4)):
            self.session.clicks.next_candidate()

    def enter(self) -> None:
        self.session.correction.verify_and_heal()

    def propagate(self) -> None:
        self.look()
        objects = self.random.sample([1, 2, 3], self.random.randrange(1, 4))
        self.session.jobs.propagate(
            self.random.choice(list(Direction)),
            objects=objects,
            to_nearest_anchor=self.random.random() < 0.7,
        )

    def densify(self) -> None:
        """Fill between some frames, whatever has a mask there, or decide on a run."""
        dense = self.session.files.exchange.visor.dense
        if self.random.random() < 0.3 and (found := dense.all()):
            self.random.choice([dense.accept, dense.reject])(self.random.choice(found))
            return
        self.look()
        dense.fill(tuple(sorted(self.random.sample(range(FRAMES), 4))))

    def refine(self) -> None:
        self.look()
        self.session.correction.refine(range(FRAMES), [self.number()])

    def states(self) -> None:
        keys = [self.look()]
        if self.random.random() < 0.3:
            keys = [Key(frame, keys[0].object) for frame in range(3, 7)]
        edit = self.session.edit
        self.random.choice(
            [edit.verify, edit.unanchor, edit.clear, edit.mark_absent, edit.mark_occluded]
        )(keys)
        if self.random.random() < 0.5:
            edit.show_again(keys)

    def show(self) -> None:
        """Show again what was hidden at any time before."""
        self.look()
        number = self.number()
        frames = self.random.choice([range(FRAMES), range(3, 7), [self.frame()]])
        self.session.edit.show_again([Key(frame, number) for frame in frames])

    def decide(self) -> None:
        """Accept or reject some of what the last job changed."""
        changes = self.session.changes
        if changes.open:
            key = self.random.choice(changes.open).key
            keys = self.random.choice(
                [(key,), changes.range_of(key), changes.of_object(key.object)]
            )
            self.random.choice([changes.accept, changes.reject])(keys)

    def paste(self) -> None:
        self.look()
        self.session.clipboard.copy()
        self.look()
        self.session.clipboard.paste()

    def exchange(self) -> None:
        self.look()
        one, other = self.random.sample([1, 2, 3], 2)
        self.session.edit.exchange(one, other)

    def lock(self) -> None:
        self.look()
        info = self.random.choice(self.session.masks.objects)
        change = self.random.choice([{"locked": not info.locked}, {"visible": not info.visible}])
        self.session.objects.edit(replace(info, **change))  # type: ignore[arg-type]

    def cancel(self) -> None:
        self.session.jobs.cancel()

    def undo(self) -> None:
        for _ in range(self.random.randrange(1, 4)):
            self.session.history.undo()

    def redo(self) -> None:
        for _ in range(self.random.randrange(1, 4)):
            self.session.history.redo()

    # The walk

    def step(self) -> None:
        """Do something, at rest or not, and look at what must hold."""
        calls: list[Callable[[], None]] = [
            self.draw, self.draw, self.click, self.click, self.click, self.box, self.tab,
            self.enter, self.enter, self.propagate, self.densify, self.densify, self.refine,
            self.states, self.paste, self.exchange, self.lock, self.cancel, self.undo, self.redo,
            self.decide, self.show,
        ]  # fmt: skip
        call = self.random.choice(calls)
        self.done.append(call.__name__)
        rests = self.random.random() < 0.6
        if rests:
            self.rest()
        before, index = self.entries(), self.session.history.stack.index()
        self.by_hand = True
        call()
        self.by_hand = False
        self.last = self.entries()
        if not rests:
            QApplication.processEvents()
            return
        self.rest()
        self.check()
        # Another candidate becomes part of the step of its click.
        if call not in {self.undo, self.redo, self.tab}:
            self.check_undo(before, index)

    def rest(self) -> None:
        self.qtbot.waitUntil(
            lambda: self.session.status.state is SessionState.IDLE and not self.session.clicks.asked
        )
        QApplication.processEvents()
        self.pointed.clear()
        self.asked.clear()

    def check(self) -> None:
        """Masks of a frame do not overlap, and nothing wrong was seen."""
        assert not self.wrong, (self.wrong, self.done)
        for frame in range(FRAMES):
            here = self.session.masks.document.on_frame(frame)
            found = [entry.mask.decode() for entry in here.values() if entry.mask]
            if found:
                assert np.sum(found, axis=0).max() <= 1, (frame, self.done[-12:])

    def check_undo(self, before: Entries, index: int) -> None:
        """What was done since `index` is taken back to the bit and done again; each step is one."""
        stack, after = self.session.history.stack, self.entries()
        newest = stack.index()
        self.by_hand = True
        while stack.index() > index:
            text, with_it = stack.undoText(), self.everything()
            stack.undo()
            assert self.everything() != with_it, f"{text} changes nothing"
        assert self.entries() == before, self.done[-12:]
        while stack.index() < newest:
            stack.redo()
        assert self.entries() == after, self.done
        self.by_hand = False
        self.last = self.entries()
        self.rest()


@pytest.mark.parametrize("seed", range(WALKS))
def test_a_walk(tmp_path: Path, qtbot: QtBot, seed: int) -> None:
    desk = Desk(write_frames(tmp_path / "clip", FRAMES))
    desk.prepare()
    walker = Walker(desk, qtbot, seed)
    desk.made.fake_tracker.drift = {frame: 2 * (frame % 4) for frame in range(FRAMES)}
    try:
        for _ in range(STEPS):
            walker.step()
        walker.rest()
        walker.check()
    finally:
        desk.close()


def test_the_walk_would_see_a_model_change_an_anchor(tmp_path: Path, qtbot: QtBot) -> None:
    desk = Desk(write_frames(tmp_path / "clip", FRAMES))
    desk.prepare()
    walker = Walker(desk, qtbot, 0)
    desk.session.edit.draw_mask(0, 1, square(5), "Brush")
    document: Document = desk.session.masks.document
    document.replace({Key(0, 1): None})
    assert walker.wrong == ["Key(frame=0, object=1) is an anchor and was changed"]
    desk.close()
