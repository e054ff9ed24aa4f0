"""Where frames lie in what the network sees, and which are encoded when."""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Lock
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import Tensor

from models.api import Image
from models.cutie.inference import reader
from models.cutie.inference.encoder_threads import EncoderThreads
from models.cutie.inference.geometry import Geometry
from models.cutie.inference.reader import FrameReader
from models.cutie.network.network import ImageFeatures, Network

SIZE = (16, 32)
SAME = Geometry.of(SIZE, short_side=0, scale=1, multiple=16)


class Video:
    """Frames of one grey each, their number, darker at the right; `read` in this order."""

    size = SIZE

    def __init__(self) -> None:
        self.read: list[int] = []

    def __len__(self) -> int:
        return 20

    def __getitem__(self, index: int) -> Image:
        self.read.append(index)
        image = np.full((*SIZE, 3), 10 * index, np.uint8)
        image[:, 16:] //= 2
        return image


class Grey:
    """A network whose features are the mean of each cell; `batches` are their sizes."""

    pixel_mean = torch.zeros(1)

    def __init__(self) -> None:
        self.batches: list[int] = []

    def encode_image(self, images: Tensor) -> ImageFeatures:
        self.batches.append(len(images))
        cells = torch.nn.functional.avg_pool2d(images.mean(dim=1, keepdim=True), 16) * 255
        return ImageFeatures(cells, cells, cells, cells, (cells, cells + 1), cells + 2)


class Threads:
    """Threads that do their work at once."""

    count = 2

    def __init__(self) -> None:
        self.reading = Lock()

    def submit(self, work: Callable[..., Any], *arguments: Any) -> Future[Any]:  # noqa: ANN401
        done: Future[Any] = Future()
        done.set_result(work(*arguments))
        return done


def reader_of(video: Video, *, mirrored: bool = False, threads: bool = False) -> FrameReader:
    return FrameReader(
        cast("Network", Grey()),
        video,
        SAME,
        mirrored=mirrored,
        threads=cast("EncoderThreads", Threads()) if threads else None,
    )


def assert_frame(frames: FrameReader, number: int) -> None:
    """Check that a frame has its own features."""
    found = frames.read(number)
    assert found.number == number
    assert found.features.key.flatten().tolist() == pytest.approx([10 * number, 5 * number], 1e-4)
    assert found.features.skips[1].flatten()[0] == pytest.approx(10 * number + 1, 1e-4)


def test_a_frame_is_read_when_its_turn_has_come_and_the_last_two_are_kept() -> None:
    video = Video()
    frames = reader_of(video)
    frames.plan([3, 4, 5, 6])
    for number in (3, 4, 5):
        assert_frame(frames, number)
    assert video.read == [3, 4, 5]
    for number in (4, 5, 4, 5):
        assert_frame(frames, number)
    assert video.read == [3, 4, 5]
    assert_frame(frames, 3)
    assert_frame(frames, 17)  # one that was not announced
    assert video.read == [3, 4, 5, 3, 17]


def test_some_devices_encode_four_frames_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(reader._BATCH, "cpu", 4)
    video = Video()
    frames = reader_of(video)
    frames.plan([9, 8, 7, 6, 5, 4])
    for number in (9, 8, 7, 6):
        assert_frame(frames, number)
    assert video.read == [9, 8, 7, 6]
    assert_frame(frames, 5)
    assert video.read == [9, 8, 7, 6, 5, 4]
    assert_frame(frames, 7)  # of five that are kept
    assert video.read == [9, 8, 7, 6, 5, 4]
    assert_frame(frames, 9)
    assert video.read[6:] == [9, 8, 7, 6]


def test_threads_are_as_many_frames_ahead_as_there_are() -> None:
    video = Video()
    frames = reader_of(video, threads=True)
    frames.plan([2, 3, 4, 5, 6, 7])
    assert_frame(frames, 2)
    assert video.read == [2, 3, 4]
    assert_frame(frames, 3)
    assert video.read == [2, 3, 4, 5]
    frames.stop()
    assert_frame(frames, 7)
    assert_frame(frames, 6)
    assert video.read == [2, 3, 4, 5, 7, 6]


