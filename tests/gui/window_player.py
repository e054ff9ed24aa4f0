"""A person who does anything at any time in the real window, and what must hold all the while.

Every object has a cell of the picture, so that each mask tells whose it is and of which video. An
anchor may only come, change or go where the person has acted: on that frame, of that object; where
something is looked for by words or by the key of the hands, of an object of that name.
"""

import random
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import shiboken6
from PySide6.QtCore import QPoint, QSettings, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.core.block import Block
from app.core.document import Document, Entry, Key
from app.core.proposals import Proposal
from app.core.recognition import kind_of
from app.gui.canvas.tools.tool import Tool
from app.gui.dialogs.ask import Unsaved
from app.gui.panels.find import FindPanel
from app.gui.timeline.timeline import Timeline
from app.gui.window.window import Window
from app.session.session import Session
from app.session.state.status import SessionState
from app.storage.project.project import Project
from app.storage.settings import Settings
from app.storage.video.frames import FrameCache
from tests.fakes import FakeModels, Gate
from tests.gui.conftest import FakeAsk
from tests.gui.stage import LEFT, NONE, RIGHT, mouse_on
from tests.gui.window_cells import HANDS, PHRASES, Cells

FRAMES = 24
# What is done of itself, of masks where the person is, or of all: only the first two say where.
QUIET = (
    "backward", "both", "forward", "whole", "one_back", "one_on", "block_propagate", "refine",
    "refine_batch", "stop", "previous_frame", "next_frame", "ten_on", "ten_back", "first", "last",
    "previous_anchor", "next_anchor", "suggest_frame", "set_in", "set_out", "clear_points", "play",
    "new_object", "next_object", "previous_object", "hide", "lock", "solo", "move_up", "move_down",
    "select_1", "select_2", "next_suspect", "previous_suspect", "dismiss", "changes", "save",
    "next_change", "confidence", "copy_mask", "inspect", "annotate", "fit",
    "view_changes", "accept_change", "reject_change", "block_consistent", "find_objects",
    "validate",
)  # fmt: skip
HERE = (
    "verify", "unanchor", "absent", "occluded", "clear", "candidate", "verify_and_heal",
    "verify_and_next", "touch", "touch_nothing", "exhaustive", "raise_here", "lower_here",
)  # fmt: skip
ANYWHERE = (
    "undo", "redo", "delete_object", "absent_range", "clear_range", "block_verify",
    "block_unanchor", "block_absent", "block_clear", "block_lock", "copy_on", "remove_anchor",
)  # fmt: skip
EXCHANGES = ("block_exchange", "exchange_on", "exchange_on", "take_over_on", "merge")


class Asked(FakeAsk):
    """Answers the question about what cannot be saved, and remembers what was thrown away."""

    def __init__(self, parent: QWidget, store: QSettings, player: "Player") -> None:
        super().__init__(parent, store)
        self._player = player
        self.discarded = False

    def unsaved(self, title: str, count: int, why: str) -> Unsaved:
        self.asked.append(f"{title}: {count}: {why}")
        answer = self._player.chance.choice(list(Unsaved))
        self._player.is_full = self._player.chance.random() < 0.5
        self.discarded = answer is Unsaved.DISCARD
        return answer


