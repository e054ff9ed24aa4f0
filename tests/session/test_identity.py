"""The identity of objects: it ends with them, and so does all that was on its way for them."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.core.document import Document, Entry, Key, ObjectInfo, Origin, ids_for
from app.core.mask import Mask
from app.session.session import Session
from app.session.state.status import SessionState
from app.storage.formats.palette import encode_palette_png
from app.storage.project import schema
from app.storage.project.project import Project
from models.api import Click
from tests.fakes import square, write_frames
from tests.session.desk import FRAMES, Desk, begin_propagation, draw, mask_at


def ids(session: Session) -> list[int]:
    return [info.id for info in session.masks.objects]


def delete_and_add(desk: Desk, number: int = 1) -> int:
    desk.session.objects.delete(number)
    added = desk.session.objects.add()
    assert added is not None
    return added


def test_no_id_is_given_twice_whatever_takes_the_object_away(desk: Desk, clip: Path) -> None:
    session = desk.session
    first = session.objects.add()
    session.objects.delete(1)
    second = session.objects.add()
    session.history.undo()
    third = session.objects.add()
    session.objects.delete(3)
    session.files.close()
    session.files.open(clip)
    assert (first, second, third, session.objects.add()) == (1, 2, 3, 4)


def test_undo_brings_an_object_back_as_itself(desk: Desk) -> None:
    draw(desk, 3)
    assert delete_and_add(desk) == 2
    desk.session.history.undo()
    desk.session.history.undo()
    assert ids(desk.session) == [1]
    assert desk.session.masks.document.frames() == [3]


def test_more_than_254_objects_come_and_go(desk: Desk, clip: Path) -> None:
    session = desk.session
    for _ in range(300):
        number = session.objects.add()
        assert number is not None
        session.objects.delete(number)
    number = session.objects.add("last")
    assert number == 301
    draw(desk, 5, number)
    session.files.close()
    session.files.open(clip)
    assert ids(session) == [301]
    assert session.masks.document.get(Key(5, 301)) is not None


def test_a_propagation_on_its_way_reaches_no_other_object(
    desk: Desk, qtbot: QtBot, idle: Callable[[], None]
) -> None:
    draw(desk, 0)
    begin_propagation(desk, qtbot)
    new = delete_and_add(desk)
    desk.made.fake_tracker.gate.open()
    idle()
    assert ids(desk.session) == [new]
    assert len(desk.session.masks.document) == 0


def test_a_click_on_its_way_reaches_no_other_object(desk: Desk, idle: Callable[[], None]) -> None:
    desk.made.fake_segmenter.gate.close()
    desk.session.clicks.click(Click(20, 25))
    assert desk.session.clicks.asked
    desk.session.objects.delete(1)
    assert desk.session.status.state is SessionState.IDLE
    assert desk.session.objects.add() == 2
    desk.made.fake_segmenter.gate.open()
    desk.session.clicks.click(Click(40, 25))
    idle()
    assert dict(desk.session.masks.document.items()).keys() == {Key(0, 2)}


def test_a_draft_of_an_object_that_is_gone_is_written_nowhere(desk: Desk, clip: Path) -> None:
    draw(desk, 3)
    desk.session.files.autosave.keep_draft(5, 1, square(10))
    desk.session.files.save()
    desk.session.objects.delete(1)
    desk.session.files.close()
    project = Project.open(clip.with_name("clip.maskwright"))
    assert len(project.load()) == 0
    project.close()


def test_a_dismissed_suspect_is_not_that_of_the_next_object(desk: Desk, qtbot: QtBot) -> None:
    def lose(number: int) -> None:
        draw(desk, 0, number)
        far = Entry(mask_at(50), Origin.PROPAGATED, score=0.01)
        near = Entry(mask_at(10), Origin.PROPAGATED, score=0.99)
        desk.session.masks.change(
            {Key(frame, number): far if frame == 9 else near for frame in range(1, 20)}, "lost"
        )
        qtbot.waitUntil(lambda: any(s.object == number for s in desk.session.review.suspects))

    lose(1)
    for suspect in desk.session.review.suspects:
        desk.session.review.dismiss(suspect)
    assert not desk.session.review.suspects
    new = delete_and_add(desk)
    lose(new)


def test_what_is_imported_takes_no_id_of_an_object_that_is_gone(desk: Desk, tmp_path: Path) -> None:
    draw(desk, 0)
    draw(desk, 0, 2)
    desk.session.objects.delete(1)
    folder = tmp_path / "masks"
    folder.mkdir()
    labels = square(10).astype("uint8") + 2 * square(30).astype("uint8")
    (folder / "00004.png").write_bytes(encode_palette_png(labels))
    desk.session.files.exchange.import_masks(folder)
    assert ids(desk.session) == [2, 3]
    frame = desk.session.masks.document.on_frame(4)
    assert frame[3].mask == Mask.encode(square(10))
    assert frame[2].mask == Mask.encode(square(30))


def test_ids_from_elsewhere_keep_what_they_can() -> None:
    objects = (ObjectInfo(2, "two", (0, 0, 0)), ObjectInfo(5, "five", (0, 0, 0)))
    document = Document(objects)
    assert ids_for(document, [1, 2, 5, 6, 9]) == {1: 10, 2: 2, 5: 5, 6: 6, 9: 9}
    assert ids_for(Document(), [1, 254]) == {1: 1, 254: 254}


@pytest.mark.parametrize("left_behind", [7, None])
def test_a_project_of_an_older_version_gives_no_id_again(
    tmp_path: Path, qtbot: QtBot, left_behind: int | None
) -> None:
    clip = write_frames(tmp_path / "old", FRAMES)
    path = clip.with_name("old.maskwright")
    Project.create(path, clip, FRAMES, (48, 64)).close()
    project = Project.open(path)
    database = project._database
    database.execute("ALTER TABLE video DROP COLUMN next_object")
    database.executescript("DROP TABLE run_mask; DROP TABLE run")
    database.execute("INSERT INTO object VALUES (0, 3, 'three', 1, 2, 3, NULL, 1, 0)")
    if left_behind is not None:  # the masks of an object whose deletion was cut short
        row = schema.row_of(Key(4, left_behind), Entry(mask_at(10), Origin.DRAWN))
        database.execute(schema.REPLACE_ENTRY, row)
    database.execute("PRAGMA user_version = 2")
    project.close()
    desk = Desk(clip)
    assert len(desk.session.masks.document) == 0
    assert desk.session.objects.add() == (4 if left_behind is None else 8)
    desk.prepare()
    desk.close()
