"""Project files: everything comes back, nothing is lost, one process at a time."""

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.document import Changes, Document, Entry, Key, ObjectInfo, Origin
from app.errors import ProjectError, UnusableProjectError, VideoOpenError
from app.storage.project import schema as project_schema
from app.storage.project.identity import identity_of
from app.storage.project.project import Project
from app.storage.video.opening import open_video
from models.api import Click
from tests.cli.frames import write_video
from tests.storage.clips import write_clip
from tests.storage.projects import SIZE, created, drawn, square
from tests.storage.test_video_folder import write_image


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.maskwright"


def reopened(path: Path) -> Document:
    project = Project.open(path)
    try:
        return project.load()
    finally:
        project.close()


def in_other_process(code: str, *arguments: object) -> "subprocess.Popen[str]":
    """Run Python code that has these test helpers at hand."""
    head = "import sys, time\nfrom tests.storage.projects import *\n"
    return subprocess.Popen(
        [sys.executable, "-c", head + textwrap.dedent(code), *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )


clicks = st.tuples(st.floats(-10, 5000), st.floats(-10, 5000), st.booleans())
entries = st.builds(
    Entry,
    mask=st.none() | st.integers(0, 99).map(square),
    origin=st.sampled_from(Origin),
    verified=st.booleans(),
    score=st.none() | st.floats(0, 1),
    clicks=st.lists(clicks, max_size=3).map(lambda all_: tuple(Click(*c) for c in all_)),
    occluded=st.booleans(),
    stale=st.booleans(),
    conflict=st.booleans(),
)
keys = st.builds(Key, frame=st.integers(0, 9), object=st.integers(1, 3))
edits = st.lists(st.dictionaries(keys, st.none() | entries, max_size=6), max_size=5)


@settings(max_examples=25)
@given(edits)
def test_whatever_is_written_comes_back(tmp_path: Path, edits: list[Changes]) -> None:
    path = tmp_path / "a.maskwright"
    project, document = created(path), Document()
    for changes in edits:
        document.replace(changes)
        project.append(changes)
    project.close()
    assert dict(reopened(path).items()) == dict(document.items())
    path.unlink()


def test_objects_come_back_in_their_order(path: Path) -> None:
    objects = (
        ObjectInfo(7, "knife ü", (1, 2, 3), class_id=5, visible=False, locked=True),
        ObjectInfo(2, "", (255, 0, 255)),
    )
    project = created(path)
    project.save_objects((ObjectInfo(1, "gone", (0, 0, 0)),))
    project.save_objects(objects)
    project.close()
    assert reopened(path).objects == objects


def test_attachments_come_back_and_are_replaced(path: Path) -> None:
    project = created(path)
    assert project.get_attachment("visor") is None
    project.set_attachment("visor", b"\0one")
    project.set_attachment("visor", b"\0two")
    project.close()
    project = Project.open(path)
    assert project.get_attachment("visor") == b"\0two"
    project.close()


def test_what_one_thread_opened_another_one_writes_and_closes(path: Path) -> None:
    project = created(path)
    entry = Entry(square(3), Origin.DRAWN)
    with ThreadPoolExecutor(1) as writer:
        writer.submit(project.append, {Key(0, 1): entry}).result()
        writer.submit(project.close).result()
    assert dict(reopened(path).items()) == {Key(0, 1): entry}


def test_a_mask_of_another_size_is_not_written(path: Path) -> None:
    project = created(path)
    with pytest.raises(ValueError, match="size"):
        project.append({Key(0, 1): drawn(1), Key(1, 1): Entry(square(1, (9, 200)), Origin.DRAWN)})
    assert len(project.load()) == 0
    project.close()


def test_a_closed_project_is_one_file(path: Path) -> None:
    project = created(path)
    project.append({Key(0, 1): drawn(1)})
    project.close()
    project.close()
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_an_existing_file_is_never_overwritten_by_a_new_project(path: Path) -> None:
    path.write_text("a person's work")
    with pytest.raises(ProjectError, match="exists already"):
        created(path)
    assert path.read_text() == "a person's work"


def test_a_killed_process_loses_nothing_that_was_written(path: Path) -> None:
    created(path, 10_000).close()
    writer = in_other_process(
        """
        project = Project.open(Path(sys.argv[1]))
        for batch in range(10_000):
            project.append({Key(batch, 1 + n): drawn(batch + n) for n in range(5)})
            print(batch, flush=True)
        """,
        path,
    )
    assert writer.stdout is not None
    for line in writer.stdout:
        if int(line) >= 40:
            os.kill(writer.pid, signal.SIGKILL)
            break
    told = [int(rest) for rest in writer.stdout.read().split()]
    writer.wait()
    writer.stdout.close()
    document = reopened(path)
    last = max([40, *told])
    frames = document.frames()
    assert frames[: last + 1] == list(range(last + 1))
    assert len(frames) <= last + 2  # a batch can be written and its process killed before it tells
    assert all(len(document.on_frame(frame)) == 5 for frame in frames)  # whole batches only
    assert document.get(Key(17, 3)) == drawn(19)


def test_a_second_process_is_told_who_holds_the_project(path: Path) -> None:
    project = created(path)
    code = """
        try:
            Project.open(Path(sys.argv[1]))
        except ProjectError as error:
            print(error)
        """
    said, _ = in_other_process(code, path).communicate()
    assert str(path) in said
    assert f"process {os.getpid()}" in said
    project.append({Key(0, 1): drawn(1)})  # the holder goes on undisturbed
    project.close()


def test_two_windows_of_one_process_do_not_share_a_project(path: Path) -> None:
    project = created(path)
    with pytest.raises(ProjectError, match="open in another"):
        Project.open(path)
    project.append({Key(0, 1): drawn(1)})
    project.close()
    assert len(reopened(path)) == 1


def test_a_killed_process_holds_no_lock(path: Path) -> None:
    code = "project = created(Path(sys.argv[1])); print('open', flush=True); time.sleep(60)"
    holder = in_other_process(code, path)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "open\n"
    with pytest.raises(ProjectError):
        Project.open(path)
    holder.kill()
    holder.wait()
    holder.stdout.close()
    assert path.with_name(path.name + ".lock").exists()  # left behind, and locks nothing
    assert len(reopened(path)) == 0


def _cut_off(content: bytes) -> bytes:
    return content[: len(content) // 2]


def _overwritten(content: bytes) -> bytes:
    half = len(content) // 2
    return content[:half] + bytes(4096) + content[half + 4096 :]


def _one_mask_changed(content: bytes) -> bytes:
    at = content.index(square(5).bits)
    return content[: at + 9] + b"\xaa\xbb\xcc" + content[at + 12 :]


@pytest.mark.parametrize(
    "damage",
    [_cut_off, _overwritten, _one_mask_changed, lambda _: b"", lambda _: b"not a project" * 99],
)
def test_a_damaged_file_is_refused_and_left_as_it_is(
    path: Path, damage: Callable[[bytes], bytes]
) -> None:
    project = created(path, 300)
    project.append({Key(n, 1): drawn(n) for n in range(300)})
    project.close()
    broken = damage(path.read_bytes())
    path.write_bytes(broken)
    with pytest.raises(ProjectError) as caught:
        reopened(path)
    assert str(path) in str(caught.value)
    assert "not changed" in str(caught.value)
    assert path.read_bytes() == broken
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_a_database_of_another_program_is_refused(path: Path) -> None:
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE recipe (cake TEXT)")
    other.close()
    with pytest.raises(ProjectError, match="another program"):
        Project.open(path)


def test_a_file_of_a_newer_version_is_refused_and_left_as_it_is(path: Path) -> None:
    created(path).close()
    with sqlite3.connect(path) as database:
        database.execute(f"PRAGMA user_version = {project_schema.VERSION + 1}")
    database.close()
    before = path.read_bytes()
    with pytest.raises(ProjectError, match=r"newer.*update"):
        Project.open(path)
    assert path.read_bytes() == before


def _of_first_version(path: Path) -> None:
    database = sqlite3.connect(path)
    database.executescript(project_schema.STEPS[0])
    database.execute(f"PRAGMA application_id = {project_schema.APPLICATION_ID}")
    database.execute("PRAGMA user_version = 1")
    database.execute("INSERT INTO video VALUES (NULL, '/videos/clip.mp4', 60, 48, 160)")
    row = project_schema.row_of(Key(3, 1), drawn(3))
    database.execute(project_schema.REPLACE_ENTRY, row)
    database.commit()
    database.close()


def test_a_file_of_the_first_version_is_brought_up_to_date(path: Path) -> None:
    _of_first_version(path)
    project = Project.open(path)
    project.set_attachment("visor", b"kept")
    project.close()
    assert dict(reopened(path).items()) == {Key(3, 1): drawn(3)}
    with sqlite3.connect(path) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (project_schema.VERSION,)
    database.close()


def test_an_older_file_is_as_it_was_until_something_is_changed(path: Path, tmp_path: Path) -> None:
    _of_first_version(path)
    before = path.read_bytes()
    project = Project.open(path)
    assert dict(project.load().items()) == {Key(3, 1): drawn(3)}
    assert project.runs.infos() == {}
    assert project.get_attachment("visor") is None
    project.copy_to(tmp_path / "copy.maskwright")
    project.close()
    assert path.read_bytes() == before
    assert dict(reopened(tmp_path / "copy.maskwright").items()) == {Key(3, 1): drawn(3)}
    project = Project.open(path)
    project.append({Key(4, 1): drawn(4)})
    project.close()
    assert path.read_bytes() != before
    assert dict(reopened(path).items()) == {Key(3, 1): drawn(3), Key(4, 1): drawn(4)}


def test_a_file_that_is_only_read_is_as_it_was(path: Path, tmp_path: Path) -> None:
    project = created(path)
    project.append({Key(3, 1): drawn(3)})
    project.copy_to(tmp_path / "copy.maskwright")
    project.close()
    for each in (path, tmp_path / "copy.maskwright"):
        before = each.read_bytes()
        assert dict(reopened(each).items()) == {Key(3, 1): drawn(3)}
        assert each.read_bytes() == before


def test_the_video_of_an_older_file_is_known_from_the_first_change_on(
    path: Path, tmp_path: Path
) -> None:
    own, other = (write_video(tmp_path / name, length) for name, length in (("a", 6), ("b", 6)))
    cv2.imwrite(str(sorted(other.iterdir())[0]), np.zeros((60, 80, 3), np.uint8))
    _of_first_version(path)
    with sqlite3.connect(path) as database:
        database.execute("DELETE FROM entry")
        database.execute("UPDATE video SET frame_count = 6, height = 60, width = 80")
    database.close()
    before = path.read_bytes()
    project = Project.open(path)
    with closing(open_video(own)) as video:
        project.check(video)
    project.close()
    assert path.read_bytes() == before
    project = Project.open(path)
    with closing(open_video(own)) as video, closing(open_video(other)) as wrong:
        project.check(video)
        with pytest.raises(ProjectError):
            project.check(wrong)
        project.set_attachment("visor", b"kept")
    project.close()
    project = Project.open(path)
    with closing(open_video(other)) as wrong, pytest.raises(ProjectError):
        project.check(wrong)
    project.close()


def test_a_migration_that_fails_changes_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _of_first_version(path)
    steps = (*project_schema.STEPS[:1], "CREATE TABLE half (a); CREATE TABLE half (a);")
    monkeypatch.setattr(project_schema, "STEPS", steps)
    with pytest.raises(ProjectError):
        Project.open(path)
    monkeypatch.undo()
    project = Project.open(path)
    tables = project._database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    assert ("half",) not in tables.fetchall()
    project.close()


def test_a_full_disk_loses_only_the_change_that_did_not_fit(path: Path) -> None:
    # The limit on a file's size stands in for the end of the disk.
    created(path).close()
    code = """
        import resource, signal
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        project = Project.open(Path(sys.argv[1]))
        project.append({Key(0, 1): drawn(0)})
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
        rng = np.random.default_rng(0)
        full = Mask.encode(rng.random(SIZE) > 0.5)
        try:
            project.append({Key(n, 1): Entry(full, Origin.DRAWN) for n in range(1000)})
        except ProjectError as error:
            print(error)
        project.append({Key(1, 1): drawn(1)})
        print("still alive with", len(project.load()))
        """
    said, _ = in_other_process(code, path).communicate()
    assert "free some disk space" in said
    assert "still alive with 2" in said
    assert dict(reopened(path).items()) == {Key(0, 1): drawn(0), Key(1, 1): drawn(1)}


def test_a_folder_that_cannot_be_written_to_is_named(path: Path) -> None:
    created(path).close()
    before = path.read_bytes()
    for folder in path.parents[:4]:  # a folder more where tests run in parallel
        folder.chmod(0o755)
    path.parent.chmod(0o555)
    code = """
        import os
        if os.geteuid() == 0:  # who may write anywhere
            os.setgid(65534), os.setuid(65534)
        path = Path(sys.argv[1])
        for act in (lambda: Project.open(path), lambda: created(path.with_name("b.maskwright"))):
            try:
                act()
            except ProjectError as error:
                print(error)
        """
    said, _ = in_other_process(code, path).communicate()
    path.parent.chmod(0o755)
    assert said.count("may write to") == 2
    assert path.read_bytes() == before


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


def test_a_copy_holds_everything_and_finds_the_video(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "clip.mp4", 5)
    project = Project.create(tmp_path / "a.maskwright", source, 5, SIZE)
    project.append({Key(1, 1): drawn(1)})
    (tmp_path / "b").mkdir()
    copy = tmp_path / "b" / "copy.maskwright"
    copy.write_text("what was there")
    project.copy_to(copy)
    project.append({Key(2, 1): drawn(2)})
    project.close()
    assert dict(reopened(copy).items()) == {Key(1, 1): drawn(1)}
    assert [each.name for each in copy.parent.iterdir()] == [copy.name]
    again = Project.open(copy)
    assert again.source == source
    again.close()


def test_a_copy_never_replaces_a_project_that_is_open(path: Path, tmp_path: Path) -> None:
    project, other = created(path), created(tmp_path / "other.maskwright")
    project.append({Key(1, 1): drawn(1)})
    for target in (other.path, project.path):
        with pytest.raises(ProjectError, match=target.name):
            project.copy_to(target)
    other.append({Key(2, 1): drawn(2)})
    project.close()
    other.close()
    assert dict(reopened(path).items()) == {Key(1, 1): drawn(1)}
    assert dict(reopened(other.path).items()) == {Key(2, 1): drawn(2)}


def test_fifty_thousand_masks_load_quickly(path: Path) -> None:
    project = created(path, 10_000)
    masks = [drawn(n) for n in range(100)]
    begun = time.process_time()
    project.append({Key(n // 5, 1 + n % 5): masks[n % 100] for n in range(50_000)})
    written = time.process_time()
    assert len(project.load()) == 50_000
    # As long as it takes to write, measured; what grew with the square would take a thousandfold.
    assert time.process_time() - written < 20 * (written - begun)
    project.close()


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
