"""The anchors: what each governs, and the frame most worth another one."""

from app.core.anchors import anchors_of, most_worth
from app.core.document import Entry, Key, Origin
from app.core.mask import Mask
from tests.fakes import square

MASK = Mask.encode(square(10))


def entries(scores: dict[int, float], anchors: set[int]) -> dict[int, Entry]:
    """Return predicted entries of these scores, and anchors, frames rising."""
    made = {frame: Entry(MASK, Origin.PROPAGATED, score=score) for frame, score in scores.items()}
    made |= {frame: Entry(MASK, Origin.DRAWN) for frame in anchors}
    return dict(sorted(made.items()))


def test_an_anchor_governs_the_frames_up_to_its_neighbours() -> None:
    found = list(anchors_of(3, entries(dict.fromkeys(range(20), 0.9), {5, 12})))
    assert found == [(Key(5, 3), 0, 11), (Key(12, 3), 6, 19)]
    assert list(anchors_of(3, {})) == []


def test_the_frame_most_worth_lies_amid_the_doubt_between_anchors() -> None:
    sure = entries(dict.fromkeys(range(40), 1.0), {0})
    doubted = entries({**dict.fromkeys(range(30), 0.95), 20: 0.2, 21: 0.1, 22: 0.2}, {0, 10})
    assert most_worth({1: sure, 2: doubted}) == Key(21, 2)


def test_among_sure_masks_the_middle_of_the_longest_gap_is_meant() -> None:
    assert most_worth({1: entries(dict.fromkeys(range(31), 1.0), {0, 10})}) == Key(20, 1)


def test_nothing_predicted_needs_no_anchor() -> None:
    assert most_worth({1: entries({}, {0, 4})}) is None
    assert most_worth({}) is None


def test_conflicts_are_doubt() -> None:
    given = entries(dict.fromkeys(range(9), 0.9), {0})
    given[6] = Entry(MASK, Origin.PROPAGATED, score=0.9, conflict=True)
    assert most_worth({1: given}) == Key(6, 1)


def test_a_conflict_is_as_much_doubt_as_a_mask_that_is_certainly_wrong() -> None:
    conflict = entries({4: 0.9}, {0})
    conflict[4] = Entry(MASK, Origin.PROPAGATED, score=0.9, conflict=True)
    unsure = entries({4: 0.5, 5: 0.4}, {0})
    assert most_worth({1: conflict, 2: unsure}) == Key(5, 2)
    assert most_worth({1: conflict, 2: entries({4: 0.5, 5: 0.6}, {0})}) == Key(4, 1)
    assert most_worth({1: entries({4: 0.0}, {0}), 2: conflict}) == Key(4, 1)


def test_a_mask_without_a_score_is_half_doubted_and_none_is_beyond_doubt() -> None:
    def unscored(*frames: int) -> dict[int, Entry]:
        return {frame: Entry(MASK, Origin.PROPAGATED) for frame in frames}

    assert most_worth({1: unscored(3), 2: entries({4: 0.49}, set())}) == Key(4, 2)
    assert most_worth({1: unscored(3), 2: entries({4: 0.51}, set())}) == Key(3, 1)
    sure = dict.fromkeys(range(20, 22), 1.0)
    assert most_worth({1: entries({4: 0.97}, set()), 2: entries(sure, set())}) == Key(4, 1)
    assert most_worth({1: entries({4: 0.985}, set()), 2: entries(sure, set())}) == Key(20, 2)
