"""import, export, convert, validate and evaluate, as they are run."""

import itertools
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.cli.main import run
from app.core.document import Entry, Key, Origin
from app.core.mask import Mask
from app.storage.formats.palette import Labels, read_labels, write_palette_png
from app.storage.project.project import Project
from tests.storage.visor_vectors import DENSE, SPARSE, SUBMISSION, expected, load


def maskwright(*words: object) -> int:
    return run([str(word) for word in words])


def film(folder: Path, count: int = 3, size: tuple[int, int] = (48, 64)) -> Path:
    """A folder of pictures and beside it one of masks with the same names."""
    for name in ("frames", "masks"):
        (folder / name).mkdir()
    for index in range(count):
        picture = np.full((*size, 3), 40 * index, np.uint8)
        cv2.imwrite(str(folder / "frames" / f"{index:05d}.jpg"), picture)
        labels = np.zeros(size, np.uint8)
        labels[10:20, 5 + index : 25] = 1
        labels[30:40, 5:15] = 4
        write_palette_png(folder / "masks" / f"{index:05d}.png", labels)
    return folder


@pytest.mark.parametrize("path", [SPARSE, DENSE, SUBMISSION])
def test_a_visor_file_goes_through_a_project_unchanged(tmp_path: Path, path: Path) -> None:
    project, out = tmp_path / "p.maskwright", tmp_path / "out.json"
    assert maskwright("import", path, project) == 0
    assert maskwright("export", project, "--format", "visor", "--out", out) == 0
    assert load(out) == load(path)


