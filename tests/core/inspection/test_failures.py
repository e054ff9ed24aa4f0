"""Every failure of the taxonomy, put into shapes on purpose."""

import cv2
import numpy as np
import pytest

from app.core.evaluate import Protocol, boundary_f, jaccard, score_sequence
from app.core.inspection.failures import FAILURES, Failure, Limits, label
from app.core.inspection.measures import measure
from app.core.inspection.spoiling import UnfitError, spoil
from tests.core.inspection.scenes import episodes, measured, two_shapes

TRIES = 12


@pytest.mark.parametrize("failure", [each for each in Failure if each is not Failure.GOOD])
def test_a_known_failure_is_named_and_dated(failure: Failure) -> None:
    rng = np.random.default_rng(FAILURES.index(failure))
    named = dated = 0
    for attempt in range(TRIES):
        first = int(rng.integers(4, 10))
        case = spoil(two_shapes(rng), 1 + attempt % 2, failure, range(first, first + 8), rng)
        found = next(
            each for each in episodes(case.truth, case.prediction) if each.object == case.object - 1
        )
        named += found.failure is failure
        dated += abs(found.first - case.onset) <= 2
    assert named >= 0.9 * TRIES
    assert dated >= 0.9 * TRIES


def test_a_perfect_prediction_has_no_failure() -> None:
    truth = two_shapes(np.random.default_rng(0))
    measures = measured(truth, truth)
    assert (label(measures).failures == 0).all()
    assert (measures.jf == 1).all()


def test_the_scores_are_those_of_the_benchmark() -> None:
    rng = np.random.default_rng(5)
    case = spoil(two_shapes(rng), 1, Failure.LEAK_NEIGHBOUR, range(4, 12), rng)
    measures = measured(case.truth, case.prediction)
    names = [str(frame) for frame in range(len(case.truth))]
    score = score_sequence(
        "s", names, case.truth.__getitem__, case.prediction.__getitem__, Protocol.DAVIS2017
    )
    for number, item in enumerate(score.objects):
        assert measures.j[1:-1, number].tolist() == item.j.values.tolist()
        assert measures.f[1:-1, number].tolist() == item.f.values.tolist()


def test_a_swap_and_a_leak_name_the_other_object() -> None:
    truth = two_shapes(np.random.default_rng(1))
    swapped = [np.choose(labels, [0, 2, 1]).astype(np.uint8) for labels in truth]
    labelling = label(measured(truth, swapped))
    assert (labelling.failures == FAILURES.index(Failure.IDENTITY_SWAP)).all()
    assert (labelling.partners == [1, 0]).all()
    leaking = [np.where(labels > 0, 1, 0).astype(np.uint8) for labels in truth]
    labelling = label(measured(truth, leaking))
    assert (labelling.failures[:, 0] == FAILURES.index(Failure.LEAK_NEIGHBOUR)).all()
    assert (labelling.partners[:, 0] == 1).all()


def test_a_mask_that_follows_another_object_is_a_swap_even_when_that_one_is_kept_in_part() -> None:
    truth = two_shapes(np.random.default_rng(2))
    following = [labels.copy() for labels in truth]
    for labels in following:
        labels[labels == 1] = 0
        rows, columns = np.nonzero(labels == 2)
        taken = columns < np.quantile(columns, 0.3)
        labels[rows[taken], columns[taken]] = 1
    labelling = label(measured(truth, following))
    assert (labelling.failures[:, 0] == FAILURES.index(Failure.IDENTITY_SWAP)).all()
    assert (labelling.partners[:, 0] == 1).all()


def test_an_object_that_is_found_only_long_after_its_return_is_late_until_then() -> None:
    truth = two_shapes(np.random.default_rng(3))
    prediction = [labels.copy() for labels in truth]
    for frame in range(5, 15):
        prediction[frame][prediction[frame] == 1] = 0
    for frame in range(5, 10):
        truth[frame][truth[frame] == 1] = 0
    codes = label(measured(truth, prediction)).failures[:, 0]
    late = FAILURES.index(Failure.LATE_REENTRY)
    assert np.flatnonzero(codes == late).tolist() == [10, 11, 12, 13, 14]
    assert (codes[:10] == 0).all()


