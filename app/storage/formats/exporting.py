"""The export of a document into any exchange format, for command line and window alike."""

import enum
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from app.core.densify import runs
from app.core.document import Document
from app.errors import UsageError
from app.storage.files.apart import check_apart
from app.storage.files.writing import atomic_write
from app.storage.formats.coco import coco_json
from app.storage.formats.davis import write_davis
from app.storage.formats.labelled import labelled, painted
from app.storage.formats.submission import submission_json
from app.storage.formats.visor.exporting import (
    Resolution,
    build_export,
    frame_orders,
)
from app.storage.formats.visor.importing import Original
from app.storage.formats.visor.naming import FrameList, video_name
from app.storage.formats.visor.read_back import check_read_back
from app.storage.formats.visor.records import VisorFile
from app.storage.formats.visor.release.benchmark import Split, benchmark_videos
from app.storage.formats.visor.release.dense import annotated_frames, dense_file
from app.storage.formats.visor.validation.submission import check_submission
from app.storage.video.opening import Video


class Format(enum.Enum):
    """What a document can be exported as."""

    VISOR = "visor"
    VISOR_DENSE = "visor-dense"
    DAVIS = "davis"
    COCO = "coco"
    SUBMISSION = "submission"
    VIDEO = "video"


def export_document(
    document: Document,
    frames: Video | FrameList,
    form: Format,
    path: Path,
    *,
    attachment: bytes | None = None,
    resolution: Resolution = Resolution.AUTO,
    inputs: Iterable[Path | None] = (),
    mapping: Mapping[str, Collection[str]] | None = None,
) -> tuple[str, ...]:
    """Write a document to `path`, and return what a person should know of it.

    `frames` is the video; for all formats but VIDEO a list of names does. `attachment` is the
    project's, from `import_visor`. What was at `path` is replaced on success only, when what is to
    take its place has been read back and is right. Raises StorageError, UsageError, the latter also
    where `path` would destroy the frames or one of the `inputs`, such as the project. A submission
    is compared with the `mapping` of subsequences to names first, and not written where it errs.
    """
    check_apart(path, (frames.source, *inputs))
    is_visor = form in {Format.VISOR, Format.SUBMISSION}
    orders = {} if is_visor else frame_orders(document, frames, attachment)
    if form is Format.VIDEO:
        return _write_overlay(document, frames, path, orders)
    name = video_name(frames)
    if form is Format.VISOR_DENSE:
        return write_dense(document, frames, path, attachment)
    if form is Format.DAVIS:
        return write_davis(path, [labelled(document, frames, name, orders)], Split.VAL.value)
    if form is Format.COCO:
        atomic_write(path, coco_json([labelled(document, frames, name, orders)]))
        return ()
    export = build_export(document, frames, attachment, resolution=resolution)
    if form is Format.VISOR:
        content, notes, names = export.file.dumps(), export.notes, export.names
        del export  # a file may be large
        check_read_back(content, document, names, frames)
        atomic_write(path, content)
        return notes
    return _write_submission(export.file, path, mapping)


def _write_submission(
    file: VisorFile, path: Path, mapping: Mapping[str, Collection[str]] | None
) -> tuple[str, ...]:
    """Write the subsequences of a file as the benchmark takes them. Raises UsageError."""
    videos = [v for v in benchmark_videos(file, Split.VAL) if Split.VAL.keeps(v)]
    if not videos:
        raise UsageError(
            "There is nothing to submit: a subsequence needs objects on its first frame and at "
            "least two frames with masks."
        )
    content = submission_json(videos)
    if mapping is not None:
        # Of one video, most of the mapping is missing, and need not be told.
        check_submission(content, {v.name: mapping.get(v.name, ()) for v in videos})
    atomic_write(path, content)
    return (f"{sum(len(video.frames) for video in videos)} frames of {len(videos)} subsequences.",)


def write_dense(
    document: Document, frames: Video | FrameList, path: Path, attachment: bytes | None
) -> tuple[str, ...]:
    """Write the masks between the annotated frames of an imported VISOR file, run by run.

    Masks in doubt are left out. Returns what a person should know. Raises UsageError where there
    is no such file, or nothing between its frames.
    """
    sparse = Original.loads(attachment).file if attachment else None
    if sparse is None or sparse.is_dense:
        raise UsageError(
            "A dense VISOR JSON has runs between annotated frames: make the project from a sparse "
            "VISOR JSON first."
        )
    found = runs(document, annotated_frames(sparse, frames))
    dense = dense_file(document, frames, found, sparse, attachment)
    if not dense.records:
        raise UsageError(
            "Nothing lies between the annotated frames, or all of it is in doubt: densify first, "
            "or accept runs."
        )
    atomic_write(path, dense.dumps())
    names = {record.image["interpolation"] for record in dense.records}
    masks = sum(each.raw.get("type") == 0 for r in dense.records for each in r.annotations)
    return (f"{len(names)} runs, {masks} masks between annotated frames.",)


def _write_overlay(
    document: Document, frames: Video | FrameList, path: Path, orders: Mapping[int, Sequence[int]]
) -> tuple[str, ...]:
    """Write the overlay video: every object in its colour."""
    if isinstance(frames, FrameList):
        raise UsageError(f"The video {frames.source} is not there. Give it: --video PATH.")
    from app.storage.formats.overlay_video import write_overlay_video  # noqa: PLC0415 - loads FFmpeg

    colors = {info.id: info.color for info in document.objects}
    unreadable = write_overlay_video(
        path,
        frames,
        lambda index: painted(
            document.on_frame(index), dict.fromkeys((*orders.get(index, ()), *colors))
        ),
        colors,
        frames.fps,
        pixel_aspect=frames.pixel_aspect,
    )
    return tuple(f"{error} A crossed-out picture stands for it." for error in unreadable)
