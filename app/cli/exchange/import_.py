"""`maskwright import`: make a project from masks in an exchange format."""

import argparse
import sys
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("source", type=Path, help="VISOR or COCO JSON, or a DAVIS folder")
    parser.add_argument("project", type=Path, help="the project file to make (*.maskwright)")
    parser.add_argument(
        "--video", "--images", type=Path, metavar="FRAMES",
        help="the video: a file or a folder of images; else images beside the masks are used",
    )  # fmt: skip
    parser.add_argument(
        "--first-number", type=int, choices=(0, 1), metavar="0|1",
        help="the number of the first frame, where masks of a video file are numbered",
    )  # fmt: skip
    parser.add_argument("--name", help="which video, where the source holds several")


def run(arguments: argparse.Namespace) -> int:
    """Make the project; nothing is left behind where that fails."""
    from app.errors import UsageError  # noqa: PLC0415 - keeps --help quick
    from app.storage.formats.importing import MaskSource  # noqa: PLC0415
    from app.storage.project.exchange import create_project  # noqa: PLC0415

    source, path = arguments.source, arguments.project
    if not source.exists():
        raise UsageError(f"{source} does not exist. Check the path.")
    if path.exists():
        raise UsageError(f"{path} exists already, and may hold work. Choose another name.")
    given = MaskSource(source)
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
