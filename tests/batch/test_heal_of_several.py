"""Healing of several objects: what one gets back another one gives, and is looked for."""

from collections.abc import Generator, Sequence
from dataclasses import replace

import numpy as np
import pytest

from app.core.document import Document, Entry, Key, Origin
from app.core.heal import stale_marks
from app.core.mask import Mask
from models.api import Anchors, BoolMask, Prediction, Tracked
from tests.batch.corrections import (
    PAIR,
    RULES,
    correct,
    corrected,
    mask_at,
    mask_of,
    steps,
)
from tests.fakes import FakeFrames, FakeTracker, square


def test_who_is_where_another_one_turns_out_to_be_is_looked_for() -> None:
    """The first is lost on 20 to 30, the second was right beside the correction."""
    first, second = mask_at(10), mask_at(40)
    entries = {
        Key(frame, number): Entry(mask, Origin.PROPAGATED, score=0.9, stale=0 < frame < 34)
        for frame in range(40)
        for number, mask in ((1, first), (2, second))
    }
    lost = Entry(None, Origin.PROPAGATED, score=0.0, stale=True)
    entries |= {Key(frame, 1): lost for frame in range(20, 31)}
    entries |= {Key(22, 2): replace(entries[Key(22, 2)], mask=first)}
    entries |= {Key(0, n): Entry(mask, Origin.DRAWN) for n, mask in ((1, first), (2, second))}
    document = Document(PAIR, entries)
    correct(
        document,
        {Key(34, n): Entry(mask, Origin.DRAWN) for n, mask in ((1, first), (2, second))},
        FakeTracker(FakeFrames(40)),
    )
    assert document.get(Key(22, 1)).mask == first  # type: ignore[union-attr]
    assert document.get(Key(22, 2)).mask == second  # type: ignore[union-attr]


_CROSSING = 48  # where the two objects that pass each other lie on each other


def place(number: int, frame: int) -> int:
    """Return where an object of the two that cross is: one goes right, the other left."""
    way = 2 * (frame - _CROSSING)
    return min(50, max(4, 27 + (way if number == 1 else -way)))


class _Crossing(FakeTracker):
    """Follows masks, but takes one object for the other where they cross."""

    def track(
        self, anchors: Anchors, frames: Sequence[int], *, probabilities: bool = False
    ) -> Generator[Tracked, None, None]:
        begun = frames[0]
        follows = {
            number: 1 if _left(mask) == place(1, begun) else 2
            for number, mask in anchors[begun].items()
        }
        for frame in frames:
            crossed = (frame < _CROSSING) != (begun < _CROSSING)
            yield (
                frame,
                {
                    number: Prediction(square(place(3 - thing if crossed else thing, frame)), 0.9)
                    for number, thing in follows.items()
                },
            )


def _left(mask: BoolMask) -> int:
    return int(np.flatnonzero(mask.any(axis=0))[0])


def test_a_pass_back_through_a_crossing_keeps_what_was_clean() -> None:
    """Two objects are taken for each other from a crossing on; one is put right on frame 56."""
    entries = {
        Key(frame, number): Entry(
            mask_at(place(number if frame < _CROSSING else 3 - number, frame)),
            Origin.PROPAGATED,
            score=0.9,
        )
        for frame in range(60)
        for number in (1, 2)
    }
    entries |= {Key(0, n): Entry(mask_at(place(n, 0)), Origin.DRAWN) for n in (1, 2)}
    entries[Key(56, 1)] = Entry(mask_at(place(1, 56)), Origin.CLICKED)
    document = Document(PAIR, entries)
    correct(document, [Key(56, 1)], _Crossing(FakeFrames(60)), first=44, last=58)
    right = {frame: mask_of(document, frame) == mask_at(place(1, frame)) for frame in range(44, 59)}
    assert all(right[frame] for frame in (44, 45, 46, *range(50, 59))), right
    assert not any(document.get(Key(frame, 1)).stale for frame in right)  # type: ignore[union-attr]


class _Forgetting(FakeTracker):
    """Takes what it has not been shown near for a part of object 1."""

    def _predict(self, anchors: Anchors, frame: int) -> dict[int, Prediction]:
        found = super()._predict(anchors, frame)
        here = anchors.get(frame, {})
        if 2 not in here:
            shown = any(abs(frame - at) < 12 and 2 in m and m[2].any() for at, m in anchors.items())
            ball = square(40)
            found[2] = Prediction(ball & shown, 0.95)
            if not shown and 1 not in here:
                found[1] = Prediction(found[1].mask | ball, 0.95)
        return found


