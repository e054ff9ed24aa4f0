"""The opening of a path: a video with its project."""

import os
import sqlite3
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from app import paths
from app.core.document import Document, ids_for, renumbered
from app.errors import ProjectError, UsageError, VideoMissingError
from app.storage.formats.importing import Imported, MaskSource
from app.storage.formats.visor.importing import ATTACHMENT, Original
from app.storage.project.project import SUFFIX, Project, is_there
from app.storage.project.seen import load_seen
from app.storage.video.opening import Video, open_video
from models.api import Seen


@dataclass(frozen=True)
class Opened:
    """A video, its project, and the document in it; `notes` are for the person.

    `seen` is what models saw of its frames.
    """

    video: Video
    project: Project
    path: Path
    document: Document
    attachment: bytes | None
    notes: tuple[str, ...] = ()
    seen: Seen = field(default_factory=dict)


def open_source(source: Path, folder: str = "") -> Opened:
    """Open a video, a folder of images, a project file or a VISOR JSON.

    A video's project is the one that was worked on last in `folder`, beside the video or in the
    per-user folder. Where there is none, one is made: in `folder` where one is chosen, else beside
    the video, or in the per-user folder where it cannot be written there. Raises MaskwrightError
    and leaves nothing open; VideoMissingError where only the video of a project is not found.
    """
    if not source.exists():
        raise UsageError(f"{source} does not exist. Check the path.")
    if source.suffix == SUFFIX:
        return open_project(source)
    if source.suffix.lower() == ".json":
        return _open_masks(source, folder)
    return _with_project(open_video(_named(source)), folder)


def open_project(path: Path, video_source: Path | None = None) -> Opened:
    """Open a project file, with its video or with the one given in its place."""
    project = Project.open(path)
    try:
        return _joined(_video_of(project, video_source), project, path)
    except BaseException:
        project.close()
        raise


def _video_of(project: Project, source: Path | None) -> Video:
    place = source or project.source
    if not is_there(place):
        raise VideoMissingError(
            f"{project.path.name} is sound, but its video is not at {place}. Say where it is now."
        )
    return open_video(place)


def reopened_as(source: Path, folder: str = "") -> Path:
    """Return the project file that opening `source` would open."""
    return source if source.suffix == SUFFIX else project_path(_named(source), folder)


def _named(source: Path) -> Path:
    """Return the whole path as a person gave it: a link's name is the one that they know."""
    return Path(os.path.abspath(source))  # noqa: PTH100 - resolves no links


def project_path(source: Path, folder: str = "") -> Path:
    """Return where the project of a video lies: see `open_source`."""
    return next(iter(_existing(source, folder)), _new_path(source, folder))


def _existing(source: Path, folder: str) -> list[Path]:
    """Return the projects of a video that there are, the one worked on last before the others."""
    places = [*_places(source, folder), *_places(source.resolve(), folder)]
    times = {path: _changed(path) for path in dict.fromkeys(places)}
    return sorted((path for path in times if times[path]), key=times.__getitem__, reverse=True)


def _changed(project: Path) -> int:
    """Return when a project was last written to; 0 where there is none, or none can be reached."""
    log = project.with_name(f"{project.name}-wal")  # holds what a killed process wrote last
    times = [0]
    with suppress(OSError):
        times.append(project.stat().st_mtime_ns)
        times.append(log.stat().st_mtime_ns)
    return max(times)


def _new_path(source: Path, folder: str) -> Path:
    *chosen, beside, personal = _places(source, folder)
    if chosen:
        return chosen[0]
    return beside if os.access(source.parent, os.W_OK) else personal


def _places(source: Path, folder: str) -> list[Path]:
    """Return where a project may lie: in the chosen folder, beside its video, in the person's."""
    beside = source.with_name(source.name + SUFFIX)
    # The folder's name keeps two videos of one name apart, and a person can still read it.
    name = "_".join(part.strip("/\\:") for part in source.parent.parts if part.strip("/\\:"))
    chosen = [_whole(folder) / name / beside.name] if folder.strip() else []
    return [*chosen, beside, paths.projects_folder() / name / beside.name]


