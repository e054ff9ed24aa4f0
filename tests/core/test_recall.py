"""The recall of a hidden object: which mask close by speaks for it."""

import pytest

from app.core.document import Document, Entry, Key, ObjectInfo, Origin
from app.core.mask import Mask
from app.core.recall import goes_on_through, recalled
from tests.fakes import square

HERE = 50


def mask_at(x: int) -> Mask:
    mask = Mask.encode(square(x))
    assert mask is not None
    return mask


def document_of(
    scores: dict[int, float | None], anchors: tuple[int, ...] = (), away: int = 0
) -> Document:
    """Return one object's masks so many frames from HERE; after it they lie `away` to the right."""
    places = {HERE + each: score for each, score in scores.items()}
    entries = {
        Key(frame, 1): Entry(
            mask_at(10 + (away if frame > HERE else 0)), Origin.PROPAGATED, score=score
        )
        for frame, score in places.items()
    }
    entries |= {Key(HERE + each, 1): Entry(mask_at(30), Origin.DRAWN) for each in anchors}
    entries[Key(HERE, 1)] = Entry(None, Origin.DRAWN)
    return Document((ObjectInfo(1, "knife", (1, 2, 3)),), entries)


def found(document: Document, side: int) -> list[int]:
    masks = recalled(document, Key(HERE, 1), side)
    for frame, mask in masks.items():
        entry = document.get(Key(frame, 1))
        assert entry is not None
        assert mask == entry.mask
    return [frame - HERE for frame in masks]


@pytest.mark.parametrize("side", [-1, 1])
@pytest.mark.parametrize(
    ("scores", "anchors", "wanted"),
    [
        ({1: 0.9, 2: 0.95, 3: 0.93}, (9,), [2]),
        ({1: 0.9, 2: 0.9}, (9,), [1]),  # of equals the nearest
        ({1: 0.9}, (2,), [1]),
        ({1: 0.89}, (2,), [2]),  # nothing is sure: the anchor
        ({1: 0.89}, (2, 3), [2]),
        ({1: None}, (2,), [2]),
        ({1: 0.95}, (), []),  # nobody has seen the object on this side
        ({}, (), []),
        (dict.fromkeys(range(1, 16), 0.1) | {16: 0.9}, (20,), [16]),
        (dict.fromkeys(range(1, 17), 0.1) | {17: 0.9}, (20,), []),  # too far, as the anchor is
        (dict.fromkeys(range(1, 16), 0.1), (16,), [16]),
    ],
)
def test_the_surest_mask_close_by_recalls_or_else_the_nearest_anchor(
    scores: dict[int, float | None], anchors: tuple[int, ...], wanted: list[int], side: int
) -> None:
    document = document_of(
        {side * each: score for each, score in scores.items()},
        tuple(side * each for each in anchors),
    )
    assert found(document, side) == [side * each for each in wanted]
    assert found(document, -side) == []


def test_frames_on_which_it_is_not_seen_do_not_count() -> None:
    scores: dict[int, float | None] = {**dict.fromkeys(range(1, 16), 0.1), 20: 0.9}
    document = document_of(scores, (30,))
    nothing = Entry(None, Origin.PROPAGATED, score=1.0)
    document.replace({Key(HERE + each, 1): nothing for each in (16, 17, 18)})
    assert found(document, 1) == [20]


def test_what_is_said_of_the_frame_itself_recalls_nothing() -> None:
    document = document_of({-2: 0.1, 2: 0.1}, (-9, 9))
    document.replace({Key(HERE, 1): Entry(mask_at(10), Origin.PROPAGATED, score=1.0)})
    assert (found(document, -1), found(document, 1)) == ([-9], [9])


def test_an_object_goes_on_through_a_frame_where_its_masks_beside_it_fit() -> None:
    key = Key(HERE, 1)
    assert goes_on_through(document_of({-4: 0.1, 3: 0.1}, away=2), key)
    assert not goes_on_through(document_of({-4: 0.1, 3: 0.1}, away=9), key)
    assert not goes_on_through(document_of({-4: 0.1}), key)
    assert not goes_on_through(document_of({3: 0.1}), key)
    # Only the nearest ones count.
    moved = document_of({-9: 0.1, 3: 0.1}, (-4,))
    assert not goes_on_through(moved, key)
