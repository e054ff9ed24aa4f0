"""`maskwright propagate`: fill a video's frames from anchor masks."""

import argparse
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from app.errors import MaskwrightError, UsageError

if TYPE_CHECKING:
    from app.cli.masks.filling import FillJob
    from app.storage.video.opening import Video

_READ_AHEAD_BYTES = 128 << 20  # frames are decoded while the model works on those before


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `propagate`."""
    add = parser.add_argument
    add("frames", type=Path, metavar="FRAMES", help="a video file or a folder of images")
    add("--anchors", type=Path, required=True, metavar="DIR",
        help="the masks to start from: palette PNGs, pixel value = object id, named as their frame "
        "or by its index, 000000.png; an object that is missing from one is looked for there, "
        "unless the PNG is empty")  # fmt: skip
    add("--out", type=Path, required=True, metavar="DIR", help="where a PNG a frame is written")
    add("--model", metavar="NAME", help="the tracker (default: the best that needs no download)")
    add("--weights", type=Path, metavar="FILE", help="weights to use instead of the known ones")
    add("--size", type=int, metavar="N", help="short side at inference; 0 = as the frames are")
    add("--start", type=int, metavar="N", help="the first frame to write, counted from 0")
    add("--stop", type=int, metavar="N", help="the last frame to write, itself written too")
    add("--direction", choices=("both", "forward", "backward"), default="both",
        help="where to go from the anchors (default: both)")  # fmt: skip
    add("--scores", action="store_true", help="write the probabilities, too: OUT/scores/*.npz")
    add("--scales", type=_scales, default=(), metavar="A,B,...", help="average over these scales")
    add("--flip", action="store_true", help="average with the mirrored video")
    add("--project", type=Path, metavar="FILE",
        help="put the masks in a project file, too; what a person made there stays")  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    """Propagate and write."""
    from app.cli.masks.filling import Filling, held_project  # noqa: PLC0415 - keeps --help quick
    from app.storage.video.frames import FrameCache  # noqa: PLC0415
    from app.storage.video.opening import open_video  # noqa: PLC0415
    from models.registry import default_tracker, load_tracker  # noqa: PLC0415

    name = arguments.model or default_tracker()
    with (
        closing(open_video(arguments.frames)) as video,
        closing(FrameCache(video, _READ_AHEAD_BYTES)) as frames,
        held_project(arguments.project, video) as project,
    ):
        job = _job(arguments, video, name)
        filling = Filling(job, video, load_tracker(name, frames, job.options))
        try:
            filling.go()
        except KeyboardInterrupt as stop:
            raise MaskwrightError(filling.stopped()) from stop
        filling.finish(project)
    return 0


def _job(arguments: argparse.Namespace, video: "Video", model: str) -> "FillJob":
    """Read the anchors and check the range. Raises UsageError."""
    from app.cli.masks.anchors import as_anchors, read_anchors  # noqa: PLC0415
    from app.cli.masks.filling import FillJob  # noqa: PLC0415
    from app.core.plan import Direction  # noqa: PLC0415
    from app.storage.files.apart import check_apart  # noqa: PLC0415
    from app.storage.formats.label_frames import check_target  # noqa: PLC0415
    from models.api import LoadOptions  # noqa: PLC0415

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
    check_apart(arguments.out, (arguments.frames, arguments.anchors, arguments.weights))
    stems = (video.stem(frame) for frame in range(first, last + 1))
    check_target(arguments.out, stems, scores=arguments.scores)
    options = LoadOptions(
        device=arguments.device,
        threads=arguments.threads,
        weights=arguments.weights,
        size=arguments.size,
        scales=arguments.scales,
        flip=arguments.flip,
    )
    given = read_anchors(arguments.anchors, video)
    return FillJob(
        out=arguments.out,
        given=given,
        anchors=as_anchors(given, arguments.anchors),
        first=first,
        last=last,
        direction=Direction(arguments.direction),
        scores=arguments.scores,
        options=options,
        model=model,
    )


def _scales(text: str) -> tuple[float, ...]:
    """Read `1.2,1.3`; argparse says what is wrong."""
    scales = tuple(float(part) for part in text.split(","))
    if not all(0 < scale <= 4 for scale in scales):
        raise argparse.ArgumentTypeError("scales must lie above 0 and be at most 4")
    return scales