def test_objects_above_the_count_are_left_out() -> None:
    labels = two_shapes(np.random.default_rng(4))[0]
    alone = measure(labels, np.where(labels == 2, 0, labels).astype(np.uint8), 1)
    assert alone.j.tolist() == [1.0]
    assert alone.overlap.shape == (2, 2)


def test_the_limits_decide_what_is_good() -> None:
    truth = two_shapes(np.random.default_rng(6))
    rolled = [np.roll(labels, 4, axis=1) for labels in truth]
    measures = measured(truth, rolled)
    assert (label(measures, Limits(good=0)).failures == 0).all()
    assert (label(measures).failures == FAILURES.index(Failure.BOUNDARY)).all()


def test_measures_are_those_of_the_masks() -> None:
    truth, other = two_shapes(np.random.default_rng(7))[:2]
    rolled = np.roll(other, 9, axis=0)
    found = measure(truth, rolled, 2)
    for number in (1, 2):
        pair = (truth == number, rolled == number)
        assert found.j[number - 1] == jaccard(*pair)
        assert found.f[number - 1] == boundary_f(*pair)
        assert found.truth_area[number - 1] == np.count_nonzero(pair[0])
        assert found.area[number - 1] == np.count_nonzero(pair[1])
        middle = np.argwhere(pair[0]).mean(axis=0)
        assert np.allclose(found.centre[number - 1], middle)


@pytest.mark.parametrize("seed", range(3))
def test_a_picture_that_is_turned_measures_the_same(seed: int) -> None:
    """Turned, mirrored or with a margin: what is cut out of the picture must not matter."""
    rng = np.random.default_rng(seed)
    truth, other = two_shapes(rng)[0], np.roll(two_shapes(rng)[0], (7, 20), axis=(0, 1))
    image = rng.integers(0, 256, (*truth.shape, 3), np.uint8)
    image[truth == 1] //= 2
    found = measure(truth, other, 2, image)
    assert (found.missing > 0).all()
    assert (found.extra.sum(axis=1) > 0).all()
    for turned in (np.fliplr, np.flipud, np.rot90):
        one, two, picture = (np.ascontiguousarray(turned(each)) for each in (truth, other, image))
        again = measure(one, two, 2, picture)
        for name in ("j", "missing", "extra", "contact", "brightness", "likeness", "at_border"):
            np.testing.assert_allclose(getattr(again, name), getattr(found, name), err_msg=name)


def histogram(pixels: np.ndarray) -> np.ndarray:
    """Count colours in 8 steps a channel, (N, 3) -> (512,), sum 1."""
    counts = np.histogramdd(pixels.astype(np.float64), 8, [(0, 256)] * 3)[0].ravel()
    return np.asarray(counts / counts.sum())


