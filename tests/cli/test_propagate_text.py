"""`propagate --text`: words in, a mask for every frame out."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from app.cli.main import run
from app.storage.formats.palette import read_labels
from app.storage.project.project import Project
from models import registry
from models.api import Box, Finding, Frames, LoadOptions
from tests.cli.frames import SIZE, labels, write_video


class StubDetector:
    """Knows where the squares are: the cup is there from the start, the knife from frame 4 on."""

    def __init__(self) -> None:
        self.looked_at: list[int] = []
        self.phrases: tuple[str, ...] = ()
        self.options: LoadOptions | None = None

    def find(self, frame: int, phrases: Sequence[str]) -> tuple[Finding, ...]:
        self.looked_at.append(frame)
        self.phrases = tuple(phrases)
        there = {1: "cup", 2: "knife"} if frame >= 4 else {1: "cup"}
        return tuple(
            Finding(box_of(frame, number), name, 0.9)
            for number, name in there.items()
            if name in phrases
        )


def box_of(frame: int, number: int) -> Box:
    rows, columns = np.nonzero(labels(frame, number))
    return Box(columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)


@pytest.fixture
def detector(monkeypatch: pytest.MonkeyPatch) -> StubDetector:
    made = StubDetector()

    def load(name: str, frames: Frames, options: LoadOptions) -> StubDetector:
        made.options = options
        return made

    monkeypatch.setattr(registry, "load_detector", load)
    return made


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return write_video(tmp_path / "video")


def propagate(video: Path, out: Path, *more: str) -> int:
    words = ["propagate", str(video), "--out", str(out), "--model", "classic"]
    return run([*words, "--segmenter", "classic", *more])


def overlap(out: Path, index: int, number: int) -> float:
    found = read_labels(out / f"frame_{index + 1:010}.png", SIZE) == number
    true = labels(index, number) == number
    return float((found & true).sum() / max(1, (found | true).sum()))


def test_what_is_found_on_the_first_frame_is_followed(
    video: Path, tmp_path: Path, detector: StubDetector, capsys: pytest.CaptureFixture[str]
) -> None:
    assert propagate(video, tmp_path / "out", "--text", "The cup.", "--threshold", "0.4") == 0
    assert all(overlap(tmp_path / "out", index, 1) > 0.75 for index in range(8))
    assert detector.looked_at == [0]
    assert detector.phrases == ("cup",)
    assert detector.options is not None
    assert detector.options.threshold == 0.4
    assert "frame 0 object 1: cup, 0.90" in capsys.readouterr().out


def test_a_late_comer_starts_beside_those_that_are_there(
    video: Path, tmp_path: Path, detector: StubDetector
) -> None:
    words = ("--text", "cup", "--text", "a knife", "--every", "4", "--scores")
    assert propagate(video, tmp_path / "out", *words) == 0
    assert detector.looked_at == [0, 4]
    for index in range(8):
        assert overlap(tmp_path / "out", index, 1) > 0.75
        assert overlap(tmp_path / "out", index, 2) > 0.75
    with np.load(tmp_path / "out" / "scores" / "frame_0000000005.npz") as scores:
        found = scores["prob"][1:] > 0.5
    assert all((found[k] & (labels(4, k + 1) == k + 1)).any() for k in range(2))


def test_objects_of_a_project_are_recognised_and_new_ones_named(
    video: Path, tmp_path: Path, detector: StubDetector
) -> None:
    file = tmp_path / "p.maskwright"
    first = ("--text", "cup", "--stop", "3", "--project", str(file))
    assert propagate(video, tmp_path / "a", *first) == 0
    more = ("--text", "cup", "--text", "knife", "--start", "4", "--project", str(file))
    assert propagate(video, tmp_path / "b", *more) == 0
    project = Project.open(file)
    names = {info.id: info.name for info in project.load().objects}
    project.close()
    assert names == {1: "cup", 2: "knife"}
    assert overlap(tmp_path / "b", 7, 1) > 0.75
    assert overlap(tmp_path / "b", 7, 2) > 0.75


def test_nothing_found_is_said_with_what_to_do(
    video: Path, tmp_path: Path, detector: StubDetector, capsys: pytest.CaptureFixture[str]
) -> None:
    assert propagate(video, tmp_path / "out", "--text", "knife") == 1
    assert "Nothing of 'knife' was found" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "words",
    [(), ("--text", "cup", "--anchors", "x"), ("--text", "cup", "--every", "0"),
     ("--text", "cup", "--threshold", "2")],
)  # fmt: skip
def test_wrong_use_is_refused(video: Path, tmp_path: Path, words: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as stopped:
        propagate(video, tmp_path / "out", *words)
    assert stopped.value.code == 2


@pytest.mark.parametrize(("text", "name"), [("hands", "hands"), ("cup", "grounding-dino-tiny")])
def test_a_detector_that_is_not_here_says_how_to_get_it(
    video: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, name: str
) -> None:
    assert propagate(video, tmp_path / "out", "--text", text) == 2
    assert f"models get {name}" in capsys.readouterr().err
