"""`maskwright bench clicks`: how good masks from clicks and boxes are, and how soon they come."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np

from app.batch.annotator import SimulatedAnnotator
from app.cli.bench.table import Measure, as_json, percentile, table
from app.errors import UsageError
from app.storage.files.writing import atomic_write
from app.storage.formats.palette import VOID, read_labels
from app.storage.video.image import read_image
from models import registry
from models.api import BoolMask, Image, LoadOptions, Prompt, Segmenter

T = TypeVar("T")

_CLICKS = (1, 3)
_IMAGES = (".jpg", ".jpeg", ".png")


def run(arguments: argparse.Namespace) -> int:
    """Measure every image and print the means."""
    pairs = _pairs(arguments.images, arguments.truth)[arguments.skip :]
    step = max(1, len(pairs) // max(1, arguments.count))
    stills = _Stills(pairs[::step][: arguments.count])
    options = LoadOptions(arguments.device, arguments.threads, arguments.weights)
    name = arguments.model or registry.embedded()
    trial = _Trial(registry.load_segmenter(name, stills, options))
    for index, truth in stills.shown():
        trial.measure(index, truth)
    if not trial.cold:
        raise UsageError("No mask holds an object. Give folders with masks of the images.")
    measures = [
        *(
            Measure(f"IoU from {what}", sum(ious) / len(ious), "")
            for what, ious in trial.ious.items()
        ),
        Measure("Click on a new frame, p95", percentile(trial.cold, 95) * 1e3, "ms"),
        Measure("Click on a warm frame, median", percentile(trial.warm, 50) * 1e3, "ms"),
        Measure("Click on a warm frame, p95", percentile(trial.warm, 95) * 1e3, "ms", 300),
    ]
    sys.stdout.write(f"{name}, {len(trial.cold)} images\n\n{table(measures)}")
    if arguments.json is not None:
        atomic_write(arguments.json, (json.dumps(as_json(measures), indent=1) + "\n").encode())
    return 0


class _Stills:
    """Images as a video, which has the size of the one that is shown."""

    def __init__(self, pairs: list[tuple[Path, Path]]) -> None:
        self._pairs = pairs
        self.size = (0, 0)

    def __len__(self) -> int:
        return len(self._pairs)

    def __getitem__(self, index: int) -> Image:
        return read_image(self._pairs[index][0])

    def shown(self) -> Iterator[tuple[int, BoolMask]]:
        """Show one after the other; yield its index and mask where it has an object.

        One whose mask has another size is left out: some photographs lie on their side, their
        masks do not.
        """
        for index, (_, mask) in enumerate(self._pairs):
            truth, image = read_truth(mask), self[index]
            self.size = (image.shape[0], image.shape[1])
            if truth.any() and truth.shape == self.size:
                yield index, truth


class _Trial:
    """What a segmenter made of each image: IoU with the truth, seconds for new and warm frames."""

    def __init__(self, segmenter: Segmenter) -> None:
        self._segmenter = segmenter
        self.ious: dict[str, list[float]] = {f"{n} click{'s' * (n > 1)}": [] for n in _CLICKS}
        self.ious["a box"] = []
        self.cold: list[float] = []
        self.warm: list[float] = []

    def measure(self, index: int, truth: BoolMask) -> None:
        """Click on the innermost point, then on that of the thickest error; then draw a box."""
        annotator = SimulatedAnnotator(lambda _frame, _number: truth)
        prompt, mask = Prompt(), np.zeros_like(truth)
        for count in range(1, max(_CLICKS) + 1):
            clicks = (*prompt.clicks, annotator.click(index, 1, mask))
            prompt = Prompt(clicks, mask=mask if mask.any() else None)
            mask = self._asked(index, prompt, self.warm if count > 1 else self.cold)
            if count in _CLICKS:
                self.ious[f"{count} click{'s' * (count > 1)}"].append(annotator.iou(index, 1, mask))
        mask = self._asked(index, Prompt(box=annotator.box(index, 1)), self.warm)
        self.ious["a box"].append(annotator.iou(index, 1, mask))

    def _asked(self, index: int, prompt: Prompt, seconds: list[float]) -> BoolMask:
        return _timed(lambda: self._segmenter.segment(index, prompt)[0].mask, seconds)


def read_truth(path: Path) -> BoolMask:
    """Return where the object is; in a mask of 0 and 255 alone, 255 is the object, not void."""
    labels = read_labels(path)
    known: BoolMask = (labels > 0) & (labels < VOID)
    return known if known.any() else labels == VOID


def _timed(work: Callable[[], T], seconds: list[float]) -> T:
    start = time.perf_counter()
    result = work()
    seconds.append(time.perf_counter() - start)
    return result


def _pairs(images: Path, truth: Path) -> list[tuple[Path, Path]]:
    """Return the images that have a mask, with it, by name."""
    if not images.is_dir() or not truth.is_dir():
        raise UsageError("IMAGES and MASKS are folders. Check the paths.")
    found = sorted(path for path in images.rglob("*") if path.suffix.lower() in _IMAGES)
    pairs = [(path, (truth / path.relative_to(images)).with_suffix(".png")) for path in found]
    return [(path, mask) for path, mask in pairs if mask.is_file()]
