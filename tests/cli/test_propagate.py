"""`propagate`: anchors in, a mask for every frame out."""

from collections.abc import Generator, Sequence
from pathlib import Path

import numpy as np
import pytest

from app.cli.main import run
from app.core.document import Key, Origin
from app.storage.formats.palette import read_labels
from app.storage.project.project import Project
from models import registry
from models.api import Anchors, Prediction, Prompt, Tracked
from models.classic.tracker import ClassicTracker
from tests.cli.frames import SIZE, labels, write_masks, write_video
from tests.storage.clips import write_clip


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return write_video(tmp_path / "video")


def stem(index: int) -> str:
    return f"frame_{index + 1:010}"


def propagate(video: Path, anchors: Path, out: Path, *more: str) -> int:
    words = ["propagate", str(video), "--anchors", str(anchors), "--out", str(out)]
    return run([*words, "--model", "classic", *more])


def overlap(found: "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]", index: int, n: int) -> float:
    there, true = found == n, labels(index, n) == n
    return float((there & true).sum() / max(1, (there | true).sum()))


def read(out: Path, index: int) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    return read_labels(out / f"{stem(index)}.png", SIZE)


def test_every_frame_gets_a_mask_of_its_own_stem(video: Path, tmp_path: Path) -> None:
    anchors = write_masks(tmp_path / "anchors", {stem(3): labels(3, 1, 2)})
    assert propagate(video, anchors, tmp_path / "out") == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        f"{stem(index)}.png" for index in range(8)
    ]
    for index in range(8):
        for number in (1, 2):
            assert overlap(read(tmp_path / "out", index), index, number) > 0.75


def test_an_anchor_may_be_named_by_its_index_and_comes_back_as_given(
    video: Path, tmp_path: Path
) -> None:
    odd = labels(2, 1)
    odd[0, :5] = 255
    odd[55, 70] = 1
    anchors = write_masks(tmp_path / "anchors", {"000002": odd, stem(6): labels(6, 1)})
    assert propagate(video, anchors, tmp_path / "out") == 0
    assert np.array_equal(read(tmp_path / "out", 2), odd)
    assert np.array_equal(read(tmp_path / "out", 6), labels(6, 1))


def test_objects_with_anchors_on_different_frames_are_filled_both_ways(
    video: Path, tmp_path: Path
) -> None:
    anchors = write_masks(tmp_path / "a", {stem(1): labels(1, 1), stem(5): labels(5, 2)})
    assert propagate(video, anchors, tmp_path / "out") == 0
    for index, number in ((0, 1), (7, 1), (0, 2), (3, 2), (7, 2)):
        assert overlap(read(tmp_path / "out", index), index, number) > 0.75


def test_forward_leaves_the_frames_before_the_anchor_empty(video: Path, tmp_path: Path) -> None:
    anchors = write_masks(tmp_path / "anchors", {stem(4): labels(4, 1)})
    assert propagate(video, anchors, tmp_path / "out", "--direction", "forward") == 0
    assert not read(tmp_path / "out", 3).any()
    assert read(tmp_path / "out", 5).any()


def test_only_the_range_is_written_and_anchors_outside_it_count(
    video: Path, tmp_path: Path
) -> None:
    anchors = write_masks(tmp_path / "anchors", {stem(0): labels(0, 1)})
    assert propagate(video, anchors, tmp_path / "out", "--start", "3", "--stop", "5") == 0
    names = [path.stem for path in sorted((tmp_path / "out").iterdir())]
    assert names == [stem(3), stem(4), stem(5)]
    assert overlap(read(tmp_path / "out", 3), 3, 1) > 0.75


