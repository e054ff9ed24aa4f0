"""`maskwright import`: make a project from masks in an exchange format."""

import argparse
import sys

from app.errors import UsageError
from app.storage.files.apart import check_apart
from app.storage.files.writing import check_file
from app.storage.formats.importing import MaskSource
from app.storage.project.exchange import create_project


def run(arguments: argparse.Namespace) -> int:
    """Make the project; nothing is left behind where that fails."""
    source, path = arguments.source, arguments.project
    if not source.exists():
        raise UsageError(f"{source} does not exist. Check the path.")
    if path.exists():
        raise UsageError(f"{path} exists already, and may hold work. Choose another name.")
    check_file(path)
    check_apart(path, (source, arguments.video, arguments.corrections))
    given = MaskSource(source)
    if arguments.corrections:
        count = given.correct(arguments.corrections)
        sys.stdout.write(f"{count} contacts were corrected.\n")
    video = given.open_video(arguments.video, arguments.name)
    try:
        imported = given.document(video, arguments.name, arguments.first_number)
        create_project(path, imported)
    finally:
        if video is not None:
            video.close()
    sys.stdout.writelines(f"{note}\n" for note in imported.notes)
    objects = len(imported.document.objects)
    masks = sum(entry.mask is not None for _, entry in imported.document.items())
    sys.stdout.write(f"{path}: {masks} masks of {objects} objects.\n")
    if video is None:
        sys.stdout.write(
            f"The frames were not found. To see them, put them at {imported.frames.source}, or "
            "import with --video FRAMES.\n"
        )
    return 0
