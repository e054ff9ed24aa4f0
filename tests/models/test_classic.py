"""What the models without weights promise beyond the contracts."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from models.api import BoolMask, Box, Click, Image, LoadOptions, Prompt
from models.classic.edges import guided
from models.classic.segmenter import ClassicSegmenter
from models.registry import load_tracker
from tests.models.contract import Clip, iou


class Film:
    """Frames made by a function of the index."""

    def __init__(self, length: int, draw: Callable[[int], Image]) -> None:
        self._length, self._draw = length, draw
        self.size = (draw(0).shape[0], draw(0).shape[1])

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> Image:
        return self._draw(index)


def ground(seed: int = 3, size: tuple[int, int] = (120, 160)) -> Image:
    rng = np.random.default_rng(seed)
    coarse = rng.integers(70, 130, (size[0] // 8, size[1] // 8, 3)).astype(np.uint8)
    return np.asarray(cv2.resize(coarse, (size[1], size[0])), np.uint8)


def disk(image: Image, x: int, y: int, color: tuple[int, int, int]) -> Image:
    out = image.copy()
    cv2.circle(out, (x, y), 15, color, -1)
    return out


def disk_mask(x: int, y: int) -> BoolMask:
    mask = np.zeros((120, 160), np.uint8)
    cv2.circle(mask, (x, y), 15, 1, -1)
    return mask.astype(np.bool_)


def test_an_object_that_vanishes_is_lost_and_found_again() -> None:
    plain = ground()

    def draw(index: int) -> Image:
        return plain if 4 <= index < 8 else disk(plain, 40 + 3 * index, 60, (200, 40, 40))

    tracker = load_tracker("classic", Film(12, draw))
    found = dict(tracker.track({0: {1: disk_mask(40, 60)}}, range(12)))
    assert not found[6][1].mask.any()
    assert found[6][1].score < 0.2 < found[2][1].score
    assert iou(found[11][1].mask, disk_mask(73, 60)) > 0.7


def test_from_an_anchor_that_says_absent_the_object_is_found_when_it_returns() -> None:
    plain = ground()

    def draw(index: int) -> Image:
        return plain if 4 <= index < 8 else disk(plain, 40 + 3 * index, 60, (200, 40, 40))

    tracker = load_tracker("classic", Film(12, draw))
    shown = disk_mask(40, 60)
    found = dict(tracker.track({0: {1: shown}, 5: {1: shown & False}}, range(5, 12)))
    assert not found[7][1].mask.any()
    assert iou(found[11][1].mask, disk_mask(73, 60)) > 0.7


_CURTAIN = (0, 50, 58, 64, 100, 100, 100, 100, 64, 64, 64)  # what hides the object, by frame


def test_to_say_absent_where_the_object_is_lost_takes_nothing_from_its_return() -> None:
    plain = ground()

    def draw(index: int) -> Image:
        image, edge = disk(plain, 60, 60, (200, 40, 40)), _CURTAIN[index]
        image[:, :edge] = plain[:, :edge]
        return image

    tracker = load_tracker("classic", Film(len(_CURTAIN), draw))
    first = {0: {1: disk_mask(60, 60)}}
    untold = dict(tracker.track(first, range(len(_CURTAIN))))
    told = dict(tracker.track({**first, 6: {1: disk_mask(60, 60) & False}}, range(len(_CURTAIN))))
    assert not untold[6][1].mask.any()
    assert untold[10][1].mask.any()
    for frame in range(7, len(_CURTAIN)):
        np.testing.assert_array_equal(told[frame][1].mask, untold[frame][1].mask)


def test_a_later_anchor_teaches_colours_that_an_earlier_frame_needs() -> None:
    plain = ground()

    def draw(index: int) -> Image:
        return disk(plain, 60, 60, (200, 40, 40) if index < 3 else (40, 40, 200))

    red, blue = disk_mask(60, 60), disk_mask(60, 60)
    tracker = load_tracker("classic", Film(6, draw))
    anchors = {0: {1: red}, 5: {1: blue}}
    found = dict(tracker.track(anchors, range(6)))
    assert iou(found[4][1].mask, blue) > 0.8


def test_an_object_is_brought_from_its_nearest_anchor() -> None:
    read: list[int] = []

    def draw(index: int) -> Image:
        read.append(index)
        return disk(ground(), 30 + 3 * index, 60, (200, 40, 40))

    tracker = load_tracker("classic", Film(12, draw))
    anchors = {frame: {1: disk_mask(30 + 3 * frame, 60)} for frame in (0, 5, 11)}
    read.clear()
    found = dict(tracker.track(anchors, range(7, 9)))
    assert set(read) == {0, 5, 6, 7, 8, 11}  # 0 and 11 for their colours alone
    assert iou(found[8][1].mask, disk_mask(54, 60)) > 0.8


def test_large_frames_are_worked_on_small_and_answered_large() -> None:
    plain = ground(size=(600, 800))

    def draw(index: int) -> Image:
        out = plain.copy()
        cv2.circle(out, (300 + 8 * index, 300), 80, (200, 40, 40), -1)
        return out

    def truth(index: int) -> BoolMask:
        mask = np.zeros((600, 800), np.uint8)
        cv2.circle(mask, (300 + 8 * index, 300), 80, 1, -1)
        return mask.astype(np.bool_)

    tracker = load_tracker("classic", Film(4, draw), LoadOptions(size=120))
    found = dict(tracker.track({0: {1: truth(0)}}, range(4)))
    assert found[3][1].mask.shape == (600, 800)
    assert iou(found[3][1].mask, truth(3)) > 0.9


def test_a_frame_no_larger_than_asked_is_worked_on_as_it_is() -> None:
    film = Film(3, lambda index: disk(ground(), 60 + 3 * index, 60, (200, 40, 40)))
    anchors = {0: {1: disk_mask(60, 60)}}
    found = [
        dict(load_tracker("classic", film, LoadOptions(size=size)).track(anchors, range(3)))
        for size in (0, 120, 200)
    ]
    for other in found[1:]:
        assert np.array_equal(found[0][2][1].mask, other[2][1].mask)
        assert found[0][2][1].score == other[2][1].score


def test_the_score_falls_where_the_object_is_not_what_it_was() -> None:
    plain = ground()

    def draw(index: int) -> Image:
        return disk(plain, 60, 60, (200, 40, 40) if index < 2 else (40, 200, 60))

    tracker = load_tracker("classic", Film(3, draw))
    found = dict(tracker.track({0: {1: disk_mask(60, 60)}}, range(3)))
    assert found[2][1].score < 0.5 * found[1][1].score


@given(
    st.lists(
        st.tuples(st.integers(0, 383), st.integers(0, 287), st.booleans()),
        min_size=1,
        max_size=5,
        unique_by=lambda click: click[:2],
    ),
    st.booleans(),
)
@example([(100, 100, True), (101, 100, False), (100, 101, False)], False)  # side by side
@settings(max_examples=12, deadline=None)
def test_clicks_are_obeyed(places: list[tuple[int, int, bool]], boxed: bool) -> None:
    clicks = tuple(Click(x, y, positive) for x, y, positive in places)
    prompt = Prompt(clicks, Box(12, 12, 240, 210) if boxed else None)
    image = np.asarray(cv2.resize(Clip(1)[0], (384, 288)), np.uint8)
    for candidate in ClassicSegmenter(Film(1, lambda _: image)).segment(0, prompt):
        for x, y, positive in places:
            assert candidate.mask[y, x] == positive


def test_one_click_offers_things_of_several_sizes() -> None:
    image = ground()
    cv2.circle(image, (80, 60), 40, (190, 190, 60), -1)
    cv2.circle(image, (80, 60), 12, (200, 40, 40), -1)
    found = ClassicSegmenter(Film(1, lambda _: image)).segment(0, Prompt((Click(80, 60),)))
    areas = [int(each.mask.sum()) for each in found]
    assert min(areas) < 0.4 * max(areas)


def test_a_rough_mask_is_brought_to_the_edges() -> None:
    image = disk(ground(), 80, 60, (200, 40, 40))
    truth = disk_mask(80, 60)
    rough = cv2.dilate(truth.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(np.bool_)
    prompt = Prompt(box=Box(62, 42, 98, 78), mask=rough)
    refined = ClassicSegmenter(Film(1, lambda _: image)).segment(0, prompt)[0].mask
    assert iou(refined, truth) > max(0.9, iou(rough, truth))


@pytest.mark.parametrize("level", [0.0, 0.3, 1.0])
def test_the_guided_filter_leaves_what_is_even(level: float) -> None:
    values = np.full((40, 50), level, np.float32)
    smooth = guided(ground(size=(40, 48))[:, :50], values[:, :48], radius_px=4, smoothness=1e-3)
    assert np.allclose(smooth, level, atol=1e-4)


def test_the_guided_filter_follows_the_image_not_the_guess() -> None:
    image = np.zeros((40, 40, 3), np.uint8)
    image[:, 20:] = 200
    guess = np.zeros((40, 40), np.float32)
    guess[:, 18:] = 1  # two columns too many
    smooth = guided(image, guess, radius_px=6, smoothness=1e-4)
    assert smooth[20, 18] < 0.5 < smooth[20, 21]


@pytest.mark.parametrize(
    "size", [(1, 1), (2, 2), (5, 7), (11, 11), (8, 400), (400, 8), (20, 100), (31, 2000), (3, 900)]
)
def test_frames_of_any_size_get_an_answer(size: tuple[int, int]) -> None:
    height, width = size
    rng = np.random.default_rng(0)
    images = [np.asarray(rng.integers(0, 255, (*size, 3)), np.uint8) for _ in range(3)]
    mask = np.zeros(size, np.bool_)
    mask[: max(1, height // 2), : max(1, width // 2)] = True
    film = Film(3, lambda index: images[index])
    found = dict(load_tracker("classic", film).track({0: {300: mask}}, range(3)))
    assert all(found[frame][300].mask.shape == size for frame in range(3))
    assert (found[0][300].mask == mask).all()
    segmenter = ClassicSegmenter(film)
    for prompt in (
        Prompt(clicks=(Click(0, 0),)),
        Prompt(box=Box(0, 0, max(1, width // 2), max(1, height // 2))),
    ):
        assert segmenter.segment(0, prompt)[0].mask.shape == size