def test_scores_hold_background_first_and_sum_to_one(video: Path, tmp_path: Path) -> None:
    anchors = write_masks(tmp_path / "anchors", {stem(2): labels(2, 1, 2)})
    assert propagate(video, anchors, tmp_path / "out", "--scores", "--stop", "4") == 0
    for index in range(5):
        with np.load(tmp_path / "out" / "scores" / f"{stem(index)}.npz") as scores:
            prob, ids = scores["prob"], scores["ids"]
        assert prob.shape == (3, *SIZE)
        assert prob.dtype == np.float16
        assert ids.tolist() == [1, 2]
        assert np.allclose(prob.astype(np.float32).sum(axis=0), 1, atol=2e-3)
        drawn = np.concatenate([[0], ids])[prob.argmax(axis=0)]
        assert np.mean(drawn == read(tmp_path / "out", index)) > 0.99


def test_a_project_holds_anchors_and_masks_and_keeps_what_a_person_made(
    video: Path, tmp_path: Path
) -> None:
    anchors = write_masks(tmp_path / "anchors", {stem(0): labels(0, 1)})
    file = tmp_path / "work.maskwright"
    assert propagate(video, anchors, tmp_path / "out", "--project", str(file)) == 0
    other = write_masks(tmp_path / "other", {stem(7): labels(7, 1)})
    assert propagate(video, other, tmp_path / "out2", "--project", str(file)) == 0
    project = Project.open(file)
    document = project.load()
    project.close()
    first, middle, last = (document.get(Key(frame, 1)) for frame in (0, 4, 7))
    assert first is not None
    assert first.origin is Origin.IMPORTED
    assert first.mask is not None
    assert np.array_equal(first.mask.decode(), labels(0, 1) == 1)
    assert middle is not None
    assert middle.origin is Origin.PROPAGATED
    assert middle.score is not None
    assert last is not None
    assert last.is_anchor


class Interrupted(ClassicTracker):
    """Is stopped by a person after three frames, once."""

    stops = True
    visited: list[int] = []  # noqa: RUF012 - shared by the two runs of one test

    def track(
        self, anchors: Anchors, frames: Sequence[int], *, probabilities: bool = False
    ) -> Generator[Tracked, None, None]:
        for count, answer in enumerate(super().track(anchors, frames, probabilities=probabilities)):
            if count == 3 and Interrupted.stops:
                Interrupted.stops = False
                raise KeyboardInterrupt
            self.visited.append(answer[0])
            yield answer


@pytest.fixture
def interrupted(monkeypatch: pytest.MonkeyPatch) -> type[Interrupted]:
    monkeypatch.setattr("models.registry.load_tracker", lambda _, video, __: Interrupted(video))
    Interrupted.stops, Interrupted.visited = True, []
    return Interrupted


def test_a_stopped_run_keeps_the_old_output_says_how_to_go_on_and_goes_on(
    video: Path, tmp_path: Path, interrupted: type[Interrupted], capsys: pytest.CaptureFixture[str]
) -> None:
    anchors = write_masks(tmp_path / "anchors", {stem(0): labels(0, 1)})
    write_masks(tmp_path / "out", {stem(1): labels(1, 2)})
    assert propagate(video, anchors, tmp_path / "out") == 1
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert "3 of 8 frames are kept" in said
    assert "the same command again" in said
    assert np.array_equal(read(tmp_path / "out", 1), labels(1, 2))
    assert propagate(video, anchors, tmp_path / "out") == 0
    assert interrupted.visited == [0, 1, 2, 2, 3, 4, 5, 6, 7]
    assert overlap(read(tmp_path / "out", 7), 7, 1) > 0.75
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--anchors", "nowhere"], "nowhere is not a folder"),
        (["--start", "9"], "which has 8"),
        (["--start", "5", "--stop", "2"], "which has 8"),
        (["--model", "cutie"], "no model named 'cutie'"),
        (["--size", "-1"], "--size"),
        (["--size", "300", "--quality", "fine"], "--quality"),
    ],
)
def test_wrong_use_is_said_in_one_line(
    video: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    anchors = write_masks(tmp_path / "anchors", {stem(0): labels(0, 1)})
    assert propagate(video, anchors, tmp_path / "out", *words) == 2
    assert said in capsys.readouterr().err.strip().splitlines()[-1]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "mask", "said"),
    [
        ("000050", labels(0, 1), "belongs to no frame"),
        (stem(1), np.ones((5, 5), np.uint8), "5x5"),
        (stem(1), np.full(SIZE, 255, np.uint8), "hold no object"),
    ],
)
def test_an_unusable_anchor_is_named(
    video: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    mask: "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]",
    said: str,
) -> None:
    anchors = write_masks(tmp_path / "anchors", {name: mask})
    assert propagate(video, anchors, tmp_path / "out") == 2
    assert said in capsys.readouterr().err


