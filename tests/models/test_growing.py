"""The view of an object that grows: whole frames in all of their pixels, and closer in again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.api import Explainer, LoadOptions
from models.cutie.inference.geometry import Geometry
from models.cutie.inference.view import FOLLOWED, Box, Follower, View
from models.cutie.loader import load_tracker
from models.cutie.network.network import ImageFeatures, Network
from tests.models.cells import where_cells_lie
from tests.models.test_view import FRAME, STORED, SmallThing

GROWING = (90, 97, 105, 114, 123, 133, 144, 155, 167, 180)
SIDES = (*GROWING, *reversed(GROWING))  # of the square, frame after frame
LAST = len(SIDES) - 1
SMALL, LARGE = {0, 1, LAST - 1, LAST}, {8, 9, 10, 11}  # frames


class GrowingThing(SmallThing):
    """A textured square that grows until it nearly fills the frame, and is small again.

    Others like it lie at both ends of the frame, where a view that is closed in does not see them.
    """

    def __len__(self) -> int:
        return len(SIDES)

    def __init__(self) -> None:
        super().__init__()
        self.read: list[int] = []
        self._patch = np.random.default_rng(4).integers(180, 240, (190, 190, 3), np.uint8)

    def __getitem__(self, index: int) -> np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]:
        self.read.append(index)
        image = self._ground.copy()
        image[60:100, :30] = image[130:170, -30:] = self._patch[-40:, -30:]
        image[self._place(index)] = self._patch[: SIDES[index], : SIDES[index]]
        return image

    def _place(self, index: int) -> tuple[slice, slice]:
        side = SIDES[index]
        top, left = (FRAME[0] - side) // 2, (FRAME[1] - side) // 2
        return slice(top, top + side), slice(left, left + side)


@dataclass
class Walked:
    """A pass that has come to its end."""

    tracker: Explainer
    ious: Mapping[int, float]  # frame -> how well its mask meets the truth
    pixels: Mapping[int, set[int]]  # frame -> how many of them the network saw


def walked(monkeypatch: pytest.MonkeyPatch, anchor: int, frames: Sequence[int]) -> Walked:
    clip, sizes = GrowingThing(), list[int]()
    encode = Network.encode_image

    def counting(network: Network, image: torch.Tensor) -> ImageFeatures:
        sizes.append(image[0, 0].numel())
        return encode(network, image)

    monkeypatch.setattr(Network, "encode_image", counting)
    options = LoadOptions(weights=STORED, device="cpu", size=160, threads=1)
    tracker = load_tracker("lite", clip, options)
    ious = {}
    for frame, found in tracker.track({anchor: {1: clip.mask(anchor)}}, frames):
        mask, true = found[1].mask, clip.mask(frame)
        ious[frame] = float((mask & true).sum() / (mask | true).sum())
    pixels: dict[int, set[int]] = {}
    for frame, size in zip(clip.read, sizes, strict=True):
        pixels.setdefault(frame, set()).add(size)
    assert isinstance(tracker, Explainer)
    return Walked(tracker, ious, pixels)


NEAR, WHOLE = 128 * 224, 160 * 288  # pixels that the network sees of a view, and of a frame


@pytest.mark.parametrize(
    ("anchor", "frames"),
    [
        pytest.param(0, range(len(SIDES)), id="from where it is small"),
        pytest.param(9, range(9, len(SIDES)), id="from where it is large"),
        pytest.param(9, range(9, -1, -1), id="back from there"),
    ],
)
def test_what_grows_is_seen_whole_in_more_pixels_and_closer_in_when_it_is_small_again(
    monkeypatch: pytest.MonkeyPatch, anchor: int, frames: Sequence[int]
) -> None:
    result = walked(monkeypatch, anchor, frames)
    assert min(result.ious.values()) > 0.8
    assert all(result.pixels[frame] == {NEAR} for frame in SMALL & set(frames))
    assert all(result.pixels[frame] == {WHOLE} for frame in LARGE & set(frames))


@pytest.mark.parametrize("frame", [1, 9, LAST])
def test_votes_lie_on_the_object_in_whatever_pixels_a_frame_was_seen(
    monkeypatch: pytest.MonkeyPatch, frame: int
) -> None:
    clip = GrowingThing()
    tracker = walked(monkeypatch, 0, range(len(SIDES))).tracker
    votes = tracker.explain(frame, FRAME[1] / 2, FRAME[0] / 2)
    assert len({vote.frame for vote in votes}) > 1
    assert sum(vote.weight for vote in votes) == pytest.approx(1, abs=1e-4)
    for vote in votes:
        for place in vote.places:
            assert 0 <= place.x < FRAME[1]
            assert 0 <= place.y < FRAME[0]
        best, true = vote.places[0], clip.mask(vote.frame)
        assert true[int(best.y), int(best.x)]


def test_what_lay_beyond_the_view_is_remembered_before_it_is_seen_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Frame 8 is the first that is seen whole, and nothing of it is remembered yet."""
    result = walked(monkeypatch, 0, range(9))
    assert (result.pixels[6], result.pixels[8]) == ({NEAR}, {WHOLE})
    x, y = 15, 80  # on what is like the object, at the end of the frame
    (vote, *_) = result.tracker.explain(8, x, y)
    assert abs(vote.places[0].x - x) < 16
    assert abs(vote.places[0].y - y) < 16


