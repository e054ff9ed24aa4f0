"""`maskwright refine`: sharpen the masks of selected frames."""

import argparse
import sys
from collections.abc import Mapping
from contextlib import closing

from app.batch.masks.anchors import object_ids, read_anchors
from app.batch.resume import RefineJob, ResumableRefinement
from app.cli.progress import Progress
from app.core.refine import Verdict
from app.errors import MaskwrightError, UsageError
from app.storage.files.apart import check_apart
from app.storage.formats.label_frames import check_target
from app.storage.formats.palette import Labels
from app.storage.video.opening import open_video
from models import registry
from models.api import LoadOptions


def run(arguments: argparse.Namespace) -> int:
    """Refine, print a line for each mask, and write."""
    gate = arguments.iou_gate
    options = LoadOptions(arguments.device, arguments.threads, arguments.weights)
    name = arguments.model or registry.default_segmenter(options)
    if not 0 <= gate <= 1:
        raise UsageError("--iou-gate must lie from 0 to 1.")
    check_apart(arguments.out, (arguments.frames, arguments.masks, arguments.weights))
    with closing(open_video(arguments.frames)) as video:
        given = read_anchors(arguments.masks, video, arguments.first_number)
        chosen = sorted(given)
        if arguments.chosen is not None:
            chosen = _frames(arguments.chosen, given, len(video))
        object_ids(given, arguments.masks)
        check_target(arguments.out, (video.stem(frame) for frame in given))
        job = RefineJob(arguments.out, given, chosen, gate, options, name)
        refining = ResumableRefinement(job, video, registry.load_segmenter(name, video, options))
        try:
            with Progress(f"Refining with {name}", refining.left) as progress:
                for frame, verdicts in refining.steps():
                    _report(frame, verdicts)
                    progress.step()
        except KeyboardInterrupt as stop:
            raise MaskwrightError(refining.stopped()) from stop
        refining.finish()
    return 0


def _report(frame: int, verdicts: Mapping[int, Verdict]) -> None:
    for number, verdict in verdicts.items():
        what = "accepted" if verdict.accepted else "kept"
        sys.stdout.write(f"frame {frame} object {number}: {what}, IoU {verdict.iou:.3f}\n")


def _frames(spans: list[range], given: Mapping[int, Labels], count: int) -> list[int]:
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