def test_a_folder_in_the_way_is_named_before_anything_is_computed(
    video: Path, tmp_path: Path, interrupted: type[Interrupted], capsys: pytest.CaptureFixture[str]
) -> None:
    anchors = write_masks(tmp_path / "anchors", {stem(0): labels(0, 1)})
    (tmp_path / "out" / f"{stem(5)}.png").mkdir(parents=True)
    assert propagate(video, anchors, tmp_path / "out") == 2
    assert "is a folder and stands in the way" in capsys.readouterr().err
    assert interrupted.visited == []


@pytest.fixture
def project(video: Path, tmp_path: Path) -> Path:
    """Return a project that a propagation made."""
    file = tmp_path / "work.maskwright"
    anchors = write_masks(tmp_path / "first", {stem(0): labels(0, 1)})
    assert propagate(video, anchors, tmp_path / "old", "--project", str(file)) == 0
    return file


def test_a_project_of_another_video_is_refused_before_anything_is_computed(
    video: Path,
    project: Path,
    tmp_path: Path,
    interrupted: type[Interrupted],
    capsys: pytest.CaptureFixture[str],
) -> None:
    other = write_video(tmp_path / "other")
    anchors = write_masks(tmp_path / "anchors", {stem(0): labels(4, 2)})
    before = project.read_bytes()
    assert propagate(other, anchors, tmp_path / "out", "--project", str(project)) == 2
    said = capsys.readouterr().err
    assert f"is the project of {video}, not of {other}" in said
    assert interrupted.visited == []
    assert project.read_bytes() == before


def test_a_project_whose_video_has_moved_finds_it_again(
    video: Path, project: Path, tmp_path: Path
) -> None:
    moved = video.rename(tmp_path / "moved")
    anchors = write_masks(tmp_path / "anchors", {stem(7): labels(7, 1)})
    assert propagate(moved, anchors, tmp_path / "out", "--project", str(project)) == 0
    opened = Project.open(project)
    assert opened.source == moved
    opened.close()


def test_a_file_that_is_no_project_is_told_before_anything_is_computed(
    video: Path, tmp_path: Path, interrupted: type[Interrupted], capsys: pytest.CaptureFixture[str]
) -> None:
    anchors = write_masks(tmp_path / "anchors", {stem(0): labels(0, 1)})
    file = tmp_path / "notes.maskwright"
    file.write_text("notes")
    assert propagate(video, anchors, tmp_path / "out", "--project", str(file)) == 2
    assert "not a project" in capsys.readouterr().err
    assert interrupted.visited == []
    assert file.read_text() == "notes"


def test_a_stopped_run_leaves_no_project_behind(
    video: Path, tmp_path: Path, interrupted: type[Interrupted]
) -> None:
    anchors = write_masks(tmp_path / "anchors", {stem(0): labels(0, 1)})
    file = tmp_path / "work.maskwright"
    assert propagate(video, anchors, tmp_path / "out", "--project", str(file)) == 1
    assert not list(tmp_path.glob("work*"))
    assert propagate(video, anchors, tmp_path / "out", "--project", str(file)) == 0
    assert file.is_file()


def test_masks_without_scores_take_the_old_scores_away(video: Path, tmp_path: Path) -> None:
    anchors = write_masks(tmp_path / "anchors", {stem(0): labels(0, 1)})
    assert propagate(video, anchors, tmp_path / "out", "--scores", "--stop", "2") == 0
    assert propagate(video, anchors, tmp_path / "out", "--stop", "2") == 0
    assert not (tmp_path / "out" / "scores").exists()


