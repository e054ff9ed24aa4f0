"""Polygons and pixels: official rasterisation, exact tracing, exact enlarging."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.mask import Mask
from app.errors import FormatError
from app.storage.formats.visor.geometry import (
    DENSE_SIZE,
    SPARSE_SIZE,
    Size,
    filled,
    rasterise,
    resized,
    sample,
    scanlines,
    spread,
    trace,
)
from app.storage.formats.visor.records import VisorFile
from models.api import BoolMask


def square(start: float, end: float) -> list[list[float]]:
    return [[start, start], [end, start], [end, end], [start, end]]


def random_mask(seed: int) -> BoolMask:
    """Blobs with holes and islands, lines, single pixels, of any size."""
    rng = np.random.default_rng(seed)
    height, width = (int(side) for side in rng.integers(1, 90, 2))
    block = int(rng.integers(1, 16))
    coarse = rng.random((height // block + 1, width // block + 1)) < rng.random()
    pixels = np.kron(coarse, np.ones((block, block), np.bool_))[:height, :width]
    speckled = pixels ^ (rng.random(pixels.shape) < rng.choice([0, 0.01, 0.2]))
    speckled[rng.integers(height)] |= bool(rng.integers(2))
    return np.ascontiguousarray(speckled)


def test_a_polygon_within_another_is_a_hole_that_loses_its_outline() -> None:
    pixels = rasterise([square(5, 50), square(20, 35)], (60, 60))
    assert np.count_nonzero(pixels) == 1920
    assert not pixels[21:35, 21:35].any()


def test_overlapping_polygons_cancel_each_other() -> None:
    pixels = rasterise([square(0, 20), square(10, 30)], (40, 40))
    assert not pixels[12:19, 12:19].any()


def test_coordinates_are_truncated_toward_zero() -> None:
    assert np.argwhere(rasterise([[[1.9, -0.7]]], (4, 4))).tolist() == [[0, 1]]


def test_a_polygon_without_points_paints_the_corner_only_when_asked_to() -> None:
    assert not rasterise([[]], (4, 4)).any()
    assert np.argwhere(rasterise([[]], (4, 4), mark_empty=True)).tolist() == [[0, 0]]


def test_coordinates_far_outside_of_the_picture_are_harmless() -> None:
    assert rasterise([[[-1e8, -1e8], [1e8, -1e8], [1e8, 1e8], [-1e8, 1e8]]], (9, 9)).all()


def test_one_thousand_masks_come_back_exactly_from_their_polygons() -> None:
    for seed in range(1000):
        pixels = random_mask(seed)
        shape = (pixels.shape[0], pixels.shape[1])
        assert np.array_equal(rasterise(trace(pixels), shape), pixels), seed


def test_each_border_is_one_polygon_of_its_corners() -> None:
    pixels = rasterise([square(5, 50), square(20, 35)], (60, 60))
    assert sorted(len(polygon) for polygon in trace(pixels)) == [4, 8]  # hole corners are cut


def test_scanlines_are_exact_as_well() -> None:
    for seed in range(100):
        pixels = random_mask(seed)
        shape = (pixels.shape[0], pixels.shape[1])
        assert np.array_equal(rasterise(scanlines(pixels), shape), pixels), seed


def test_a_border_that_does_not_read_back_is_replaced_by_scanlines(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pixels = random_mask(3)
    monkeypatch.setattr("cv2.findContours", lambda *_, **__: ([], None))
    assert trace(pixels) == scanlines(pixels)


def test_tracing_shifts_by_the_offset() -> None:
    assert trace(np.ones((1, 1), np.bool_), (7, 3)) == [[[7, 3]]]


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 1080), st.integers(1, 1920), st.integers(0, 2**32 - 1))
def test_sampling_down_what_was_spread_gives_back_every_pixel(
    height: int, width: int, seed: int
) -> None:
    pixels = np.random.default_rng(seed).random((height, width)) < 0.5
    assert np.array_equal(sample(spread(pixels, SPARSE_SIZE), (height, width)), pixels)


def test_a_480p_mask_survives_polygons_at_1080p() -> None:
    pixels = np.zeros(DENSE_SIZE, np.bool_)
    pixels[300:, 700:] = np.random.default_rng(5).random((180, 154)) < 0.5
    polygons = trace(spread(pixels, SPARSE_SIZE))
    assert np.array_equal(sample(rasterise(polygons, SPARSE_SIZE), DENSE_SIZE), pixels)


def test_the_official_sampling_takes_the_floor() -> None:
    row = np.arange(1920) % 7 == 0
    small = sample(np.tile(row, (1080, 1)), DENSE_SIZE)
    assert np.array_equal(small[0], row[np.floor(np.arange(854) * 1920 / 854).astype(int)])


def random_polygons(seed: int) -> list[list[list[float]]]:
    """A few polygons round and in a picture of 60 by 90, some far outside, some without points."""
    rng = np.random.default_rng(seed)
    reach = float(rng.choice([60, 200, 40_000]))
    return [
        (rng.uniform(-0.4 * reach, reach, (int(rng.integers(0, 9)), 2))).tolist()
        for _ in range(int(rng.integers(1, 5)))
    ]


@pytest.mark.parametrize("size", [(60, 90), (31, 40), (120, 200)])
def test_filling_the_box_alone_gives_every_pixel_of_the_whole_picture(
    size: tuple[int, int],
) -> None:
    for seed in range(400):
        polygons, mark = random_polygons(seed), bool(seed % 2)
        whole = sample(rasterise(polygons, (60, 90), mark_empty=mark), size)
        assert filled(polygons, (60, 90), size, mark_empty=mark) == Mask.encode(whole), seed


@pytest.mark.parametrize("size", [(60, 90), (31, 40), (120, 201), (1080, 1920)])
def test_resizing_the_box_alone_gives_every_pixel_of_the_whole_picture(
    size: tuple[int, int],
) -> None:
    for seed in range(60):
        pixels = random_mask(seed)
        mask = Mask.encode(pixels)
        if mask is not None:
            assert resized(mask, size) == Mask.encode(spread(pixels, size)), seed


@pytest.mark.parametrize("size", [(1, 1), (1080, 1920), (1 << 14, 1 << 14)])
def test_the_canvas_is_the_size_that_the_file_states(size: Size) -> None:
    stated = VisorFile.of(
        {"info": {"Resolution": f"{size[1]}x{size[0]}"}, "video_annotations": []}, "a file"
    )
    assert stated.canvas == size


@pytest.mark.parametrize("resolution", ["0x1080", "1920x0", "16384x16385"])
def test_a_size_that_no_picture_has_is_refused(resolution: str) -> None:
    stated = VisorFile.of({"info": {"Resolution": resolution}, "video_annotations": []}, "a file")
    with pytest.raises(FormatError, match="no picture has the size"):
        _ = stated.canvas


@pytest.mark.parametrize("dense", [False, True])
@pytest.mark.parametrize("info", [{}, {"details": "generated in 854x480 resolution"}])
def test_without_a_stated_size_the_canvas_is_that_of_the_kind_of_file(
    info: dict[str, str], *, dense: bool
) -> None:
    image = {"name": "a.jpg", **({"interpolation": "0000001"} if dense else {})}
    raw = {"info": info, "video_annotations": [{"image": image, "annotations": []}]}
    small = dense or bool(info)
    assert VisorFile.of(raw, "a file").canvas == (DENSE_SIZE if small else SPARSE_SIZE)
