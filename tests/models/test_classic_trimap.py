"""What a prompt says before colours are asked: what is sure, likely, or out of the question."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from models.api import BoolMask, Box, Click, Prompt
from models.classic.segmenter import _Focus
from models.classic.trimap import Scene, stamped, trimaps

SIZE = (80, 100)
BGD, FGD, PR_BGD, PR_FGD = cv2.GC_BGD, cv2.GC_FGD, cv2.GC_PR_BGD, cv2.GC_PR_FGD


def labelled(
    *clicks: Click, box: Box | None = None, mask: BoolMask | None = None
) -> list[NDArray[np.uint8]]:
    """Return the trimaps of a prompt on a plain image."""
    image = np.full((*SIZE, 3), 120, np.uint8)
    return list(trimaps(Scene(image, clicks, box, mask)))


def away(x: float, y: float) -> NDArray[np.float64]:
    rows, columns = np.ogrid[: SIZE[0], : SIZE[1]]
    return np.asarray(np.hypot(rows - y, columns - x))


def block(top: int, bottom: int, left: int, right: int) -> BoolMask:
    mask = np.zeros(SIZE, np.bool_)
    mask[top:bottom, left:right] = True
    return mask


def test_a_box_holds_the_thing_and_its_middle_surely() -> None:
    (labels,) = labelled(box=Box(20.4, 9.6, 80.4, 50.4))
    inside = block(10, 50, 20, 80)
    assert (labels[~inside] == BGD).all()
    assert set(labels[inside].tolist()) == {PR_FGD, FGD}
    core = labels == FGD
    assert np.flatnonzero(core.any(axis=0))[[0, -1]].tolist() == [40, 60]  # 50 +- 10.5, rounded
    assert np.flatnonzero(core.any(axis=1))[[0, -1]].tolist() == [23, 37]  # 30 +- 7


def test_a_box_beyond_the_frame_is_cut() -> None:
    (labels,) = labelled(box=Box(-9, -9, 30, 20))
    assert (labels[block(0, 20, 0, 30)] != BGD).all()
    assert (labels[~block(0, 20, 0, 30)] == BGD).all()


def test_clicks_are_sure_three_pixels_round_and_what_is_wanted_goes_first() -> None:
    near = Click(55, 40, positive=False)
    (labels,) = labelled(Click(50, 40), near, box=Box(20, 10, 80, 70))
    assert (labels[away(50, 40) <= 3] == FGD).all()
    assert (labels[(away(55, 40) <= 3) & (away(50, 40) > 3.2)] == BGD).all()
    beside = Click(51, 40, positive=False)
    (labels,) = labelled(Click(50, 40), beside, box=Box(20, 10, 80, 70))
    assert labels[40, 50] == FGD
    assert labels[40, 51] == BGD


@pytest.mark.parametrize(("side", "band"), [(20, 3), (60, 5)])
def test_only_a_band_round_a_mask_s_outline_is_open(side: int, band: int) -> None:
    mask = block(10, 10 + side, 10, 10 + side)
    (labels,) = labelled(mask=mask)
    sure = block(10 + band, 10 + side - band, 10 + band, 10 + side - band)
    assert (labels[sure] == FGD).all()
    assert (labels[mask & ~sure] == PR_FGD).all()
    row = labels[40 if side == 60 else 20]
    assert (row[: 10 - band] == BGD).all()
    assert (row[10 - band : 10] == PR_BGD).all()
    assert (row[10 + side : 10 + side + band] == PR_BGD).all()
    assert (row[10 + side + band :] == BGD).all()


def test_a_click_against_a_mask_opens_as_much_as_it_was_wrong_by() -> None:
    mask = block(30, 50, 10, 40)
    (missed,) = labelled(Click(48, 40), mask=mask)  # nine pixels off
    assert (missed[away(48, 40) <= 3] == FGD).all()
    assert missed[40, 43] == FGD  # as near to it as the outline
    assert missed[10, 48] == BGD
    (leaked,) = labelled(Click(35, 40, positive=False), mask=mask)
    assert (leaked[away(35, 40) <= 3] == BGD).all()
    assert leaked[40, 20] == FGD
    agreeing = labelled(Click(25, 40), mask=mask)[0]
    assert np.array_equal(agreeing[away(25, 40) > 3.2], labelled(mask=mask)[0][away(25, 40) > 3.2])


@pytest.mark.parametrize(("positive", "reach"), [(True, 33), (False, 49)])
def test_along_a_stripe_no_more_is_opened_than_some_times_what_was_wrong(
    positive: bool, reach: int
) -> None:
    """The click is seven pixels off the outline; the band of the small mask is three wide, or 7."""
    image = np.full((*SIZE, 3), 60, np.uint8)
    image[39:42] = 220
    mask = block(20, 34, 45, 56)
    wrong = mask if positive else ~mask
    (labels,) = trimaps(Scene(image, (Click(50, 40, positive),), None, wrong))
    likely, sure = (PR_FGD, FGD) if positive else (PR_BGD, BGD)
    stripe = labels[40]
    opened, settled = (
        np.flatnonzero(np.isin(stripe, (likely, sure))),
        np.flatnonzero(stripe == sure),
    )
    assert (opened[0], opened[-1]) == (50 - reach, 50 + reach)
    assert (settled[0], settled[-1]) == (50 - 10, 50 + 10)


def test_one_click_may_mean_things_of_four_sizes() -> None:
    found = labelled(Click(50, 40))
    for labels, reach in zip(found, (0.08, 0.16, 0.3, 0.55), strict=True):
        radius = reach * 80
        far = away(50, 40)
        assert (labels[far > 1.8 * radius + 1] == BGD).all()
        assert (labels[(far > radius + 1) & (far < 1.8 * radius - 1)] == PR_BGD).all()
        likely = np.isin(labels, (FGD, PR_FGD))
        assert not likely[far > max(radius, 3) + 1].any()
        assert np.count_nonzero(likely) == pytest.approx(np.pi * radius**2 / 2, rel=0.35)


def test_a_thing_ends_at_an_edge_before_it_ends_on_plain_ground() -> None:
    image = np.full((*SIZE, 3), 60, np.uint8)
    image[:, 55:] = 200
    labels = list(trimaps(Scene(image, (Click(50, 40),), None, None)))[2]
    assert (labels[38:43, 58:] != PR_FGD).all()
    assert labels[40, 40] == PR_FGD


def test_two_clicks_are_one_thing_and_a_negative_one_alone_leaves_all_open() -> None:
    found = labelled(Click(30, 40), Click(70, 40))
    for labels in found:
        assert labels[40, 30] == labels[40, 70] == FGD
    (labels,) = labelled(Click(30, 40, positive=False))
    assert (labels[away(30, 40) > 3.2] == PR_FGD).all()
    assert (labels[away(30, 40) <= 3] == BGD).all()


def test_clicks_are_stamped_on_a_mask_with_their_neighbours() -> None:
    mask = stamped(block(0, 0, 0, 0), (Click(50, 40), Click(51, 40, positive=False), Click(99, 79)))
    cross = {(39, 50), (40, 49), (40, 50), (41, 50)}
    corner = {(79, 99), (78, 99), (79, 98)}
    assert {(int(row), int(column)) for row, column in np.argwhere(mask)} == cross | corner
    gone = ~stamped(block(0, 80, 0, 100), (Click(50.4, 40.4, positive=False),))
    assert {(int(row), int(column)) for row, column in np.argwhere(gone)} == {*cross, (40, 51)}


def test_a_prompt_is_worked_on_in_its_surroundings_at_a_small_size() -> None:
    image = np.zeros((1000, 2000, 3), np.uint8)
    prompt = Prompt(
        (Click(700, 400), Click(899.5, 499.5, positive=False)), Box(600, 300, 1000, 500)
    )
    focus = _Focus.on(prompt, (1000, 2000))
    # Half the longer side more all round: 400 x 200 pixels become 800 x 600.
    assert (focus.left, focus.top, focus.width, focus.height) == (400, 100, 800, 600)
    assert focus.work_size == (200, 267)
    scene = focus.scene(image, prompt)
    assert scene.image.shape == (200, 267, 3)
    across = 267 / 800
    assert scene.box == pytest.approx((200 * across, 200 / 3, 600 * across, 400 / 3))
    first, second = scene.clicks
    assert (first.x, first.y) == pytest.approx((300.5 * across - 0.5, 300.5 / 3 - 0.5))
    assert (second.x, second.y) == pytest.approx((500 * across - 0.5, 400 / 3 - 0.5))
    assert (first.positive, second.positive) == (True, False)


def test_a_small_prompt_has_sixteen_pixels_round_it_within_the_frame() -> None:
    mask = np.zeros((300, 400), np.bool_)
    mask[4:14, 380:390] = True
    focus = _Focus.on(Prompt((Click(370, 8),), mask=mask), (300, 400))
    assert (focus.left, focus.top) == (354, 0)
    assert (focus.left + focus.width, focus.top + focus.height) == (400, 30)
    assert focus.scale == 1
    whole = _Focus.on(Prompt((Click(370, 8),)), (300, 400))
    assert (whole.left, whole.top, whole.width, whole.height) == (0, 0, 400, 300)
    assert whole.scale == 200 / 300


@pytest.mark.parametrize("height", [400, 800, 1200])
def test_an_answer_is_brought_to_the_edges_however_small_it_was_worked_on(height: int) -> None:
    size = (height, height * 3 // 2)
    rows, columns = np.ogrid[: size[0], : size[1]]
    thing = np.hypot(rows - size[0] * 0.45, columns - size[1] * 0.55) < size[0] * 0.3
    image = np.where(thing[..., None], (200, 60, 40), (60, 90, 80)).astype(np.uint8)
    focus = _Focus.on(Prompt((Click(5, 5),)), size)
    high, wide = focus.work_size
    small = cv2.resize(thing.astype(np.uint8), (wide, high), interpolation=cv2.INTER_NEAREST)
    found = focus.widened(image, small > 0)
    assert np.count_nonzero(found & thing) > 0.995 * np.count_nonzero(found | thing)