@pytest.mark.parametrize(("first", "given"), [(0, {1, 2, 3}), (1, {0, 1, 2})])
def test_masks_that_may_count_from_0_or_from_1_are_placed_as_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], first: int, given: set[int]
) -> None:
    video = write_clip(tmp_path / "video.mp4", 6, size=SIZE)
    maps = {f"{number:06}": labels(number, 1) for number in (1, 2, 3)}
    anchors = write_masks(tmp_path / "anchors", maps)
    assert propagate(video, anchors, tmp_path / "out") == 2
    assert "--first-number 1 or --first-number 0" in capsys.readouterr().err
    for command, option in (("propagate", "--anchors"), ("refine", "--masks")):
        out = tmp_path / command
        words = [command, video, option, anchors, "--out", out, "--model", "classic"]
        assert run([*map(str, words), "--first-number", str(first)]) == 0
    placed = {
        frame: np.flatnonzero([np.array_equal(read_labels(file), each) for each in maps.values()])
        for frame, file in enumerate(sorted((tmp_path / "propagate").glob("*.png")))
    }
    assert {frame for frame, found in placed.items() if found.size} >= given
    assert [placed[frame].tolist() for frame in sorted(given)] == [[0], [1], [2]]
    assert len(list((tmp_path / "refine").glob("*.png"))) == 3


def test_each_frame_is_refined_where_a_refiner_is_named(
    video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    anchors = write_masks(tmp_path / "anchors", {stem(3): labels(3, 1, 2)})
    asked: list[int] = []

    class Shrinking:
        def segment(self, frame: int, prompt: Prompt) -> tuple[Prediction, ...]:
            asked.append(frame)
            assert prompt.box is not None
            x0, y0, x1, y1 = (round(each) for each in prompt.box)
            mask = np.zeros(SIZE, np.bool_)
            mask[y0:y1, x0 : (x0 + x1) // 2] = True
            return (Prediction(mask, 0.7),)

    def load(name: str, *_: object) -> Shrinking:
        assert name == "hq-sam-large"
        return Shrinking()

    assert propagate(video, anchors, tmp_path / "plain") == 0
    monkeypatch.setattr(registry, "load_segmenter", load)
    assert propagate(video, anchors, tmp_path / "out", "--refine", "hq-sam-large") == 0
    assert sorted(set(asked)) == [0, 1, 2, 4, 5, 6, 7]
    assert (read(tmp_path / "out", 3) == labels(3, 1, 2)).all()
    for index in (0, 7):
        plain, refined = read(tmp_path / "plain", index), read(tmp_path / "out", index)
        assert 0.3 < (refined == 1).sum() / (plain == 1).sum() < 0.8
    more = ("--refine", "hq-sam-large", "--iou-gate", "0.9")
    assert propagate(video, anchors, tmp_path / "gated", *more) == 0
    assert (read(tmp_path / "gated", 0) == read(tmp_path / "plain", 0)).all()


def test_a_refiner_that_is_not_here_is_said_before_anything_is_done(
    video: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    anchors = write_masks(tmp_path / "anchors", {stem(3): labels(3, 1)})
    assert propagate(video, anchors, tmp_path / "out", "--refine", "hq-sam-large") == 2
    assert "models get hq-sam-large" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert propagate(video, anchors, tmp_path / "out", "--iou-gate", "2") == 2
    assert "--iou-gate must lie" in capsys.readouterr().err


def test_a_real_segmenter_follows_a_real_tracker(video: Path, tmp_path: Path) -> None:
    anchors = write_masks(tmp_path / "anchors", {stem(3): labels(3, 1, 2)})
    assert propagate(video, anchors, tmp_path / "out", "--refine", "classic") == 0
    for index in range(8):
        assert overlap(read(tmp_path / "out", index), index, 1) > 0.7
