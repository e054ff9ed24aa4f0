"""The overlay video: every frame, the masks in their colours."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from app.core.mask import Mask
from app.errors import FrameReadError
from app.storage.formats.labelled import Painted
from app.storage.formats.overlay_video import crossed_out, paint, write_overlay_video
from models.api import Image


class GreyFrames:
    """A video of grey pictures."""

    def __init__(self, count: int, size: tuple[int, int], broken: int | None = None) -> None:
        self._count, self._size, self._broken = count, size, broken

    @property
    def size(self) -> tuple[int, int]:
        return self._size

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Image:
        if index == self._broken:
            raise FrameReadError(f"Frame {index} could not be read.")
        return np.full((*self._size, 3), 100, np.uint8)


def square(size: tuple[int, int], at: int) -> Painted:
    pixels = np.zeros(size, np.bool_)
    pixels[10:40, at : at + 30] = True
    mask = Mask.encode(pixels)
    assert mask is not None
    return ((1, mask),)


def test_a_mask_is_filled_and_outlined_in_its_colour() -> None:
    frames = GreyFrames(1, (60, 80))
    picture = paint(frames[0], square((60, 80), 20), {1: (200, 0, 0)})
    assert picture[25, 35].tolist() == [145, 55, 55]
    assert picture[10, 30, 0] > 190
    assert picture[50, 70].tolist() == [100, 100, 100]


@pytest.mark.parametrize("size", [(60, 80), (61, 81)])
def test_the_video_has_every_frame_at_its_rate(tmp_path: Path, size: tuple[int, int]) -> None:
    path, told = tmp_path / "o.mp4", list[int]()
    write_overlay_video(
        path,
        GreyFrames(7, size),
        lambda index: square(size, 5 * index),
        {1: (255, 0, 0)},
        30000 / 1001,
        told.append,
    )
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert float(stream.average_rate or 0) == pytest.approx(29.97, abs=0.01)
        pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
    assert len(pictures) == len(told) == 7
    reds = [int(p[..., 0].astype(int).sum() - p[..., 1].astype(int).sum()) for p in pictures]
    assert min(reds) > 50_000
    assert np.argmax(pictures[6][25].astype(int)[:, 0] - pictures[6][25].astype(int)[:, 1]) >= 28


def test_a_frame_that_cannot_be_read_is_crossed_out_and_named(tmp_path: Path) -> None:
    path = tmp_path / "o.mp4"
    frames = GreyFrames(5, (60, 80), broken=2)
    (error,) = write_overlay_video(path, frames, lambda _: (), {}, 24)
    assert "Frame 2" in str(error)
    with av.open(str(path)) as container:
        pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert [int(np.median(picture)) // 20 for picture in pictures] == [5, 5, 3, 5, 5]


def test_a_video_none_of_whose_frames_can_be_read_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "o.mp4"
    path.write_bytes(b"before")
    with pytest.raises(FrameReadError):
        write_overlay_video(path, GreyFrames(1, (60, 80), broken=0), lambda _: (), {}, 24)
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("aspect", [Fraction(16, 15), Fraction(1), Fraction(32, 27)])
def test_the_shape_of_the_pixels_is_kept(tmp_path: Path, aspect: Fraction) -> None:
    path = tmp_path / "o.mp4"
    write_overlay_video(path, GreyFrames(3, (60, 80)), lambda _: (), {}, 24, pixel_aspect=aspect)
    with av.open(str(path)) as container:
        assert container.streams.video[0].sample_aspect_ratio == aspect


@pytest.mark.parametrize(("height", "thickness"), [(100, 1), (719, 1), (720, 2), (1200, 2)])
def test_the_outline_of_a_mask_is_as_thick_as_the_picture_is_high(
    height: int, thickness: int
) -> None:
    picture = np.full((height, 60, 3), 100, np.uint8)
    pixels = np.zeros((height, 60), np.bool_)
    pixels[20:80, 10:50] = True
    mask = Mask.encode(pixels)
    assert mask is not None
    painted = paint(picture, ((1, mask),), {1: (0, 0, 200)})
    assert (picture == 100).all()
    assert painted[50, 30].tolist() == [55, 55, 145]
    # A line of one pixel is a little softer than its colour, one of two has a pixel aside.
    assert np.count_nonzero(painted[50, 5:15, 2] > 190) == 2 * thickness - 1
    assert painted[50, 10, 2] > 190
    assert painted[20, 30, 2] > 190
    assert (painted[50, :8] == 100).all()


def test_a_later_mask_lies_on_top(tmp_path: Path) -> None:
    (one,), (other,) = square((60, 80), 10), square((60, 80), 20)
    colors = {1: (200, 0, 0), 2: (0, 0, 200)}
    picture = paint(np.zeros((60, 80, 3), np.uint8), (one, (2, other[1])), colors)
    assert picture[25, 15].tolist() == [90, 0, 0]
    assert picture[25, 30].tolist() == [49, 0, 90]


def test_a_crossed_out_picture_has_a_cross_from_corner_to_corner(tmp_path: Path) -> None:
    path = tmp_path / "o.mp4"
    write_overlay_video(path, GreyFrames(2, (240, 320), broken=0), lambda _: (), {}, 24)
    with av.open(str(path)) as container:
        picture = next(container.decode(video=0)).to_ndarray(format="rgb24")[..., 0].astype(int)
    for y, x in ((0, 0), (0, 319), (239, 0), (239, 319), (120, 160), (60, 80), (180, 80)):
        near = picture[max(0, y - 3) : y + 4, max(0, x - 3) : x + 4]
        assert near.max() > 105, (y, x)
    for y, x in ((0, 160), (239, 160), (120, 10), (120, 310)):
        near = picture[max(0, y - 3) : y + 4, max(0, x - 3) : x + 4]
        assert abs(near - 64).max() < 12, (y, x)


@pytest.mark.parametrize(
    ("size", "thickness"), [((119, 160), 1), ((179, 100), 1), ((181, 100), 2), ((420, 50), 4)]
)
def test_the_cross_goes_through_the_corners_and_is_as_thick_as_the_picture_is_high(
    size: tuple[int, int], thickness: int
) -> None:
    picture = crossed_out(size)
    assert picture.shape == (*size, 3)
    assert (picture == picture[..., :1]).all()
    assert picture.min() == 64
    assert 120 <= picture.max() <= 128
    assert all(picture[y, x, 0] > 96 for y in (0, -1) for x in (0, -1))
    across = (picture[size[0] // 4, : size[1] // 2, 0] > 80).sum()
    wide = thickness * np.hypot(*size) / size[0]  # of a line that slants
    assert wide - 1 <= across <= wide + 2
    assert picture[size[0] // 2, 0, 0] == picture[0, size[1] // 2, 0] == 64