@pytest.mark.parametrize(("path", "why"), [(SPARSE, "Nothing lies between"), (DENSE, "sparse")])
def test_runs_are_not_exported_where_there_are_none(
    tmp_path: Path, path: Path, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    project, out = tmp_path / "p.maskwright", tmp_path / "out.json"
    out.write_text("before")
    assert maskwright("import", path, project) == 0
    assert maskwright("export", project, "--format", "visor-dense", "--out", out) != 0
    assert why in capsys.readouterr().err
    assert out.read_text() == "before"


def test_an_edit_in_the_project_changes_only_that_annotation(tmp_path: Path) -> None:
    path, out = tmp_path / "p.maskwright", tmp_path / "out.json"
    assert maskwright("import", SPARSE, path) == 0
    project = Project.open(path)
    pixels = np.zeros((1080, 1920), np.bool_)
    pixels[100:200, 300:500] = True
    knife = next(info.id for info in project.load().objects if info.name == "knife")
    project.append({Key(2, knife): Entry(Mask.encode(pixels), Origin.DRAWN)})
    project.close()
    assert maskwright("export", path, "--format", "visor", "--out", out) == 0
    before, after = load(SPARSE), load(out)
    changed = after["video_annotations"][2]["annotations"][0].pop("segments")
    before["video_annotations"][2]["annotations"][0].pop("segments")
    assert after == before
    assert sorted(changed[0]) == [[300, 100], [300, 199], [499, 100], [499, 199]]


def test_the_frames_beside_a_visor_file_become_its_video(tmp_path: Path) -> None:
    path = tmp_path / "P99_101.json"
    path.write_bytes(SPARSE.read_bytes())
    frames = tmp_path / "P99_101"
    frames.mkdir()
    for number in (101, 120, 151, 201, 251, 401):
        picture = np.zeros((480, 854, 3), np.uint8)
        cv2.imwrite(str(frames / f"P99_101_frame_{number:010d}.jpg"), picture)
    assert maskwright("import", path, tmp_path / "p.maskwright") == 0
    project = Project.open(tmp_path / "p.maskwright")
    assert (project.frame_count, project.size, project.source) == (6, (480, 854), frames)
    assert project.load().frames() == [0, 2, 3, 4, 5]
    project.close()


@pytest.mark.parametrize("form", ["davis", "coco"])
def test_masks_go_through_a_project_unchanged(tmp_path: Path, form: str) -> None:
    film(tmp_path)
    project, out = tmp_path / "p.maskwright", tmp_path / "out"
    assert maskwright("import", tmp_path / "masks", project, "--video", tmp_path / "frames") == 0
    assert maskwright("export", project, "--format", form, "--out", out) == 0
    if form == "coco":
        out.rename(tmp_path / "c.json")
        to_davis = ("--from", "coco", "--to", "davis")
        assert maskwright("convert", tmp_path / "c.json", out, *to_davis) == 0
    for path in sorted((tmp_path / "masks").iterdir()):
        written = out / "Annotations" / "48p" / "frames" / path.name
        assert np.array_equal(read_labels(written), read_labels(path))


def test_an_ordinary_film_is_exported_as_visor_and_read_back(tmp_path: Path) -> None:
    film(tmp_path)
    project, out = tmp_path / "p.maskwright", tmp_path / "v.json"
    frames = ("--video", tmp_path / "frames")
    assert maskwright("import", tmp_path / "masks", project, *frames) == 0
    assert maskwright("export", project, "--format", "visor", "--out", out) == 0
    assert maskwright("validate", out) == 0
    assert maskwright("import", out, tmp_path / "again.maskwright", *frames) == 0
    first, second = (Project.open(tmp_path / name) for name in ("p.maskwright", "again.maskwright"))
    masks = [[entry.mask for _, entry in p.load().items()] for p in (first, second)]
    assert masks[0] == masks[1]
    first.close()
    second.close()


def test_the_overlay_needs_the_video_and_shows_every_frame(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    film(tmp_path)
    project, out = tmp_path / "p.maskwright", tmp_path / "o.mp4"
    assert maskwright("import", tmp_path / "masks", project) == 0
    assert maskwright("export", project, "--format", "video", "--out", out) == 2
    assert "--video" in capsys.readouterr().err
    frames = ("--video", tmp_path / "frames")
    assert maskwright("export", project, "--format", "video", "--out", out, *frames) == 0
    assert out.stat().st_size > 500


def test_conversion_to_davis_follows_the_split(tmp_path: Path) -> None:
    for split, count in (("val", 3), ("train", 4)):
        out = tmp_path / split
        davis = ("--from", "visor", "--to", "davis", "--split", split)
        assert maskwright("convert", SPARSE, out, *davis) == 0
        assert len(list(out.glob("Annotations/480p/P99_101_seq_00001/*.png"))) == count
        assert load(out / f"{split}_data_mapping.json") == expected()[split]["mapping"]


def test_conversions_lose_no_mask_on_a_round_through_all_formats(tmp_path: Path) -> None:
    steps = [
        (SUBMISSION, "submission"), (tmp_path / "a", "davis"), (tmp_path / "b.json", "visor"),
        (tmp_path / "c.json", "coco"), (tmp_path / "d.json", "visor"), (tmp_path / "e", "davis"),
    ]  # fmt: skip
    for (source, origin), (target, form) in itertools.pairwise(steps):
        assert maskwright("convert", source, target, "--from", origin, "--to", form) == 0
    first, last = (sorted((tmp_path / name).rglob("*.png")) for name in "ae")
    assert len(first) == len(last) == 3
    for before, after in zip(first, last, strict=True):
        assert np.array_equal(read_labels(before) > 0, read_labels(after) > 0)


def test_validate_exits_0_1_and_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert maskwright("validate", SPARSE) == 0
    raw = load(SPARSE)
    raw["video_annotations"][0]["annotations"][0]["class_id"] = 999
    raw["video_annotations"][1]["annotations"][3]["in_contact_object"] = "gone"
    bad = tmp_path / "bad.json"
    bad.write_text(json.dumps(raw))
    assert maskwright("validate", bad) == 1
    out, err = capsys.readouterr()
    assert "P99_101_frame_0000000101.jpg" in out
    assert "0000000000000000000000000000000e (right hand): contact: not an answer: gone" in out
    assert "2 defect(s)" in err
    bad.write_bytes(SPARSE.read_bytes()[:2000])
    assert maskwright("validate", bad) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_what_cannot_be_imported_leaves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = film(tmp_path)
    project = tmp_path / "p.maskwright"
    (folder / "masks" / "00001.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    assert maskwright("import", folder / "masks", project) == 2
    assert "00001.png" in capsys.readouterr().err
    assert not project.exists()
    assert maskwright("import", folder / "nothing", project) == 2
    project.write_text("work")
    assert maskwright("import", SPARSE, project) == 2
    assert project.read_text() == "work"
    assert {path.name for path in tmp_path.iterdir()} == {"frames", "masks", "p.maskwright"}


def test_masks_of_another_size_or_other_names_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    film(tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    film(other, size=(32, 32))
    words = ("import", tmp_path / "masks", tmp_path / "p.maskwright", "--video")
    assert maskwright(*words, other / "frames") == 2
    assert "64x48" in capsys.readouterr().err
    for path in list((tmp_path / "frames").iterdir()):
        path.rename(path.with_stem(f"x{path.stem}"))
    assert maskwright(*words, tmp_path / "frames") == 2
    assert "bears the name" in capsys.readouterr().err


def test_a_source_with_several_videos_asks_for_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    masks, project = tmp_path / "masks", tmp_path / "p.maskwright"
    for name in ("cat", "dog"):
        (masks / name).mkdir(parents=True)
        write_palette_png(masks / name / "0.png", np.ones((4, 4), np.uint8))
    assert maskwright("import", masks, project) == 2
    assert "--name" in capsys.readouterr().err
    assert maskwright("import", masks, project, "--name", "dog") == 0


def test_a_failed_conversion_keeps_the_file_that_was_there(tmp_path: Path) -> None:
    source, target = tmp_path / "cut.json", tmp_path / "out.json"
    source.write_bytes(SPARSE.read_bytes()[:3000])
    target.write_text("before")
    assert maskwright("convert", source, target, "--from", "visor", "--to", "coco") == 2
    assert target.read_text() == "before"


def test_evaluate_prints_and_writes_the_scores(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    visor = ("--from", "visor", "--to", "davis")
    submission = ("--from", "submission", "--to", "davis")
    assert maskwright("convert", SPARSE, tmp_path / "gt", *visor) == 0
    assert maskwright("convert", SUBMISSION, tmp_path / "pred", *submission) == 0
    capsys.readouterr()
    folders = ("--pred", tmp_path / "pred", "--gt", tmp_path / "gt")
    file = tmp_path / "scores.json"
    assert maskwright("evaluate", *folders, "--protocol", "visor", "--json", file) == 0
    assert "overall" in capsys.readouterr().out
    scores = json.loads(file.read_text())
    assert round(scores["J&F"], 6) == 0.845620
    cup = scores["sequences"]["P99_101_seq_00001"]["objects"]["1"]
    assert cup["J_frames"] == pytest.approx([1, 0.6993006993])


def test_evaluate_says_where_ids_have_gaps(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    masks = film(tmp_path) / "masks"  # objects 1 and 4
    words = ("evaluate", "--pred", masks, "--gt", masks, "--protocol")
    for protocol, is_told in (("davis2017", True), ("visor", True), ("davis2016", False)):
        assert maskwright(*words, protocol) == 0
        assert ("masks: the first ground truth frame lacks object 2, 3" in capsys.readouterr().err
                ) == is_told  # fmt: skip


def disc(value: int, *, sigma: float = 0.0, void: int = 0) -> Labels:
    image = np.zeros((48, 64), np.uint8)
    if void:
        cv2.circle(image, (30, 24), 12 + void, 255, -1)
    cv2.circle(image, (30, 24), 12, value, -1)
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.uint8) if sigma else image


@pytest.mark.parametrize("protocol", ["davis2016", "davis2017", "visor"])
def test_evaluate_takes_white_on_black_for_object_1_on_either_side(
    tmp_path: Path, protocol: str
) -> None:
    maps = {"ids": disc(1), "white": disc(255), "bordered": disc(1, void=2)}
    for name, labels in maps.items():
        for stem in ("00000", "00001", "00002"):
            write_palette_png(tmp_path / name / f"{stem}.png", labels)
    for truth, prediction in (("white", "ids"), ("ids", "white"), ("white", "white")):
        words = ("--gt", tmp_path / truth, "--pred", tmp_path / prediction, "--json")
        file = tmp_path / "scores.json"
        assert maskwright("evaluate", *words, file, "--protocol", protocol) == 0
        assert load(file)["J&F"] == 1
    if protocol != "davis2016":  # to which void is foreground, too
        words = ("--gt", tmp_path / "bordered", "--pred", tmp_path / "white", "--json")
        assert maskwright("evaluate", *words, file, "--protocol", protocol) == 0
        assert load(file)["J&F"] == 1


def test_evaluate_says_where_edges_of_white_masks_are_grey(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for stem in ("00000", "00001", "00002"):
        write_palette_png(tmp_path / "ids" / f"{stem}.png", disc(1))
        (tmp_path / "grey").mkdir(exist_ok=True)
        cv2.imwrite(str(tmp_path / "grey" / f"{stem}.png"), disc(255, sigma=1.0))
    words = ("--gt", tmp_path / "ids", "--pred", tmp_path / "grey", "--json")
    assert maskwright("evaluate", *words, tmp_path / "scores.json") == 0
    assert "white on black with other values between" in capsys.readouterr().err
    assert load(tmp_path / "scores.json")["J"] > 0.95


def test_evaluate_names_what_is_missing_or_of_another_size(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    film(tmp_path)
    pred = tmp_path / "pred"
    pred.mkdir()
    words = ("evaluate", "--pred", pred, "--gt", tmp_path / "masks", "--protocol", "visor")
    assert maskwright(*words) == 2
    assert "holds no mask PNGs" in capsys.readouterr().err
    write_palette_png(pred / "00001.png", np.zeros((48, 64), np.uint8))
    assert maskwright(*words) == 2
    assert "00002.png does not exist; 1 of 2" in capsys.readouterr().err
    write_palette_png(pred / "00002.png", np.zeros((8, 8), np.uint8))
    assert maskwright(*words) == 2
    assert "8x8, but 64x48 is needed" in capsys.readouterr().err


def test_hidden_files_are_no_masks_and_suffixes_may_be_of_either_case(tmp_path: Path) -> None:
    masks = film(tmp_path, count=4) / "masks"
    folders = ("evaluate", "--pred", masks, "--gt", masks, "--protocol", "davis2016", "--json")
    assert maskwright(*folders, tmp_path / "before.json") == 0
    for path in list(masks.iterdir()):
        (masks / f"._{path.name}").write_bytes(b"macOS")
        path.rename(path.with_suffix(".PNG"))
    assert maskwright(*folders, tmp_path / "after.json") == 0
    assert load(tmp_path / "after.json") == load(tmp_path / "before.json")
    coco = ("--from", "davis", "--to", "coco")
    assert maskwright("convert", masks, tmp_path / "c.json", *coco) == 0
    assert len(load(tmp_path / "c.json")["images"]) == 4
    project = tmp_path / "p.maskwright"
    assert maskwright("import", masks, project, "--video", tmp_path / "frames") == 0
    out = ("--anchors", masks, "--out", tmp_path / "out", "--model", "classic")
    assert maskwright("propagate", tmp_path / "frames", *out) == 0


def test_no_size_folder_of_a_davis_folder_is_dropped_unsaid(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "davis"
    for place, height in (("480p/cat", 480), ("90p/cat", 90), ("90p/dog", 90)):
        (root / "Annotations" / place).mkdir(parents=True)
        for stem in "0", "1", "2":
            path = root / "Annotations" / place / f"{stem}.png"
            write_palette_png(path, np.ones((height, 8), np.uint8))
    out = tmp_path / "c.json"
    assert maskwright("convert", root, out, "--from", "davis", "--to", "coco") == 0
    assert {(i["video"], i["height"]) for i in load(out)["images"]} == {("cat", 480), ("dog", 90)}
    assert "Annotations/480p/cat" in capsys.readouterr().err
    assert maskwright("evaluate", "--gt", root, "--pred", root) == 0
    shown = capsys.readouterr()
    assert "dog_1" in shown.out
    assert "Annotations/480p/cat" in shown.err
    assert maskwright("import", root, tmp_path / "d.maskwright", "--name", "dog") == 0
    assert "several sizes" not in capsys.readouterr().out
    assert maskwright("import", root, tmp_path / "c.maskwright", "--name", "cat") == 0
    assert "Annotations/480p/cat" in capsys.readouterr().out


BAD_NAMES = ["../out", "sets/cat", "a\\b", "..", ".cat", "a\0b", "\ud800", "x" * 300]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_names_that_lead_elsewhere_write_nothing(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    film(tmp_path)
    coco, visor, target = tmp_path / "c.json", tmp_path / "v.json", tmp_path / "here" / "to"
    assert maskwright("convert", tmp_path / "masks", coco, "--from", "davis", "--to", "coco") == 0
    raw = load(coco)
    raw["images"][1]["video"] = name
    coco.write_text(json.dumps(raw))
    raw = load(SPARSE)
    raw["video_annotations"][0]["image"]["subsequence"] = name
    raw["video_annotations"][1]["image"]["subsequence"] = name
    visor.write_text(json.dumps(raw))
    capsys.readouterr()
    before = sorted(tmp_path.rglob("*"))
    ways = [(coco, "coco", "davis"), (coco, "coco", "visor"), (visor, "visor", "davis")]
    for source, origin, form in ways:
        assert maskwright("convert", source, target, "--from", origin, "--to", form) == 2
        assert "cannot be the name of a file here. Rename it" in capsys.readouterr().err
        assert sorted(tmp_path.rglob("*")) == before


def test_a_frame_with_a_slash_in_its_name_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    raw = load(SPARSE)
    raw["video_annotations"][0]["image"]["name"] = "nowhere/1.jpg"
    (tmp_path / "v.json").write_text(json.dumps(raw))
    words = ("convert", tmp_path / "v.json", tmp_path / "to", "--from", "visor", "--to", "davis")
    assert maskwright(*words) == 2
    assert "'nowhere/1'" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["v.json"]


def test_coco_images_without_a_folder_are_a_video_called_as_their_file(tmp_path: Path) -> None:
    image = {"id": 5, "file_name": "a.jpg", "height": 10, "width": 12}
    raw = {"images": [image], "annotations": []}
    (tmp_path / "cups.json").write_text(json.dumps(raw))
    coco = ("--from", "coco", "--to", "davis")
    assert maskwright("convert", tmp_path / "cups.json", tmp_path / "to", *coco) == 0
    assert (tmp_path / "to" / "Annotations" / "10p" / "cups" / "a.png").is_file()


def test_an_export_says_whose_place_it_takes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("tennis", "bear"):
        (tmp_path / name).mkdir()
        folder = film(tmp_path / name)
        project, video = tmp_path / f"{name}.maskwright", ("--video", folder / "frames")
        assert maskwright("import", folder / "masks", project, *video) == 0
    said = []
    for name in ("tennis", "bear"):
        capsys.readouterr()
        words = ("--format", "davis", "--out", tmp_path / "out")
        assert maskwright("export", tmp_path / f"{name}.maskwright", *words) == 0
        said.append(capsys.readouterr().out)
    assert "replaced" not in said[0]
    assert "were there before and are replaced: Annotations/48p/frames" in said[1]


def test_a_class_that_no_project_can_hold_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    raw = load(SPARSE)
    raw["video_annotations"][0]["annotations"][0]["class_id"] = 10**30
    (tmp_path / "v.json").write_text(json.dumps(raw))
    assert maskwright("import", tmp_path / "v.json", tmp_path / "p.maskwright") == 2
    told = capsys.readouterr().err
    assert f"the class_id of {raw['video_annotations'][0]['annotations'][0]['name']} (" in told
    assert [path.name for path in tmp_path.iterdir()] == ["v.json"]


@pytest.mark.parametrize("keep", [0, 50, 5000])
def test_a_cut_off_project_is_unreadable_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], keep: int
) -> None:
    project, out = tmp_path / "p.maskwright", tmp_path / "out.json"
    assert maskwright("import", SPARSE, project) == 0
    project.write_bytes(project.read_bytes()[:keep])
    assert maskwright("export", project, "--format", "visor", "--out", out) == 2
    assert project.name in capsys.readouterr().err.splitlines()[-1]
    assert not out.exists()


@pytest.mark.parametrize("form", ["davis", "submission"])
def test_a_conversion_that_keeps_nothing_is_a_failure(
    tmp_path: Path, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    raw = json.loads(SPARSE.read_bytes())
    for record in raw["video_annotations"]:
        for annotation in record["annotations"]:
            annotation["segments"] = [[[5000, 5000], [6000, 5000], [6000, 6000]]]
    source, target = tmp_path / "a.json", tmp_path / "out"
    source.write_text(json.dumps(raw))
    assert run(["convert", "--from", "visor", "--to", form, str(source), str(target)]) == 2
    assert "None of the 2 subsequences" in capsys.readouterr().err
    assert not target.exists()
