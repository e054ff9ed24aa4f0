"""The subsequences of a VISOR video: where one is, the way between them, the bounds of work."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import shiboken6
from pytestqt.qtbot import QtBot

from app.session.session import Session
from app.session.state.status import Report
from app.session.visor.subsequences import Subsequences
from tests.fakes import FakeModels, write_frames
from tests.session.visor.files import VIDEO, annotation, box, document, opened, record, write

# Frames 0 to 12 and 13 to 17 of the video; annotated are 2 and 6, then 14 and 16.
NUMBERS = (*range(99, 112), *range(160, 165))


@pytest.fixture
def session(qtbot: QtBot, tmp_path: Path) -> Iterator[Session]:
    raw = document(
        [
            record(number, [annotation(number, "plate", 2, [box(20, 10)])], sequence)
            for number, sequence in ((101, 1), (105, 1), (161, 2), (163, 2))
        ]
    )
    with opened(write(tmp_path, raw, numbers=NUMBERS)) as session:
        yield session


@pytest.fixture
def parts(session: Session) -> Subsequences:
    return session.files.exchange.visor.subsequences


def test_a_subsequence_lasts_from_its_first_to_its_last_annotated_frame(
    parts: Subsequences,
) -> None:
    first, second = parts.all
    assert (first.name, first.frames) == (f"{VIDEO}_seq_00001", (2, 6))
    assert (second.first, second.last) == (14, 16)
    found = [parts.at(frame) for frame in range(len(NUMBERS))]
    assert found == [None] * 2 + [first] * 5 + [None] * 7 + [second] * 3 + [None]


def test_a_frame_is_at_the_time_that_its_name_tells(session: Session) -> None:
    times = [session.video.time_of(frame) for frame in (-1, 0, 1, 17, 18)]
    assert times == [0, pytest.approx(98 / 60), pytest.approx(99 / 60), pytest.approx(163 / 60), 0]


def test_work_keeps_to_the_subsequence_unless_a_range_or_the_person_says_otherwise(
    session: Session, parts: Subsequences
) -> None:
    told = list[bool]()
    parts.bounding_changed.connect(lambda: told.append(parts.bounds))
    assert parts.bounds
    session.view.go_to(4)
    assert parts.limits() == (2, 6)
    session.view.go_to(9)
    assert parts.limits() == (None, None)
    session.view.go_to(15)
    assert parts.limits() == (14, 16)
    for first, last in ((3, None), (None, 9), (1, 4)):
        session.view.set_range(first, last)
        assert parts.limits() == (first, last)
    session.view.set_range(None, None)
    parts.set_bounds(bounds=False)
    assert parts.limits() == (None, None)
    parts.set_bounds(bounds=True)
    assert parts.limits() == (14, 16)
    assert told == [False, True]


@pytest.mark.parametrize(
    ("at", "count", "reached"),
    [
        (0, 1, 2), (0, 2, 14), (0, -1, 2),  # before all of them
        (2, 1, 14), (4, 1, 14), (6, 1, 14), (4, -1, 2), (2, -1, 2),
        (9, 1, 14), (9, -1, 2),  # between two
        (15, 1, 14), (15, -1, 2), (14, -1, 2), (16, -2, 2),
        (17, -1, 14), (17, 1, 14), (17, -2, 14),  # after all of them
    ],
)  # fmt: skip
def test_a_step_leads_to_where_the_next_subsequence_begins(
    session: Session, parts: Subsequences, at: int, count: int, reached: int
) -> None:
    session.view.go_to(at)
    parts.step(count)
    assert session.view.frame == reached


def test_a_video_of_no_visor_file_has_no_subsequences(qtbot: QtBot, tmp_path: Path) -> None:
    session = Session(loader=lambda frames, settings: FakeModels(frames))
    said = list[Report]()
    session.status.reported.connect(said.append)
    parts = session.files.exchange.visor.subsequences
    assert parts.all == ()
    session.files.open(write_frames(tmp_path / "clip", 5))
    session.view.go_to(3)
    assert (parts.all, parts.at(3), parts.limits()) == ((), None, (None, None))
    parts.step(1)
    assert session.view.frame == 3
    assert "no subsequences" in said[-1].text
    assert said[-1].level == "info"
    session.files.close()
    shiboken6.delete(session)
