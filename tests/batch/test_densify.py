"""Sparse masks made dense: runs, the gate, resuming, and the file that comes of it."""

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.batch.passes.densify import dense_run
from app.batch.videos.carry_out import carry_out
from app.batch.videos.densify import Densification, Densified, DensifyJob, report, video_of
from app.batch.videos.plan import read_plan
from app.cli.main import run
from app.core.densify import agreement, merged, passes, runs
from app.core.document import Document, Entry, Key, ObjectInfo, Origin
from app.core.mask import Mask
from app.errors import UsageError
from app.storage.formats.palette import read_labels, write_palette_png
from app.storage.formats.visor.geometry import DENSE_SIZE, rasterise, sample, trace
from app.storage.formats.visor.records import VisorFile
from app.storage.formats.visor.validation.validate import validate
from app.storage.project.project import Project
from app.storage.video.opening import open_video
from models import registry
from models.api import Frames, LoadOptions, Prediction, Quality
from tests.batch.test_videos import loaders
from tests.cli.frames import SIZE, labels, write_video
from tests.fakes import SIZE as FRAME
from tests.fakes import FakeFrames, FakeTracker, square

Json = Any
VIDEO = "P99_101"
LENGTH = 9
ANNOTATED = (0, 4, 8)
IDS = {"cup": 1, "plate": 2}


