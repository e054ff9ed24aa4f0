"""Scoring of sequences: every frame measured on its own image, once and for the next time too."""

import os
from pathlib import Path

import numpy as np
import pytest

from app.batch.inspection import scoring
from app.batch.inspection.dataset import find_cases, frame_count, score_cases
from app.batch.inspection.scoring import MeasureCache, images_of, score
from app.batch.inspection.sequences import Case
from app.core.inspection.failures import Failure
from app.core.inspection.measures import Measures
from app.errors import FormatError, UsageError
from app.paths import cache_folder
from tests.batch.inspection.scenes import lost, result_of, swapped, truth
from tests.batch.inspection.sets import GREYS, scored, write_images, write_masks, write_set
from tests.core.inspection.scenes import measured


def case_of(root: Path, name: str = "left", images: Path | None = None) -> Case:
    cases, _ = find_cases(root / "gt", [root / "base"], images)
    return cases["A", name]


def equal(one: Measures, other: Measures) -> bool:
    return all(np.array_equal(*pair, equal_nan=True) for pair in zip(one, other, strict=True))


def test_measures_come_back_as_they_were_kept(tmp_path: Path) -> None:
    cache, measures = MeasureCache(tmp_path), measured(truth(), lost())
    assert cache.get("a") is None
    cache.put("a", measures)
    cache.put("b", measured(truth(), swapped()))
    found = cache.get("a")
    assert found is not None
    assert equal(found, measures)


@pytest.mark.parametrize("damage", [b"", b"no archive", b"PK\x03\x04 cut off"])
def test_a_damaged_file_is_none(tmp_path: Path, damage: bytes) -> None:
    cache = MeasureCache(tmp_path)
    cache.put("a", measured(truth(), lost()))
    (file,) = tmp_path.iterdir()
    file.write_bytes(damage)
    assert cache.get("a") is None


def test_a_file_of_other_measures_is_none(tmp_path: Path) -> None:
    cache = MeasureCache(tmp_path)
    cache.put("a", measured(truth(), lost()))
    (file,) = tmp_path.iterdir()
    np.savez(file, j=np.zeros(3))
    assert cache.get("a") is None


def test_the_oldest_measures_are_dropped_where_there_are_very_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoring, "_MOST_FILES", 3)
    cache = MeasureCache(tmp_path)
    for age, name in enumerate("edcba"):  # the last one is the newest
        cache.put(name, measured(truth()[:1], lost()[:1]))
        os.utime(tmp_path / f"{name}.npz", (age, age))
    cache.prune()
    assert sorted(path.stem for path in tmp_path.iterdir()) == ["a", "b", "c"]
    cache.prune()
    assert len([*tmp_path.iterdir()]) == 3


@pytest.mark.parametrize("threads", [1, 3])
def test_a_sequence_is_scored_frame_by_frame_in_order(tmp_path: Path, threads: int) -> None:
    told = list[int]()
    case = case_of(write_set(tmp_path))
    result = score(case, MeasureCache(tmp_path / "kept"), threads, lambda: told.append(1))
    assert equal(result.measures, measured(truth()[1:-1], lost()[1:-1]))
    assert (result.sequence, result.objects) == ("left", ("1", "2"))
    assert (result.frames, result.positions) == (case.frames, case.positions)
    assert len(told) == 8


def test_what_was_measured_is_not_measured_again_but_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, cache = case_of(write_set(tmp_path)), MeasureCache(tmp_path / "kept")
    first = score(case, cache, 1)
    told = list[int]()
    monkeypatch.setattr(scoring, "measure", None)
    again = score(case, cache, 1, lambda: told.append(1))
    assert equal(again.measures, first.measures)
    assert len(told) == 8


def test_measures_of_another_number_of_frames_are_measured_again(tmp_path: Path) -> None:
    case, cache = case_of(write_set(tmp_path)), MeasureCache(tmp_path / "kept")
    cache.put(case.fingerprint(), measured(truth()[:3], truth()[:3]))
    assert len(score(case, cache, 1).measures.j) == 8