def test_what_is_seen_of_objects_is_what_the_measures_say_by_their_definitions() -> None:
    rng = np.random.default_rng(9)
    truth = np.zeros((60, 80), np.uint8)
    truth[20:36, 10:26], truth[20:30, 27:37] = 1, 2  # a pixel apart, of 256 and 100 pixels
    image = rng.integers(0, 256, (60, 80, 3), np.uint8)
    image[truth == 2] //= 2
    found = measure(truth, truth, 3, image)
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float64)
    padded = np.pad(grey, 1, mode="reflect")
    around = padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:]
    colours = {number: histogram(image[truth == number]) for number in (1, 2)}
    for number, side in ((1, 16), (2, 10)):
        mask = truth == number
        assert found.brightness[number - 1] == pytest.approx(grey[mask].mean())
        assert found.sharpness[number - 1] == pytest.approx(np.abs(around - 4 * grey)[mask].mean())
        rows, columns = np.nonzero(mask)
        reach = side // 2 + 2  # half of the object's side, and two pixels
        window = np.zeros_like(mask)
        window[rows[0] - reach : rows[-1] + reach + 1,
               max(0, columns[0] - reach) : columns[-1] + reach + 1] = True  # fmt: skip
        beside = histogram(image[window & (truth == 0)])
        likeness = np.sqrt(colours[number] * beside).sum()
        assert found.likeness[number - 1, 0] == pytest.approx(likeness)
        assert np.isnan(found.likeness[number - 1, [number, 3]]).all()
    both = np.sqrt(colours[1] * colours[2]).sum()
    assert [found.likeness[0, 2], found.likeness[1, 1]] == pytest.approx([both, both])
    # The rim is two pixels wide; the other object lies in its second column, on 10 and 12 rows.
    assert found.contact[:2].tolist() == [10 / (20**2 - 16**2), 12 / (14**2 - 10**2)]
    assert np.isnan(found.contact[2])
    assert np.isnan(found.centre[2]).all()
    assert found.tones == pytest.approx(histogram(image.reshape(-1, 3)))
    large = np.repeat(np.repeat(image, 5, axis=0), 5, axis=1)
    assert measure(np.zeros((300, 400), np.uint8), np.zeros((300, 400), np.uint8), 1, large).tones \
        == pytest.approx(histogram(large[::2, ::2].reshape(-1, 3)))  # fmt: skip


@pytest.mark.parametrize("side", ["top", "bottom", "left", "right", "none"])
def test_an_object_meets_the_border_of_the_frame_on_any_side(side: str) -> None:
    rows = {"top": slice(0, 9), "bottom": slice(51, 60)}.get(side, slice(20, 29))
    columns = {"left": slice(0, 9), "right": slice(71, 80)}.get(side, slice(20, 29))
    truth = np.zeros((60, 80), np.uint8)
    truth[rows, columns] = 1
    assert measure(truth, truth, 1).at_border.tolist() == [side != "none"]


def test_what_lies_far_from_the_outline_is_counted_to_the_pixel() -> None:
    """Limits by the definition: a fifth of the object's side, as that is less here."""
    truth, found = np.zeros((400, 600), np.uint8), np.zeros((400, 600), np.uint8)
    truth[100:120, 100:120] = 1
    found[100:120, 110:150] = 1  # 10 columns too few on the left, 30 too many on the right
    measures = measure(truth, found, 1)
    assert measures.missing.tolist() == [6 * 20]  # columns 100 to 105 are farther than 4 pixels
    assert measures.extra.tolist() == [[26 * 20, 0]]
    assert measure(found, truth, 1).missing.tolist() == [(30 - 5) * 20]  # 5.66 pixels
    truth[100:120, 130:150] = 2
    assert measure(truth, np.where(found, np.uint8(1), truth), 2).extra[0].tolist() == [120, 0, 400]


def test_what_cannot_be_spoiled_is_said() -> None:
    rng = np.random.default_rng(8)
    empty = [np.zeros((40, 40), np.uint8)] * 20
    with pytest.raises(UnfitError, match="0 pixels"):
        spoil(empty, 1, Failure.MISS, range(3, 8), rng)


def test_a_small_neighbour_that_is_taken_is_a_leak_however_large_the_object() -> None:
    truth = np.zeros((360, 640), np.uint8)
    truth[80:280, 60:260] = 1
    truth[150:180, 400:430] = 2
    taken = np.where(truth > 0, 1, 0).astype(np.uint8)
    labelling = label(measured([truth] * 3, [taken] * 3))
    assert (labelling.failures[:, 0] == FAILURES.index(Failure.LEAK_NEIGHBOUR)).all()
    assert (labelling.partners[:, 0] == 1).all()
    alone = label(measured([truth] * 3, [taken] * 3), Limits(taken=2.0))
    assert (alone.failures[:, 0] == FAILURES.index(Failure.BOUNDARY)).all()
