"""`maskwright propagate`: fill a video's frames from anchor masks."""

import argparse
from contextlib import closing

from app.batch.masks.anchors import anchors_of, read_anchors
from app.batch.masks.sharpening import SharpenedTracker
from app.batch.passes.readable import ReadableFrames
from app.batch.resume import FillJob, ResumableFill
from app.batch.write import project_for
from app.cli.masks.found import with_found
from app.cli.progress import Progress
from app.core.plan import Direction
from app.errors import MaskwrightError, UsageError
from app.storage.files.apart import check_apart
from app.storage.formats.label_frames import check_target
from app.storage.video.frames import FrameCache
from app.storage.video.opening import Video, open_video
from models import registry
from models.api import LoadOptions, Quality

_READ_AHEAD_BYTES = 128 << 20  # frames are decoded while the model works on those before


def run(arguments: argparse.Namespace) -> int:
    """Propagate and write."""
    check_apart(arguments.out, (arguments.frames, arguments.anchors, arguments.weights))
    with (
        closing(open_video(arguments.frames)) as video,
        closing(FrameCache(video, _READ_AHEAD_BYTES)) as frames,
        project_for(arguments.project, video) as project,
    ):
        job = _job(arguments, video)
        readable = ReadableFrames(frames)
        if arguments.text:
            job = with_found(job, arguments, readable, project)
        tracker = registry.load_tracker(job.model, readable, job.options)
        if job.refiner:
            refiner = registry.load_segmenter(job.refiner, frames, _refining(arguments))
            tracker = SharpenedTracker(tracker, refiner, gate=job.gate)
        filling = ResumableFill(job, video, tracker, readable.unreadable)
        try:
            with Progress(f"Propagating with {_named(job)}", filling.left) as progress:
                for _ in filling.steps():
                    progress.step()
        except KeyboardInterrupt as stop:
            raise MaskwrightError(filling.stopped()) from stop
        filling.finish(project)
    return 0


def _job(arguments: argparse.Namespace, video: Video) -> FillJob:
    """Read the anchors and check the range. Raises UsageError."""
    final = len(video) - 1
    first = 0 if arguments.start is None else arguments.start
    last = final if arguments.stop is None else arguments.stop
    if not 0 <= first <= last <= final:
        raise UsageError(
            f"Frames {first} to {last} are not in the video, which has {len(video)}. "
            f"Choose --start and --stop from 0 to {final}."
        )
    if arguments.size is not None and arguments.size < 0:
        raise UsageError("--size cannot be negative. Give the short side in pixels, or 0.")
    if arguments.size is not None and arguments.quality is not None:
        raise UsageError("--size and --quality both say how large a frame is. Give one of them.")
    stems = (video.stem(frame) for frame in range(first, last + 1))
    check_target(arguments.out, stems, scores=arguments.scores)
    options = LoadOptions(
        device=arguments.device,
        threads=arguments.threads,
        weights=arguments.weights,
        size=arguments.size,
        scales=arguments.scales,
        flip=arguments.flip,
        presence=arguments.presence,
        follow=arguments.follow,
        quality=Quality(arguments.quality or Quality.NORMAL),
    )
    if not 0 <= arguments.iou_gate <= 1:
        raise UsageError("--iou-gate must lie from 0 to 1.")
    number = arguments.first_number
    given = read_anchors(arguments.anchors, video, number) if arguments.anchors else {}
    return FillJob(
        out=arguments.out,
        given=given,
        anchors=anchors_of(given, arguments.anchors) if arguments.anchors else {},
        first=first,
        last=last,
        direction=Direction(arguments.direction),
        scores=arguments.scores,
        options=options,
        refiner=arguments.refine or "",
        gate=arguments.iou_gate,
        model=arguments.model or registry.default_tracker(options),
    )


def _refining(arguments: argparse.Namespace) -> LoadOptions:
    """Return how the refiner is loaded: weights and size that are given are the tracker's."""
    return LoadOptions(device=arguments.device, threads=arguments.threads)


def _named(job: FillJob) -> str:
    return f"{job.model} and {job.refiner}" if job.refiner else job.model
