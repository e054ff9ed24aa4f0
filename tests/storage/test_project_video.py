"""The video of a project: found again wherever it is, and never taken for another."""

from pathlib import Path

import pytest

from app.errors import FrameReadError, ProjectError, UnusableProjectError, VideoOpenError
from app.storage.project import project as project_module
from app.storage.project.identity import identity_of
from app.storage.project.project import Project
from app.storage.video.opening import Video, open_video
from tests.storage.clips import write_clip
from tests.storage.projects import SIZE, created
from tests.storage.test_video_folder import write_image


def test_a_project_moved_with_its_video_finds_it(tmp_path: Path) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    before.mkdir()
    source = write_clip(before / "clip.mp4", 5)
    Project.create(before / "a.maskwright", source, 5, SIZE).close()
    before.rename(after)
    project = Project.open(after / "a.maskwright")
    assert project.source == after / "clip.mp4"
    project.close()


def test_a_project_moved_alone_finds_its_video(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "clip.mp4", 5)
    Project.create(tmp_path / "a.maskwright", source, 5, SIZE).close()
    (tmp_path / "elsewhere").mkdir()
    moved = (tmp_path / "a.maskwright").rename(tmp_path / "elsewhere" / "a.maskwright")
    project = Project.open(moved)
    assert project.source == source
    project.close()


def test_a_video_found_again_must_be_the_one_that_the_masks_were_made_on(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "a.maskwright", tmp_path / "lost.mp4", 5, SIZE)
    for wrong in (
        write_clip(tmp_path / "longer.mp4", 6),
        write_clip(tmp_path / "larger.mp4", 5, size=(64, 160)),
    ):
        with pytest.raises(ProjectError, match=wrong.name):
            project.relocate(wrong)
    with pytest.raises(VideoOpenError):
        project.relocate(tmp_path / "none.mp4")
    assert project.source == tmp_path / "lost.mp4"
    project.relocate(write_clip(tmp_path / "found.mp4", 5))
    project.close()
    project = Project.open(tmp_path / "a.maskwright")
    assert project.source == tmp_path / "found.mp4"
    project.check(open_video(project.source))
    project.close()


def test_a_video_that_was_only_looked_at_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = Project.create(tmp_path / "a.maskwright", tmp_path / "lost.mp4", 5, SIZE)
    looked_at = list[Video]()

    def opened(source: Path) -> Video:
        looked_at.append(open_video(source))
        return looked_at[-1]

    monkeypatch.setattr(project_module, "open_video", opened)
    with pytest.raises(ProjectError):
        project.relocate(write_clip(tmp_path / "longer.mp4", 6))
    project.relocate(write_clip(tmp_path / "found.mp4", 5))
    project.close()
    assert [each.source.name for each in looked_at] == ["longer.mp4", "found.mp4"]
    for video in looked_at:
        with pytest.raises(FrameReadError, match="closed"):
            video[0]


@pytest.mark.parametrize("change", ["renamed", "another picture", "another file"])
def test_another_video_of_the_same_length_is_refused(tmp_path: Path, change: str) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        for number in range(3):
            write_image(tmp_path / name / f"{number}.png", number, SIZE)
    video = open_video(tmp_path / "one")
    project = created(tmp_path / "p.maskwright", 3)
    project.check(video)
    project.check(open_video(tmp_path / "two"))  # a copy
    other = tmp_path / "two"
    if change == "renamed":
        (other / "2.png").rename(other / "3.png")
    elif change == "another picture":
        write_image(other / "0.png", 1023, SIZE)
    else:
        other = write_clip(tmp_path / "two.mp4", 3, times=[0, 40, 80])
        write_image(tmp_path / "one" / "0.png", 1023, SIZE)
        project.set_attachment("identity", identity_of(open_video(tmp_path / "one")))
    with pytest.raises(UnusableProjectError, match="is not the project's video"):
        project.check(open_video(other))
    project.close()


def test_a_video_that_was_encoded_anew_is_the_project_s(tmp_path: Path) -> None:
    first = write_clip(tmp_path / "a.mp4", 4, size=SIZE)
    again = write_clip(tmp_path / "b.mkv", 4, size=SIZE, options={"crf": "28"})
    project = created(tmp_path / "p.maskwright", 4)
    project.check(open_video(first))
    project.check(open_video(again))
    project.close()