def looking_whole() -> Geometry:
    return Geometry.of(FRAME, short_side=160, scale=1, multiple=32)


def looking_near() -> Geometry:
    near = Geometry.of(FRAME, short_side=160, scale=FOLLOWED, multiple=32)
    return near.looking_at(View(60, 104, 120, 208))


@pytest.mark.parametrize("stride", [1, 16])
def test_maps_are_where_they_were_in_other_pixels(stride: int) -> None:
    ramps = partial(where_cells_lie, stride=stride)
    whole, near = looking_whole(), looking_near()
    assert near.padded != whole.padded
    torch.testing.assert_close(near.resampled(ramps(whole), whole), ramps(near))
    back = whole.resampled(ramps(near), near)
    assert back.shape == ramps(whole).shape
    row, column = (side // 2 for side in back.shape[-2:])  # which the view holds
    torch.testing.assert_close(back[..., row, column], ramps(whole)[..., row, column])
    assert back[..., 0, 0].eq(0).all()


@st.composite
def ways(draw: st.DrawFn) -> tuple[tuple[int, int], list[Box | None]]:
    """Draw a frame's size, and where an object is on frame after frame."""
    frame = (draw(st.integers(32, 600)), draw(st.integers(32, 600)))
    path: list[Box | None] = []
    for _ in range(draw(st.integers(1, 6))):
        top, left = draw(st.integers(0, frame[0] - 4)), draw(st.integers(0, frame[1] - 4))
        bottom = draw(st.integers(top + 1, frame[0]))
        right = draw(st.integers(left + 1, frame[1]))
        path.append(draw(st.sampled_from([Box(top, left, bottom, right), None])))
    return frame, path


@given(ways(), st.booleans())
def test_an_object_is_never_seen_in_fewer_pixels_than_in_the_whole_frame(
    way: tuple[tuple[int, int], list[Box | None]], starts: bool
) -> None:
    frame, path = way
    follower = Follower(frame)
    for box in path:
        follower.start(box) if starts else follower.see(box)
        view = follower.view
        if view != View.whole(frame):
            for side, whole in ((view.height, frame[0]), (view.width, frame[1])):
                assert side <= FOLLOWED * whole + 0.5  # a view has whole pixels


def test_a_view_does_not_go_to_and_fro_near_the_limit() -> None:
    def square(side: float) -> Box:
        return Box((240 - side) / 2, (240 - side) / 2, (240 + side) / 2, (240 + side) / 2)

    frame = (240, 240)
    follower = Follower(frame)
    follower.start(square(90))
    views = []
    for side in (100, 150, 160, *[148, 156, 138, 156] * 3, 110, 110):
        follower.see(square(side))
        views.append(follower.view == View.whole(frame))
    assert views == [False] + [True] * 14 + [False] * 2