class Player:
    """The window with two videos, the fake models of each, and the person."""

    def __init__(self, folder: Path, qtbot: QtBot, seed: int) -> None:
        self.chance, self.qtbot = random.Random(seed), qtbot
        self.is_full = False
        self.holds = True  # whether the models wait for `let`
        self.videos = [folder / name for name in ("one", "two")]
        self.here = self.videos[0]
        self.cells = Cells(self.videos)
        for video in self.videos:
            self.cells.write_video(video, FRAMES)
        self.made: list[FakeModels] = []
        self.session = Session(Settings(theme="dark", overlap=True), loader=self._load)
        self.store = QSettings(str(folder / "window.ini"), QSettings.Format.IniFormat)
        self.ask = Asked(QWidget(), self.store, self)
        self.window = Window(self.session, self.store, ask=self.ask)
        self.window.resize(1280, 800)
        self.window.show()
        self.mouse = mouse_on(self.window.canvas)
        self.spare = folder / "elsewhere"
        self.saved_elsewhere = 0
        self.done: list[str] = []
        self.wrong: list[str] = []
        self.last: dict[Key, Entry] = {}
        self.addressed: set[Key] = set()  # where the person acts, or an answer is on its way
        self.may_all = False  # what the person does may change any anchor
        self.looked_for: set[tuple[int, str]] = set()  # what may become an anchor when it is found
        self.held: tuple[tuple[float, float], Key] | None = None  # a stroke that is not ended
        self.killed: list[tuple[Path, Path]] = []  # what a kill would have left, and whose it is
        self.left: tuple[Path, Document, bool] | None = None  # what was open, when it was closed
        self._watch_closing()
        self.session.masks.document_changed.connect(self._on_change)
        self.session.video.opened.connect(self.looked_for.clear)
        self.window.files.open(self.here)
        self.window.canvas.set_brush_diameter(5)

    def _load(self, frames: FrameCache, _settings: Settings) -> FakeModels:
        made = FakeModels(frames)
        self.made.append(made)
        named = [each for each in self.videos if each.name == self.session.video.title]
        here = named[0] if named else self.here
        made.fake_detector.things = dict.fromkeys(range(FRAMES), self.cells.findings(here))
        for gate in _gates_of(made) if self.holds else ():
            gate.close()
        return made

    def _watch_closing(self) -> None:
        autosave = self.session.files.autosave
        stop = autosave.stop

        def stopped() -> None:
            path = self.session.files.project_path
            assert path is not None
            self.left = (path, self.session.masks.document.snapshot(), self.ask.discarded)
            self.ask.discarded = False
            stop()

        autosave.stop = stopped  # type: ignore[method-assign]

    # What must hold

    def _on_change(self, keys: frozenset[Key]) -> None:
        """See that an anchor comes, changes and goes only where the person has acted."""
        now = dict(self.session.masks.document.items())
        for key in keys if not self.may_all else ():
            before, after = self.last.get(key), now.get(key)
            was, became = bool(before and before.is_anchor), bool(after and after.is_anchor)
            if (was or became) and before != after and not self._is_meant(key):
                self.wrong.append(f"{key}: {before} became {after}")
        self.last = now

    def _is_meant(self, key: Key) -> bool:
        names = {info.id: kind_of(info.name) for info in self.session.masks.objects}
        return key in self.addressed or (key.frame, names.get(key.object)) in self.looked_for

    def check(self) -> None:
        """See that every mask is in its own object's cell, and nothing wrong was seen."""
        assert not self.wrong, (self.wrong, self.done[-30:])
        if not self.session.video.is_open:
            return
        self.check_places(self.session.masks.snapshot(), self.here)

    def check_places(self, document: Document, video: Path) -> None:
        """See that every mask is of an object there is, where that object's masks may be."""
        known = {info.id: info for info in document.objects}
        for key, entry in document.items():
            assert key.object in known, (key, self.done[-30:])
            found = self.cells.holds(known[key.object], entry, video)
            assert found, (key, entry.mask and entry.mask.box, self.done[-30:])

    def check_left(self) -> None:
        """See that what was closed is in its file as it was in the window."""
        if self.left is None or self.session.files.project_path == self.left[0]:
            return
        (path, document, discarded), self.left = self.left, None
        if discarded:
            return
        opened = Project.open(path)
        there = opened.load()
        opened.close()
        here, found = dict(document.items()), dict(there.items())
        differ = [key for key in here.keys() | found.keys() if here.get(key) != found.get(key)]
        told = [(key, here.get(key), found.get(key)) for key in differ]
        assert not differ, (told, self.done[-30:])
        assert there.objects == document.objects, self.done[-30:]
        assert there.attributes == document.attributes, self.done[-30:]

    def check_words(self) -> None:
        """See that the window does not say "saved" where a save has failed."""
        autosave = self.session.files.autosave
        if self.session.video.is_open and autosave._failing and autosave.unsaved:
            said = self.window.statusBar().saved_text  # type: ignore[attr-defined]
            assert said.startswith("not saved"), (said, self.done[-30:])

    def check_killed(self) -> None:
        """See that what a kill would have left is a sound project of its own video."""
        while self.killed:
            path, video = self.killed.pop()
            opened = Project.open(path)
            document = opened.load()
            opened.close()
            self.check_places(document, video)

    # What the person does

    def address(self) -> None:
        """Remember that the person acts where they are."""
        if (number := self.session.view.selected) is not None:
            self.addressed.add(Key(self.session.view.frame, number))

    def some_object(self) -> None:
        objects = self.session.masks.objects
        if len(objects) < 2 or self.chance.random() < 0.05:
            self.act("new_object")
        elif self.chance.random() < 0.5:
            self.session.view.select(self.chance.choice(objects).id)

    def spot(self) -> tuple[float, float] | None:
        """Return a place in the middle of the selected object's cell; None where none is."""
        infos = {info.id: info for info in self.session.masks.objects}
        if (number := self.session.view.selected) not in infos:
            return None
        x, y = self.cells.corner(infos[number], self.here)
        return x + 10 + self.chance.randrange(-2, 3), y + 10 + self.chance.randrange(-2, 3)

    def gesture(self) -> None:
        """Draw with one of the tools, wherever the person is."""
        self.some_object()
        canvas, tools = self.window.canvas, (*[Tool.POINTS] * 3, *[Tool.BRUSH] * 3, *Tool)
        tool = self.chance.choice([each for each in tools if each is not Tool.SELECT])
        canvas.set_tool(tool)
        if (at := self.spot()) is None:
            return
        self.address()
        end = (at[0] + 3, at[1] + 3)
        if tool is Tool.POINTS:
            self.mouse.click(*at, RIGHT if self.chance.random() < 0.2 else LEFT)
        elif tool is Tool.POLYGON:
            for corner in (at, (at[0] + 5, at[1]), end):
                self.mouse.click(*corner)
            # Where no polygon could be begun, Enter takes what was found.
            with self._meaning(self.session.finding.proposed(self.session.view.frame)):
                if self.chance.random() < 0.7:
                    QTest.keyClick(canvas, Qt.Key.Key_Return)
        elif tool in {Tool.BRUSH, Tool.ERASER} and self.chance.random() < 0.3:
            self.mouse.press(*at)
            self.mouse.move(*end)
            self.held = end, Key(self.session.view.frame, self.session.view.selected or 0)
        else:
            self.mouse.drag(at, end)

    def release(self) -> None:
        if self.held is not None:
            self.mouse.release(*self.held[0])
            self.held = None

    def act(self, name: str) -> None:
        """Do what an action does, by its key or from the menu."""
        action = self.window.actions_by_name[name]
        self.may_all = name in {*ANYWHERE, *EXCHANGES, "exchange_suspect"}
        self.address()
        found = self.session.finding.proposed(self.session.view.frame)
        with self._meaning(found if name == "verify_and_heal" else ()):
            if action.shortcut().count() and self.chance.random() < 0.5:
                self.window.canvas.setFocus()
                QTest.keySequence(self.window.canvas, action.shortcut())
            else:
                action.trigger()
        self.may_all = False

    def act_quietly(self) -> None:
        self.act(self.chance.choice(QUIET))

    def act_here(self) -> None:
        self.act(self.chance.choice(HERE))

    def act_anywhere(self) -> None:
        name, block = self.chance.choice(ANYWHERE), self.session.view.block
        moved = block.objects if block else (self.session.view.selected or 0,)
        if name == "copy_on" and any(self.cells.is_mixed(each, self.here) for each in moved):
            return  # it goes along with the object, which goes from one cell to the other
        self.act(name)

    def undo(self) -> None:
        self.act(self.chance.choice(("undo", "undo", "redo")))

    def propagate(self) -> None:
        self.act(self.chance.choice(("forward", "both", "backward", "block_propagate")))

    def look(self) -> None:
        """Say what to look for, here or over a range."""
        panel = self.window.findChild(FindPanel)
        assert panel is not None
        where, *_ = panel.findChildren(QComboBox)
        where.setCurrentIndex(self.chance.randrange(2))
        self.act("find_objects")
        panel.words.setText(", ".join(self.chance.sample(PHRASES, 3)))
        QTest.keyClick(panel.words, Qt.Key.Key_Return)

    def find_hands(self) -> None:
        """Let the hands be found here, and become objects whenever they are."""
        self.looked_for |= {(self.session.view.frame, name) for name in HANDS}
        self.act("find_hands")

    def take_found(self) -> None:
        """Take what was found on this frame by Enter, or all of it by the button; or let it go."""
        panel = self.window.findChild(FindPanel)
        assert panel is not None
        if self.chance.random() < 0.7:
            self.act(self.chance.choice(("verify_and_heal", "verify_and_heal", "stop")))
            return
        (take,) = (each for each in panel.findChildren(QPushButton) if each.text() == "&Take")
        with self._meaning(self.session.finding.proposals):
            take.click()

    @contextmanager
    def _meaning(self, taken: Iterable[Proposal]) -> Iterator[None]:
        """Let these become anchors."""
        more = {(each.key.frame, kind_of(each.name)) for each in taken} - self.looked_for
        self.looked_for |= more
        yield
        self.looked_for -= more

    def exchange(self) -> None:
        """Exchange or unite two objects on frames of the timeline; or what was exchanged, again."""
        pairs = self.cells.pairs(self.session.masks.objects)
        if not pairs:
            return
        if self.chance.random() < 0.2:
            self.qtbot.waitUntil(lambda: self.session.review.is_up_to_date)
            self.act("next_suspect")
            self._exchange("exchange_suspect")
            return
        pair, first = self.chance.choice(pairs), self.chance.randrange(FRAMES)
        self.cells.mix(pair, self.here)
        frames = range(first, self.chance.randrange(first, FRAMES) + 1)
        self.session.view.choose_block(Block(pair, frames))
        self._exchange(self.chance.choice(EXCHANGES))

    def _exchange(self, name: str) -> None:
        self.act(name)
        self.session.view.choose_block(None)

    def timeline(self) -> None:
        """Click in the timeline, or draw a block."""
        timeline = self.window.findChild(Timeline)
        assert timeline is not None
        area = timeline.viewport()
        places = [
            QPoint(self.chance.randrange(area.width()), self.chance.randrange(area.height()))
            for _ in range(2)
        ]
        QTest.mousePress(area, LEFT, NONE, places[0])
        if self.chance.random() < 0.5:
            QTest.mouseMove(area, places[1])
        QTest.mouseRelease(area, LEFT, NONE, places[-1])

    def let(self) -> None:
        for gate in self._gates():
            gate.let(self.chance.randrange(5))

    def wait(self) -> None:
        self.qtbot.wait(self.chance.randrange(8))

    def rest(self) -> None:
        """Let all that is under way come to its end."""
        self._open_gates()
        self.qtbot.waitUntil(lambda: self.session.status.state is SessionState.IDLE)
        QApplication.processEvents()
        self._close_gates()

    def kill_while_saving(self) -> None:
        """Keep what a kill at one of the statements to come would leave."""
        project, video = self.session.files.autosave._project, self.here
        if project is None:
            return
        left, folder = self.chance.randrange(8), self.spare / f"killed{len(self.done)}"

        def copy(_statement: str) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                folder.mkdir(parents=True)
                for name in (project.path.name, f"{project.path.name}-wal"):
                    if project.path.with_name(name).exists():
                        shutil.copy(project.path.with_name(name), folder / name)
                self.killed.append((folder / project.path.name, video))

        # Set where the statements are made: elsewhere it would wait for one that waits for it.
        trace = project._database.set_trace_callback
        self.session.files.autosave.on_project(lambda _project: trace(copy)).result()

    def fill_or_empty(self) -> None:
        self.is_full = not self.is_full

    def open_another(self) -> None:
        self._leaving(lambda: self.window.files.open(self.chance.choice(self.videos)))

    def close(self) -> None:
        self._leaving(lambda: self.act("close") if self.chance.random() < 0.7 else self._cross())

    def _cross(self) -> None:
        self.window.close()
        self.window.show()

    def _leaving(self, leave: Callable[[], object]) -> None:
        self.saved_elsewhere += 1
        self.ask.answer = self.spare / f"{self.saved_elsewhere}.maskwright"
        self._open_gates()
        self.may_all = True
        leave()
        self.may_all = False
        if not self.session.video.is_open:
            self.check_left()
            self.window.files.open(self.chance.choice(self.videos))
        self.check_left()
        source = self.session.video.now
        assert source is not None, self.done[-30:]
        self.here = next(each for each in self.videos if each.name == self.session.video.title)
        self.last = dict(self.session.masks.document.items())
        self._close_gates()

    def _gates(self) -> list[Gate]:
        return [gate for made in self.made[-1:] for gate in _gates_of(made)]

    def _close_gates(self) -> None:
        self.holds = True
        for gate in self._gates():
            gate.close()

    def _open_gates(self) -> None:
        self.holds = False
        for gate in (each for made in self.made for each in _gates_of(made)):
            gate.open()

    # The game

    def step(self) -> None:
        acts = [
            *[self.gesture] * 9, *[self.let] * 7, *[self.wait] * 4, *[self.propagate] * 4,
            *[self.act_quietly] * 8, *[self.act_here] * 4, self.act_anywhere, *[self.undo] * 2,
            self.release, self.release, self.timeline, self.fill_or_empty, self.open_another,
            self.close, self.rest, self.kill_while_saving, self.look, self.look, self.find_hands,
            *[self.take_found] * 3, self.exchange,
        ]  # fmt: skip
        act = self.chance.choice(acts)
        self.done.append(act.__name__)
        held = {self.held[1]} if self.held else set()
        self.addressed = {key for key in self.addressed if self.session.clicks.waits_at(key)} | held
        act()
        if (popup := QApplication.activePopupWidget()) is not None:
            popup.close()
        QApplication.processEvents()
        self.check()
        self.check_words()
        self.check_killed()

    def end(self) -> None:
        self.is_full = False
        self.release()
        self.rest()
        self.check()

    def shut(self) -> None:
        """Close the window for good."""
        self.is_full = False
        self._open_gates()
        with suppress(RuntimeError):
            self.may_all = True
            self.session.files.close()
            self.window.close()
        shiboken6.delete(self.window)
        shiboken6.delete(self.session)


def _gates_of(made: FakeModels) -> tuple[Gate, ...]:
    return made.fake_tracker.gate, made.fake_segmenter.gate, made.fake_detector.gate