def sparse(annotated: Iterable[int] = ANNOTATED, names: Iterable[str] = ("cup", "plate")) -> Json:
    """Return a sparse JSON of the two squares."""
    records = []
    for frame in annotated:
        name = f"{VIDEO}_frame_{frame + 1:010d}.jpg"
        records.append(
            {
                "image": {
                    "image_path": f"{VIDEO}/{name}",
                    "name": name,
                    "subsequence": f"{VIDEO}_seq_00001",
                    "video": VIDEO,
                },
                "annotations": [
                    {
                        "id": f"{frame * 10 + IDS[each]:032x}",
                        "name": each,
                        "class_id": {"cup": 13, "plate": 2}[each],
                        "exhaustive": "y",
                        "segments": trace(labels(frame, 1, 2) == IDS[each]),
                    }
                    for each in names
                ],
            }
        )
    info = {"Dataset Name": "VISOR", "Resolution": f"{SIZE[1]}x{SIZE[0]}"}
    return {"info": info, "video_annotations": records}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A sparse JSON with its frames beside it."""
    write_video(tmp_path / VIDEO, LENGTH, VIDEO + "_frame_{:010}.png")
    path = tmp_path / f"{VIDEO}.json"
    path.write_text(json.dumps(sparse()))
    return path


def job(source: Path, gate: float = 0.0) -> DensifyJob:
    folder = source.parent / "out"
    return DensifyJob(
        source, folder / "dense.json", folder / "dense.maskwright", gate, "fake", LoadOptions()
    )


def densify(asked: DensifyJob, steps: int | None = None) -> tuple[Densified | None, list[int]]:
    """Carry out all, or so many steps; return what came, and the frames that were visited."""
    video = open_video(asked.source.parent / VIDEO)
    tracker = FakeTracker(video)
    with Densification(asked, video, lambda _name, _options: tracker) as work:
        for count, _ in enumerate(work.steps(), start=1):
            if count == steps:
                return None, tracker.visited
        return work.finish(), tracker.visited


def masks_in(path: Path) -> dict[Key, Entry]:
    project = Project.open(path)
    try:
        return dict(project.load().items())
    finally:
        project.close()


def document(*shown: tuple[int, int]) -> Document:
    objects = tuple(ObjectInfo(n, str(n), (0, 0, 0)) for n in {number for _, number in shown})
    mask = Mask.encode(square(20))
    return Document(objects, {Key(*each): Entry(mask, Origin.IMPORTED) for each in shown})


def test_runs_lie_between_neighbouring_annotated_frames_with_something_in_common() -> None:
    shown = document((0, 1), (4, 1), (4, 2), (5, 1), (9, 2))
    found = runs(shown, [9, 5, 4, 0])
    assert [(run.start, run.end, run.objects, run.one_sided) for run in found] == [
        (0, 4, (1,), (2,))
    ]


def test_an_annotated_frame_without_masks_divides_what_is_on_both_sides() -> None:
    assert runs(document((0, 1), (8, 1)), [0, 4, 8]) == []


def test_the_nearer_end_weighs_more() -> None:
    left, right = Prediction(square(10), 1.0), Prediction(square(30), 1.0)
    assert np.array_equal(merged(left, right, 0.2), square(10))
    assert np.array_equal(merged(left, right, 0.8), square(30))


def test_agreement_is_the_iou_and_nothing_agrees_with_nothing() -> None:
    assert agreement(square(10), square(15)) == pytest.approx(50 / 150)
    nothing = np.zeros_like(square(0))
    assert agreement(nothing, nothing) == 1.0


def test_a_dense_file_has_both_ends_of_each_run_and_all_between(source: Path) -> None:
    found, _ = densify(job(source))
    assert found is not None
    assert (found.accepted, found.proposed) == (12, 12)
    raw = json.loads(job(source).out.read_bytes())
    assert [defect for defect in validate(raw) if not defect.harmless] == []
    file = VisorFile.of(raw, "it")
    assert file.is_dense
    assert [record.number for record in file.records] == [1, 2, 3, 4, 5, 5, 6, 7, 8, 9]
    kinds = [[each.raw["type"] for each in record.annotations] for record in file.records]
    assert kinds == [[1, 1], [0, 0], [0, 0], [0, 0], [1, 1]] * 2
    assert {record.image["interpolation"] for record in file.records} == {
        f"{VIDEO}_00001",
        f"{VIDEO}_00002",
    }
    last = file.records[-1]
    assert last.image["interpolation_start_frame"] == f"{VIDEO}_frame_0000000005.png"
    assert last.image["subsequence"] == f"{VIDEO}_seq_00001"
    ids = [each.id for record in file.records for each in record.annotations]
    assert len(set(ids)) == len(ids) == 20


def test_the_ends_are_the_masks_that_were_drawn(source: Path) -> None:
    densify(job(source))
    first = VisorFile.read(job(source).out).records[0]
    for annotation in first.annotations:
        drawn = labels(0, 1, 2) == IDS[annotation.name]
        assert np.array_equal(sample(rasterise(annotation.polygons, DENSE_SIZE), SIZE), drawn)


def test_what_the_two_directions_make_of_differing_masks_is_gated_out(source: Path) -> None:
    # The fake copies the end it starts at: over a run the squares move by half their width.
    found, _ = densify(job(source, gate=0.85))
    assert found is not None
    assert (found.accepted, found.proposed) == (0, 12)
    assert json.loads(job(source).out.read_bytes())["video_annotations"] == []
    rows = list(csv.DictReader(io.StringIO(report([found]).decode())))
    assert len(rows) == 4
    assert rows[0]["object"] == "cup"
    assert rows[0]["gated_out"] == "3"
    assert float(rows[0]["mean_agreement"]) == pytest.approx(1 / 3, abs=1e-4)
    assert rows[0]["frames_gated_out"].split() == [f"{VIDEO}_frame_{n:010d}" for n in (2, 3, 4)]
    entry = masks_in(job(source).project)[Key(2, 1)]
    assert entry.conflict
    assert entry.mask is not None


@pytest.mark.parametrize("missed", [0, 4])
def test_both_directions_are_held_against_the_mask_at_the_end_that_they_run_into(
    missed: int,
) -> None:
    drawn = document((0, 1), (4, 1))
    [found] = runs(drawn, [0, 4])
    tracker = FakeTracker(FakeFrames())
    tracker.drift = {missed: 5}  # between the ends they agree wholly
    steps = list(dense_run(tracker, passes(drawn, found), 0.5, FRAME))
    assert tracker.visited == [0, 1, 2, 3, 4, 4, 3, 2, 1, 0]
    assert [step.frame for step in steps] == tracker.visited
    made = {key: entry for step in steps for key, entry in step.entries.items()}
    assert made == {
        Key(frame, 1): Entry(
            Mask.encode(square(20)), Origin.PROPAGATED, score=50 / 150, conflict=True
        )
        for frame in (1, 2, 3)
    }
    seen = [entry.conflict for step in steps[:-1] for entry in step.entries.values()]
    assert seen == [missed == 4] * 3  # what the way back misses is known when it is there


def test_where_both_directions_meet_the_ends_their_agreement_with_each_other_counts() -> None:
    drawn = document((0, 1), (4, 1))
    [found] = runs(drawn, [0, 4])
    tracker = FakeTracker(FakeFrames())
    steps = list(dense_run(tracker, passes(drawn, found), 0.5, FRAME))
    made = [each for step in steps for each in step.entries.items()]
    assert [(key.frame, entry.score, entry.conflict) for key, entry in made] == [
        (3, 1.0, False), (2, 1.0, False), (1, 1.0, False),
    ]  # fmt: skip


def test_what_is_on_one_end_only_is_reported_and_not_followed(source: Path) -> None:
    raw = sparse()
    del raw["video_annotations"][1]["annotations"][1]
    source.write_text(json.dumps(raw))
    found, _ = densify(job(source))
    assert found is not None
    rows = list(csv.DictReader(io.StringIO(report([found]).decode())))
    assert [row["why_not"] for row in rows if row["object"] == "plate"] == ["on one end only"] * 2
    names = {a.name for r in VisorFile.read(job(source).out).records for a in r.annotations}
    assert names == {"cup"}


@pytest.mark.parametrize("steps", [1, 4, 9, 11, 13, 20])
def test_stopped_and_resumed_it_ends_the_same(source: Path, steps: int) -> None:
    densify(job(source))
    whole = job(source).out.read_bytes()
    for path in job(source).out.parent.iterdir():
        path.unlink()
    _, before = densify(job(source), steps)
    found, after = densify(job(source))
    assert job(source).out.read_bytes() == whole
    assert found is not None
    done = steps > 10  # the first run has ten steps, and is kept whole or not at all
    assert len(after) == (10 if done else 20)
    assert len(before) == steps
    names = sorted(path.name for path in job(source).out.parent.iterdir())
    assert names == ["dense.json", "dense.maskwright"]


def test_what_is_done_is_not_done_again_but_written_where_it_is_gone(source: Path) -> None:
    first, _ = densify(job(source))
    whole = job(source).out.read_bytes()
    job(source).out.unlink()
    again, visited = densify(job(source))
    assert visited == []
    assert again == first
    assert job(source).out.read_bytes() == whole


def test_a_project_of_other_settings_is_never_replaced(source: Path) -> None:
    densify(job(source))
    before = masks_in(job(source).project)
    with pytest.raises(UsageError, match="other settings"):
        densify(job(source, gate=0.5))
    assert masks_in(job(source).project) == before


def test_the_frames_are_looked_for_beside_the_json_and_where_one_says(source: Path) -> None:
    assert video_of(source, None) == source.parent / VIDEO
    moved = source.parent / "elsewhere" / "frames"
    moved.parent.mkdir()
    (source.parent / VIDEO).rename(moved)
    with pytest.raises(UsageError, match="--frames"):
        video_of(source, None)
    assert video_of(source, moved) == moved


def test_the_command_makes_a_folder_of_videos_dense(
    source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = source.parent
    other = json.loads(source.read_text().replace(VIDEO, "P99_102"))
    (folder / "P99_102.json").write_text(json.dumps(other))
    out = folder / "out"
    command = ["densify", str(folder), str(out), "--model", "classic", "--gate", "0.5"]
    assert run(command) == 1
    said = capsys.readouterr()
    assert "P99_102.json: The frames of P99_102 are not in" in said.out
    assert "P99_102.json" in said.err
    write_video(folder / "P99_102", LENGTH, "P99_102_frame_{:010}.png")
    assert run(command) == 0
    assert "24 masks of 2 video(s) accepted" in capsys.readouterr().out
    assert {path.name for path in out.iterdir()} == {
        *(f"{name}_interpolations.json" for name in (VIDEO, "P99_102")),
        *(f"{name}.maskwright" for name in (VIDEO, "P99_102")),
        "report.csv",
    }
    assert run(["validate", str(out / f"{VIDEO}_interpolations.json")]) == 0


def test_the_command_looks_at_frames_as_finely_as_it_is_told(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[tuple[int | None, Quality]] = []

    def load(name: str, frames: Frames, options: LoadOptions) -> FakeTracker:
        loaded.append((options.size, options.quality))
        return FakeTracker(frames)

    monkeypatch.setattr(registry, "load_tracker", load)
    for words in ([], ["--quality", "quick"], ["--size", "300"]):
        out = source.parent / f"out{len(loaded)}"
        assert run(["densify", str(source), str(out), "--model", "lite", *words]) == 0
    assert loaded == [(None, Quality.FINEST), (None, Quality.QUICK), (300, Quality.FINEST)]


def test_a_project_that_was_made_by_looking_otherwise_is_another(source: Path) -> None:
    densify(job(source))
    finer = replace(job(source), options=LoadOptions(quality=Quality.FINEST))
    with pytest.raises(UsageError, match="other settings"):
        densify(finer)


@pytest.mark.parametrize(
    "words", [["--gate", "1.5"], ["--size", "-1"], ["--size", "300", "--quality", "fine"]]
)
def test_a_gate_or_size_that_cannot_be_is_wrong_use(source: Path, words: list[str]) -> None:
    try:
        status = run(["densify", str(source), str(source.parent / "out"), *words])
    except SystemExit as stop:
        status = int(stop.code or 0)
    assert status == 2


def test_a_plan_makes_videos_dense_and_scores_them(
    source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = source.parent
    truth = folder / "truth" / VIDEO
    for frame in range(LENGTH):
        write_palette_png(truth / f"{VIDEO}_frame_{frame + 1:010}.png", labels(frame, 1, 2))
    plan = folder / "plan.toml"
    plan.write_text(
        f'out = "results"\n[videos]\nframes = "{VIDEO}"\nanchors = "{{name}}.json"\n'
        '[[step]]\ndo = "densify"\nmodel = "classic"\ngate = 0.5\n'
        '[[step]]\ndo = "evaluate"\ntruth = "truth/{name}"\nprotocol = "visor"\n'
    )
    assert run(["batch", str(plan), "--workers", "1"]) == 0
    assert "1 of 1 videos are in" in capsys.readouterr().out
    made = folder / "results" / VIDEO
    assert VisorFile.read(made / f"{VIDEO}_interpolations.json").is_dense
    assert len(list((made / "masks").iterdir())) == LENGTH
    assert json.loads((made / "scores.json").read_text())["j"] > 0.9
    assert (made / "report.csv").read_text().startswith("video,start,end")


def test_in_a_plan_what_is_gated_out_has_no_mask(source: Path) -> None:
    plan = source.parent / "plan.toml"
    plan.write_text(
        f'out = "results"\n[videos]\nframes = "{VIDEO}"\nanchors = "{{name}}.json"\n'
        '[[step]]\ndo = "densify"\n'
    )
    task = read_plan(plan, LoadOptions()).tasks[0]
    carry_out(task, loaders())
    masks = [read_labels(path) for path in sorted((task.out / "masks").iterdir())]
    assert [bool(each.any()) for each in masks] == [n in ANNOTATED for n in range(LENGTH)]


def test_densify_in_a_plan_begins_it_and_begins_with_a_json(source: Path) -> None:
    folder = source.parent
    plan = folder / "plan.toml"
    head = f'out = "results"\n[videos]\nframes = "{VIDEO}"\nanchors = "masks"\n'
    steps = '[[step]]\ndo = "densify"\nmodel = "classic"\n'
    write_palette_png(folder / "masks" / f"{VIDEO}_frame_0000000001.png", labels(0, 1, 2))
    plan.write_text(head + steps)
    task = read_plan(plan, LoadOptions()).tasks[0]
    with pytest.raises(UsageError, match="sparse VISOR JSON"):
        carry_out(task, loaders())
    plan.write_text(head + '[[step]]\ndo = "propagate"\n' + steps)
    with pytest.raises(UsageError, match="first step"):
        read_plan(plan, LoadOptions())
