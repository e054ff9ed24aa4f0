"""Batches over projects, and each step of a plan: what goes in, what comes out."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from app.batch.videos.carry_out import carry_out, done_before
from app.batch.videos.plan import VideoTask, read_plan
from app.core.document import Document, Entry, Key, ObjectInfo, Origin
from app.core.mask import Mask
from app.errors import MaskwrightError, UsageError
from app.storage.formats.palette import encode_palette_png, read_labels
from app.storage.project.exchange import place_of_video
from app.storage.project.project import Project
from app.storage.video.opening import open_video
from models.api import LoadOptions
from tests.batch.test_videos import loaders
from tests.cli.frames import SIZE, labels, write_video

FRAMES = 8
HEAD = 'out = "results"\n[videos]\nprojects = "projects/*.maskwright"\n'
Planned = Callable[[str], VideoTask]


def drawn(frame: int, number: int) -> Entry:
    return Entry(Mask.encode(labels(frame, number) == number), Origin.DRAWN)


@pytest.fixture
def project_file(tmp_path: Path) -> Path:
    """A project with two objects: anchors of both on frame 0, and of the first on frame 5, too."""
    (tmp_path / "clips").mkdir()
    source = write_video(tmp_path / "clips" / "cup", FRAMES)
    path = tmp_path / "projects" / "cup.maskwright"
    project = Project.create(path, source, FRAMES, SIZE)
    objects = (ObjectInfo(1, "cup", (255, 0, 0)), ObjectInfo(2, "plate", (0, 255, 0)))
    project.save_objects(objects, next_id=3)
    project.append({Key(0, 1): drawn(0, 1), Key(0, 2): drawn(0, 2), Key(5, 1): drawn(3, 1)})
    project.close()
    return path


@pytest.fixture
def planned(project_file: Path) -> Planned:
    """Return a function from the steps of a plan to the one task."""

    def plan(steps: str) -> VideoTask:
        file = project_file.parents[1] / "plan.toml"
        file.write_text(HEAD + steps)
        (task,) = read_plan(file, LoadOptions()).tasks
        return task

    return plan


def step(name: str, **values: object) -> str:
    rows = [f"{key} = {json.dumps(value)}" for key, value in values.items()]
    return "\n".join(["[[step]]", f'do = "{name}"', *rows, ""])


def loaded(path: Path) -> Document:
    project = Project.open(path)
    document = project.load()
    project.close()
    return document


def test_a_project_is_filled_in_a_copy_and_what_a_person_made_stays(
    planned: Planned, project_file: Path
) -> None:
    before = project_file.read_bytes()
    task = planned(step("propagate", model="classic"))
    assert carry_out(task, loaders()).frames == FRAMES
    assert project_file.read_bytes() == before
    assert [each.name for each in project_file.parent.iterdir()] == [project_file.name]
    made = loaded(task.out / "project.maskwright")
    assert [info.name for info in made.objects] == ["cup", "plate"]
    assert made.get(Key(5, 1)) == drawn(3, 1)
    filled = made.get(Key(4, 2))
    assert filled is not None
    assert filled.origin is Origin.PROPAGATED
    # The copy finds its video where the results are, and wherever all of it is moved to.
    assert place_of_video(task.out / "project.maskwright").resolve() == (
        project_file.parents[1] / "clips" / "cup"
    )
    shown = read_labels(sorted((task.out / "masks").iterdir())[5], SIZE)
    assert np.array_equal(shown == 1, labels(3, 1) == 1)


def test_results_that_are_moved_with_their_videos_still_open(planned: Planned) -> None:
    task = planned(step("propagate", model="classic"))
    carry_out(task, loaders())
    top = task.out.parents[1]
    moved = top.rename(top.with_name("moved"))
    project = Project.open(moved / "results" / "cup" / "project.maskwright")
    assert project.source == moved / "clips" / "cup"
    project.close()
    moved.rename(top)


def test_refining_a_project_leaves_its_anchors_as_they_are(planned: Planned) -> None:
    task = planned(step("propagate", model="classic") + step("refine", model="classic"))
    carry_out(task, loaders())
    made = loaded(task.out / "project.maskwright")
    assert made.get(Key(0, 1)) == drawn(0, 1)
    assert made.get(Key(5, 1)) == drawn(3, 1)
    origins = {entry.origin for key, entry in made.items() if key not in {(0, 1), (0, 2), (5, 1)}}
    assert Origin.REFINED in origins
    first = read_labels(sorted((task.out / "masks").iterdir())[0], SIZE)
    assert np.array_equal(first == 1, labels(0, 1) == 1)


def test_masks_that_a_tracker_confirms_are_elected(planned: Planned) -> None:
    top = planned(step("export", format="davis")).out.parents[1]
    video = open_video(top / "clips" / "cup")
    masklets = top / "masklets" / "cup"
    masklets.mkdir(parents=True)
    for frame in range(FRAMES):
        content = encode_palette_png(labels(0, 1, 2))
        (masklets / f"{video.stem(frame)}.png").write_bytes(content)
    video.close()
    vote = step("vote", masklets="masklets/{name}")
    task = planned(step("propagate", model="classic") + vote)
    carry_out(task, loaders())
    made = loaded(task.out / "project.maskwright")
    entry = made.get(Key(3, 2))
    assert entry is not None
    assert entry.mask is not None
    assert np.array_equal(entry.mask.decode(), labels(0, 2) == 2)
    assert made.get(Key(5, 1)) == drawn(3, 1)
    # Other masklets are another question.
    assert done_before(task) is not None
    next(masklets.iterdir()).write_bytes(encode_palette_png(labels(1, 1)))
    assert done_before(task) is None


@pytest.mark.parametrize(
    ("form", "name"),
    [
        ("visor", "visor.json"),
        ("davis", "davis"),
        ("coco", "coco.json"),
        ("video", "overlay.mp4"),
    ],
)
def test_projects_are_exported_without_a_model(planned: Planned, form: str, name: str) -> None:
    task = planned(step("export", format=form))
    asked: list[str] = []
    carry_out(task, loaders(asked))
    assert (task.out / name).exists()
    assert asked == []
    assert loaded(task.out / "project.maskwright").get(Key(0, 1)) == drawn(0, 1)


def test_projects_are_scored(planned: Planned) -> None:
    top = planned(step("export", format="davis")).out.parents[1]
    truth = top / "truth" / "cup"
    truth.mkdir(parents=True)
    video = open_video(top / "clips" / "cup")
    (truth / f"{video.stem(0)}.png").write_bytes(encode_palette_png(labels(0, 1, 2)))
    (truth / f"{video.stem(5)}.png").write_bytes(encode_palette_png(labels(3, 1)))
    video.close()
    outcome = carry_out(
        planned(step("evaluate", truth="truth/{name}", protocol="visor")), loaders()
    )
    assert outcome.jf == 1.0


def test_a_project_that_changes_is_done_again_and_one_that_does_not_is_not(
    planned: Planned, project_file: Path
) -> None:
    task = planned(step("propagate", model="classic"))
    carry_out(task, loaders())
    assert carry_out(task, loaders()).was_done
    project = Project.open(project_file)
    project.append({Key(7, 2): drawn(1, 2)})
    project.close()
    assert not carry_out(task, loaders()).was_done


def test_a_project_that_is_open_elsewhere_is_left_alone(
    planned: Planned, project_file: Path
) -> None:
    task = planned(step("propagate", model="classic"))
    project = Project.open(project_file)
    with pytest.raises(MaskwrightError, match="is open in another"):
        carry_out(task, loaders())
    project.close()
    assert not task.out.exists()
    assert not list(task.out.parent.glob(".*"))


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (HEAD + 'anchors = "x"\n', "of their own"),
        (HEAD.replace("projects/*", "/projects/*"), "absolute"),
        ("price = true\n" + HEAD, "price is a number"),
    ],
)
def test_a_plan_over_projects_that_cannot_be_meant_is_refused(
    project_file: Path, head: str, words: str
) -> None:
    file = project_file.parents[1] / "plan.toml"
    file.write_text(head + step("propagate"))
    with pytest.raises(UsageError, match=words):
        read_plan(file, LoadOptions())


def test_densify_is_not_for_projects(planned: Planned) -> None:
    with pytest.raises(UsageError, match="VISOR JSON"):
        planned(step("densify"))


def test_results_have_no_name_that_the_batch_needs_itself(
    planned: Planned, project_file: Path
) -> None:
    project_file.rename(project_file.with_name("failed.maskwright"))
    with pytest.raises(UsageError, match="Rename"):
        planned(step("propagate"))
