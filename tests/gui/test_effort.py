"""The meter of the effort: what a person has done, for the clip and for each object."""

from pathlib import Path

from app.gui.panels.effort import EffortPanel
from tests.fakes import write_frames
from tests.gui.conftest import Desk


def rows(desk: Desk) -> list[list[str]]:
    panel = desk.window.findChild(EffortPanel)
    assert panel is not None
    return panel.rows


def test_what_is_done_is_counted_for_the_clip_and_for_each_object(opened: Desk) -> None:
    opened.draw(0, number=1)
    opened.draw(4, number=1)
    opened.draw(4, number=2, x=40)
    opened.qtbot.waitUntil(lambda: len(rows(opened)) == 3)
    whole, first, second = rows(opened)
    assert (whole[0], whole[2:4]) == ("This clip", ["3", "2"])
    assert (first[0], first[2:4]) == ("object 1", ["2", "2"])
    assert (second[0], second[2:4]) == ("object 2", ["1", "1"])


def test_the_panel_comes_up_when_it_is_asked_for(opened: Desk) -> None:
    panel = opened.window.findChild(EffortPanel)
    assert panel is not None
    assert not panel.isVisible()
    opened.do("effort")
    opened.qtbot.waitUntil(panel.isVisible)


def test_another_video_begins_at_nothing(opened: Desk, tmp_path: Path) -> None:
    opened.draw(0, number=1)
    opened.session.files.open(write_frames(tmp_path / "other", 5))
    opened.qtbot.waitUntil(lambda: [row[1:4] for row in rows(opened)] == [["0", "0", "0"]])
