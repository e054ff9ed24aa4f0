"""The autosave: nothing is lost."""

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.core.document import Changes, Key, Origin
from app.errors import ProjectError
from app.session.session import Session
from app.session.state.status import Report
from app.storage.project.project import Project
from tests.fakes import SIZE, square, write_frames
from tests.session.files.strokes import draw
from tests.waiting import PATIENCE


def test_what_changes_is_saved_by_itself(session: Session, clip: Path, qtbot: QtBot) -> None:
    session.files.open(clip)
    with qtbot.waitSignal(session.files.autosave.saved):
        draw(session, 3)


def test_undo_is_saved_too(session: Session, clip: Path) -> None:
    session.files.open(clip)
    draw(session, 3)
    draw(session, 4)
    session.history.stack.undo()
    session.files.close()
    session.files.open(clip)
    assert session.masks.document.frames() == [3]


def test_a_full_disk_loses_nothing_and_is_said_once(
    session: Session,
    clip: Path,
    qtbot: QtBot,
    reports: list[Report],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    append, full = Project.append, True
    tries = 0

    def failing(project: Project, changes: Changes) -> None:
        nonlocal tries
        tries += 1
        if full:
            raise ProjectError("The disk is full.")
        append(project, changes)

    monkeypatch.setattr(Project, "append", failing)
    monkeypatch.setattr("app.session.files.autosave._RETRY_MS", 20)
    session.files.open(clip)
    draw(session, 3)
    qtbot.waitUntil(lambda: tries >= 3)
    draw(session, 4)
    warnings = [report for report in reports if "The disk is full" in report.text]
    assert len(warnings) == 1
    full = False
    qtbot.waitUntil(lambda: any("saved again" in report.text for report in reports))
    session.files.close()
    session.files.open(clip)
    assert session.masks.document.frames() == [3, 4]


def test_a_failure_is_logged_once_until_there_is_another(
    session: Session,
    clip: Path,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    append, why = Project.append, "The disk is full."
    tries = 0

    def failing(project: Project, changes: Changes) -> None:
        nonlocal tries
        tries += 1
        if why:
            raise ProjectError(why)
        append(project, changes)

    def logged() -> list[str]:
        found = [r.exc_info for r in caplog.records if "could not be written" in r.message]
        return [str(each[1]).partition(": ")[2] for each in found if each is not None]

    monkeypatch.setattr(Project, "append", failing)
    monkeypatch.setattr("app.session.files.autosave._RETRY_MS", 20)
    session.files.open(clip)
    draw(session, 3)
    qtbot.waitUntil(lambda: tries >= 4)
    assert logged() == ["The disk is full."]
    why = "The drive is gone."
    qtbot.waitUntil(lambda: len(logged()) == 2)
    why = "The disk is full."
    qtbot.waitUntil(lambda: len(logged()) == 3)
    why = ""
    with qtbot.waitSignal(session.files.autosave.saved):
        pass
    why = "The disk is full."
    draw(session, 4)
    qtbot.waitUntil(lambda: len(logged()) == 4)
    tries = 0
    qtbot.waitUntil(lambda: tries >= 3)
    full, gone = "The disk is full.", "The drive is gone."
    assert logged() == [full, gone, full, full]
    why = ""


class Writer:
    """A project file's writing, held up and failing as a test wants it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, failures: int = 1) -> None:
        self.begun, self.go = threading.Event(), threading.Event()
        self._failures = failures
        append = Project.append

        def held(project: Project, changes: Changes) -> None:
            self.begun.set()
            assert self.go.wait(PATIENCE)
            if self._failures:
                self._failures -= 1
                raise ProjectError("The disk is full.")
            append(project, changes)

        monkeypatch.setattr(Project, "append", held)


def test_the_late_notice_of_a_failed_write_says_nothing_after_a_flush(
    session: Session,
    clip: Path,
    qtbot: QtBot,
    reports: list[Report],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    session.files.open(clip)
    writer = Writer(monkeypatch)
    draw(session, 3)
    qtbot.waitUntil(writer.begun.is_set)
    writer.go.set()
    session.files.autosave.flush()  # before the notice, which waits in this thread's event queue
    saved: list[object] = []
    session.files.autosave.saved.connect(saved.append)
    qtbot.wait(50)
    assert not [report for report in reports if "could not be saved" in report.text]
    assert saved == []
    session.files.close()
    session.files.open(clip)
    assert session.masks.document.frames() == [3]


def test_a_new_object_is_saved_with_its_masks_after_a_write_and_a_flush_that_failed(
    session: Session, clip: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.session.files.autosave._RETRY_MS", 20)
    session.files.open(clip)
    writer = Writer(monkeypatch, failures=2)
    draw(session, 3)
    qtbot.waitUntil(writer.begun.is_set)
    writer.go.set()
    with pytest.raises(ProjectError):
        session.files.autosave.flush()  # before the notice of the write
    qtbot.waitUntil(lambda: session.files.autosave.unsaved == 0)
    session.files.close(discard=True)  # as a kill would leave it
    opened = Project.open(clip.with_name("clip.maskwright"))
    document = opened.load()
    opened.close()
    assert ([info.id for info in document.objects], document.frames()) == ([1], [3])


def test_the_late_notice_of_another_project_says_nothing(
    session: Session,
    clip: Path,
    tmp_path: Path,
    qtbot: QtBot,
    reports: list[Report],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = write_frames(tmp_path / "other", 5)
    session.files.open(clip)
    writer = Writer(monkeypatch)
    draw(session, 3)
    qtbot.waitUntil(writer.begun.is_set)
    writer.go.set()
    session.files.open(other)
    saved: list[object] = []
    session.files.autosave.saved.connect(saved.append)
    qtbot.wait(50)
    assert not [report for report in reports if "could not be saved" in report.text]
    assert saved == []
    session.files.open(clip)
    assert session.masks.document.frames() == [3]


_VICTIM = """
import sys, time
from pathlib import Path
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from app.core.plan import Direction
from app.session.session import Session
from tests.fakes import FakeModels, square

class Slow(FakeModels):
    def __init__(self, frames):
        super().__init__(frames)
        step = self.fake_tracker.gate.step
        self.fake_tracker.gate.step = lambda: (time.sleep(0.02), step())

def tell(keys):
    # In this process's own time: a busy machine makes it late, and the writing as well.
    QTimer.singleShot(1000, lambda: [print(key.frame, key.object, flush=True) for key in keys])

application = QApplication([])
session = Session(loader=lambda frames, settings: Slow(frames))
session.files.open(Path(sys.argv[1]))
session.objects.add("knife"), session.objects.add("hand")
session.edit.draw_mask(0, 1, square(10), "Brush")
session.masks.entries_changed.connect(tell)
session.jobs.propagate(Direction.FORWARD)
strokes = iter(range(10 ** 6))
timer = QTimer(interval=40)
timer.timeout.connect(lambda: session.edit.draw_mask(next(strokes), 2, square(30), "Brush"))
timer.start()
application.exec()
"""


def told(line: str) -> Key:
    frame, number = line.split()
    return Key(int(frame), int(number))


def enough(due: set[Key]) -> bool:
    """Return whether a second has passed since many changes of both objects."""
    return sum(key.object == 1 for key in due) > 40 and sum(key.object == 2 for key in due) > 20


def test_killing_the_process_loses_at_most_a_second(session: Session, tmp_path: Path) -> None:
    clip = write_frames(tmp_path / "long", 400)
    victim = subprocess.Popen(
        [sys.executable, "-c", _VICTIM, str(clip)], stdout=subprocess.PIPE, text=True
    )
    assert victim.stdout is not None
    due: set[Key] = set()
    while not enough(due):
        due.add(told(victim.stdout.readline()))
    victim.send_signal(signal.SIGKILL)
    due |= {told(line) for line in victim.communicate()[0].splitlines()}
    session.files.open(clip)
    assert len({key for key in due if key.object == 1}) > 10
    assert len({key for key in due if key.object == 2}) > 5
    assert {key for key in due if session.masks.document.get(key) is None} == set()
    entry = session.masks.document.get(Key(1, 1))
    assert entry is not None
    assert entry.origin is Origin.PROPAGATED
    assert session.video.size == SIZE


def test_what_was_never_drawn_to_its_end_is_not_in_the_file_of_a_closed_video(
    session: Session, clip: Path
) -> None:
    session.files.open(clip)
    draw(session, 3)
    session.files.autosave.keep_draft(3, 1, square(30))
    session.files.autosave.keep_draft(4, 1, square(30))
    session.files.save()
    before = dict(session.masks.document.items())
    session.files.close()
    session.files.open(clip)
    assert dict(session.masks.document.items()) == before
