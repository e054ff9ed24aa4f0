"""Unfinished work is kept beside the output and known again."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from app.errors import StorageError, UsageError
from app.storage.formats.label_frames import LabelFrames, check_target, with_background
from app.storage.formats.palette import read_labels

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


def test_an_output_that_is_a_link_gets_the_masks_where_it_leads(tmp_path: Path) -> None:
    (tmp_path / "disk" / "masks").mkdir(parents=True)
    (tmp_path / "out").symlink_to(tmp_path / "disk" / "masks")
    kept = LabelFrames(tmp_path / "out", SIZE, "q")
    assert kept.folder.parent == tmp_path / "disk"
    kept.add("a", {1: half(0)})
    kept.finish()
    assert (tmp_path / "out").is_symlink()
    assert [path.name for path in (tmp_path / "disk" / "masks").iterdir()] == ["a.png"]


def test_an_output_on_another_filesystem_gets_copies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, rename = tmp_path / "out", Path.replace
    target.mkdir()

    def is_across(one: Path, other: Path) -> bool:
        return (target in Path(one).parents) != (target in Path(other).parents)

    def refused(one: Path, other: Path) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), str(one), None, str(other))

    monkeypatch.setattr(os, "link", refused)
    monkeypatch.setattr(
        Path, "replace", lambda a, b: refused(a, b) if is_across(a, b) else rename(a, b)
    )
    kept = LabelFrames(target, SIZE, "q")
    kept.add("a", {1: half(0)})
    kept.finish()
    assert [path.name for path in target.iterdir()] == ["a.png"]
    assert not kept.folder.exists()


@pytest.mark.parametrize("place", ["scores", "b.png"])
def test_what_cannot_be_put_in_its_place_leaves_the_old_and_keeps_the_work(
    tmp_path: Path, place: str
) -> None:
    target = tmp_path / "out"
    for old in ("a.png", "c.png"):
        target.mkdir(exist_ok=True)
        (target / old).write_text("old")
    kept = LabelFrames(target, SIZE, "q")
    for stem in ("a", "b", "c"):
        kept.add(stem, {1: half(0)})
        kept.finished(0)
    kept.add_scores("a", {1: np.ones(SIZE, np.float32)}, [1])
    if place == "scores":
        (target / place).write_text("in the way")
    else:
        (target / place).mkdir()
    with pytest.raises(StorageError, match=rf"{place}.* the same command again"):
        kept.finish()
    assert (target / "a.png").read_text() == (target / "c.png").read_text() == "old"
    assert sorted(path.name for path in target.iterdir()) == sorted(["a.png", "c.png", place])
    (target / place).rename(tmp_path / "moved")
    again = LabelFrames(target, SIZE, "q")
    assert again.done(0) == 3
    again.finish()
    assert sorted(path.name for path in target.iterdir()) == ["a.png", "b.png", "c.png", "scores"]
    assert (read_labels(target / "a.png") == 1).any()


def test_a_state_that_cannot_be_read_is_nothing_done(tmp_path: Path) -> None:
    kept = LabelFrames(tmp_path / "out", SIZE, "q")
    kept.add("a", {1: half(0)})
    kept.finished(0)
    for broken in ('{"question": "', "[]", '{"question": 1}'):
        (kept.folder / "done.json").write_text(broken)
        assert LabelFrames(tmp_path / "out", SIZE, "q").done(0) == 0


def test_scores_of_an_earlier_answer_go_with_its_masks(tmp_path: Path) -> None:
    first = LabelFrames(tmp_path / "out", SIZE, "q")
    for stem in ("a", "b"):
        first.add(stem, {1: half(0)})
        first.add_scores(stem, {1: np.ones(SIZE, np.float32)}, [1])
    first.finish()
    for stem, left in (("a", ["b.npz"]), ("b", [])):
        later = LabelFrames(tmp_path / "out", SIZE, ["q", stem])
        later.add(stem, {1: half(2)})
        later.finish()
        assert [path.name for path in (tmp_path / "out").glob("scores/*")] == left
    assert not (tmp_path / "out" / "scores").exists()


def test_what_stands_in_the_way_is_named_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "out" / "a.png").mkdir(parents=True)
    (tmp_path / "out" / "scores").write_text("")
    check_target(tmp_path / "out", ["b"])
    for stem, scores, named in (("a", False, "a.png is a folder"), ("b", True, "scores is a file")):
        with pytest.raises(UsageError, match=named):
            check_target(tmp_path / "out", [stem], scores=scores)
    with pytest.raises(UsageError, match="scores is a file"):
        check_target(tmp_path / "out" / "scores" / "r", [])
