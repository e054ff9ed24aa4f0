"""Sequences of a data set paired with predictions: names, frames, objects, places, images."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from app.batch.inspection.sequences import (
    Case,
    Images,
    Masks,
    pair,
    read_root,
    told_protocol,
)
from app.core.evaluate import Labels, Protocol
from app.errors import FormatError
from app.storage.formats.importing import Source
from tests.batch.inspection.scenes import COUNT, squares, truth
from tests.batch.inspection.sets import write_images, write_masks, write_set
from tests.storage.visor_vectors import SPARSE


def paired(
    root: Path,
    prediction: str = "base",
    protocol: Protocol | None = None,
    images: Path | None = None,
) -> list[Case]:
    truths, predictions = read_root(root / "gt")[0], read_root(root / prediction)[0]
    return pair(truths, predictions, protocol, Images(images, root / "gt"))


def masks(
    name: str = "a",
    count: int = 4,
    *,
    stems: tuple[str, ...] = (),
    read: Callable[[str], Labels] = lambda _: squares(),
    names: Mapping[int, str] | None = None,
    form: Source = Source.DAVIS,
) -> Masks:
    """Return masks that no file holds."""
    stems = stems or tuple(f"{place:05d}" for place in range(count))
    return Masks(name, stems, read, (), names or {}, form)


def case_of(
    one: Masks, other: Masks, protocol: Protocol | None = None, images: Path | None = None
) -> Case:
    (found,) = pair({"a": one}, {"b": other}, protocol, Images(images, Path("nowhere")))
    return found


def test_a_folder_of_folders_holds_a_sequence_each(tmp_path: Path) -> None:
    found, notes = read_root(write_set(tmp_path) / "gt")
    assert list(found) == ["left", "right"]
    assert notes == ()
    left = found["left"]
    assert left.stems == tuple(f"{place:05d}" for place in range(COUNT))
    assert left.files == tuple(tmp_path / "gt" / "left" / f"{stem}.png" for stem in left.stems)
    assert (left.read("00003") == squares()).all()
    assert (left.names, left.form) == ({}, Source.DAVIS)


def test_a_folder_with_a_json_beside_masks_is_one_of_masks(tmp_path: Path) -> None:
    write_set(tmp_path)
    (tmp_path / "gt" / "notes.json").write_text("{}")
    assert list(read_root(tmp_path / "gt")[0]) == ["left", "right"]


def test_a_json_and_a_folder_of_jsons_alone_hold_what_they_say(tmp_path: Path) -> None:
    (tmp_path / "P99.json").write_bytes(SPARSE.read_bytes())
    for root in (tmp_path, tmp_path / "P99.json"):
        found, notes = read_root(root)
        (video,) = found.values()
        assert (video.form, video.files, notes) == (Source.VISOR, (tmp_path / "P99.json",), ())
        assert "plate" in video.names.values()


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="does not exist"):
        read_root(tmp_path / "nothing")
    with pytest.raises(FormatError, match="no mask PNGs"):
        read_root(tmp_path)


def test_a_size_that_was_chosen_is_said(tmp_path: Path) -> None:
    for size in ("480p", "1080p"):
        write_masks(tmp_path / "Annotations" / size / "left", truth())
    found, (note,) = read_root(tmp_path)
    assert list(found) == ["left"]
    assert "several sizes" in note


def test_sequences_are_paired_by_name_and_those_alone_with_each_other(tmp_path: Path) -> None:
    write_set(tmp_path)
    assert [case.name for case in paired(tmp_path)] == ["left", "right"]
    for case in paired(tmp_path):
        assert case.prediction.name == case.name
    (tmp_path / "gt" / "left").rename(tmp_path / "alone")
    truths, predictions = (
        read_root(tmp_path / "alone")[0],
        read_root(tmp_path / "base" / "right")[0],
    )
    (case,) = pair(truths, predictions, None, Images(None, tmp_path / "alone"))
    assert (case.name, case.prediction.name) == ("alone", "right")


def test_a_prediction_may_hold_more_sequences_but_not_fewer(tmp_path: Path) -> None:
    write_set(tmp_path, {name: truth() for name in ("a", "b", "c")})
    (tmp_path / "gt" / "c").rename(tmp_path / "c")
    assert [case.name for case in paired(tmp_path)] == ["a", "b"]
    (tmp_path / "c").rename(tmp_path / "gt" / "c")
    (tmp_path / "base" / "b").rename(tmp_path / "b")
    with pytest.raises(FormatError, match=r"no masks for b\. "):
        paired(tmp_path)
    (tmp_path / "base" / "c").rename(tmp_path / "c")
    with pytest.raises(FormatError, match="no masks for b and 1 more sequences"):
        paired(tmp_path)


@pytest.mark.parametrize(
    ("protocol", "first", "last"),
    [(Protocol.DAVIS2017, 1, 8), (Protocol.DAVIS2016, 1, 8), (Protocol.VISOR, 1, 9)],
)
def test_the_protocol_says_which_frames_are_scored(
    tmp_path: Path, protocol: Protocol, first: int, last: int
) -> None:
    case, _ = paired(write_set(tmp_path), protocol=protocol)
    assert case.positions == tuple(range(first, last + 1))
    assert case.frames == tuple(f"{place:05d}" for place in case.positions)
    assert case.protocol is protocol


def test_a_sequence_too_short_to_be_scored_is_refused() -> None:
    assert case_of(masks(count=3), masks(count=3)).frames == ("00001",)
    with pytest.raises(FormatError, match=r"a has 2 frame\(s\), and davis2017 leaves none"):
        case_of(masks(count=2), masks(count=2))


def test_frames_without_prediction_are_counted_and_named() -> None:
    some = masks(stems=("00000", "00001", "00004"))
    with pytest.raises(FormatError, match="2 of 4 frames have no prediction, the first is 00002"):
        case_of(masks(count=6), some)
    scored_only = masks(stems=("00001", "00002"))
    assert case_of(masks(count=4), scored_only).frames == ("00001", "00002")


@pytest.mark.parametrize(
    ("form", "values", "protocol"),
    [
        (Source.DAVIS, (0, 255), Protocol.DAVIS2016),
        (Source.DAVIS, (0,), Protocol.DAVIS2016),
        (Source.DAVIS, (0, 1), Protocol.DAVIS2017),
        (Source.DAVIS, (0, 1, 255), Protocol.DAVIS2017),
        (Source.COCO, (0, 255), Protocol.DAVIS2017),
        (Source.VISOR, (0, 1), Protocol.VISOR),
    ],
)
def test_the_protocol_is_told_from_the_masks(
    form: Source, values: tuple[int, ...], protocol: Protocol
) -> None:
    labels = np.array([values], np.uint8)
    truth = masks(read=lambda _: labels, form=form)
    assert told_protocol(truth) is protocol


def test_objects_are_those_of_the_first_frame_or_those_with_names() -> None:
    first = {"00000": squares(), "00001": squares(two=None)}
    later = {"00000": squares(two=None), "00001": squares()}

    def of(frames: dict[str, Labels], names: dict[int, str] | None = None) -> tuple[str, ...]:
        given = masks(count=3, read=lambda stem: frames.get(stem, squares()), names=names)
        return case_of(given, masks(count=3)).objects

    assert of(first) == ("1", "2")
    assert of(later) == ("1",)
    assert of(first, names={1: "cup", 3: "fork"}) == ("cup", "2", "fork")
    with_void = squares()
    with_void[:5] = 255
    assert of({"00000": with_void}) == ("1", "2")


def test_a_first_frame_without_an_object_is_refused() -> None:
    nothing = masks(read=lambda _: squares(None, None) | np.uint8(0))
    with pytest.raises(FormatError, match="first ground truth frame holds no object"):
        case_of(nothing, masks(), Protocol.DAVIS2017)
    assert case_of(nothing, masks(), Protocol.DAVIS2016).objects == ("1",)


def test_void_is_no_object_of_many_and_the_one_object_of_davis2016() -> None:
    drawn = squares()
    drawn[:5] = 255
    given = masks(read=lambda _: drawn)
    found, predicted = case_of(given, given, Protocol.DAVIS2017).labels(0)
    assert np.unique(found).tolist() == np.unique(predicted).tolist() == [0, 1, 2]
    assert (found == np.where(drawn == 255, 0, drawn)).all()
    found, predicted = case_of(given, given, Protocol.DAVIS2016).labels(0)
    assert (found == (drawn > 0)).all()
    assert (predicted == (drawn > 0)).all()


def test_labels_are_those_of_the_scored_frame() -> None:
    def numbered(stem: str) -> Labels:
        return squares(int(stem), 45)

    case = case_of(masks(read=numbered), masks(read=lambda _: squares(30, 45)))
    truths, predictions = zip(*(case.labels(place) for place in range(2)), strict=True)
    assert [int(np.nonzero(each == 1)[1].min()) for each in truths] == [1, 2]
    assert [int(np.nonzero(each == 1)[1].min()) for each in predictions] == [30, 30]


def test_masks_of_two_sizes_are_refused_and_both_named() -> None:
    case = case_of(masks(), masks(read=lambda _: squares()[:50]))
    with pytest.raises(FormatError, match=r"a, frame 00001: .* is 80x50, the ground truth 80x60"):
        case.labels(0)


def test_an_object_that_the_truth_does_not_know_is_refused() -> None:
    three = squares()
    three[0, 0] = 3
    with pytest.raises(FormatError, match=r"holds object 3, but the ground truth has 2"):
        case_of(masks(), masks(read=lambda _: three)).labels(0)
    assert case_of(masks(), masks(read=lambda _: squares() * 0)).labels(0)[1].max() == 0


def test_objects_with_names_are_matched_by_them() -> None:
    exchanged = squares(45, 10)  # the cup has id 2 here

    def of(names: dict[int, str]) -> Masks:
        return masks(names=names, read=lambda _: exchanged, form=Source.VISOR)

    one = masks(names={1: "cup", 2: "plate"}, form=Source.VISOR)
    found, predicted = case_of(one, of({1: "plate", 2: "cup"})).labels(0)
    assert (found == predicted).all()
    for unmatched in ({}, {1: "plate", 2: "fork"}):
        assert (case_of(one, of(unmatched)).labels(0)[1] == exchanged).all()
    assert (case_of(masks(), of({1: "plate", 2: "cup"})).labels(0)[1] == exchanged).all()


@pytest.mark.parametrize(
    ("stems", "others", "places"),
    [
        (("00000", "00005", "00010", "00020"), (), (5, 10)),
        (("frame_0001", "frame_0004", "frame_0009", "frame_0010"), (), (4, 9)),
        (("a", "b", "c", "d"), ("aa", "b", "bb", "c"), (1, 3)),  # among a, aa, b, bb, c
        (("9", "1", "1b", "2"), ("1", "1a", "1b"), (0, 2)),  # no number at every end
        (("1", "3", "2", "4"), ("2", "3"), (1, 0)),  # numbers that do not rise
        (("1", "a2", "b2", "4"), ("a2", "b2"), (0, 1)),
    ],
)
def test_frames_lie_where_their_names_say(
    stems: tuple[str, ...], others: tuple[str, ...], places: tuple[int, ...]
) -> None:
    given = {*others, *stems[1:3]}
    assert case_of(masks(stems=stems), masks(stems=tuple(given))).positions == places


def test_frames_lie_where_their_images_do(tmp_path: Path) -> None:
    root = write_set(tmp_path)
    for folder in (root / "gt" / "left", root / "base" / "left"):
        for index in range(COUNT):
            (folder / f"{index:05d}.png").rename(folder / f"1{index:04d}.png")
    images = write_images(tmp_path / "images", range(20))
    for index in range(20):
        (images / f"{index:05d}.jpg").rename(images / f"1{index:04d}.jpg")
    (images / ".hidden").write_bytes(b"")
    truths, predictions = read_root(root / "gt" / "left")[0], read_root(root / "base" / "left")[0]
    (case,) = pair(truths, predictions, None, Images(images, root / "gt"))
    assert case.images == images
    assert case.positions == tuple(range(1, 9))
    (images / "10000.jpg").rename(images / "20000.jpg")
    (case,) = pair(truths, predictions, None, Images(images, root / "gt"))
    assert case.positions == tuple(range(8))
    (images / "10004.jpg").unlink()
    (case,) = pair(truths, predictions, None, Images(images, root / "gt"))
    assert case.positions == tuple(range(10001, 10009))


def test_images_that_lie_with_the_truth_are_taken_where_none_is_missing(tmp_path: Path) -> None:
    for name in ("left", "right"):
        write_masks(tmp_path / "Annotations" / "480p" / name, truth())
    home = write_images(tmp_path / "JPEGImages" / "480p" / "left")
    for root in (tmp_path, tmp_path / "Annotations" / "480p", tmp_path / "Annotations/480p/left"):
        found = read_root(root)[0]
        assert Images(None, root).of(found["left"], alone=False) == home
        if "right" in found:
            assert Images(None, root).of(found["right"], alone=False) is None
    (home / "00009.jpg").unlink()
    assert Images(None, tmp_path).of(read_root(tmp_path)[0]["left"], alone=False) is None


def test_images_above_the_data_set_are_none_of_it(tmp_path: Path) -> None:
    deep = write_masks(tmp_path / "1" / "2" / "3" / "left", truth())
    write_images(tmp_path / "left")
    found = read_root(deep)[0]["left"]
    assert Images(None, deep).of(found, alone=True) is None
    write_images(tmp_path / "1" / "left")
    assert Images(None, deep).of(found, alone=True) == tmp_path / "1" / "left"


def test_images_that_were_asked_for_are_found_or_their_lack_is_said(tmp_path: Path) -> None:
    left = write_images(tmp_path / "left")
    assert Images(tmp_path, Path()).of(masks("left"), alone=False) == left
    assert Images(left, Path()).of(masks("other"), alone=True) == left
    video = tmp_path / "left.mp4"
    video.write_bytes(b"")
    assert Images(video, Path()).of(masks("other"), alone=False) == video
    for root, alone in ((left, False), (tmp_path / "nothing", True)):
        with pytest.raises(FormatError, match="has no images of other"):
            Images(root, Path()).of(masks("other"), alone=alone)


def test_a_case_opens_its_images(tmp_path: Path) -> None:
    images = write_images(tmp_path / "a")
    video = case_of(masks(count=3), masks(count=3), images=images).video()
    assert video is not None
    assert len(video) == COUNT
    video.close()
    assert case_of(masks(count=3), masks(count=3)).video() is None


def touch(path: Path) -> None:
    os.utime(path, ns=(1, 1))


@pytest.mark.parametrize(
    ("place", "change"),
    [
        ("gt/left/00003.png", touch),
        ("base/left/00003.png", touch),
        ("images/left/00003.jpg", touch),
        ("gt/left/00000.png", lambda path: path.write_bytes(path.read_bytes() + b"\0")),
        ("images/left/00009.jpg", Path.unlink),
        ("images/left/00010.jpg", lambda path: path.write_bytes(b"")),
    ],
)
def test_the_fingerprint_changes_with_any_file(
    tmp_path: Path, place: str, change: Callable[[Path], object]
) -> None:
    root = write_set(tmp_path)
    for name in ("left", "right"):
        write_images(tmp_path / "images" / name)
    before = [case.fingerprint() for case in paired(root, images=root / "images")]
    assert before == [case.fingerprint() for case in paired(root, images=root / "images")]
    assert before[0] != before[1]
    change(root / place)
    after = [case.fingerprint() for case in paired(root, images=root / "images")]
    assert after[0] != before[0]
    assert after[1] == before[1]


def test_the_fingerprint_tells_protocols_predictions_and_images_apart(tmp_path: Path) -> None:
    root = write_set(tmp_path)
    write_images(tmp_path / "images" / "left")
    write_images(tmp_path / "images" / "right")
    cases = [
        paired(root)[0],
        paired(root, protocol=Protocol.DAVIS2016)[0],
        paired(root, protocol=Protocol.VISOR)[0],
        paired(root, "new")[0],
        paired(root, images=root / "images")[0],
    ]
    assert len({case.fingerprint() for case in cases}) == len(cases)


def test_the_fingerprint_of_images_in_one_file_is_that_file_s(tmp_path: Path) -> None:
    video = tmp_path / "a.mp4"
    video.write_bytes(b"1")
    before = case_of(masks(), masks(), images=video).fingerprint()
    video.write_bytes(b"12")
    assert case_of(masks(), masks(), images=video).fingerprint() != before
