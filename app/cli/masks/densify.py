"""`maskwright densify`: sparse VISOR masks made dense, video by video."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from app.batch.videos.densify import Densification, Densified, DensifyJob, report, video_of
from app.cli.progress import Progress
from app.core.densify import QUALITY
from app.errors import MaskwrightError, UsageError
from app.storage.files.apart import check_apart
from app.storage.files.writing import atomic_write, check_file, check_folder
from app.storage.formats.importing import json_files
from app.storage.project.project import SUFFIX
from app.storage.video.frames import FrameCache
from app.storage.video.opening import open_video
from models import registry
from models.api import LoadOptions, ModelError, Quality

_READ_AHEAD_BYTES = 128 << 20


class _Stopped(MaskwrightError):
    """A person has stopped the work: the other videos are not begun."""


def run(arguments: argparse.Namespace) -> int:
    """Make each video dense, say what was gated out, and go on where one cannot be done."""
    if not 0 <= arguments.gate <= 1:
        raise UsageError("--gate is an IoU: give a number from 0 to 1.")
    jobs = list(_jobs(arguments))
    page = _report_path(arguments)
    done: list[Densified] = []
    failed: list[str] = []
    for job in jobs:
        try:
            found = _densify(job, arguments.frames)
        except (MaskwrightError, ModelError, OSError) as error:
            if len(jobs) == 1 or arguments.debug or isinstance(error, _Stopped):
                raise
            failed.append(job.source.name)
            sys.stdout.write(f"{job.source.name}: {error}\n")
            continue
        done.append(found)
        atomic_write(page, report(done))
        sys.stdout.write(f"{found}.\n")
    _conclude(done, page)
    if failed:
        raise MaskwrightError(
            f"{len(failed)} of {len(jobs)} videos could not be done: {', '.join(failed[:5])}. The "
            "reasons are above; the same command again tries them once more."
        )
    return 0


def _jobs(arguments: argparse.Namespace) -> Iterator[DensifyJob]:
    """Yield the work on each JSON. Raises UsageError before any of it is begun."""
    source, target = arguments.source, arguments.target
    if not source.exists():
        raise UsageError(f"{source} does not exist. Give a VISOR JSON or a folder of them.")
    one_file = target.suffix.lower() == ".json"
    if one_file and source.is_dir():
        raise UsageError(f"{source} is a folder: give a folder for the results, too.")
    (check_file if one_file else check_folder)(target)
    files = json_files(source)
    if source.is_dir() and source.resolve() == target.resolve():
        raise UsageError(f"{target} is {source}, which is read. Choose another place.")
    for output in (target, target.with_suffix(SUFFIX)) if one_file else (target,):
        check_apart(output, (*files, arguments.frames, arguments.weights))
    if arguments.size is not None and arguments.quality is not None:
        raise UsageError("--size and --quality both say how large a frame is. Give one of them.")
    options = LoadOptions(
        device=arguments.device,
        threads=arguments.threads,
        weights=arguments.weights,
        size=arguments.size,
        quality=Quality(arguments.quality or QUALITY),
    )
    model = arguments.model or registry.default_tracker(options)
    for path in files:
        out = target if one_file else target / f"{path.stem}_interpolations.json"
        project = target.with_suffix(SUFFIX) if one_file else target / f"{path.stem}{SUFFIX}"
        yield DensifyJob(path, out, project, arguments.gate, model, options)


def _densify(job: DensifyJob, frames_at: Path | None) -> Densified:
    with (
        closing(open_video(_video_apart(job, frames_at))) as video,
        closing(FrameCache(video, _READ_AHEAD_BYTES)) as frames,
        Densification(
            job, video, lambda name, options: registry.load_tracker(name, frames, options)
        ) as work,
    ):
        try:
            with Progress(f"Densifying {job.source.stem} with {job.model}", work.left) as progress:
                for _ in work.steps():
                    progress.step()
        except KeyboardInterrupt as stop:
            raise _Stopped(work.stopped()) from stop
        return work.finish()


def _video_apart(job: DensifyJob, frames_at: Path | None) -> Path:
    """Return where the video of a job is. Raises UsageError where what is written lies in it."""
    source = video_of(job.source, frames_at)
    for output in (job.out, job.project):
        check_apart(output, (source,))
    return source


def _report_path(arguments: argparse.Namespace) -> Path:
    target: Path = arguments.target
    if target.suffix.lower() == ".json":
        return target.with_name(f"{target.stem}_report.csv")
    return target / "report.csv"


def _conclude(done: list[Densified], page: Path) -> None:
    proposed = sum(each.proposed for each in done)
    if not proposed:
        return
    accepted = sum(each.accepted for each in done)
    sys.stdout.write(
        f"{accepted} of {proposed} masks of {len(done)} video(s) accepted "
        f"({accepted / proposed:.0%}); {page} says which were gated out.\n"
    )
