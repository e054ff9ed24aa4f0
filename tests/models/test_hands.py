"""Hands: what the networks' numbers mean, and what is made of them."""

import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import platformdirs
import pytest
import torch
from numpy.typing import NDArray
from torch.nn import functional

from models import registry
from models.api import Image, LoadOptions, PromptError, WeightsInvalidError
from models.text.hands.detector import HandDetector
from models.text.hands.graph import Graph
from models.text.hands.landmarks import Square, placed, square_of_landmarks, square_of_palm
from models.text.hands.palm import SIDE, Palm, anchors, decoded, merged
from tests.models.flatbuffer_writer import tflite

CPU = torch.device("cpu")
REAL = platformdirs.user_data_path("maskwright", appauthor=False) / "weights"
PALMS, MARKS = REAL / "palm_detection_full.tflite", REAL / "hand_landmark_full.tflite"
needs_networks = pytest.mark.skipif(
    not (PALMS.is_file() and MARKS.is_file()),
    reason="the networks of hands are not fetched: `maskwright models get hands`",
)


# Palms


def raw_answer(*hot: tuple[int, float]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return a network's answer in which the anchors `hot` (number, logit) see a palm."""
    raw = np.zeros((2016, 18), np.float32)
    raw[:, 2:4] = SIDE / 4  # a box of a quarter of the side
    raw[:, 4:] = np.tile([0, SIDE / 8], 7)
    logits = np.full(2016, -200.0, np.float32)
    for number, logit in hot:
        logits[number] = logit
    return raw, logits


def test_anchors_lie_in_two_grids_row_by_row() -> None:
    found = anchors()
    assert found.shape == (2016, 2)
    assert np.allclose(found[:2], 0.5 / 24)  # two to a cell
    assert np.allclose(found[2], [1.5 / 24, 0.5 / 24])  # x goes first
    assert np.allclose(found[48], [0.5 / 24, 1.5 / 24])
    assert np.allclose(found[1152:1158], 0.5 / 12)  # six to a cell of the coarse grid
    assert np.allclose(found[-1], 11.5 / 12)


def test_a_palm_is_decoded_from_its_anchor() -> None:
    number = 2 * (24 * 11 + 11)  # cell 11, 11
    middle = 11.5 / 24
    (found,) = decoded(*raw_answer((number, 3.0)), least=0.5)
    assert np.allclose(found.box, [middle - 1 / 8, middle - 1 / 8, middle + 1 / 8, middle + 1 / 8])
    assert np.allclose(found.points, [middle, middle + 1 / 8])
    assert found.score == pytest.approx(1 / (1 + np.exp(-3)))


def test_what_is_unlikely_is_no_palm() -> None:
    assert decoded(*raw_answer((100, -0.1)), least=0.5) == []


def palm(x: float, score: float) -> Palm:
    box, points = np.array([x, 0, x + 1, 1], np.float32), np.full((7, 2), x, np.float32)
    return Palm(box, points, score)


def test_boxes_that_overlap_become_their_mean_and_others_stay() -> None:
    kept = merged([palm(0.2, 0.3), palm(0, 0.9), palm(5, 0.6)])
    assert [each.score for each in kept] == [0.9, 0.6]
    assert kept[0].box[0] == pytest.approx(0.05)  # three parts of 0 and one of 0.2
    assert np.allclose(kept[0].points, 0.05)
    assert kept[1].box[0] == 5


# Landmarks

PALM_BOX = np.array([40, 40, 60, 60], np.float32)


def test_the_square_of_a_palm_reaches_out_to_the_fingers() -> None:
    points = np.zeros((7, 2), np.float32)
    points[0], points[2] = (50, 60), (50, 40)  # the fingers point up
    square = square_of_palm(Palm(PALM_BOX, points, 1.0))
    assert (square.x, square.y, square.side, square.turn) == pytest.approx((50, 40, 52, 0))
    points[0], points[2] = (40, 50), (60, 50)  # to the right
    square = square_of_palm(Palm(PALM_BOX, points, 1.0))
    assert (square.x, square.y, square.turn) == pytest.approx((60, 50, np.pi / 2))


@pytest.mark.parametrize("turn", [0.0, 0.7, np.pi / 2, -2.5])
def test_what_is_seen_in_a_square_is_placed_where_it_was(turn: float) -> None:
    image = np.zeros((200, 240, 3), np.uint8)
    image[118:122, 138:142] = 255
    square = Square(130, 110, 100, turn)
    rows, columns = np.nonzero(square.cut(image)[:, :, 0] > 128)
    raw = np.tile([columns.mean(), rows.mean(), 0.0], 21)
    assert np.allclose(placed(raw, square), [139.5, 119.5], atol=0.3)


def test_the_square_of_landmarks_turns_with_the_hand() -> None:
    rng = np.random.default_rng(3)
    points = rng.uniform(-20, 20, (21, 2)).astype(np.float32)
    points[0], points[[5, 9, 13]] = (0, 30), [(-5, -30), (0, -30), (5, -30)]
    upright = square_of_landmarks(points)
    assert upright.turn == pytest.approx(0)
    quarter = np.array([[0, -1], [1, 0]], np.float32)  # clockwise, as y points down
    turned = square_of_landmarks(points @ quarter.T)
    assert turned.turn == pytest.approx(np.pi / 2)
    assert turned.side == pytest.approx(upright.side)
    assert np.allclose(quarter @ [upright.x, upright.y], [turned.x, turned.y])


# The detector

FINGERS_UP = np.stack(
    [np.repeat([112, 60, 90, 112, 134, 156], [1, 4, 4, 4, 4, 4]),
     np.concatenate([[190], np.tile([120, 100, 80, 60], 5)]),
     np.zeros(21)], axis=1,
).astype(np.float32)  # fmt: skip


class Palms:
    """Sees one palm in the middle of every picture."""

    def __init__(self, *, logit: float = 4.0) -> None:
        self.raw, self.logits = raw_answer((2 * (24 * 12 + 12), logit))
        self.raw[:, 4:] = 0
        self.raw[:, 5] = SIDE / 8  # the wrist below the middle finger
        self.seen: list[tuple[int, ...]] = []

    def run(self, images: torch.Tensor) -> tuple[torch.Tensor, ...]:
        self.seen.append(tuple(images.shape))
        return torch.from_numpy(self.raw)[None], torch.from_numpy(self.logits)[None, :, None]


class Marks:
    """Sees a hand with its fingers up wherever it looks."""

    def __init__(self, presence: float = 0.9, right: float = 0.8) -> None:
        self.presence, self.right = presence, right

    def run(self, images: torch.Tensor) -> tuple[torch.Tensor, ...]:
        assert images.shape == (1, 224, 224, 3)
        marks = torch.from_numpy(FINGERS_UP.reshape(1, 63))
        return marks, torch.tensor([[self.presence]]), torch.tensor([[self.right]]), marks


class Still:
    """A video of one picture."""

    def __init__(self, height: int = 120, width: int = 120) -> None:
        self.size = height, width

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> Image:
        return np.full((*self.size, 3), 90, np.uint8)


def detector(palms: object, marks: object, frames: Still | None = None) -> HandDetector:
    return HandDetector(palms, marks, frames or Still(), CPU)  # type: ignore[arg-type]


def test_a_hand_has_a_box_a_side_and_points_on_the_palm() -> None:
    (found,) = detector(Palms(), Marks()).find(0, ())
    assert found.phrase == "right hand"
    assert found.score == pytest.approx(0.9)
    assert 0 <= found.box.x0 < found.box.x1 <= 120
    assert 0 <= found.box.y0 < found.box.y1 <= 120
    assert len(found.clicks) == 4
    for click in found.clicks:
        assert click.positive
        assert found.box.x0 < click.x < found.box.x1
        assert found.box.y0 < click.y < found.box.y1
    (left,) = detector(Palms(), Marks(right=0.2)).find(0, ())
    assert left.phrase == "left hand"


def test_what_has_no_landmarks_of_a_hand_is_none() -> None:
    assert detector(Palms(), Marks(presence=0.3)).find(0, ()) == ()
    assert detector(Palms(logit=-9), Marks()).find(0, ()) == ()


def test_a_wide_frame_is_seen_from_near_too_and_a_hand_there_is_one() -> None:
    palms = Palms()
    frames = Still(100, 110)
    assert len(detector(palms, Marks(), frames).find(0, ())) == 1
    assert len(palms.seen) == 1
    palms.seen.clear()
    found = detector(palms, Marks(), Still(100, 200)).find(0, ())
    assert len(palms.seen) == 4
    # The middle one of the near squares and the whole frame see the same hand.
    centres = sorted((each.box.x0 + each.box.x1) / 2 for each in found)
    assert all(one + 20 < other for one, other in itertools.pairwise(centres))


@pytest.mark.parametrize(
    ("phrases", "count"),
    [
        ((), 1),
        (("hands",), 1),
        (("right hand.",), 1),
        (("Left hand",), 0),
        (("left hand", "hand"), 1),
    ],
)
def test_phrases_choose_the_side(phrases: Sequence[str], count: int) -> None:
    assert len(detector(Palms(), Marks()).find(0, phrases)) == count


def test_other_words_are_refused() -> None:
    with pytest.raises(PromptError, match="cannot find 'cup'"):
        detector(Palms(), Marks()).find(0, ("hands", "cup"))


# Networks in files


def run_one(
    code: int,
    image: NDArray[np.float32],
    constants: Sequence[NDArray[np.generic]],
    options: dict[int, int],
) -> torch.Tensor:
    """Return what one operator makes of an image, read from a file that holds it."""
    tensors = [(image.shape, None), *((each.shape, each) for each in constants), ((1,), None)]
    last = len(tensors) - 1
    content = tflite([code], tensors, [(0, range(last), last, options)], [last])
    (output,) = Graph.read(content, CPU).run(torch.from_numpy(image))
    return output


def noise(*shape: int) -> NDArray[np.float32]:
    return np.random.default_rng(len(shape)).normal(size=shape).astype(np.float32)


def test_a_strided_convolution_covers_the_image_with_the_odd_pixel_at_the_end() -> None:
    image, kernel, bias = noise(1, 8, 6, 3), noise(5, 3, 3, 3), noise(5)
    found = run_one(3, image, (kernel, bias), {1: 2, 2: 2, 3: 1})
    padded = functional.pad(torch.from_numpy(image).permute(0, 3, 1, 2), (0, 1, 0, 1))
    expected = functional.conv2d(padded, torch.from_numpy(kernel).permute(0, 3, 1, 2),
                        torch.from_numpy(bias), stride=2).relu()  # fmt: skip
    assert torch.allclose(found, expected.permute(0, 2, 3, 1), atol=1e-5)


def test_a_depthwise_convolution_keeps_channels_apart() -> None:
    image, kernel, bias = noise(1, 5, 5, 4), noise(1, 3, 3, 4), noise(4)
    found = run_one(4, image, (kernel, bias), {0: 1, 1: 1, 2: 1, 4: 3})
    expected = functional.conv2d(
        torch.from_numpy(image).permute(0, 3, 1, 2),
        torch.from_numpy(kernel).permute(3, 0, 1, 2),
        torch.from_numpy(bias),
        groups=4,
    ).clamp(0, 6)
    assert torch.allclose(found, expected.permute(0, 2, 3, 1), atol=1e-5)


def test_the_other_operators_do_what_their_names_say() -> None:
    image = noise(1, 4, 4, 2)
    seen = torch.from_numpy(image)
    pooled = run_one(17, image, (), {1: 2, 2: 2, 3: 2, 4: 2})
    assert torch.equal(
        pooled, functional.max_pool2d(seen.permute(0, 3, 1, 2), 2).permute(0, 2, 3, 1)
    )
    slope = np.array([[[0.1, 0.5]]], np.float32)
    assert torch.allclose(run_one(54, image, (slope,), {}),
                          torch.where(seen > 0, seen, seen * torch.from_numpy(slope)))  # fmt: skip
    margins = np.array([[0, 0], [1, 0], [0, 2], [0, 3]], np.int32)
    padded = run_one(34, image, (margins,), {})
    assert padded.shape == (1, 5, 6, 5)
    assert torch.equal(padded[:, 1:, :4, :2], seen)
    size = np.array([8, 8], np.int32)
    larger = run_one(23, image, (size,), {3: 1})
    assert larger.shape == (1, 8, 8, 2)
    assert torch.equal(larger[:, 0, 0], seen[:, 0, 0])
    mean = run_one(40, image, (np.array([1, 2], np.int32),), {0: 0})
    assert torch.allclose(mean, seen.mean((1, 2)))
    half = run_one(0, image, (np.full((1, 1, 1, 2), 2, np.float32),), {0: 1})
    assert torch.equal(half, (seen + 2).relu())


def test_weights_in_half_the_bytes_are_widened() -> None:
    weight = noise(1, 1, 1, 2).astype(np.float16)
    tensors = [((1, 2, 2, 2), None), (weight.shape, weight), (weight.shape, None), ((1,), None)]
    content = tflite([6, 0], tensors, [(0, [1], 2, {}), (1, [0, 2], 3, {})], [3])
    image = torch.ones(1, 2, 2, 2)
    (found,) = Graph.read(content, CPU).run(image)
    assert torch.equal(found, image + torch.from_numpy(weight).float())


@pytest.mark.parametrize("content", [b"", b"\0\0\0\0TFL3", b"no network at all", None])
def test_a_file_that_is_no_network_is_refused(tmp_path: Path, content: bytes | None) -> None:
    whole = tflite([99], [((1,), None), ((1,), None)], [(0, [0], 1, {})], [1])
    path = tmp_path / "hands.tflite"
    path.write_bytes(whole if content is None else content)
    with pytest.raises(WeightsInvalidError, match="models get hands"):
        Graph.load(path, CPU)


# The real networks


def pattern(side: int) -> torch.Tensor:
    y, x, channel = np.mgrid[:side, :side, :3].astype(np.float32)
    return torch.from_numpy(((x * 3 + y * 5 + channel * 40) % 97 / 97).astype(np.float32))[None]


@needs_networks
def test_the_networks_answer_as_in_the_runtime_they_were_made_for() -> None:
    with torch.inference_mode():
        raw, logits = Graph.load(PALMS, CPU).run(pattern(192))
        marks, presence, right, _ = Graph.load(MARKS, CPU).run(pattern(224))
    # As LiteRT 2.3 has it.
    expected = [-2.032, 29.995, 2.4953, -18.584, 11.4]
    assert raw[0].flatten()[:: 36288 // 5][:5].tolist() == pytest.approx(expected, rel=1e-3)
    expected = [-6.8272, -7.1089, -6.3266, -17.676, -7.616]
    assert logits[0].flatten()[:: 2016 // 5][:5].tolist() == pytest.approx(expected, rel=1e-3)
    expected = [104.51, 106.11, 109.51, 109.6, 111.62]
    assert marks[0][:: 63 // 5][:5].tolist() == pytest.approx(expected, rel=1e-3)
    assert presence.item() == pytest.approx(0.014873, rel=1e-3)
    assert right.item() == pytest.approx(0.40458, rel=1e-3)


@needs_networks
def test_there_are_no_hands_on_a_plain_wall(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.weights.store.folder", lambda: REAL)
    assert registry.available("hands") is None
    found = registry.load_detector("hands", Still(120, 200), LoadOptions("cpu")).find(0, ())
    assert found == ()
