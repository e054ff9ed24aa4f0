"""`maskwright convert`: between exchange formats, without a project."""

import argparse
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from app.errors import FormatError, UsageError
from app.storage.files.apart import check_apart
from app.storage.files.writing import atomic_write, check_file, check_folder
from app.storage.formats.coco import coco_json
from app.storage.formats.davis import size_notes, write_davis
from app.storage.formats.importing import Source, json_files, read_videos, write_visor
from app.storage.formats.labelled import LabelledVideo
from app.storage.formats.palette import visor_palette
from app.storage.formats.submission import submission_json
from app.storage.formats.visor.geometry import Fill, fill
from app.storage.formats.visor.records import VisorFile
from app.storage.formats.visor.release import opencv455
from app.storage.formats.visor.release.benchmark import UNSEEN, Split, benchmark_videos, image_adder
from app.storage.formats.visor.release.tables import (
    chosen,
    names_in,
    read_frame_mapping,
    read_mapping,
    renamed,
)
from app.storage.formats.visor.validation.submission import check_submission

_FILLS: dict[str, Fill] = {"current": fill, "opencv-4.5.5": opencv455.fill}


def run(arguments: argparse.Namespace) -> int:
    """Convert; what was at the target is replaced on success only."""
    if not arguments.source.exists():
        raise UsageError(f"{arguments.source} does not exist. Check the path.")
    if arguments.origin == arguments.form:
        raise UsageError("Both formats are the same: nothing to convert. Change --from or --to.")
    is_folder = arguments.form == "davis" or (
        arguments.form == "visor" and arguments.target.suffix.lower() != ".json"
    )
    (check_folder if is_folder else check_file)(arguments.target)
    check_apart(
        arguments.target,
        (
            arguments.source,
            arguments.images,
            arguments.mapping,
            arguments.list,
            arguments.frame_mapping,
        ),
    )
    if arguments.origin == "visor" and arguments.form in {"davis", "submission"}:
        told = _benchmark(arguments)
    else:
        told = _plain(arguments)
    sys.stdout.write(f"{arguments.target}: {told}.\n")
    return 0


def _benchmark(arguments: argparse.Namespace) -> str:
    """Convert VISOR's files by the rules of its benchmark."""
    split = Split(arguments.split)
    files = json_files(arguments.source)
    fill = _FILLS[arguments.raster]
    videos = [
        video
        for path in files
        for video in benchmark_videos(VisorFile.read(path), split, fill=fill)
    ]
    kept = chosen((video for video in videos if split.keeps(video)), arguments.list)
    if not kept:
        raise FormatError(
            f"None of the {len(videos)} subsequences of {arguments.source} has masks on as many "
            f"frames as the benchmark's {split.value} split needs. Nothing was written."
        )
    if arguments.form == "submission":
        _submit(kept, arguments)
    else:
        notes = write_davis(
            arguments.target,
            kept,
            split.value,
            dropped=[video for video in videos if not split.keeps(video)],
            lists={"val_unseen": lambda v: v.video in UNSEEN} if split is Split.VAL else None,
            palette=visor_palette(),
            add_images=_images(arguments, split),
        )
        _tell(notes)
    return f"{len(kept)} of {len(videos)} subsequences, {sum(len(v.frames) for v in kept)} frames"


def _plain(arguments: argparse.Namespace) -> str:
    """Convert all masks as they are."""
    if arguments.origin == "davis":
        _tell(size_notes(arguments.source))
    notes: list[str] = []
    videos = list(read_videos(arguments.source, Source(arguments.origin), notes))
    _tell(notes)
    if not any(video.frames for video in videos):
        raise FormatError(f"{arguments.source} holds no frames. Give another source.")
    videos = chosen(videos, arguments.list)
    if arguments.mapping and arguments.origin == "davis":
        videos = renamed(videos, read_mapping(arguments.mapping))
    target = arguments.target
    if arguments.form == "davis":
        _tell(write_davis(target, videos, arguments.split))
    elif arguments.form == "coco":
        atomic_write(target, coco_json(videos))
    elif arguments.form == "submission":
        _submit(videos, arguments)
    else:
        write_visor(target, videos)
    return f"{len(videos)} video(s), {sum(len(video.frames) for video in videos)} frames"


def _submit(videos: Iterable[LabelledVideo], arguments: argparse.Namespace) -> None:
    """Write a submission, once it is found to be of the mapping's objects, where one is given."""
    content = submission_json(videos)
    if arguments.mapping:
        _tell(check_submission(content, names_in(read_mapping(arguments.mapping))))
    atomic_write(arguments.target, content)


def _images(
    arguments: argparse.Namespace, split: Split
) -> Callable[[LabelledVideo, Path], None] | None:
    if not arguments.images:
        return None
    table = arguments.frame_mapping
    return image_adder(arguments.images, split, read_frame_mapping(table) if table else None)


def _tell(notes: Iterable[str]) -> None:
    sys.stderr.writelines(f"{note}\n" for note in notes)
