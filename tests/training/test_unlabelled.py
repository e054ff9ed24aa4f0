"""Masks that nobody drew: proposed by a network, checked by a tracker."""

from collections.abc import Generator, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.api import Anchors, Frames, Image, Prediction, Tracked
from models.sam.prompts import Points
from models.training.data.pictures import Frame, Labels, TrainingDataError
from models.training.data.proposals import Proposal, Proposals, distinct, flattened, grid_points
from models.training.data.stills import StillSource
from models.training.data.unlabelled import ClipSource, Shot, agreement_of, there_and_back

SIZE = (64, 96)


class ColourNetwork:
    """Answers a click with all pixels of the colour below it; grey is nothing sure."""

    device = torch.device("cpu")

    def embed(self, image: Image) -> "ColourEmbedding":
        return ColourEmbedding(torch.from_numpy(image.astype(np.int64)))

    def decode(
        self, embedding: "ColourEmbedding", points: Points, mask: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        x, y = (int(value) for value in points.xy[0, 0])
        image = embedding.tensors[0]
        same = (image - image[y, x]).abs().sum(dim=-1) < 60
        sure = 0.95 if int(image[y, x].max() - image[y, x].min()) > 100 else 0.3
        return torch.where(same, 10.0, -10.0).expand(4, -1, -1), torch.full((4,), sure)


class ColourEmbedding:
    """The picture itself."""

    def __init__(self, image: Tensor) -> None:
        self.tensors = (image,)


class ColourTracker:
    """Follows an object by the mean colour under its anchor; forgets green on the way back."""

    def __init__(self, frames: Frames) -> None:
        self._frames = frames

    def track(
        self, anchors: Anchors, frames: Sequence[int], *, probabilities: bool = False
    ) -> Generator[Tracked, None, None]:
        colours: dict[int, NDArray[np.float64]] = {}
        backward = frames[-1] < frames[0]
        for frame in frames:
            image = self._frames[frame].astype(float)
            given = anchors.get(frame, {})
            colours |= {label: image[mask].mean(axis=0) for label, mask in given.items()}
            found = {}
            for label, colour in colours.items():
                mask = np.abs(image - colour).sum(axis=-1) < 60
                if backward and colour.argmax() == 1 and frame < frames[0] - 1:
                    mask = np.zeros_like(mask)
                found[label] = Prediction(given.get(label, mask), 1.0)
            yield frame, found


def _picture(shift: int) -> Image:
    """Return a grey picture with a red, a green and, on the red one, a blue disc."""
    image = np.full((*SIZE, 3), 90, np.uint8)
    cv2.circle(image, (30 + shift, 32), 18, (220, 20, 20), -1)
    cv2.circle(image, (30 + shift, 32), 7, (20, 20, 220), -1)
    cv2.circle(image, (76, 32), 12, (20, 220, 20), -1)
    return image


def _propose(image: Image) -> Labels:
    return Proposals(ColourNetwork, grid=12, most=6)(image)


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    """Write one folder of twenty frames in which the red and the blue disc move."""
    folder = tmp_path / "clips" / "discs"
    folder.mkdir(parents=True)
    for index in range(20):
        cv2.imwrite(str(folder / f"{index:03}.png"), _picture(index // 2)[..., ::-1])
    return folder.parent


def test_each_thing_that_the_network_is_sure_of_becomes_an_object() -> None:
    labels = _propose(_picture(0))
    assert labels.shape == SIZE
    assert set(np.unique(labels)) == {0, 1, 2, 3}
    assert labels[0, 0] == 0


def test_a_smaller_mask_lies_over_a_larger_one() -> None:
    large, small = np.zeros(SIZE, np.bool_), np.zeros(SIZE, np.bool_)
    large[10:40, 10:60], small[20:30, 20:30] = True, True
    labels = flattened([Proposal(small, 0.9), Proposal(large, 0.99)], SIZE)
    assert labels[25, 25] != labels[15, 15]
    assert labels[15, 15] > 0


def test_a_mask_that_smaller_ones_nearly_cover_is_left_out() -> None:
    large, small = np.zeros(SIZE, np.bool_), np.zeros(SIZE, np.bool_)
    large[10:40, 10:40], small[10:40, 10:30] = True, True
    labels = flattened([Proposal(small, 0.9), Proposal(large, 0.9)], SIZE)
    assert set(np.unique(labels)) == {0, 1}
    assert labels[25, 35] == 0


def test_of_two_masks_of_one_thing_the_surer_one_stays() -> None:
    mask = np.zeros(SIZE, np.bool_)
    mask[10:40, 10:40] = True
    nearly = mask.copy()
    nearly[10] = False
    assert distinct([Proposal(mask, 0.99), Proposal(nearly, 0.9)])[0].score == 0.99
    assert len(distinct([Proposal(mask, 0.99), Proposal(nearly, 0.9)])) == 1


def test_the_grid_is_as_dense_in_both_directions() -> None:
    points = grid_points((60, 120), 8)
    assert len(points) == 32
    assert all(0 < x < 120 and 0 < y < 60 for x, y in points)


def test_an_object_that_does_not_come_back_is_left_out(clips: Path) -> None:
    source = ClipSource(clips, SIZE, _propose, ColourTracker, parts=2, length=6, seed=3)
    assert source.names() == ["discs~0", "discs~1"]
    frames = list(source.render("discs~0"))
    assert len(frames) == 6
    for image, labels in frames:
        colours = {int(image[labels == label].mean(axis=0).argmax()) for label in _ids(labels)}
        assert colours == {0, 2}  # red and blue; green was lost on the way back


def test_the_same_seed_cuts_the_same_part(clips: Path) -> None:
    def render(seed: int) -> list[Frame]:
        source = ClipSource(clips, SIZE, _propose, ColourTracker, parts=1, length=5, seed=seed)
        return list(source.render("discs~0"))

    first, again = render(1), render(1)
    assert all(np.array_equal(a, b) for (a, _), (b, _) in zip(first, again, strict=True))


def test_a_clip_with_nothing_in_it_has_no_frames(clips: Path) -> None:
    for path in (clips / "discs").iterdir():
        cv2.imwrite(str(path), np.full((*SIZE, 3), 90, np.uint8))
    source = ClipSource(clips, SIZE, _propose, ColourTracker, length=6)
    assert list(source.render("discs~0")) == []


def test_a_file_that_is_no_video_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    source = ClipSource(tmp_path, SIZE, _propose, ColourTracker)
    with pytest.raises(TrainingDataError, match=r"broken\.mp4"):
        list(source.render("broken.mp4~0"))


def test_the_way_back_starts_where_an_object_was_last_seen() -> None:
    pictures = [_picture(shift) for shift in range(4)]
    pictures.append(np.full((*SIZE, 3), 90, np.uint8))  # all gone
    red = _ids_mask(pictures[0], 0)
    forward, backward = there_and_back(ColourTracker(Shot(pictures)), {5: red}, 5)
    assert not forward[4][5].any()
    assert agreement_of(forward, backward)[5].tolist() == pytest.approx([1.0] * 5)


def test_stills_get_further_objects_beside_the_one_they_come_with(tmp_path: Path) -> None:
    images, masks = tmp_path / "images", tmp_path / "masks"
    images.mkdir()
    masks.mkdir()
    for name in ("with", "without"):
        cv2.imwrite(str(images / f"{name}.png"), _picture(0)[..., ::-1])
    green = _ids_mask(_picture(0), 1)
    cv2.imwrite(str(masks / "with.png"), green.astype(np.uint8) * 255)
    source = StillSource(images, masks, SIZE, views=1, seed=2, propose=_propose)
    assert source.names() == ["with", "without"]
    image, labels = next(source.render("with"))
    assert image[labels == 1].mean(axis=0).argmax() == 1
    assert len(_ids(labels)) >= 3
    assert len(_ids(next(source.render("without"))[1])) >= 3


def _ids(labels: Labels) -> list[int]:
    return [int(label) for label in np.unique(labels) if label]


def _ids_mask(image: Image, channel: int) -> NDArray[np.bool_]:
    rest = [other for other in range(3) if other != channel]
    others: Labels = image[..., rest].max(axis=-1)
    return np.logical_and(image[..., channel] > 150, others < 60)
