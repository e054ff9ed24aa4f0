"""The densified runs of a session: listed, accepted, rejected, gone to."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.core.document import Entry, Key, Origin
from app.session.session import Session
from app.session.visor.dense import DenseRun, DenseRuns
from tests.fakes import write_frames
from tests.session.desk import mask_at
from tests.session.visor.files import (
    annotation,
    box,
    document,
    number_of,
    opened,
    record,
    write,
)

NUMBERS = range(101, 112)  # frames 0 to 10, of which 0, 5 and 10 are annotated


def sparse() -> object:
    """Return a file of a plate on three frames, and a cup on the first two."""
    return document(
        [
            record(
                number,
                [annotation(number, "plate", 2, [box(20, 10)])]
                + [annotation(900 + number, "cup", 13, [box(40, 30)])] * (number < 111),
            )
            for number in (101, 106, 111)
        ]
    )


@pytest.fixture
def session(qtbot: QtBot, tmp_path: Path) -> Iterator[Session]:
    with opened(write(tmp_path, sparse(), numbers=NUMBERS)) as session:
        yield session


@pytest.fixture
def dense(session: Session) -> DenseRuns:
    return session.files.exchange.visor.dense


def fill(session: Session, name: str, scores: dict[int, tuple[float, bool]]) -> None:
    """Make masks between the annotated frames, each with a score and whether it is in doubt."""
    number = number_of(session, name)
    session.masks.change(
        {
            Key(frame, number): Entry(
                mask_at(frame), Origin.PROPAGATED, score=score, conflict=doubted
            )
            for frame, (score, doubted) in scores.items()
        },
        "Densify",
    )


def of(dense: DenseRuns, session: Session, name: str, start: int = 0) -> DenseRun:
    number = number_of(session, name)
    return next(each for each in dense.all() if (each.object, each.run.start) == (number, start))


def test_every_object_on_both_ends_of_a_run_is_listed_in_the_order_of_time(
    session: Session, dense: DenseRuns
) -> None:
    assert dense.annotated == (0, 5, 10)
    fill(session, "plate", {1: (0.9, False), 2: (0.8, True), 3: (0.7, True), 7: (0.5, False)})
    listed = [(session.masks.name_of(r.object), r.run.start, r.run.end) for r in dense.all()]
    assert sorted(listed[:2]) == [("cup", 0, 5), ("plate", 0, 5)]
    assert listed[2:] == [("plate", 5, 10)]
    plate = of(dense, session, "plate")
    assert (plate.frames, plate.made, plate.doubted) == (4, 3, (2, 3))
    assert plate.agreement == pytest.approx(0.8)
    assert not plate.is_decided
    later = of(dense, session, "plate", 5)
    assert (later.made, later.doubted, later.agreement, later.is_decided) == (1, (), 0.5, True)
    cup = of(dense, session, "cup")
    assert (cup.made, cup.agreement) == (0, None)


def test_an_absence_is_no_mask_that_was_made(session: Session, dense: DenseRuns) -> None:
    plate = number_of(session, "plate")
    session.masks.change(
        {Key(2, plate): Entry(None, Origin.PROPAGATED, score=0.1, conflict=True)}, "Densify"
    )
    found = of(dense, session, "plate")
    assert (found.made, found.doubted, found.agreement) == (0, (), None)


def test_accepting_takes_the_doubt_away_as_one_step(session: Session, dense: DenseRuns) -> None:
    fill(session, "plate", {1: (0.9, False), 2: (0.8, True), 3: (0.7, True)})
    steps, stack = session.history.stack.count(), session.history.stack
    dense.accept(of(dense, session, "plate"))
    assert stack.count() == steps + 1
    assert stack.undoText() == "Accept plate, frames 0-5"
    assert of(dense, session, "plate").is_decided
    assert of(dense, session, "plate").made == 3
    assert not any(entry.stale for _, entry in session.masks.document.items())
    session.history.undo()
    assert of(dense, session, "plate").doubted == (2, 3)
    session.history.redo()
    dense.accept(of(dense, session, "plate"))  # nothing is left to accept
    assert stack.count() == steps + 1


def test_rejecting_takes_away_what_no_person_made_as_one_step(
    session: Session, dense: DenseRuns
) -> None:
    fill(session, "plate", {1: (0.9, False), 2: (0.8, True), 4: (0.7, True), 7: (0.9, True)})
    plate = number_of(session, "plate")
    session.masks.change({Key(3, plate): Entry(mask_at(9), Origin.DRAWN)}, "Brush")
    steps, stack = session.history.stack.count(), session.history.stack
    dense.reject(of(dense, session, "plate"))
    assert stack.count() == steps + 1
    assert stack.undoText() == "Reject plate, frames 0-5"
    assert sorted(session.masks.document.of_object(plate)) == [0, 3, 5, 7, 10]
    dense.reject(of(dense, session, "plate"))
    assert stack.count() == steps + 1
    session.history.undo()
    assert of(dense, session, "plate").made == 4


def test_a_run_is_shown_where_it_is_most_in_doubt(session: Session, dense: DenseRuns) -> None:
    plate = number_of(session, "plate")
    fill(session, "plate", {1: (0.2, False), 2: (0.8, True), 3: (0.7, True), 4: (0.9, False)})
    dense.go_to(of(dense, session, "plate"))
    assert (session.view.frame, session.view.selected) == (3, plate)
    dense.accept(of(dense, session, "plate"))
    dense.go_to(of(dense, session, "plate"))
    assert session.view.frame == 1
    dense.go_to(of(dense, session, "plate", 5))  # of which nothing is made yet
    assert session.view.frame == 7
    dense.go_to(of(dense, session, "cup"))
    assert (session.view.frame, session.view.selected) == (2, number_of(session, "cup"))


def test_a_run_that_is_in_doubt_as_a_whole_is_shown_farthest_from_its_ends(
    session: Session, dense: DenseRuns
) -> None:
    fill(session, "plate", {1: (0.7, True), 2: (0.7, True), 3: (0.7, True), 4: (0.9, False)})
    dense.go_to(of(dense, session, "plate"))
    assert session.view.frame == 2


def test_that_runs_have_changed_is_told(session: Session, dense: DenseRuns, tmp_path: Path) -> None:
    told = list[int]()
    dense.changed.connect(lambda: told.append(len(dense.all())))
    fill(session, "plate", {1: (0.9, False)})
    assert told == [3]
    told.clear()
    session.objects.rename(number_of(session, "plate"), "dish")
    assert told == [3]
    told.clear()
    session.objects.delete(number_of(session, "cup"))
    assert told[-1] == 2
    told.clear()
    session.files.close()
    assert told == [0]
    told.clear()
    session.files.open(write_frames(tmp_path / "clip", 3))
    assert told[0] == 0
    assert dense.annotated == ()


def test_what_is_on_one_end_alone_is_named_as_such(session: Session, dense: DenseRuns) -> None:
    cup = number_of(session, "cup")
    assert [each.run.one_sided for each in dense.all() if each.run.start == 5] == [(cup,)]
    assert {each.run.one_sided for each in dense.all() if each.run.start == 0} == {()}
