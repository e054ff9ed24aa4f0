"""Project files: everything comes back, nothing is lost, one process at a time."""

import os
import signal
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.document import Changes, Document, Entry, Key, ObjectInfo, Origin
from app.errors import ProjectError
from app.storage.project.project import Project
from models.api import Click
from tests.storage.clips import write_clip
from tests.storage.projects import SIZE, created, drawn, in_other_process, reopened, square


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.maskwright"


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


def test_no_id_is_given_twice_where_a_project_is_read_again(path: Path) -> None:
    project = created(path)
    try:
        assert project.load().next_id == 1
        project.save_objects((), next_id=8)
        assert project.load().next_id == 8
    finally:
        project.close()


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
    opening, making = said.splitlines()
    assert "copy it to a folder that you may write to, and open the copy" in opening
    assert "choose a folder that you may write to." in making
    assert path.read_bytes() == before


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


def test_a_disk_that_is_full_is_said_to_be_and_keeps_what_was_written(tmp_path: Path) -> None:
    project = created(tmp_path / "a.maskwright", 300)
    project.append({Key(0, 1): drawn(0)})
    pages = project._database.execute("PRAGMA page_count").fetchone()[0]
    project._database.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(ProjectError, match=r"a\.maskwright: .*free some disk space"):
        project.append({Key(n, 1): drawn(n) for n in range(1, 300)})
    assert dict(project.load().items()) == {Key(0, 1): drawn(0)}
    project._database.execute("PRAGMA max_page_count = 100000")
    project.append({Key(1, 1): drawn(1)})
    project.close()
    assert reopened(tmp_path / "a.maskwright").frames() == [0, 1]


def test_a_file_that_another_program_holds_is_said_to_be_in_use(tmp_path: Path) -> None:
    path = tmp_path / "a.maskwright"
    created(path).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(ProjectError, match="another program is using the file"):
            Project.open(path)
    project = Project.open(path)
    project.append({Key(0, 1): drawn(0)})
    project._database.execute("PRAGMA query_only = 1")
    with pytest.raises(ProjectError, match="copy the project elsewhere"):
        project.append({Key(1, 1): drawn(1)})
    project.close()
