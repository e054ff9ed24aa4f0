"""Unfinished work is kept beside the output and known again."""

from pathlib import Path

import numpy as np
import pytest

from app.storage.label_frames import LabelFrames, with_background
from app.storage.palette import read_labels

SIZE = (6, 8)


def half(left: int) -> "np.ndarray[tuple[int, int], np.dtype[np.bool_]]":
    mask = np.zeros(SIZE, np.bool_)
    mask[:, left : left + 4] = True
    return mask


def test_the_output_appears_only_when_finished(tmp_path: Path) -> None:
    kept = LabelFrames(tmp_path / "out", SIZE, "q")
    kept.add("000000", {3: half(0)})
    assert not (tmp_path / "out").exists()
    kept.finish()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    labels = read_labels(tmp_path / "out" / "000000.png")
    assert np.array_equal(labels == 3, half(0))


def test_what_else_lies_in_the_output_stays(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    kept = LabelFrames(tmp_path, SIZE, "q")
    kept.add("a", {})
    kept.finish()
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_the_same_question_goes_on_and_another_starts_anew(tmp_path: Path) -> None:
    kept = LabelFrames(tmp_path / "out", SIZE, ["q", 1])
    kept.add("000000", {1: half(0)})
    kept.finished(0)
    again = LabelFrames(tmp_path / "out", SIZE, ["q", 1])
    assert again.done(0) == 1
    assert (again.labels("000000") == 1).any()
    other = LabelFrames(tmp_path / "out", SIZE, ["q", 2])
    assert other.done(0) == 0
    assert not other.labels("000000").any()


def test_objects_that_come_later_take_only_background(tmp_path: Path) -> None:
    kept = LabelFrames(tmp_path / "out", SIZE, "q")
    kept.add("a", {1: half(0)})
    kept.add("a", {2: half(2)})
    labels = kept.labels("a")
    assert np.array_equal(labels == 1, half(0))
    assert np.array_equal(labels == 2, half(2) & ~half(0))


def test_scores_of_two_passes_are_joined(tmp_path: Path) -> None:
    kept = LabelFrames(tmp_path / "out", SIZE, "q")
    kept.add_scores("a", {7: np.full(SIZE, 0.25, np.float32)}, [2, 7])
    kept.add_scores("a", {2: np.full(SIZE, 0.5, np.float32)}, [2, 7])
    kept.finish()
    with np.load(tmp_path / "out" / "scores" / "a.npz") as scores:
        assert scores["ids"].tolist() == [2, 7]
        assert scores["prob"].dtype == np.float16
        assert scores["prob"][:, 0, 0].tolist() == pytest.approx([0.25, 0.5, 0.25], abs=1e-3)


def test_probabilities_above_one_leave_no_background() -> None:
    maps = [np.full(SIZE, 0.8, np.float32), np.full(SIZE, 0.8, np.float32)]
    assert with_background(maps)[:, 0, 0].tolist() == pytest.approx([0.0, 0.5, 0.5])