def _whole(folder: str) -> Path:
    """Return a folder that a person named; from their home on, wherever the program was started."""
    return Path.home() / os.path.expanduser(folder.strip())  # noqa: PTH111 - fails on ~unknown


def _with_project(video: Video, folder: str) -> Opened:
    try:
        found = _existing(video.source, folder)
        project = Project.open(found[0]) if found else _made(video, folder)
    except BaseException:
        video.close()
        raise
    try:
        opened = _joined(video, project, project.path)
    except BaseException:
        project.close()
        raise
    return replace(opened, notes=(*opened.notes, *map(_note_of_another, found[1:])))


def _made(video: Video, folder: str) -> Project:
    path = _new_path(video.source, folder)
    try:
        return Project.create(path, video.source, len(video), video.size)
    except ProjectError as error:
        *_, beside, personal = _places(video.source, folder)
        # The folder may be one to write to and its disk full, or the place taken by something else.
        if path == beside and isinstance(error.__cause__, OSError | sqlite3.Error):
            with suppress(ProjectError):
                return Project.create(personal, video.source, len(video), video.size)
        if not folder.strip():
            raise
        raise ProjectError(
            f"{error} It would lie in the folder for projects, {_whole(folder)}: name another in "
            "the settings, or none to keep projects beside their videos."
        ) from error


def _note_of_another(path: Path) -> str:
    return (
        f"This video has another project, {path}, which was changed less recently. "
        "Open that file to go on there."
    )


def _joined(video: Video, project: Project, path: Path) -> Opened:
    """Return a video and its project together; closes the video where they do not fit."""
    try:
        project.check(video)
        document, attachment = project.load(), project.get_attachment(ATTACHMENT)
        seen = load_seen(project)
        if project.source.resolve() != video.source.resolve():
            project.relocate(video.source)
    except BaseException:
        video.close()
        raise
    notes = (video.damaged,) if video.damaged else ()
    return Opened(video, project, path, _with_owners(document), attachment, notes, seen)


def _with_owners(document: Document) -> Document:
    """Return a document without what a deletion of an object has left behind of it.

    Programs before this one wrote a deletion in two steps, and could be ended between them.
    """
    there = {info.id for info in document.objects}
    stray = [key for key, _ in document.items() if key.object not in there]
    document.replace(dict.fromkeys(stray))
    return document


def _open_masks(source: Path, folder: str) -> Opened:
    """Open the frames of a VISOR or COCO JSON, with its masks where the project has none."""
    masks = MaskSource(source)
    video = masks.open_video()
    if video is None:
        raise UsageError(
            f"The frames of {source.name} do not lie with it. Put their folder, named as the "
            f"video, beside it, or make a project first: maskwright import {source.name} PROJECT."
        )
    try:
        imported = masks.document(video)
    except BaseException:
        video.close()
        raise
    opened = _with_project(video, folder)
    if len(opened.document) or opened.document.objects:
        note = f"The project has masks already, so those of {source.name} were not imported."
        return replace(opened, notes=(*opened.notes, note))
    try:
        imported = _under_new_ids(imported, opened.document)
        with opened.project.together():
            opened.project.save_objects(imported.document.objects)
            opened.project.append(dict(imported.document.items()))
            if imported.attachment is not None:
                opened.project.set_attachment(ATTACHMENT, imported.attachment)
    except BaseException:
        opened.project.close()
        opened.video.close()
        raise
    return replace(
        opened,
        document=imported.document,
        attachment=imported.attachment,
        notes=(*opened.notes, *imported.notes),
    )


def _under_new_ids(imported: Imported, emptied: Document) -> Imported:
    """Return what was imported, its objects with no id that one deleted from a project had."""
    ids = ids_for(emptied, (info.id for info in imported.document.objects))
    attachment = imported.attachment
    if attachment is not None and any(own != number for number, own in ids.items()):
        attachment = Original.loads(attachment).renumbered(ids).dumps()
    return replace(imported, document=renumbered(imported.document, ids), attachment=attachment)
