"""`maskwright inspect`, as it is run."""

import csv
import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from PIL import Image as Picture

from app.batch.inspection import scoring
from app.cli.main import run
from app.core.evaluate import Labels
from app.core.inspection.failures import Failure
from app.core.inspection.measures import Measures, measure
from app.core.inspection.spoiling import spoil
from app.storage.formats.palette import read_labels, write_palette_png
from models.api import Image
from tests.core.inspection.scenes import two_shapes
from tests.storage.visor_vectors import DENSE, SPARSE

SEQUENCES = {"left": Failure.MISS, "middle": Failure.IDENTITY_SWAP, "right": Failure.PART_LOSS}


def maskwright(*words: object) -> int:
    return run([str(word) for word in words])


def write(folder: Path, frames: list[Labels]) -> None:
    for index, labels in enumerate(frames):
        write_palette_png(folder / f"{index:05d}.png", labels)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A DAVIS folder with images, and two predictions of it: `bad` fails, `good` does not."""
    rng = np.random.default_rng(0)
    for name, failure in SEQUENCES.items():
        case = spoil(two_shapes(rng, 16), 1, failure, range(5, 12), rng)
        write(tmp_path / "gt" / "Annotations" / "480p" / name, case.truth)
        write(tmp_path / "bad" / name, case.prediction)
        write(tmp_path / "good" / name, case.truth)
        images = tmp_path / "gt" / "JPEGImages" / "480p" / name
        images.mkdir(parents=True)
        for index, labels in enumerate(case.truth):
            cv2.imwrite(str(images / f"{index:05d}.jpg"), np.repeat(labels[..., None], 3, 2) * 90)
    return tmp_path


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_report_holds_what_it_promises_and_opens_anywhere(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = root / "out"
    command = ("inspect", "--gt", root / "gt", "--pred", root / "bad", "--pred", root / "good")
    assert maskwright(*command, "--report", out, "--worst", 2) == 0
    told = capsys.readouterr().out
    assert "identity swap" in told
    assert "paired bootstrap over 3 sequences" in told
    names = {path.name for path in out.iterdir()}
    assert names == {"index.html", "frames.csv", "events.csv", "summary.json", "figures"}
    page = (out / "index.html").read_text(encoding="utf-8")
    links = re.findall(r'(?:src|href)="([^"#]+)"', page)
    assert links
    assert all((out / link).is_file() for link in links)
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")
    found = {row["failure"] for row in rows(out / "events.csv") if row["run"] == "A"}
    assert {failure.value for failure in SEQUENCES.values()} <= found
    assert all(row["run"] == "A" for row in rows(out / "events.csv"))
    summary = json.loads((out / "summary.json").read_bytes())
    assert summary["runs"]["B"]["J&F"] == 1.0
    assert summary["difference"]["low"] > 0
    assert summary["runs"]["A"]["failures"]["identity swap"] >= 6


def test_a_video_of_each_sequence_shows_all_runs_side_by_side(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = root / "videos"
    command = ("inspect", "--gt", root / "gt", "--pred", root / "bad", "--pred", root / "good")
    assert maskwright(*command, "--worst", 0, "--video", out) == 0
    assert "videos are in" in capsys.readouterr().out
    assert {path.stem for path in out.iterdir()} == SEQUENCES.keys()
    with av.open(str(out / "left.mp4")) as container:
        pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(pictures) == 14
    lost = pictures[7]  # frame 8 of the video: the first run has missed the object, in magenta
    height, width = 180, 320
    assert lost.shape == (2 * (height + 24) + 26, 3 * width, 3)
    labels = read_labels(root / "gt" / "Annotations" / "480p" / "left" / "00008.png")
    ys, xs = np.nonzero(labels == 1)
    for column, is_missed in ((1, True), (2, False)):
        y, x = height + 2 * 24 + int(np.median(ys)), column * width + int(np.median(xs))
        red, green, _ = (int(value) for value in lost[y, x])
        assert (red > green + 20) is is_missed, column


def test_runs_go_by_what_tells_their_folders_apart(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("first", "second"):
        write(root / name / "masks" / "middle", two_shapes(np.random.default_rng(1), 16))
    gt = root / "gt" / "Annotations" / "480p" / "middle"
    folders = [root / name / "masks" for name in ("first", "second")]
    assert maskwright("inspect", "--gt", gt, "--pred", folders[0], "--pred", folders[1]) == 0
    told = capsys.readouterr().out
    assert "A (first)" in told
    assert "B (second)" in told
    assert "B minus A: J&F +0.000 (no interval" in told


def test_the_scores_are_those_of_evaluate(root: Path) -> None:
    folders = ("--gt", root / "gt", "--pred", root / "bad")
    assert maskwright("evaluate", *folders, "--json", root / "scores.json") == 0
    assert maskwright("inspect", *folders, "--report", root / "out", "--worst", 0) == 0
    scores = json.loads((root / "scores.json").read_bytes())
    summary = json.loads((root / "out" / "summary.json").read_bytes())
    assert summary["runs"]["A"]["J&F"] == pytest.approx(scores["J&F"], abs=1e-9)
    for row in rows(root / "out" / "frames.csv"):
        item = scores["sequences"][row["sequence"]]
        place = item["frames"].index(row["frame"])
        for name in ("J", "F"):
            value = item["objects"][row["object"]][f"{name}_frames"][place]
            assert float(row[name]) == pytest.approx(value, abs=1e-9)


def test_figures_have_real_text_and_name_run_frames_and_program(root: Path) -> None:
    folders = ("--gt", root / "gt", "--pred", root / "bad")
    assert maskwright("inspect", *folders, "--report", root / "out", "--worst", 1) == 0
    tree = ET.fromstring((root / "out" / "figures" / "A-01.svg").read_bytes())
    text = " ".join(node.text or "" for node in tree.iter("{http://www.w3.org/2000/svg}text"))
    assert "Run A (bad)" in text
    assert "onset on frame 000" in text
    assert "Maskwright" in text
    assert tree.attrib["width"] == "496pt"
    with Picture.open(root / "out" / "figures" / "A-01-curve.png") as picture:
        assert picture.width == round(237 / 72 * 300)
        assert picture.info["dpi"] == pytest.approx((300, 300), abs=1)


def test_scored_sequences_are_not_scored_again(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ("inspect", "--gt", root / "gt", "--pred", root / "bad")
    assert maskwright(*command) == 0
    first = capsys.readouterr().out
    measured = []
    monkeypatch.setattr(scoring, "measure", lambda *_: measured.append(1))
    assert maskwright(*command) == 0
    assert capsys.readouterr().out == first
    assert not measured


def test_a_changed_mask_is_scored_again(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ("inspect", "--gt", root / "gt", "--pred", root / "bad")
    assert maskwright(*command) == 0
    first = capsys.readouterr().out
    write_palette_png(root / "bad" / "left" / "00002.png", np.zeros((180, 320), np.uint8))
    assert maskwright(*command) == 0
    assert capsys.readouterr().out != first


def test_a_stopped_run_goes_on_where_it_stopped(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ("inspect", "--gt", root / "gt", "--pred", root / "bad", "--threads", 1)
    calls: list[int] = []

    def stopping(truth: Labels, prediction: Labels, objects: int, image: Image | None) -> Measures:
        calls.append(1)
        if len(calls) == 20:
            raise KeyboardInterrupt
        return measure(truth, prediction, objects, image)

    monkeypatch.setattr(scoring, "measure", stopping)
    assert maskwright(*command) == 1
    assert "goes on" in capsys.readouterr().err
    calls.extend([1] * 100)
    before = len(calls)
    assert maskwright(*command) == 0
    assert len(calls) - before == 2 * 14  # of three sequences, one was finished


def test_a_sequence_without_prediction_is_named(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "bad" / "left").rename(root / "elsewhere")
    assert maskwright("inspect", "--gt", root / "gt", "--pred", root / "bad") == 2
    assert "no masks for left" in capsys.readouterr().err
    (root / "elsewhere").rename(root / "bad" / "left")
    (root / "bad" / "left" / "00007.png").unlink()
    assert maskwright("inspect", "--gt", root / "gt", "--pred", root / "bad") == 2
    assert "00007" in capsys.readouterr().err


def test_wrong_use_is_said_before_any_work(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pred = ("--pred", root / "bad")
    assert maskwright("inspect", "--gt", root / "gt", *pred, *pred, *pred) == 2
    assert "At most two" in capsys.readouterr().err
    assert maskwright("inspect", "--gt", root / "gt", *pred, "--report", root / "good") == 2
    assert "other things than a report" in capsys.readouterr().err
    assert (root / "good" / "left" / "00000.png").is_file()
    assert maskwright("inspect", "--gt", root / "nothing", *pred) == 2
    assert "does not exist" in capsys.readouterr().err
    assert maskwright("inspect", "--gt", root / "gt", *pred, "--frames", root / "good") == 2
    assert "no images of left" in capsys.readouterr().err


def test_a_failed_report_leaves_the_one_before(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = ("--report", root / "out", "--worst", 1)
    command = ("inspect", "--gt", root / "gt", "--pred", root / "bad", *report)
    assert maskwright(*command) == 0
    before = (root / "out" / "index.html").read_bytes()
    for path in (root / "gt" / "JPEGImages" / "480p" / "left").iterdir():
        path.write_bytes(b"no image")
    assert maskwright(*command) != 0
    assert (root / "out" / "index.html").read_bytes() == before


def test_images_that_lack_frames_are_refused_only_where_they_were_asked_for(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "gt" / "JPEGImages" / "480p" / "left" / "00003.jpg").unlink()
    folders = ("--gt", root / "gt", "--pred", root / "bad")
    assert maskwright("inspect", *folders) == 0
    assert maskwright("inspect", *folders, "--frames", root / "gt") == 2
    assert "no image for frame 00003 of left" in capsys.readouterr().err


def test_masks_alone_suffice(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gt = root / "gt" / "Annotations" / "480p" / "middle"
    masks = root / "plain"
    masks.mkdir()
    for path in gt.iterdir():
        (masks / path.name).write_bytes(path.read_bytes())
    pred = root / "bad" / "middle"
    report = ("--report", root / "out", "--worst", 1)
    assert maskwright("inspect", "--gt", masks, "--pred", pred, *report) == 0
    assert "identity swap with 2" in capsys.readouterr().out


def test_davis2016_is_told_from_its_masks(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for index in range(6):
        labels = np.zeros((60, 80), np.uint8)
        labels[20:40, 10 + index : 40] = 255
        write_palette_png(root / "old" / f"{index:05d}.png", labels)
        write_palette_png(root / "new" / f"{index:05d}.png", (labels > 0).astype(np.uint8))
    assert maskwright("inspect", "--gt", root / "old", "--pred", root / "new") == 0
    assert "overall 1.000 1.000 1.000" in capsys.readouterr().out


def test_frames_that_lack_truth_are_left_open(root: Path) -> None:
    for folder in (root / "gt" / "Annotations" / "480p").iterdir():
        for path in folder.iterdir():
            if int(path.stem) % 5:
                path.unlink()
    folders = ("--gt", root / "gt", "--pred", root / "bad")
    assert maskwright("inspect", *folders, "--report", root / "out", "--worst", 1) == 0
    summary = json.loads((root / "out" / "summary.json").read_bytes())
    assert all(item["sparse"] for item in summary["runs"]["A"]["sequences"].values())
    table = rows(root / "out" / "frames.csv")
    assert {row["position"] for row in table} == {"5", "10"}
    curve = (root / "out" / "figures" / "A-01-curve.svg").read_text(encoding="utf-8")
    assert curve.count("<circle") == 2
    assert curve.count("<polyline") == 3  # the scale alone


def test_coco_is_read_as_what_it_was_made_of(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("gt", "bad"):
        forms = ("--from", "davis", "--to", "coco")
        assert maskwright("convert", root / name, root / f"{name}.json", *forms) == 0
    folders = ("--gt", root / "gt", "--pred", root / "bad")
    assert maskwright("inspect", *folders, "--worst", 0) == 0
    told = capsys.readouterr().out.splitlines()[-8:]
    for truth, masks in (("gt.json", "bad.json"), ("gt.json", "bad"), ("gt", "bad.json")):
        assert (
            maskwright("inspect", "--gt", root / truth, "--pred", root / masks, "--worst", 0) == 0
        )
        assert capsys.readouterr().out.splitlines()[-8:] == told


def test_sparse_truth_is_read_from_visor_and_never_filled_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert maskwright("inspect", "--gt", SPARSE, "--pred", SPARSE, "--report", tmp_path / "o") == 0
    assert "1.000 1.000 1.000" in capsys.readouterr().out
    found = json.loads((tmp_path / "o" / "summary.json").read_bytes())
    assert found["protocol"] == "visor"
    assert maskwright("inspect", "--gt", DENSE, "--pred", DENSE) == 0
