from pathlib import Path

import cv2
import numpy as np
import pytest

from models.training.data.crossing import CrossingSource
from models.training.data.pasting import PasteSource
from models.training.data.pictures import Frame, TrainingDataError, read_image
from models.training.data.sequences import DavisSource, SequenceSource
from models.training.data.stills import Hands, StillSource


def _all(source: SequenceSource, name: str) -> list[Frame]:
    return list(source.render(name))


def _same(first: list[Frame], second: list[Frame]) -> bool:
    return all(
        np.array_equal(a, c) and np.array_equal(b, d)
        for (a, b), (c, d) in zip(first, second, strict=True)
    )


def test_a_davis_sequence_has_every_frame_at_the_size_asked_for(davis: Path) -> None:
    source = DavisSource(davis, (32, 64))
    frames = _all(source, "left")
    assert source.names() == ["left", "right"]
    assert len(frames) == 8
    assert {image.shape for image, _ in frames} == {(32, 64, 3)}
    assert {tuple(np.unique(labels)) for _, labels in frames} == {(0, 1)}


def test_of_a_davis_sequence_one_frame_in_so_many_is_taken(davis: Path) -> None:
    every, third = (DavisSource(davis, (32, 64), every=step) for step in (1, 3))
    assert _same(_all(third, "left"), _all(every, "left")[::3])


def test_a_still_without_views_comes_whole(stills: Path) -> None:
    source = StillSource(stills / "images", stills / "masks", (64, 64), views=0)
    ((image, labels),) = _all(source, "one")
    assert image.shape == (64, 64, 3)
    rows, columns = np.nonzero(labels)
    # The disc of radius 18 at (40, 40) on 100 x 80 pixels, squeezed in both directions.
    assert (columns.min(), columns.max()) == pytest.approx((22 * 0.64, 58 * 0.64), abs=1)
    assert (rows.min(), rows.max()) == pytest.approx((22 * 0.8, 58 * 0.8), abs=1)


def test_stills_that_are_left_out_do_not_appear(stills: Path) -> None:
    source = StillSource(stills / "images", stills / "masks", (64, 64), without=("two",))
    assert source.names() == ["one"]


def test_sequences_that_are_left_out_do_not_appear(davis: Path) -> None:
    assert DavisSource(davis, (32, 64), without=("left",)).names() == ["right"]
    assert DavisSource(davis, (32, 64), only=("left",)).names() == ["left"]


def test_the_label_lies_on_the_object_in_a_warped_still(stills: Path) -> None:
    source = StillSource(stills / "images", stills / "masks", (64, 64), views=3, seed=4)
    for image, labels in _all(source, "one"):
        greenish = image[..., 1].astype(int) - image[..., 0]
        assert greenish[labels > 0].mean() > 80
        assert image.shape == (64, 64, 3)


def test_a_still_whose_mask_has_another_size_is_left_out(stills: Path) -> None:
    mask = stills / "masks" / "one.png"
    cv2.imwrite(str(mask), np.full((100, 80), 255, np.uint8))  # turned by a quarter
    assert StillSource(stills / "images", stills / "masks", (64, 64)).names() == ["two"]


def test_pasted_objects_get_labels_of_their_own(davis: Path) -> None:
    source = PasteSource(DavisSource(davis, (64, 96)), count=12, length=4, most=3)
    labels = {
        int(v) for name in source.names() for _, m in _all(source, name) for v in np.unique(m)
    }
    assert {0, 1, 2} <= labels
    assert max(labels) <= 4
    assert {len(_all(source, name)) for name in source.names()} == {4}


def test_palette_ground_truth_keeps_its_objects(davis: Path) -> None:
    from PIL import Image

    path = davis / "Annotations" / "left" / "00000.png"
    labels = np.zeros((64, 96), np.uint8)
    labels[4:30, 4:30], labels[34:60, 50:90], labels[0] = 3, 7, 255
    picture = Image.fromarray(labels)
    picture.putpalette([value for color in range(256) for value in (color, 255 - color, 60)])
    picture.save(path)
    _, read = next(DavisSource(davis, (64, 96)).render("left"))
    assert set(np.unique(read)) == {0, 3, 7}


def test_a_mirrored_sequence_changes_left_and_right(davis: Path) -> None:
    plain = _all(DavisSource(davis, (64, 96)), "left")
    mirrored = _all(DavisSource(davis, (64, 96), mirrored=True), "left")
    assert _same([(image[:, ::-1], labels[:, ::-1]) for image, labels in plain], mirrored)


