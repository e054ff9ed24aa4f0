"""What the next heal begins at: edits that nothing has carried on."""

from collections.abc import Callable

from app.core.plan import Direction
from tests.session.desk import Desk, draw


def test_a_heal_begins_at_no_mask_that_a_propagation_has_carried_on(
    desk: Desk, idle: Callable[[], None]
) -> None:
    session, tracker = desk.session, desk.made.fake_tracker
    draw(desk, 0)
    session.jobs.propagate(Direction.FORWARD)
    idle()
    session.view.go_to(10)
    draw(desk, 10, x=30)  # which nothing has carried on by the time of the next one
    session.view.go_to(20)
    draw(desk, 20, x=30)
    tracker.calls.clear()
    session.correction.verify_and_heal()
    idle()
    assert {frames[0] for frames in tracker.calls} == {10, 20}
