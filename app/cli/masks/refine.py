"""`maskwright refine`: sharpen the masks of selected frames."""

import argparse
import hashlib
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from app.errors import MaskwrightError, UsageError

if TYPE_CHECKING:
    from app.core.refine import Verdict
    from app.storage.formats.palette import Labels
    from models.api import Segmenter


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `refine`."""
    add = parser.add_argument
    add("frames", type=Path, metavar="FRAMES", help="a video file or a folder of images")
    add("--masks", type=Path, required=True, metavar="DIR",
        help="palette PNGs, named as their frames or by index")  # fmt: skip
    add("--out", type=Path, required=True, metavar="DIR",
        help="where all masks are written; those of other frames as they are")  # fmt: skip
    add("--frames", dest="chosen", type=_ranges, metavar="N,N-M",
        help="which frames, counted from 0 (default: all that have a mask)")  # fmt: skip
    add("--iou-gate", type=float, default=0.1, metavar="X",
        help="keep a mask whose refined one overlaps it less than this (default: 0.1)")  # fmt: skip
    add("--model", metavar="NAME", help="the refiner (default: the best without a download)")
    add("--weights", type=Path, metavar="FILE", help="weights to use instead of the known ones")


def run(arguments: argparse.Namespace) -> int:
    """Refine, print a line for each mask, and write."""
    from app.cli.masks.anchors import object_ids, read_anchors  # noqa: PLC0415 - keeps --help quick
    from app.cli.progress import Progress  # noqa: PLC0415
    from app.storage.files.apart import check_apart  # noqa: PLC0415
    from app.storage.formats.label_frames import LabelFrames, check_target  # noqa: PLC0415
    from app.storage.video.opening import open_video  # noqa: PLC0415
    from models.api import LoadOptions  # noqa: PLC0415
    from models.registry import default_segmenter, load_segmenter  # noqa: PLC0415

    gate, name = arguments.iou_gate, arguments.model or default_segmenter()
    if not 0 <= gate <= 1:
        raise UsageError("--iou-gate must lie from 0 to 1.")
    check_apart(arguments.out, (arguments.frames, arguments.masks, arguments.weights))
    with closing(open_video(arguments.frames)) as video:
        given = read_anchors(arguments.masks, video)
        chosen = sorted(given)
        if arguments.chosen is not None:
            chosen = _frames(arguments.chosen, given, len(video))
        object_ids(given, arguments.masks)
        check_target(arguments.out, (video.stem(frame) for frame in given))
        options = LoadOptions(arguments.device, arguments.threads, arguments.weights)
        segmenter = load_segmenter(name, video, options)
        digests = [hashlib.sha256(given[frame].tobytes()).hexdigest() for frame in sorted(given)]
        question = [str(video.source.absolute()), name, str(arguments.weights), gate, chosen]
        kept = LabelFrames(arguments.out, video.size, [question, digests])
        try:
            with Progress(f"Refining with {name}", len(chosen) - kept.done(0)) as progress:
                for frame in chosen[kept.done(0) :]:
                    verdicts = _refined(segmenter, frame, given[frame], gate)
                    kept.set(video.stem(frame), _redrawn(given[frame], verdicts))
                    kept.finished(0)
                    _report(frame, verdicts)
                    progress.step()
        except KeyboardInterrupt as stop:
            raise MaskwrightError(
                f"Stopped. {kept.done(0)} of {len(chosen)} frames are kept in {kept.folder}; "
                "the same command again goes on from there."
            ) from stop
        for frame in set(given) - set(chosen):
            kept.set(video.stem(frame), given[frame])
        kept.finish()
    return 0


def _refined(
    segmenter: "Segmenter", frame: int, labels: "Labels", gate: float
) -> "dict[int, Verdict]":
    import numpy as np  # noqa: PLC0415

    from app.core.mask import Mask  # noqa: PLC0415
    from app.core.refine import judge, prompt_of  # noqa: PLC0415
    from app.storage.formats.palette import VOID  # noqa: PLC0415

    verdicts = {}
    for number in np.unique(labels).tolist():
        current = Mask.encode(labels == number)
        if number in {0, VOID} or current is None:
            continue
        best = segmenter.segment(frame, prompt_of(current))[0]
        verdicts[number] = judge(current, Mask.encode(best.mask), gate=gate)
    return verdicts


def _redrawn(labels: "Labels", verdicts: "Mapping[int, Verdict]") -> "Labels":
    import numpy as np  # noqa: PLC0415

    from app.core.refine import drawn  # noqa: PLC0415
    from app.storage.formats.palette import VOID  # noqa: PLC0415

    ground = np.where(labels == VOID, labels, 0).astype(np.uint8)
    return drawn(ground, {n: each.mask for n, each in verdicts.items()}, sorted(verdicts))


def _report(frame: int, verdicts: "Mapping[int, Verdict]") -> None:
    for number, verdict in verdicts.items():
        what = "accepted" if verdict.accepted else "kept"
        sys.stdout.write(f"frame {frame} object {number}: {what}, IoU {verdict.iou:.3f}\n")


def _frames(spans: list[range], given: "Mapping[int, Labels]", count: int) -> list[int]:
    beyond = [span[-1] for span in spans if span[-1] >= count]
    if beyond:
        raise UsageError(
            f"Frame {beyond[0]} is not in the video, which has {count}. "
            f"Choose --frames from 0 to {count - 1}."
        )
    chosen = sorted({frame for span in spans for frame in span})
    without = [frame for frame in chosen if frame not in given]
    if without:
        raise UsageError(f"Frame {without[0]} has no mask PNG. Leave it out of --frames.")
    return chosen


def _ranges(text: str) -> list[range]:
    """Read `3,7-9` as 3 to 3 and 7 to 9, however far that goes."""
    spans = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise argparse.ArgumentTypeError(f"{part!r} is neither a frame nor N-M")
        span = range(int(first), int(last or first) + 1)
        if not span:
            raise argparse.ArgumentTypeError(f"{part!r} runs backwards")
        spans.append(span)
    return spans