def test_each_frame_is_measured_on_the_image_of_its_name(tmp_path: Path) -> None:
    write_set(tmp_path)
    write_images(tmp_path / "images" / "left")
    write_images(tmp_path / "images" / "right")
    case = case_of(tmp_path, images=tmp_path / "images")
    result = score(case, MeasureCache(tmp_path / "kept"), 2)
    assert result.measures.brightness[:, 0].tolist() == pytest.approx([*GREYS][1:-1], abs=2)


def test_images_are_read_by_the_place_among_the_scored_frames(tmp_path: Path) -> None:
    write_set(tmp_path)
    write_images(tmp_path / "images" / "left")
    write_images(tmp_path / "images" / "right")
    case = case_of(tmp_path, images=tmp_path / "images")
    video = case.video()
    assert video is not None
    image = images_of(case, video)(2)
    video.close()
    assert image is not None
    assert image.mean() == pytest.approx(GREYS[3], abs=2)
    assert images_of(case, None)(2) is None


def test_images_of_another_size_are_refused(tmp_path: Path) -> None:
    write_set(tmp_path)
    for name in ("left", "right"):
        write_images(tmp_path / "images" / name, size=(60, 90))
    case = case_of(tmp_path, images=tmp_path / "images")
    with pytest.raises(FormatError, match="image of frame 00001 is of another size"):
        score(case, MeasureCache(tmp_path / "kept"), 1)


def test_a_frame_without_its_image_is_named(tmp_path: Path) -> None:
    write_set(tmp_path)
    for name in ("left", "right"):
        write_images(tmp_path / "images" / name)
    (tmp_path / "images" / "left" / "00005.jpg").unlink()
    case = case_of(tmp_path, images=tmp_path / "images")
    with pytest.raises(FormatError, match="no image for frame 00005 of left"):
        score(case, MeasureCache(tmp_path / "kept"), 1)


def test_a_data_set_is_scored_under_one_or_two_predictions(tmp_path: Path) -> None:
    root = write_set(tmp_path)
    runs, cases = scored(root)
    assert list(cases) == [("A", "left"), ("A", "right"), ("B", "left"), ("B", "right")]
    assert frame_count(cases) == 4 * 8
    assert [(run.letter, run.label, run.path) for run in runs] == [
        ("A", "base", root / "base"),
        ("B", "new", root / "new"),
    ]
    assert [[result.sequence for result in run.results] for run in runs] == [["left", "right"]] * 2
    failed = [{each.failure for each in result.episodes} for result in runs[0].results]
    assert failed == [{Failure.MISS}, {Failure.IDENTITY_SWAP}]
    assert runs[1].episodes() == []
    expected = result_of(lost()[1:-1], drawn=truth()[1:-1], positions=range(8))
    assert runs[0].results[0].jf.tolist() == expected.jf.tolist()


def test_scores_are_kept_with_what_can_be_computed_again_and_every_frame_is_told(
    tmp_path: Path,
) -> None:
    root = write_set(tmp_path)
    told = list[int]()
    cases, _ = find_cases(root / "gt", [root / "base"])
    score_cases(cases, [root / "base"], 1, lambda: told.append(1))
    assert len(told) == 16
    assert len([*(cache_folder() / "inspection").iterdir()]) == 2


def test_the_cache_is_pruned_after_scoring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scoring, "_MOST_FILES", 1)
    scored(write_set(tmp_path))
    assert len([*(cache_folder() / "inspection").iterdir()]) == 1


def test_more_than_two_predictions_are_refused(tmp_path: Path) -> None:
    root = write_set(tmp_path)
    with pytest.raises(UsageError, match="At most two"):
        find_cases(root / "gt", [root / "base"] * 3)


def test_what_is_to_be_known_of_truth_and_predictions_is_told(tmp_path: Path) -> None:
    for name in ("gt", "base"):
        for size in ("480p", "1080p"):
            write_masks(tmp_path / name / "Annotations" / size / "left", truth())
    _, notes = find_cases(tmp_path / "gt", [tmp_path / "base", tmp_path / "base"])
    assert [str(tmp_path / name) in note for name, note in zip(
        ("gt", "base", "base"), notes, strict=True
    )] == [True] * 3  # fmt: skip
