"""The signature of a video's work: it changes with whatever the results depend on."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from app.batch.videos.carry_out import done_before, signature
from app.batch.videos.plan import Evaluate, Export, Propagate, Refine, VideoTask, Vote
from models.api import LoadOptions

Change = Callable[[VideoTask], VideoTask]


@pytest.fixture
def task(tmp_path: Path) -> VideoTask:
    """A task with a step of each kind and two files in each of its folders."""
    for folder in ("frames", "anchors", "masklets/cup", "truth/cup"):
        (tmp_path / folder).mkdir(parents=True)
        for name in ("0.png", "1.png"):
            (tmp_path / folder / name).write_bytes(b"png")
    return VideoTask(
        "cup",
        tmp_path / "frames",
        tmp_path / "anchors",
        tmp_path / "out",
        (
            Propagate("lite"),
            Refine("hq-sam-tiny"),
            Vote(str(tmp_path / "masklets" / "{name}")),
            Evaluate(str(tmp_path / "truth" / "{name}")),
        ),
        LoadOptions(),
    )


def options(**changes: object) -> Change:
    return lambda task: replace(task, options=replace(task.options, **changes))  # type: ignore[arg-type]


def step(place: int, **changes: object) -> Change:
    def change(task: VideoTask) -> VideoTask:
        steps = list(task.steps)
        steps[place] = replace(steps[place], **changes)  # type: ignore[arg-type]
        return replace(task, steps=tuple(steps))

    return change


@pytest.mark.parametrize(
    "change",
    [
        options(size=360),
        options(weights=Path("mine.pt")),
        step(0, model="classic"),
        step(0, size=240),
        step(0, direction="backward"),
        step(1, model="hq-sam-base"),
        step(1, iou_gate=0.3),
        step(2, window=7),
        step(2, overlap=0.7),
        step(3, protocol="visor"),
        lambda task: replace(task, steps=task.steps[:3]),
        lambda task: replace(task, steps=(*task.steps, Export("coco"))),
        lambda task: replace(task, steps=(task.steps[1], task.steps[0], *task.steps[2:])),
    ],
)
def test_other_work_has_another_signature(task: VideoTask, change: Change) -> None:
    assert signature(change(task)) != signature(task)


@pytest.mark.parametrize(
    "change", [options(device="cpu"), options(threads=3), lambda task: replace(task, name="pan")]
)
def test_where_it_is_done_and_what_it_is_called_are_no_other_work(
    task: VideoTask, change: Change
) -> None:
    steps = tuple(each for each in task.steps if not isinstance(each, Vote | Evaluate))
    plain = replace(task, steps=steps)
    assert signature(change(plain)) == signature(plain)


@pytest.mark.parametrize("folder", ["frames", "masklets/cup", "truth/cup"])
def test_large_files_are_told_apart_by_name_size_and_time(
    task: VideoTask, tmp_path: Path, folder: str
) -> None:
    seen, file = {signature(task)}, tmp_path / folder / "1.png"
    os.utime(file, ns=(1, 1))
    seen.add(signature(task))
    file.write_bytes(b"other")
    os.utime(file, ns=(1, 1))
    seen.add(signature(task))
    file.rename(file.with_name("2.png"))
    seen.add(signature(task))
    (tmp_path / folder / "0.png").unlink()
    seen.add(signature(task))
    assert len(seen) == 5


def test_anchors_are_told_apart_by_what_they_hold(task: VideoTask, tmp_path: Path) -> None:
    before, file = signature(task), tmp_path / "anchors" / "1.png"
    os.utime(file, ns=(1, 1))
    assert signature(task) == before
    file.write_bytes(b"jpg")
    other = signature(task)
    file.rename(file.with_name("2.png"))
    assert len({before, other, signature(task)}) == 3


def test_an_input_that_is_gone_is_no_work_that_was_done(task: VideoTask, tmp_path: Path) -> None:
    assert done_before(task) is None
    (tmp_path / "anchors" / "0.png").unlink()
    (tmp_path / "anchors" / "1.png").unlink()
    (tmp_path / "anchors").rmdir()
    with pytest.raises(OSError, match="anchors"):
        signature(task)
    assert done_before(task) is None