def test_of_the_frames_kept_the_one_encoded_first_goes() -> None:
    video = Video()
    frames = reader_of(video)
    for number in (1, 2, 1, 3, 1):
        assert_frame(frames, number)
    assert video.read == [1, 2, 3, 1]


@pytest.mark.parametrize("batch", [1, 3])
def test_each_frame_comes_with_its_mirror_image(
    monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setitem(reader._BATCH, "cpu", batch)
    frames = reader_of(Video(), mirrored=True)
    frames.plan([4, 5, 6])
    for number in (4, 5, 6):
        found = frames.read(number)
        assert found.image.shape == (2, 3, *SIZE)
        assert torch.equal(found.image[1], found.image[0].flip(-1))
        assert float(found.image.max()) == pytest.approx(10 * number / 255)
        edges = found.features.edges
        assert edges is not None
        for part, more in ((found.features.pix_feat, 0), (edges, 2)):
            assert part.shape == (2, 1, 1, 2)
            expected = [10 * number + more, 5 * number + more]
            assert part[0].flatten().tolist() == pytest.approx(expected, 1e-4)
            assert part[1].flatten().tolist() == pytest.approx(expected[::-1], 1e-4)


# --- geometry ---


WIDE = Geometry.of((480, 854), short_side=0, scale=1, multiple=16)  # 5 pixels more on each side
HALF = Geometry.of((200, 102), short_side=51, scale=1, multiple=16)  # halved, then 13 and 12 more


def test_what_the_network_sees_is_padded_round_its_centre() -> None:
    assert WIDE.margins == (5, 5, 0, 0)
    assert HALF.inner == (100, 51)
    assert HALF.margins == (6, 7, 6, 6)
    maps = torch.arange(480 * 864.0).view(480, 864)
    assert torch.equal(WIDE.inside(maps), maps[:, 5:859])
    image = torch.ones(1, 3, 200, 102)
    seen = HALF.image_in(image)
    assert seen.shape == (1, 3, 112, 64)
    assert torch.equal(seen[0, 0, 6:106, 6:57], torch.ones(100, 51))
    assert float(seen.sum()) == 3 * 100 * 51


@pytest.mark.parametrize(
    ("geometry", "place", "cell"),
    [
        (WIDE, (0, 0), (0, 0)),
        (WIDE, (10.4, 15.4), (0, 0)),
        (WIDE, (10.5, 15.5), (1, 1)),
        (WIDE, (853, 479), (53, 29)),
        (HALF, (0, 0), (0, 0)),
        (HALF, (19.4, 19.4), (0, 0)),
        (HALF, (19.5, 19.5), (1, 1)),
        (HALF, (51.5, 51.5), (2, 2)),
    ],
)
def test_a_pixel_lies_in_a_cell(
    geometry: Geometry, place: tuple[float, float], cell: tuple[int, int]
) -> None:
    assert geometry.cell(*place) == cell


@pytest.mark.parametrize(
    ("geometry", "cell", "place"),
    [(WIDE, (0, 0), (2.5, 7.5)), (WIDE, (3, 2), (50.5, 39.5)), (HALF, (1, 2), (35.5, 67.5))],
)
def test_a_cell_has_its_middle_in_the_frame(
    geometry: Geometry, cell: tuple[int, int], place: tuple[float, float]
) -> None:
    assert geometry.centre(*cell) == pytest.approx(place)


def test_masks_are_made_small_by_their_nearest_pixels() -> None:
    mask = torch.zeros(2, 200, 102)
    mask[0, 20:40, 10:30] = 1
    mask[1, 1, 0] = 1  # between those that are taken
    found = HALF.masks_in(mask)
    assert found.shape == (2, 112, 64)
    assert float(found[0, 16:26, 11:21].sum()) == float(found[0].sum()) == 100
    assert float(found[1].sum()) == float(found[1, 6, 6]) == 1
