"""The project file made of an import, and the frames that stand for its video."""

import shutil
import sqlite3
from collections.abc import Generator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType

from app.core.runs import Run
from app.errors import ProjectError, VideoMissingError
from app.storage.files.lock import FileLock, LockedError
from app.storage.formats.importing import Imported
from app.storage.formats.visor.importing import ATTACHMENT
from app.storage.formats.visor.naming import FrameList
from app.storage.project.project import Project, is_there
from app.storage.video.opening import Video, open_video

_FRAMES = "frames"  # the attachment that stands for the frames' names until there is a video


def create_project(
    path: Path, imported: Imported, runs: Mapping[int, Run] = MappingProxyType({})
) -> None:
    """Make a project file of an import, with runs by their number, whole or not at all.

    Raises ProjectError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    frames = imported.frames
    with TemporaryDirectory(prefix=f".{path.stem}.", dir=path.parent) as scratch:
        project = Project.create(Path(scratch) / path.name, frames.source, len(frames), frames.size)
        try:
            project.save_objects(imported.document.objects, next_id=imported.document.next_id)
            project.append(dict(imported.document.items()))
            if imported.attachment is not None:
                project.set_attachment(ATTACHMENT, imported.attachment)
            if imported.document.attributes:
                project.save_attributes(imported.document.attributes)
            if isinstance(frames, FrameList):
                project.set_attachment(_FRAMES, frames.dumps())
            for number, run in runs.items():
                project.runs.add(run, number)
            project.copy_to(path)
        finally:
            project.close()


def copy_project(source: Path, target: Path) -> Path:
    """Copy a project file that nobody has open, which stays as it is; return where its video is.

    Raises ProjectError where it is open, or no project; OSError.
    """
    try:
        lock = FileLock(source)
    except LockedError as error:
        raise ProjectError(
            f"{source} is open in another Maskwright ({error}): close it there."
        ) from error
    try:
        shutil.copyfile(source, target)
        log = source.with_name(f"{source.name}-wal")  # left by a program that was killed
        if log.exists():
            shutil.copyfile(log, target.with_name(f"{target.name}-wal"))
    finally:
        lock.release()
    with closing(Project.open(target)) as copy:
        return copy.source_seen_from(source.parent)


def place_of_video(project: Path) -> Path:
    """Return where a project's video is, read without a change to the file.

    Where the file does not tell, it is the file itself.
    """
    address = f"{project.absolute().as_uri()}?mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(address, uri=True)) as database:
            row = database.execute("SELECT relative, absolute FROM video").fetchone()
    except sqlite3.Error:
        row = None
    if row is None:
        return project
    beside = project.parent / str(row[0])
    return beside if row[0] is not None and is_there(beside) else Path(str(row[1]))


@contextmanager
def project_frames(
    project: Project, video: Path | None = None
) -> Generator[Video | FrameList, None, None]:
    """Yield a project's video (or the one given in its place), or the names that stand for it.

    Raises VideoMissingError where there is neither, VideoOpenError, ProjectError where it is
    another video.
    """
    names = project.get_attachment(_FRAMES)
    source = video or project.source
    if video is None and names is not None and not is_there(source):
        listed = FrameList.loads(names)
        project.check_size(listed)
        yield listed
        return
    if video is None and not is_there(source):
        raise VideoMissingError(
            f"{project.path} is sound, but its video is not at {source}. Give it: --video PATH."
        )
    opened = open_video(source)
    try:
        project.check(opened)
        yield opened
    finally:
        opened.close()
