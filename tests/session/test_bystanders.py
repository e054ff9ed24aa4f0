"""The masks of objects that are not healed, beside one that is: what they give, and get back."""

from collections.abc import Callable, Generator, Sequence

from app.core.document import Entry, Key, Origin
from app.core.plan import Direction
from models.api import Anchors, Tracked
from tests.fakes import FakeTracker, square
from tests.session.desk import FRAMES, Desk, draw, mask_at


class Astray(FakeTracker):
    """Goes astray on its way onward, by 16 pixels, and comes back straight."""

    def track(
        self, anchors: Anchors, frames: Sequence[int], *, probabilities: bool = False
    ) -> Generator[Tracked, None, None]:
        onward = frames[-1] > frames[0]
        self.drift = dict.fromkeys(frames, 16 * onward)
        return super().track(anchors, frames, probabilities=probabilities)


def propagate_two(desk: Desk, idle: Callable[[], None]) -> None:
    """Propagate object 1 at 10 and object 2, beside it, at 25."""
    draw(desk, 0, x=10)
    draw(desk, 0, number=2, x=25)
    desk.session.jobs.propagate(Direction.FORWARD)
    idle()


def test_what_was_taken_by_a_mask_that_does_not_hold_goes_back(
    desk: Desk, idle: Callable[[], None]
) -> None:
    session = desk.session
    propagate_two(desk, idle)
    unsure = Entry(mask_at(10), Origin.PROPAGATED, score=0.6)
    session.masks.change({Key(frame, 1): unsure for frame in range(1, FRAMES)}, "Less sure")
    draw(desk, FRAMES - 1, x=10)
    session.edit.unhealed.forget()
    draw(desk, 15, x=12)
    desk.made.fake_tracker.__class__ = Astray
    session.view.go_to(15)
    session.view.select(1)
    session.correction.verify_and_heal()
    idle()

    assert session.masks.pixels(16, 1).tolist() == square(28).tolist()  # it took on its way
    for frame in range(23, FRAMES):
        assert session.masks.pixels(frame, 2).tolist() == square(25).tolist(), frame


def test_a_mask_that_the_model_is_less_sure_of_takes_nothing_of_a_surer_one(
    desk: Desk, idle: Callable[[], None]
) -> None:
    session = desk.session
    propagate_two(desk, idle)
    assert session.masks.entry(Key(20, 2)).score == 0.9  # type: ignore[union-attr]
    for score, width in ((0.84, 10), (0.86, 5)):
        desk.made.fake_tracker.score = score
        desk.made.fake_tracker.drift = dict.fromkeys(range(16, FRAMES), 10)
        session.edit.clear([Key(frame, 1) for frame in range(16, FRAMES)])
        draw(desk, 15, x=10)
        session.view.go_to(15)
        session.view.select(1)
        session.correction.verify_and_heal()
        idle()
        for frame in range(16, FRAMES):
            assert session.masks.pixels(frame, 2)[25].sum() == width, (score, frame)
            taken = session.masks.pixels(frame, 1)[25]
            assert taken.sum() == 15 - width, (score, frame)
        session.history.undo()
