"""`maskwright export`: a project's masks in an exchange format, or as a video to look at."""

import argparse
import sys
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("project", type=Path, help="the project file (*.maskwright)")
    parser.add_argument(
        "--format", required=True, choices=("visor", "davis", "coco", "submission", "video")
    )
    parser.add_argument("--out", type=Path, required=True, metavar="PATH", help="file, or folder")
    parser.add_argument("--video", type=Path, metavar="FRAMES", help="where the video is now")
    parser.add_argument(
        "--resolution", default="auto", choices=("auto", "1080p", "480p", "frames"),
        help="of VISOR coordinates: auto = as imported, else 1080p where the frames are 16:9",
    )  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    """Write the export and say what was done."""
    from app.errors import UsageError  # noqa: PLC0415 - keeps --help quick
    from app.storage.files.apart import check_apart  # noqa: PLC0415
    from app.storage.files.writing import check_file, check_folder  # noqa: PLC0415
    from app.storage.formats.exporting import Format, export_document  # noqa: PLC0415
    from app.storage.formats.visor.exporting import Resolution  # noqa: PLC0415
    from app.storage.formats.visor.importing import ATTACHMENT  # noqa: PLC0415
    from app.storage.project.exchange import project_frames  # noqa: PLC0415
    from app.storage.project.project import Project  # noqa: PLC0415

    if not arguments.project.is_file():
        raise UsageError(f"There is no project file {arguments.project}. Check the path.")
    check_apart(arguments.out, (arguments.project, arguments.video))
    (check_folder if arguments.format == "davis" else check_file)(arguments.out)
    project = Project.open(arguments.project)
    try:
        with project_frames(project, arguments.video) as frames:
            notes = export_document(
                project.load(),
                frames,
                Format(arguments.format),
                arguments.out,
                attachment=project.get_attachment(ATTACHMENT),
                resolution=Resolution(arguments.resolution),
                inputs=(arguments.project,),
            )
    finally:
        project.close()
    sys.stdout.writelines(f"{note}\n" for note in notes)
    sys.stdout.write(f"{arguments.out} is written.\n")
    return 0
