"""`maskwright bench refine`: whether refining brings coarse masks closer to the true outline."""

import argparse
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np

from app.batch.masks.refine import refinements
from app.cli.bench.masks.clicks import read_truth
from app.core.document import Key
from app.core.evaluate import boundary_f
from app.core.mask import Mask
from app.errors import UsageError
from app.storage.video.opening import open_video
from models import registry
from models.api import BoolMask, LoadOptions, Segmenter

Coarsen = Callable[[BoolMask], BoolMask]

_BLOCK = 8  # pixels of the frame in one of a blocky mask


def run(arguments: argparse.Namespace) -> int:
    """Print boundary F before and after, a row a sequence; 1 where one falls."""
    sequences = _sequences(arguments.frames, arguments.truth)
    name = arguments.model or registry.embedded()
    ways = _coarsenings(arguments.radius)
    head = " | ".join(f"{way}: coarse | refined" for way in ways)
    sys.stdout.write(f"{name}, mean boundary F\n\n| sequence | {head} | all: coarse | refined |\n")
    sys.stdout.write(f"|---{'|---|---' * (len(ways) + 1)}|\n")
    falls = 0
    options = LoadOptions(arguments.device, arguments.threads, arguments.weights)
    for folder, masks in sequences[: arguments.count]:
        with closing(open_video(folder)) as video:
            chosen = range(0, len(video), arguments.every)
            truths = {k: masks / f"{video.stem(k)}.png" for k in chosen}
            segmenter = registry.load_segmenter(name, video, options)
            rows = _scores(segmenter, truths, ways, arguments.iou_gate)
        falls += rows[-1] <= rows[-2]
        sys.stdout.write(f"| {folder.name} | {' | '.join(f'{f:.3f}' for f in rows)} |\n")
        sys.stdout.flush()
    return 1 if falls else 0


def _sequences(frames: Path, truth: Path) -> list[tuple[Path, Path]]:
    """Return each sequence's frames and masks: the folders themselves, or those in them."""
    if not frames.is_dir() or not truth.is_dir():
        raise UsageError("FRAMES and MASKS are folders. Check the paths.")
    folders = sorted(path for path in frames.iterdir() if path.is_dir())
    pairs = [(path, truth / path.name) for path in folders] or [(frames, truth)]
    found = [(folder, masks) for folder, masks in pairs if masks.is_dir() and any(masks.iterdir())]
    if not found:
        raise UsageError(f"{truth} holds no masks of {frames}. Name their folders alike.")
    return found


def _scores(
    segmenter: Segmenter, truths: dict[int, Path], ways: dict[str, Coarsen], gate: float
) -> list[float]:
    """Return mean F before and after for each way, then for all of them."""
    found: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
    for frame, path in truths.items():
        truth = read_truth(path)
        for way, coarsen in ways.items():
            pixels = coarsen(truth)
            coarse = Mask.encode(pixels)
            if coarse is None:
                continue
            (refined,) = refinements(segmenter, {Key(frame, 1): coarse}, gate=gate)
            after = boundary_f(truth, refined.verdict.mask.decode())
            found[way].append((boundary_f(truth, pixels), after))
    if not any(found.values()):
        folder = next(iter(truths.values())).parent
        raise UsageError(f"No mask of {folder} holds an object. Give masks of the frames.")
    pairs = [*found.values(), [pair for each in found.values() for pair in each]]
    return [
        sum(pair[side] for pair in each) / max(1, len(each)) for each in pairs for side in (0, 1)
    ]


def _coarsenings(radius: int) -> dict[str, Coarsen]:
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1,) * 2)

    def worn(mask: BoolMask) -> BoolMask:
        return np.asarray(cv2.erode(mask.astype(np.uint8), disc), np.bool_)

    def grown(mask: BoolMask) -> BoolMask:
        return np.asarray(cv2.dilate(mask.astype(np.uint8), disc), np.bool_)

    def blocky(mask: BoolMask) -> BoolMask:
        height, width = mask.shape
        small = (max(1, width // _BLOCK), max(1, height // _BLOCK))
        coarse = cv2.resize(mask.astype(np.uint8), small, interpolation=cv2.INTER_NEAREST)
        large = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_NEAREST)
        return np.asarray(large, np.bool_)

    return {"worn": worn, "grown": grown, "blocky": blocky}