def test_some_pasted_objects_leave_and_come_back_and_some_come_in(davis: Path) -> None:
    base = DavisSource(davis, (64, 96))
    source = PasteSource(base, count=20, length=10, most=1, leaving=1.0)
    seen = ["".join("x" if (labels == 2).any() else "." for _, labels in _all(source, name))
            for name in source.names()]  # fmt: skip
    assert any(".x" in times.lstrip("x") and times[0] == "x" for times in seen)
    assert any(times.startswith(".") and times.endswith("x") for times in seen)


def test_hands_are_laid_over_without_a_label(davis: Path, stills: Path) -> None:
    for folder in (stills / "images", stills / "masks"):
        one = next(folder.glob("one.*"))
        one.rename(one.with_stem("hand_one"))
    base = DavisSource(davis, (64, 96))
    source = PasteSource(base, count=30, length=3, most=3, hands=Hands(stills))
    greenish = 0
    for name in source.names():
        for image, labels in _all(source, name):
            red, green = image[..., 0].astype(int), image[..., 1].astype(int)
            hand = (green > 190) & (red < 40)
            greenish += int(hand.any())
            assert np.count_nonzero(hand & (labels > 0)) < 0.3 * np.count_nonzero(hand) + 30
    assert greenish


def test_a_folder_without_hands_is_told_as_such(stills: Path) -> None:
    with pytest.raises(TrainingDataError, match=r"hand_"):
        Hands(stills).draw(np.random.default_rng(0))


def _apart(labels: np.ndarray) -> bool:
    """Return whether both objects are seen, with background between them."""
    grown = cv2.dilate((labels == 1).astype(np.uint8), np.ones((3, 3), np.uint8))
    return {1, 2} <= set(np.unique(labels)) and not (grown[labels == 2]).any()


def test_two_objects_meet_and_most_come_apart_again(davis: Path) -> None:
    source = CrossingSource(DavisSource(davis, (128, 192)), count=24, length=9, seed=2)
    clips = [[_apart(labels) for _, labels in _all(source, name)] for name in source.names()]
    assert {len(clip) for clip in clips} == {9}
    met = [clip for clip in clips if not all(clip)]
    assert len(met) == len(clips)
    crossed = [clip for clip in clips if any(clip[:4]) and any(clip[-4:])]
    assert len(crossed) > len(clips) / 3


def test_the_moved_object_passes_in_front_or_behind(davis: Path) -> None:
    base = DavisSource(davis, (128, 192))
    source = CrossingSource(base, count=16, length=9, seed=2)
    whole = next(np.count_nonzero(labels) for _, labels in base.render("left"))
    hidden = [min(np.count_nonzero(labels == 1) for _, labels in _all(source, name)) < 0.7 * whole
              for name in source.names()]  # fmt: skip
    assert 2 < sum(hidden) < 14


def test_the_same_object_meets_itself_as_often_as_asked(davis: Path) -> None:
    for path in (davis / "JPEGImages" / "right").iterdir():
        cv2.imwrite(str(path), read_image(path))  # its red written as blue
    base = DavisSource(davis, (128, 192))

    def alike(source: CrossingSource, name: str) -> bool:
        image, labels = _all(source, name)[0]
        colors = [np.median(image[labels == label], axis=0) for label in (1, 2)]
        return bool(np.abs(colors[0] - colors[1]).max() < 40)

    always = CrossingSource(base, count=6, length=3, alike=1)
    assert all(alike(always, name) for name in always.names())
    third = CrossingSource(base, count=6, length=3, alike=3)
    assert [alike(third, name) for name in third.names()] == [False, False, True] * 2


def test_objects_of_stills_cross_too(davis: Path, stills: Path) -> None:
    base = DavisSource(davis, (128, 192))
    folder = StillSource(stills / "images", stills / "masks", (128, 192))
    source = CrossingSource(base, count=3, length=3, stills=folder)
    image, labels = _all(source, "crossing-0000")[0]
    red, green = image[labels == 2].astype(int)[:, :2].T
    assert (green - red).mean() > 60  # the stills' objects are green
    image, labels = _all(source, "crossing-0001")[0]
    red, green = image[labels == 2].astype(int)[:, :2].T
    assert (green - red).mean() < 30


def test_the_same_seed_renders_the_same_clip_and_another_seed_another(davis: Path) -> None:
    base = DavisSource(davis, (64, 96))
    first = _all(PasteSource(base, 1, 4, seed=1), "paste-0000")
    assert _same(first, _all(PasteSource(base, 1, 4, seed=1), "paste-0000"))
    assert not _same(first, _all(PasteSource(base, 1, 4, seed=2), "paste-0000"))


def test_a_missing_mask_is_named(davis: Path) -> None:
    (davis / "Annotations" / "left" / "00003.png").unlink()
    with pytest.raises(TrainingDataError, match=r"00003\.png"):
        _all(DavisSource(davis, (32, 64)), "left")
