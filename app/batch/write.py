"""The writing of filled frames into a project."""

from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from pathlib import Path

from app.core.document import Changes, ids_for
from app.core.plan import permitted
from app.storage.formats.labelled import named_objects
from app.storage.project.project import Project
from app.storage.video.opening import Video


@contextmanager
def project_for(path: Path | None, video: Video) -> Generator[Project | None, None, None]:
    """Hold the project of `video` at `path` until the work is done; one that is made for it goes
    where the work fails.

    Raises ProjectError at once: the work would be in vain.
    """
    if path is None:
        yield None
        return
    fresh = not path.exists()
    project = (
        Project.create(path, video.source, len(video), video.size) if fresh else Project.open(path)
    )
    try:
        project.join(video)
        yield project
    except BaseException:
        project.close()
        if fresh:
            path.unlink(missing_ok=True)
        raise
    project.close()


def add_to_project(
    project: Project,
    numbers: Iterable[int],
    changes: Changes,
    names: Mapping[int, str] | None = None,
) -> None:
    """Put the masks of the objects `numbers` in a project; what a person made in it stays.

    New objects get the name in `names`, where they have one. Raises ProjectError where it cannot
    be written.
    """
    document = project.load()
    known = {info.id for info in document.objects}
    named = names or {}
    own = ids_for(document, numbers)
    new = {
        own[number]: named.get(number, f"object {own[number]}")
        for number in own
        if own[number] not in known
    }
    document.replace_objects((*document.objects, *named_objects(new)))
    placed = {key._replace(object=own[key.object]): entry for key, entry in changes.items()}
    with project.together():
        if new:
            project.save_objects(document.objects, next_id=document.next_id)
        project.append(permitted(document, placed))
