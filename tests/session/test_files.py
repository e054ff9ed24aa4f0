"""The session and its files: opening, saving, losing nothing, exporting."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import shiboken6
from pytestqt.qtbot import QtBot

from app.core.document import Changes, Key, Origin
from app.core.mask import Mask
from app.errors import MaskwrightError, ProjectError, VideoMissingError
from app.session.files.opening import project_path
from app.session.session import Session
from app.session.state.status import Report
from app.storage.formats.palette import write_palette_png
from app.storage.project.project import Project
from app.storage.settings import Settings, load
from app.storage.video.frames import FrameCache
from tests.fakes import SIZE, FakeModels, square, write_frames

FRAMES = 12


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_frames(tmp_path / "clip", FRAMES)


@pytest.fixture
def session(qtbot: QtBot) -> Iterator[Session]:
    session = Session(loader=lambda frames, settings: FakeModels(frames))
    yield session
    session.files.close()
    shiboken6.delete(session)


@pytest.fixture
def reports(session: Session) -> list[Report]:
    said: list[Report] = []
    session.status.reported.connect(said.append)
    return said


def draw(session: Session, frame: int, x: int = 10) -> None:
    if not session.masks.objects:
        session.objects.add("knife")
    session.edit.draw_mask(frame, 1, square(x), "Brush")


def test_a_project_is_made_beside_the_video_and_found_again(session: Session, clip: Path) -> None:
    session.files.open(clip)
    assert session.files.project_path == clip.with_name("clip.maskwright")
    draw(session, 3)
    session.files.close()
    assert not session.video.is_open
    session.files.open(clip)
    assert [info.name for info in session.masks.objects] == ["knife"]
    entry = session.masks.document.get(Key(3, 1))
    assert entry is not None
    assert entry.mask == Mask.encode(square(10))


def test_a_project_file_opens_with_its_video(session: Session, clip: Path) -> None:
    session.files.open(clip)
    draw(session, 3)
    session.files.close()
    session.files.open(clip.with_name("clip.maskwright"))
    assert session.video.title == "clip"
    assert len(session.masks.document) == 1


def test_where_the_folder_cannot_be_written_the_project_lies_with_the_person(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MASKWRIGHT_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(os, "access", lambda *_: False)
    path = project_path(clip)
    assert path.is_relative_to(tmp_path / "home" / "projects")
    assert path != project_path(clip.parent / "other" / "clip")


def in_folder(session: Session, folder: Path | str) -> None:
    session.preferences.apply(replace(session.preferences.settings, autosave_folder=str(folder)))


def test_a_project_beside_its_video_is_found_once_a_folder_is_chosen(
    session: Session, clip: Path, tmp_path: Path, reports: list[Report]
) -> None:
    session.files.open(clip)
    draw(session, 3)
    session.files.close()
    in_folder(session, tmp_path / "projects")
    session.files.open(clip)
    assert session.files.project_path == clip.with_name("clip.maskwright")
    assert session.masks.document.frames() == [3]
    assert reports == []


def test_a_new_project_lies_in_the_chosen_folder(
    session: Session, clip: Path, tmp_path: Path
) -> None:
    in_folder(session, tmp_path / "projects")
    for _ in range(2):
        session.files.open(clip)
        assert session.files.project_path is not None
        assert session.files.project_path.is_relative_to(tmp_path / "projects")
        draw(session, 3)
        session.files.close()
    assert not clip.with_name("clip.maskwright").exists()


def test_of_two_projects_of_a_video_the_newer_is_opened_and_the_other_named(
    session: Session, clip: Path, tmp_path: Path, reports: list[Report]
) -> None:
    beside = clip.with_name("clip.maskwright")
    in_folder(session, tmp_path / "projects")
    session.files.open(clip)
    draw(session, 3)
    elsewhere = session.files.project_path
    assert elsewhere is not None
    session.files.save_as(beside)
    draw(session, 4)
    session.files.close()
    os.utime(elsewhere, (1, 1))
    session.files.open(clip)
    assert (session.files.project_path, session.masks.document.frames()) == (beside, [3, 4])
    assert [report.text for report in reports if str(elsewhere) in report.text]
    session.files.close()
    os.utime(beside, (0.5, 0.5))
    session.files.open(clip)
    assert (session.files.project_path, session.masks.document.frames()) == (elsewhere, [3])


def test_what_a_killed_process_wrote_last_makes_its_project_the_newer_one(
    clip: Path, tmp_path: Path
) -> None:
    folder = str(tmp_path / "projects")
    elsewhere, beside = project_path(clip, folder), clip.with_name("clip.maskwright")
    elsewhere.parent.mkdir(parents=True)
    for age, file in enumerate((beside, elsewhere, beside.with_name(f"{beside.name}-wal"))):
        file.touch()
        os.utime(file, (age + 1, age + 1))
    assert project_path(clip, folder) == beside


def test_a_folder_for_projects_that_cannot_be_used_is_named(
    session: Session, clip: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    in_folder(session, tmp_path / "file" / "projects")
    with pytest.raises(ProjectError, match=r"folder for projects.*settings") as told:
        session.files.open(clip)
    assert str(tmp_path / "file" / "projects") in str(told.value)
    assert not session.video.is_open


@pytest.mark.parametrize("folder", ["projects", "~/projects", " projects "])
def test_a_folder_for_projects_that_is_not_whole_begins_at_home(
    folder: str, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    assert project_path(clip, folder).is_relative_to(tmp_path / "home" / "projects")


def test_a_source_that_cannot_be_opened_leaves_what_is_open(
    session: Session, clip: Path, tmp_path: Path
) -> None:
    session.files.open(clip)
    draw(session, 3)
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    (tmp_path / "broken.maskwright").write_bytes(b"no project")
    (tmp_path / "broken.json").write_bytes(b"{")
    (tmp_path / "empty").mkdir()
    for name in ("broken.mp4", "broken.maskwright", "broken.json", "empty", "missing"):
        with pytest.raises(MaskwrightError):
            session.files.open(tmp_path / name)
    assert session.video.title == "clip"
    draw(session, 4)
    assert len(session.masks.document) == 2


def test_a_project_of_another_video_is_refused(
    session: Session, clip: Path, tmp_path: Path
) -> None:
    session.files.open(clip)
    session.files.close()
    clip.rename(tmp_path / "gone")
    write_frames(clip, FRAMES + 1)
    with pytest.raises(ProjectError, match="13 frames"):
        session.files.open(clip)
    assert not session.video.is_open


def test_a_moved_video_is_asked_for_and_found_again(
    session: Session, clip: Path, tmp_path: Path
) -> None:
    session.files.open(clip)
    draw(session, 3)
    session.files.close()
    project = clip.with_name("clip.maskwright")
    moved = clip.rename(tmp_path / "moved")
    with pytest.raises(VideoMissingError, match="clip"):
        session.files.open(project)
    session.files.relocate_video(moved)
    assert session.video.title == "moved"
    assert len(session.masks.document) == 1
    session.files.close()
    session.files.open(project)
    assert session.video.title == "moved"


def test_opening_what_is_open_changes_nothing(session: Session, clip: Path) -> None:
    session.files.open(clip)
    draw(session, 3)
    session.files.open(clip)
    assert session.history.stack.count() == 2
    assert len(session.masks.document) == 1


def test_opening_another_video_saves_the_one_before(
    session: Session, clip: Path, tmp_path: Path
) -> None:
    other = write_frames(tmp_path / "other", 5)
    session.files.open(clip)
    draw(session, 3)
    session.files.open(other)
    assert (session.video.title, len(session.masks.document), session.video.frame_count) == (
        "other",
        0,
        5,
    )
    session.files.open(clip)
    assert len(session.masks.document) == 1


def test_saving_as_goes_on_in_the_copy(session: Session, clip: Path, tmp_path: Path) -> None:
    session.files.open(clip)
    draw(session, 3)
    copy = tmp_path / "copies" / "copy.maskwright"
    session.files.save_as(copy)
    draw(session, 4)
    session.files.close()
    assert session.files.project_path is None
    session.files.open(copy)
    assert session.masks.document.frames() == [3, 4]
    session.files.open(clip)
    assert session.masks.document.frames() == [3]


def test_the_open_project_is_known_by_any_name(session: Session, clip: Path) -> None:
    session.files.open(clip)
    draw(session, 3)
    for name in (clip.with_name("clip.maskwright"), clip / ".." / "clip.maskwright"):
        session.files.save_as(name)
        session.files.open(name)
        assert session.files.project_path == clip.with_name("clip.maskwright")
    draw(session, 4)
    session.files.close()
    session.files.open(clip)
    assert session.masks.document.frames() == [3, 4]
    assert session.history.stack.count() == 0


def test_what_changes_is_saved_by_itself(session: Session, clip: Path, qtbot: QtBot) -> None:
    session.files.open(clip)
    with qtbot.waitSignal(session.autosave.saved):
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


def test_an_export_is_read_back_and_the_worst_mask_is_told(
    session: Session, clip: Path, tmp_path: Path, qtbot: QtBot, reports: list[Report]
) -> None:
    session.files.open(clip)
    draw(session, 3)
    session.exchange.export("visor", tmp_path / "visor.json")
    draw(session, 4)
    qtbot.waitUntil(lambda: any("worst IoU" in report.text for report in reports), timeout=20_000)
    assert "worst IoU 1.0000" in reports[-1].text
    frames = json.loads((tmp_path / "visor.json").read_text())["video_annotations"]
    assert len([frame for frame in frames if frame["annotations"]]) == 1


def test_objects_of_one_name_are_read_back_each_as_itself(
    session: Session, clip: Path, tmp_path: Path, qtbot: QtBot, reports: list[Report]
) -> None:
    session.files.open(clip)
    for number in (1, 2):
        session.objects.add("cup")
        session.edit.draw_mask(0, number, square(10 * number), "Brush")
    session.edit.draw_mask(1, 2, square(10), "Brush")
    session.exchange.export("visor", tmp_path / "visor.json")
    qtbot.waitUntil(lambda: any("worst IoU" in report.text for report in reports), timeout=20_000)
    assert "worst IoU 1.0000." in reports[-1].text


def test_an_export_that_fails_is_reported(
    session: Session, clip: Path, tmp_path: Path, qtbot: QtBot, reports: list[Report]
) -> None:
    session.files.open(clip)
    draw(session, 3)
    (tmp_path / "file").write_text("in the way")
    session.exchange.export("visor", tmp_path / "file" / "visor.json")
    qtbot.waitUntil(lambda: any(report.level == "error" for report in reports), timeout=20_000)


def test_an_unknown_format_is_refused(session: Session, clip: Path, tmp_path: Path) -> None:
    session.files.open(clip)
    with pytest.raises(MaskwrightError, match="nonsense"):
        session.exchange.export("nonsense", tmp_path / "x")


def test_a_wrong_video_for_the_open_project_leaves_it_open(
    session: Session, clip: Path, tmp_path: Path
) -> None:
    session.files.open(clip)
    draw(session, 3)
    with pytest.raises(ProjectError):
        session.files.relocate_video(write_frames(tmp_path / "other", FRAMES + 1))
    assert session.video.title == "clip"
    assert len(session.masks.document) == 1


def test_masks_are_imported_as_anchors_in_one_step(
    session: Session, clip: Path, tmp_path: Path
) -> None:
    session.files.open(clip)
    labels = square(10).astype("uint8") + 2 * square(40).astype("uint8")
    (tmp_path / "masks").mkdir()
    write_palette_png(tmp_path / "masks" / "00004.png", labels)
    session.exchange.import_masks(tmp_path / "masks")
    assert {info.id for info in session.masks.objects} == {1, 2}
    entry = session.masks.document.get(Key(4, 2))
    assert entry is not None
    assert (entry.mask, entry.origin) == (Mask.encode(square(40)), Origin.IMPORTED)
    assert session.history.stack.count() == 1
    session.history.stack.undo()
    assert (session.masks.objects, len(session.masks.document)) == ((), 0)


def test_only_what_a_person_changes_is_kept_of_the_settings(tmp_path: Path, qtbot: QtBot) -> None:
    file = tmp_path / "settings.toml"
    session = Session(Settings(device="cpu"), settings_file=file)
    session.preferences.apply(replace(session.preferences.settings, undo_limit=77))
    kept = load(file)
    assert (kept.undo_limit, kept.device) == (77, "auto")


def test_other_models_are_loaded_when_the_settings_name_them(clip: Path, qtbot: QtBot) -> None:
    loaded: list[str] = []

    def loader(frames: FrameCache, settings: Settings) -> FakeModels:
        loaded.append(settings.segmenter)
        return FakeModels(frames)

    session = Session(loader=loader)
    session.files.open(clip)
    qtbot.waitUntil(lambda: loaded == [""])
    session.preferences.apply(replace(session.preferences.settings, segmenter="mobile-sam"))
    session.view.go_to(3)
    qtbot.waitUntil(lambda: loaded == ["", "mobile-sam"])
    session.files.close()
    shiboken6.delete(session)


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
    for key in keys:
        print(time.time(), key.frame, key.object, flush=True)

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


def test_killing_the_process_loses_at_most_a_second(session: Session, tmp_path: Path) -> None:
    clip = write_frames(tmp_path / "long", 400)
    victim = subprocess.Popen(
        [sys.executable, "-c", _VICTIM, str(clip)], stdout=subprocess.PIPE, text=True
    )
    assert victim.stdout is not None
    told = [victim.stdout.readline() for _ in range(2)]
    time.sleep(2.2)
    killed = time.time()
    victim.send_signal(signal.SIGKILL)
    told += victim.communicate()[0].splitlines()
    session.files.open(clip)
    lines = [line.split() for line in told if len(line.split()) == 3]
    due = {Key(int(f), int(o)) for at, f, o in lines if float(at) < killed - 1}
    assert len({key for key in due if key.object == 1}) > 10
    assert len({key for key in due if key.object == 2}) > 5
    assert {key for key in due if session.masks.document.get(key) is None} == set()
    entry = session.masks.document.get(Key(1, 1))
    assert entry is not None
    assert entry.origin is Origin.PROPAGATED
    assert session.video.size == SIZE
