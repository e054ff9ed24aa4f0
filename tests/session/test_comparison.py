"""The comparison with the masks before the last job."""

from collections.abc import Callable

from app.core.plan import Direction
from tests.session.desk import Desk, draw


def test_the_nearest_change_is_one_of_a_mask_and_not_of_a_mark_alone(
    desk: Desk, idle: Callable[[], None]
) -> None:
    session = desk.session
    draw(desk, 0)
    session.jobs.propagate(Direction.FORWARD)
    idle()
    session.view.go_to(15)
    session.view.select(1)
    draw(desk, 15, x=30)
    session.correction.verify_and_heal()
    idle()
    assert session.compare.nearest_change(2) == 8  # those before were stale for a time, no more
