"""`maskwright export`: a project's masks in an exchange format, or as a video to look at."""

import argparse
import sys

from app.errors import UsageError
from app.storage.files.apart import check_apart
from app.storage.files.writing import check_file, check_folder
from app.storage.formats.exporting import Format, export_document
from app.storage.formats.visor.exporting import Resolution
from app.storage.formats.visor.importing import ATTACHMENT
from app.storage.formats.visor.release.tables import names_in, read_mapping
from app.storage.project.exchange import project_frames
from app.storage.project.project import Project


def run(arguments: argparse.Namespace) -> int:
    """Write the export and say what was done."""
    if not arguments.project.is_file():
        raise UsageError(f"There is no project file {arguments.project}. Check the path.")
    (check_folder if arguments.format == "davis" else check_file)(arguments.out)
    check_apart(arguments.out, (arguments.project, arguments.video, arguments.mapping))
    mapping = names_in(read_mapping(arguments.mapping)) if arguments.mapping else None
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
                mapping=mapping,
            )
    finally:
        project.close()
    sys.stdout.writelines(f"{note}\n" for note in notes)
    sys.stdout.write(f"{arguments.out} is written.\n")
    return 0