def test_what_comes_out_from_behind_a_corrected_object_is_not_taken_by_it() -> None:
    """The ball is hidden by the dog on frame 20, on which a part of the dog was the ball's."""
    dog = {Key(f, 1): Entry(mask_at(10, 8), Origin.PROPAGATED, score=0.9) for f in range(41)}
    ball = {Key(f, 2): Entry(mask_at(40), Origin.PROPAGATED, score=0.92) for f in range(41)}
    document = Document(PAIR, dog | ball)
    document.replace({Key(0, n): Entry(mask_at(x), Origin.DRAWN) for n, x in ((1, 10), (2, 40))})
    new = {Key(20, 1): Entry(mask_at(10), Origin.CLICKED), Key(20, 2): Entry(None, Origin.DRAWN)}
    correct(document, new, _Forgetting(FakeFrames(41)))
    healed = [mask_of(document, frame) for frame in range(15, 26)]
    assert all(mask == mask_at(10) for mask in healed)


_HIDDEN = range(10, 16)
_HEAD = square(10, 2, 6)
_MAN = _HEAD | square(5, 8, 30)


class _Seeing(FakeTracker):
    """Finds the boy where he is, and nothing where the man hides him; the man is all there."""

    def _predict(self, anchors: Anchors, frame: int) -> dict[int, Prediction]:
        boy = square(45) & (frame not in _HIDDEN)
        found = {1: Prediction(_MAN, 0.95), 2: Prediction(boy, 0.95 if boy.any() else 0.0)}
        here = anchors.get(frame, {})
        return {n: Prediction(here[n], 1.0) if n in here else found[n] for n in found}


@pytest.mark.parametrize("elsewhere", [(), (12, 13)])
def test_a_heal_after_an_occlusion_takes_back_what_the_hidden_one_had_meanwhile(
    elsewhere: Sequence[int],
) -> None:
    """The boy has the man's head while he is hidden, or is `elsewhere`. It ends with his return."""
    boy, man, body = (Mask.encode(each) for each in (square(45), _MAN, _MAN & ~_HEAD))
    entries: dict[Key, Entry] = {}
    for frame in range(30):
        taken = frame in _HIDDEN and frame not in elsewhere
        lost = mask_at(48, 4) if frame in elsewhere else boy
        old = {1: body if taken else man, 2: Mask.encode(_HEAD) if taken else lost}
        made = Origin.DRAWN if frame == 0 else Origin.PROPAGATED
        score = 0.5 if frame in elsewhere else 0.93
        entries |= {Key(frame, n): Entry(mask, made, score=score) for n, mask in old.items()}
    document = Document(PAIR, entries)
    new = {Key(10, 1): Entry(man, Origin.CLICKED), Key(10, 2): Entry(None, Origin.DRAWN)}
    tracker = _Seeing(FakeFrames(30))
    correct(document, new, tracker)
    for (frame, number), entry in document.items():
        right = man if number == 1 else None if frame in _HIDDEN else boy
        assert entry.mask == right, (frame, number)
    assert len(set(tracker.visited)) < 15


def test_a_small_part_that_another_object_gives_back_is_had_as_long_as_that_gives_it() -> None:
    """The tail is 3 % of the dog, too little to differ, but a third of what was the ball's."""
    body, tail, ball = square(5, 5, 30), square(35, 12, 5), square(45, 20, 8)
    right = {1: Mask.encode(body | tail), 2: Mask.encode(ball)}
    drifted = {1: Mask.encode(body), 2: Mask.encode(ball | tail)}
    entries = {
        Key(f, n): Entry((drifted if 10 <= f < 20 else right)[n], Origin.PROPAGATED, score=0.9)
        for f in range(30)
        for n in (1, 2)
    }
    document = Document(PAIR, entries)
    drawn = {n: Entry(right[n], Origin.DRAWN) for n in (1, 2)}
    document.replace({Key(0, n): entry for n, entry in drawn.items()})
    tracker = FakeTracker(FakeFrames(30))
    correct(document, {Key(15, n): entry for n, entry in drawn.items()}, tracker)
    assert all(entry.mask == right[key.object] for key, entry in document.items())
    assert len(set(tracker.visited)) < 20


