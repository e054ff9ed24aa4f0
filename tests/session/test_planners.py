"""The planners of long jobs: what each covers, what is left of it, how it ended."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from app.core.document import Key
from app.core.plan import Direction
from app.session.jobs.healing import Healing
from app.session.jobs.job import NothingToDo
from app.session.jobs.propagation import Propagation
from app.session.jobs.refinement import Refinement
from app.session.state.context import SessionContext
from app.session.state.status import SessionState
from tests.session.desk import FRAMES, Desk, draw


@pytest.fixture
def context(desk: Desk) -> SessionContext:
    session = desk.session
    return SessionContext(
        session.status,
        session.preferences,
        session.video,
        session.masks,
        session.view,
        session.files.log.interactions,
    )


def steps(job: Propagation, count: int) -> Propagation:
    for _ in range(count):
        job.count_step()
    return job


def test_a_propagation_covers_its_objects_between_the_ends_of_its_passes(
    desk: Desk, context: SessionContext
) -> None:
    draw(desk, 0)
    draw(desk, 0, number=2, x=40)
    desk.session.view.set_range(None, 12)
    job = Propagation.plan(context, Direction.FORWARD, objects=[1])
    assert job.title == "Propagate object 1, frames 0-12"
    assert (job.first, job.objects, job.state) == (0, frozenset({1}), SessionState.PROPAGATING)
    covered = [Key(0, 1), Key(12, 1), Key(13, 1), Key(5, 2)]
    assert [job.covers(key) for key in covered] == [True, True, False, False]


def test_what_is_left_of_a_propagation_begins_where_it_was_stopped_or_at_an_edit(
    desk: Desk, context: SessionContext
) -> None:
    draw(desk, 0)
    job = steps(Propagation.plan(context, Direction.FORWARD), 6)
    left = job.rest(desk.session.masks.document)
    assert left is not None
    assert left.title == f"Propagate object 1, frames 5-{FRAMES - 1}"
    draw(desk, 3)
    on = job.after_edit([Key(3, 1)])
    assert on is not None
    assert on.first == 3
    done = steps(Propagation.plan(context, Direction.FORWARD, last=10), 11)
    assert done.rest(desk.session.masks.document) is None
    assert done.outcome("Propagate", {}, {}) == "Propagate: done"


def test_a_propagation_of_nothing_says_why(desk: Desk, context: SessionContext) -> None:
    with pytest.raises(NothingToDo, match="nothing to start from") as nothing:
        Propagation.plan(context, Direction.FORWARD)
    assert nothing.value.level == "warning"


def test_a_heal_goes_on_from_all_its_anchors_after_an_edit(
    desk: Desk, context: SessionContext
) -> None:
    draw(desk, 0)
    job = Healing.plan(context, {Key(0, 1)})
    assert job.title.startswith("Heal object 1, frames 0-")
    assert job.covers(Key(FRAMES - 1, 1))
    rest = job.rest(desk.session.masks.document)
    assert rest is not None
    assert (rest.title, rest.new_anchors) == (job.title, frozenset({Key(0, 1)}))
    draw(desk, 20)
    on = job.after_edit([Key(20, 1)])
    assert on is not None
    assert on.new_anchors == {Key(0, 1), Key(20, 1)}
    assert job.outcome("Heal", {}, {}) == "Heal: nothing changed"


def test_a_heal_of_nothing_is_only_a_remark(context: SessionContext) -> None:
    with pytest.raises(NothingToDo, match="no mask is stale here") as nothing:
        Healing.plan(context, ())
    assert nothing.value.level == "info"


def test_a_refinement_covers_the_masks_that_are_no_anchors_and_goes_on_after_an_edit(
    desk: Desk, context: SessionContext, idle: Callable[[], None]
) -> None:
    draw(desk, 0)
    desk.session.jobs.propagate(Direction.FORWARD)
    idle()
    job = Refinement.plan(context, range(4), [1])
    assert job.title == "Refine object 1, 3 frames"
    assert (job.first, job.objects, job.state) == (1, frozenset({1}), SessionState.REFINING)
    assert [job.covers(Key(frame, 1)) for frame in range(5)] == [False, True, True, True, False]
    document = desk.session.masks.document
    job.count_step()  # frame 1
    rest, on = job.rest(document), job.after_edit([Key(2, 1)])
    assert rest is not None
    assert on is not None
    assert [rest.covers(Key(frame, 1)) for frame in (1, 2, 3)] == [False, True, True]
    assert [on.covers(Key(frame, 1)) for frame in (1, 2, 3)] == [False, False, True]
    assert on.after_edit([Key(3, 1)]) is None
    changed = {Key(1, 1): document.on_frame(1)[1]}
    assert job.outcome("Refine", {}, changed) == "Refine: 1 sharpened, 2 kept"
    locked = replace(document.object(1), locked=True)
    desk.session.objects.edit(locked)
    with pytest.raises(NothingToDo, match="anchors stay as they are"):
        Refinement.plan(context, range(4), [1])
