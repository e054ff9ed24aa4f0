"""The autosave: nothing is lost."""

import signal
import subprocess
import sys
import threading
from datetime import datetime
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
from datetime import datetime
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


def test_that_nothing_can_be_saved_is_told_until_something_is(
    session: Session, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.files.open(clip)
    told, times = list[bool](), list[datetime]()
    session.files.autosave.failing_changed.connect(told.append)
    session.files.autosave.saved.connect(times.append)
    session.files.save()
    draw(session, 3)
    with monkeypatch.context() as full:
        full.setattr(Project, "append", _refuse)
        for _ in range(2):
            with pytest.raises(ProjectError):
                session.files.save()
        assert (told, session.files.autosave.unsaved) == ([True], 1)
    session.files.save()
    session.files.save()
    assert (told, session.files.autosave.unsaved) == ([True, False], 0)
    assert len(times) == 3
    assert times == sorted(times)
    assert all(time.utcoffset() is not None for time in times)


def _refuse(_project: Project, _changes: Changes) -> None:
    raise ProjectError("The disk is full.")


def test_what_changes_while_a_write_is_under_way_is_written_after_it(
    session: Session, clip: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, begun, append = threading.Event(), threading.Event(), Project.append
    written = list[set[int]]()

    def slowly(project: Project, changes: Changes) -> None:
        begun.set()
        gate.wait(PATIENCE)
        written.append({key.frame for key in changes})
        append(project, changes)

    monkeypatch.setattr(Project, "append", slowly)
    monkeypatch.setattr("app.session.files.autosave._SOON_MS", 5)
    session.files.open(clip)
    autosave = session.files.autosave
    autosave._watch.stop()  # which would write it later
    draw(session, 3)
    qtbot.waitUntil(begun.is_set)
    draw(session, 4)
    qtbot.wait(50)  # the time for it has come, and nothing can be written
    assert autosave.unsaved == 2
    gate.set()
    qtbot.waitUntil(lambda: autosave.unsaved == 0)
    assert written == [{3}, {4}]
    times, objects = list[datetime](), list[object]()
    autosave.saved.connect(times.append)
    monkeypatch.setattr(Project, "save_objects", lambda *_args, **_more: objects.append(1))
    autosave._look()  # as it does now and then: there is nothing to write
    qtbot.waitUntil(lambda: autosave._busy is None)
    draw(session, 5)
    qtbot.waitUntil(lambda: autosave.unsaved == 0)
    assert (len(times), objects) == (1, [])


def test_a_file_that_is_gone_is_noticed_while_nothing_changes(
    session: Session, clip: Path, qtbot: QtBot
) -> None:
    session.files.open(clip)
    draw(session, 3)
    session.files.save()
    assert session.files.autosave.is_in_place()
    qtbot.waitUntil(lambda: not session.files.autosave._timer.isActive())
    session.files.autosave._watch.setInterval(5)
    project = clip.with_name("clip.maskwright")
    with qtbot.waitSignal(session.files.autosave.failing_changed):
        project.rename(project.with_name("away"))
    assert not session.files.autosave.is_in_place()
    project.with_name("away").rename(project)


def test_a_copy_that_cannot_be_written_whole_is_held_by_nobody(
    session: Session, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.files.open(clip)
    draw(session, 3)
    session.files.save()
    draw(session, 4)
    with monkeypatch.context() as full:
        full.setattr(Project, "append", _refuse)
        with pytest.raises(ProjectError):
            session.files.save_as(tmp_path / "copy.maskwright")
    Project.open(tmp_path / "copy.maskwright").close()
    assert session.files.project_path == clip.with_name("clip.maskwright")
    session.files.close()
    session.files.open(clip)
    assert session.masks.document.frames() == [3, 4]


def test_a_draft_is_in_the_file_until_it_is_done_or_its_object_gone(
    session: Session, clip: Path
) -> None:
    session.files.open(clip)
    draw(session, 3)
    autosave, project = session.files.autosave, clip.with_name("clip.maskwright")

    def in_file() -> list[int]:
        session.files.save()
        copy = project.with_name("copy.maskwright")
        autosave.on_project(lambda opened: opened.copy_to(copy)).result()
        opened = Project.open(copy)
        document = opened.load()
        opened.close()
        copy.unlink()
        return document.frames()

    autosave.keep_draft(5, 1, square(20))
    assert (in_file(), session.masks.document.frames()) == ([3, 5], [3])
    autosave.keep_draft(5, 1, None)
    assert in_file() == [3]
    unsaved = autosave.unsaved
    autosave.keep_draft(6, 1, None)  # of which there was none
    assert autosave.unsaved == unsaved
    autosave.keep_draft(7, 1, square(20))
    assert in_file() == [3, 7]
    session.objects.delete(1)
    assert in_file() == []