@pytest.mark.parametrize("numbers", [(1, 2), (2, 1)])
def test_what_one_gives_back_to_the_other_it_gives_back_to_the_end(
    numbers: tuple[int, int],
) -> None:
    """The man has the deck, and is a hair surer so; the board, of which it is most, is not."""
    man, board = numbers
    legs, deck, wheels = square(10, 2, 20), square(10, 22, 12), square(22, 22, 10)
    right = {man: Mask.encode(legs), board: Mask.encode(deck | wheels)}
    drifted = {man: Mask.encode(legs | deck), board: Mask.encode(wheels)}
    sure = {man: 0.95, board: 0.88}
    entries = {
        Key(f, n): Entry(drifted[n] if f else right[n], Origin.PROPAGATED, score=sure[n])
        for f in range(30)
        for n in numbers
    }
    document = Document(PAIR, entries)
    document.replace({Key(0, n): Entry(right[n], Origin.DRAWN) for n in numbers})
    new = {
        Key(10, board): Entry(right[board], Origin.CLICKED),
        Key(10, man): Entry(right[man], Origin.PROPAGATED, verified=True),
    }
    correct(document, new, FakeTracker(FakeFrames(30)))
    wrong = [key for key, entry in document.items() if entry.mask != right[key.object]]
    assert not any(key.frame > 10 for key in wrong)


def test_what_is_new_of_a_frame_is_said_after_what_is_kept_and_takes_from_it() -> None:
    drifted = range(15, 26)
    document = corrected(40, at=20, drifted=drifted, anchors={0: 10, 39: 10})
    kept = {Key(f, 2): Entry(mask_at(30), Origin.PROPAGATED, score=0.9) for f in range(40)}
    given = {f: Entry(mask_at(30), Origin.DRAWN) for f in (0, 20, 39)}
    document = Document(
        PAIR,
        {**dict(document.items()), **kept, **{Key(f, 2): entry for f, entry in given.items()}},
    )
    new = {Key(20, 1), Key(20, 2)}
    document.replace(stale_marks(document, new))
    together = [
        list(step.entries)
        for step in steps(document, new, FakeTracker(FakeFrames(40)))
        if not step.computed
        and len({key.frame for key in step.entries} & set(drifted)) == 1
        and len(step.entries) == 2
    ]
    assert together
    assert all([key.object for key in keys] == [2, 1] for keys in together)


class _ReturningOfTwo(FakeTracker):
    """Object 1 is as with `_Returning`; object 2 is lost from frame 20 on, but not coming back."""

    def track(
        self, anchors: Anchors, frames: Sequence[int], *, probabilities: bool = False
    ) -> Generator[Tracked, None, None]:
        comes_back = frames[-1] < frames[0]
        for frame in frames:
            self.visited.append(frame)
            is_lost, sure = frame >= 20 and not comes_back, 0.894 if comes_back else 0.8
            yield (
                frame,
                {
                    1: Prediction(square(30 if comes_back and frame > 12 else 10, 2), sure),
                    2: Prediction(square(20 if is_lost else 45, 30), 0.3 if is_lost else sure),
                },
            )


def test_a_pass_back_of_two_objects_goes_as_far_as_the_one_that_needs_it() -> None:
    """From 20, object 1 has to come back all the way from an anchor, object 2 only to clear up."""
    old = {
        Key(frame, number): Entry(Mask.encode(square(x, y)), Origin.PROPAGATED, score=score)
        for frame in range(41)
        for number, x, y, score in (
            (1, 40, 2, 0.8),
            (2, 45 if frame >= 20 else 20, 30, 0.894 if frame >= 20 else 0.5),
        )
    }
    drawn = {
        Key(frame, number): Entry(Mask.encode(square(x, y)), Origin.DRAWN)
        for frame, number, x, y in (
            (0, 1, 10, 2), (0, 2, 45, 30), (20, 1, 30, 2), (40, 1, 30, 2), (40, 2, 45, 30),
        )
    }  # fmt: skip
    document = Document(PAIR, old | drawn)
    new = {Key(0, number) for number in (1, 2)}
    tracker = _ReturningOfTwo(FakeFrames(41))
    correct(document, new, tracker, RULES)
    ahead = tracker.visited.index(max(tracker.visited))
    assert tracker.visited[ahead + 1 :] == [*range(20, 8, -1)]
    assert mask_of(document, 12) == Mask.encode(square(10, 2))
    assert mask_of(document, 13) == Mask.encode(square(30, 2))
