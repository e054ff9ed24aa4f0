"""Batches of videos: the plan, one video, and workers that may die."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from app.batch.videos.carry_out import Loaders, Outcome, carry_out, done_before
from app.batch.videos.journal.page import page
from app.batch.videos.journal.standing import Standing
from app.batch.videos.plan import Propagate, VideoTask, read_plan
from app.batch.videos.workers.local import TRIES, LocalWorkers
from app.cli.main import run
from app.core.document import Key, Origin
from app.errors import MaskwrightError, UsageError
from app.storage.formats.palette import encode_palette_png, read_labels
from app.storage.project.project import Project
from models.api import Frames, LoadOptions
from tests.cli.frames import labels, write_video
from tests.fakes import FakeSegmenter, FakeTracker
from tests.waiting import PATIENCE

FRAMES = 8
PLAN = """
out = "results"

[videos]
frames = "clips/*"
anchors = "anchors/{name}"

[[step]]
do = "propagate"
model = "classic"

[[step]]
do = "evaluate"
truth = "anchors/{name}"
protocol = "visor"

[[step]]
do = "export"
format = "davis"
"""


def loaders(asked: list[str] | None = None) -> Loaders:
    def tracker(name: str, frames: Frames, _options: LoadOptions) -> FakeTracker:
        if asked is not None:
            asked.append(name)
        return FakeTracker(frames)

    return Loaders(tracker, lambda _name, frames, _options: FakeSegmenter(frames))


@pytest.fixture
def plan_file(tmp_path: Path) -> Path:
    """A plan over two clips with an anchor each, all frames of which have a ground truth."""
    for name in ("bowl", "cup"):
        (tmp_path / "clips").mkdir(exist_ok=True)
        write_video(tmp_path / "clips" / name)
        masks = tmp_path / "anchors" / name
        masks.mkdir(parents=True)
        stems = sorted(each.stem for each in (tmp_path / "clips" / name).iterdir())
        for index, stem in enumerate(stems[:3]):
            (masks / f"{stem}.png").write_bytes(encode_palette_png(labels(index, 1, 2)))
    (tmp_path / "plan.toml").write_text(PLAN)
    return tmp_path / "plan.toml"


def first_task(plan_file: Path) -> VideoTask:
    return read_plan(plan_file, LoadOptions()).tasks[0]


def test_a_plan_names_its_videos_and_makes_paths_absolute(plan_file: Path) -> None:
    plan = read_plan(plan_file, LoadOptions())
    assert [task.name for task in plan.tasks] == ["bowl", "cup"]
    task = plan.tasks[1]
    assert task.frames == plan_file.parent / "clips" / "cup"
    assert task.anchors == plan_file.parent / "anchors" / "cup"
    assert task.out == plan_file.parent / "results" / "cup"
    assert task.steps[0] == Propagate("classic")


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ('out = "results"', "", "'out'"),
        ('out = "results"', "out = 3", "'out'"),
        ('out = "results"', 'out = "results"\nspeed = 3', "speed"),
        ("clips/*", "nothing/*", "No video matches"),
        ("[videos]", "[video]", "video"),
        ('do = "evaluate"', 'do = "densify"', "densify"),
        ('do = "propagate"', 'do = "refine"', "first step"),
        ('model = "classic"', "model = 3", "wrong kind"),
        ('model = "classic"', "size = true", "wrong kind"),
        ('model = "classic"', 'direction = "up"', "backward"),
        ('format = "davis"', 'format = "png"', "davis"),
        ('format = "davis"', "", "needs 'format'"),
        ("[[step]]", "[[step]", "no TOML"),
    ],
)
def test_a_plan_that_cannot_be_meant_is_refused(
    plan_file: Path, before: str, after: str, words: str
) -> None:
    plan_file.write_text(PLAN.replace(before, after, 1))
    with pytest.raises(UsageError, match=words):
        read_plan(plan_file, LoadOptions())


def test_videos_of_one_name_are_refused(plan_file: Path) -> None:
    (plan_file.parent / "more").mkdir()
    write_video(plan_file.parent / "more" / "cup")
    plan_file.write_text(PLAN.replace("clips/*", "*/cup"))
    with pytest.raises(UsageError, match="both called cup"):
        read_plan(plan_file, LoadOptions())


def test_a_video_is_carried_out_whole(plan_file: Path) -> None:
    task = first_task(plan_file)
    outcome = carry_out(task, loaders())
    assert (outcome.name, outcome.frames, outcome.error) == ("bowl", FRAMES, "")
    masks = sorted((task.out / "masks").iterdir())
    assert len(masks) == FRAMES
    assert np.array_equal(read_labels(masks[0]), labels(0, 1, 2))
    assert (task.out / "davis").is_dir()
    scores = json.loads((task.out / "scores.json").read_text())
    assert outcome.jf == pytest.approx(scores["jf"], abs=1e-6)
    project = Project.open(task.out / "project.maskwright")
    document = project.load()
    project.close()
    assert {key.frame for key, _ in document.items()} == set(range(FRAMES))
    filled = document.get(Key(5, 1))
    assert filled is not None
    assert filled.origin is Origin.PROPAGATED


def test_what_is_done_is_not_done_again_until_an_input_changes(plan_file: Path) -> None:
    asked: list[str] = []
    task = first_task(plan_file)
    assert not carry_out(task, loaders(asked)).was_done
    again = carry_out(task, loaders(asked))
    assert again.was_done
    assert again.frames == FRAMES
    assert len(asked) == 1
    anchor = next(iter(sorted(task.anchors.iterdir())))
    anchor.write_bytes(encode_palette_png(labels(1, 1, 2)))
    assert done_before(task) is None
    assert not carry_out(task, loaders(asked)).was_done
    plan_file.write_text(PLAN.replace('model = "classic"', 'model = "classic"\nsize = 64'))
    assert done_before(first_task(plan_file)) is None


def test_what_fails_leaves_nothing_half_done_and_what_was_there(plan_file: Path) -> None:
    task = first_task(plan_file)
    carry_out(task, loaders())
    before = sorted(each.name for each in task.out.iterdir())
    (task.anchors / "99999.png").write_bytes(encode_palette_png(labels(0, 1)))
    with pytest.raises(MaskwrightError, match="belongs to no frame"):
        carry_out(task, loaders())
    assert sorted(each.name for each in task.out.iterdir()) == before
    assert [each.name for each in task.out.parent.iterdir()] == ["bowl"]


def dies_of_bowl(task: VideoTask) -> Outcome:
    """Stand in for a worker that the system kills."""
    if task.name == "bowl":
        os._exit(9)
    return Outcome(task.name, 1)


def tasks(names: Iterable[str]) -> list[VideoTask]:
    return [VideoTask(n, Path(n), Path(n), Path(n), (), LoadOptions()) for n in names]


def test_a_video_that_ends_its_process_is_named_and_the_others_are_done() -> None:
    workers = LocalWorkers(dies_of_bowl, 2)
    names = ["cup", "bowl", "pan", "lid", "jar"]
    outcomes = {each.name: each for each in workers.outcomes(tasks(names))}
    assert sorted(outcomes) == sorted(names)
    assert [name for name, each in outcomes.items() if each.error] == ["bowl"]
    assert TRIES == 2


def test_videos_wait_on_disk_and_not_in_memory() -> None:
    taken: list[str] = []

    def many() -> Iterable[VideoTask]:
        for task in tasks(map(str, range(1000))):
            taken.append(task.name)
            yield task

    outcomes = LocalWorkers(dies_of_bowl, 1).outcomes(many())
    for _ in range(3):
        next(outcomes)
    assert len(taken) <= 4
    outcomes.close()


def standing(total: int, *outcomes: Outcome) -> Standing:
    """Return how far a batch is after ten seconds."""
    found = Standing(total)
    for outcome in outcomes:
        found.add(outcome, 10.0)
    return found


def test_the_page_says_what_failed_in_words_and_never_as_html() -> None:
    done = Outcome("cup", 30, 2.0, 0.9)
    text = page(standing(4, done, Outcome("<b>", error="1 < 2")))
    assert "2 of 4 videos" in text
    assert "3.0 frames a second" in text
    assert "1 failed" in text
    assert "&lt;b&gt;" in text
    assert "1 &lt; 2" in text
    assert 'http-equiv="refresh"' in text
    assert "refresh" not in page(standing(1, done))


def test_the_command_does_all_says_what_failed_and_goes_on(
    plan_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = plan_file.parent / "anchors" / "cup" / "99999.png"
    bad.write_bytes(encode_palette_png(labels(0, 1)))
    assert run(["batch", str(plan_file), "--workers", "1"]) == 1
    said = capsys.readouterr()
    assert "cup: " in said.out
    assert "belongs to no frame" in said.out
    results = plan_file.parent / "results"
    assert "1 of 2 videos are in" in said.out
    assert "failed" in said.err
    assert "belongs to no frame" in (results / "failed" / "cup.txt").read_text()
    assert (results / "bowl" / "done.json").is_file()
    assert not (results / "cup").exists()
    bad.unlink()
    assert run(["batch", str(plan_file), "--workers", "1"]) == 0
    assert "2 of 2 videos are in" in capsys.readouterr().out
    assert "2 of 2 videos" in (results / "index.html").read_text()
    assert not (results / "failed" / "cup.txt").exists()


def test_a_batch_whose_driver_is_killed_comes_to_the_same_end(plan_file: Path) -> None:
    results = plan_file.parent / "results"
    assert run(["batch", str(plan_file), "--workers", "1"]) == 0
    wanted = {name: held_in(results / name) for name in ("bowl", "cup")}
    results.rename(plan_file.parent / "before")
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-m", "app", "batch", str(plan_file), "--workers", "1"]
    driver = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    end = time.monotonic() + 6 * PATIENCE
    while not list(results.glob(".*.unfinished")) and driver.poll() is None:
        assert time.monotonic() < end
        time.sleep(0.005)
    driver.kill()
    driver.wait()
    assert run(["batch", str(plan_file), "--workers", "1"]) == 0
    assert {name: held_in(results / name) for name in ("bowl", "cup")} == wanted
    assert not list(results.glob(".*"))


def held_in(results: Path) -> object:
    """Return what a video's results hold: the bytes of its masks, and its project's entries."""
    project = Project.open(results / "project.maskwright")
    document = project.load()
    project.close()
    masks = {each.name: each.read_bytes() for each in sorted((results / "masks").iterdir())}
    return masks, document.objects, sorted(document.items())


def test_a_plan_that_is_not_there_is_wrong_use(tmp_path: Path) -> None:
    assert run(["batch", str(tmp_path / "none.toml")]) == 2


def test_ray_that_is_not_installed_is_named(
    plan_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    assert run(["batch", str(plan_file), "--ray", "auto"]) == 2
    assert "maskwright[ray]" in capsys.readouterr().err


def test_a_ray_cluster_gives_what_one_machine_gives(plan_file: Path) -> None:
    pytest.importorskip("ray")
    assert run(["batch", str(plan_file), "--workers", "1"]) == 0
    results = plan_file.parent / "results"
    alone = {each.name: each.read_bytes() for each in sorted((results / "cup" / "masks").iterdir())}
    results.rename(plan_file.parent / "before")
    assert run(["batch", str(plan_file), "--ray", "auto"]) == 0
    shared = {
        each.name: each.read_bytes() for each in sorted((results / "cup" / "masks").iterdir())
    }
    assert shared == alone
