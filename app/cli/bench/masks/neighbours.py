"""`maskwright bench neighbours`: what one click does to a wrong mask and to the one beside it."""

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from app.batch.annotator import SimulatedAnnotator
from app.cli.bench.table import Measure, as_json, table
from app.core.candidates import Scene, candidates, prompt_among
from app.core.document import Entry, Key, Origin
from app.core.exclusion import exclude, keepers
from app.core.mask import Mask
from app.errors import UsageError
from app.storage.files.writing import atomic_write
from app.storage.formats.palette import VOID, read_labels
from app.storage.video.opening import open_video
from models.api import BoolMask, Click, LoadOptions, Prediction, Prompt, Segmenter
from models.registry import embedded, load_segmenter
from models.training.learners.clicking import Hand, Wrong, mending_click

_WORSE = 0.01  # IoU, from which on a mask has become worse
_SEED = 7


def run(arguments: argparse.Namespace) -> int:
    """Print what becomes of both masks, by the model's own order and by what lies round."""

    options = LoadOptions(arguments.device, arguments.threads, arguments.weights)
    name = arguments.model or embedded()
    trial = _Trial()
    for folder, masks in _sequences(arguments.root, arguments.only):
        with closing(open_video(folder)) as video:
            segmenter = load_segmenter(name, video, options)
            for index in range(0, len(video), arguments.every):
                for case in _cases(masks / f"{video.stem(index)}.png", index):
                    trial.measure(segmenter, case)
    if not trial.before:
        raise UsageError("No frame shows two objects. Give a folder with masks of several objects.")
    measures = [Measure(*row) for row in trial.rows()]
    sys.stdout.write(f"{name}, {len(trial.before)} clicks\n\n{table(measures)}")
    if arguments.json is not None:
        atomic_write(arguments.json, (json.dumps(as_json(measures), indent=1) + "\n").encode())
    return 0


@dataclass(frozen=True, eq=False)
class _Case:
    """A frame on which the first of two masks is wrong, and the second may be."""

    index: int
    truth: tuple[BoolMask, BoolMask]
    masks: tuple[BoolMask, BoolMask]


@dataclass
class _Trial:
    """The IoU of both masks before a click, and after it by either rule."""

    before: list[tuple[float, float]] = field(default_factory=list)
    alone: list[tuple[float, float]] = field(default_factory=list)
    among: list[tuple[float, float]] = field(default_factory=list)

    def measure(self, segmenter: Segmenter, case: _Case) -> None:
        """Click on the thickest error of the first mask."""

        mask, other = case.masks
        click = mending_click(case.truth[0], mask)
        own = segmenter.segment(case.index, Prompt((click,), mask=mask))[0].mask
        scene = Scene((click,), before=mask, others=(other,))
        best = candidates(scene, segmenter.segment(case.index, prompt_among(scene)))[0]
        self.before.append(_ious(case, case.masks))
        self.alone.append(_ious(case, (own, other)))
        self.among.append(_ious(case, _excluded(case.masks, best, click)))

    def rows(self) -> Iterator[tuple[str, float, str]]:
        """Yield name, value and unit of each figure."""
        yield "IoU before the click", _mean(self.before), ""
        for rule, after in (("model's best mask", self.alone), ("among neighbours", self.among)):
            worse = [
                any(new < old - _WORSE for old, new in zip(*pair, strict=True))
                for pair in zip(self.before, after, strict=True)
            ]
            yield f"IoU after it, {rule}", _mean(after), ""
            yield f"Clicks that made a mask worse, {rule}", 100 * sum(worse) / len(worse), "%"


def _cases(path: Path, index: int) -> Iterator[_Case]:
    """Yield the frame with a part of each object lost, stolen by the other, or too much of it."""
    import numpy as np  # noqa: PLC0415

    labels = read_labels(path) if path.is_file() else np.zeros((1, 1), np.uint8)
    objects = [labels == number for number in np.unique(labels) if 0 < number < VOID][:2]
    for there, other in (objects, objects[::-1]) if len(objects) == 2 else ():
        rng = np.random.default_rng([_SEED, index, int(there.sum())])
        half = Hand(there, rng).wrong_mask(Wrong.HALF, other)
        others_half = Hand(other, rng).wrong_mask(Wrong.HALF, there)
        beside = Hand(there, rng).wrong_mask(Wrong.BESIDE, other) & ~other
        for masks in (
            (half, other),
            (half, other | there & ~half),
            (there | beside, other),
            (there | other & ~others_half, others_half),
        ):
            if all(mask.any() for mask in masks) and (masks[0] != there).any():
                yield _Case(index, (there, other), masks)


def _excluded(
    masks: tuple[BoolMask, BoolMask], best: Prediction, click: Click
) -> tuple[BoolMask, BoolMask]:
    """Return both masks after the first one has become the best candidate."""

    entries = {
        number: Entry(Mask.encode(mask), Origin.PROPAGATED) for number, mask in enumerate(masks)
    }
    made = Entry(Mask.encode(best.mask), Origin.CLICKED, clicks=(click,))
    changes = exclude(entries, Key(0, 0), made, keeping=keepers(entries, made.clicks))
    after = [changes.get(Key(0, number), entries[number]) for number in (0, 1)]
    return _pixels(after[0], masks[0].shape), _pixels(after[1], masks[0].shape)


def _pixels(entry: "Entry | None", shape: tuple[int, ...]) -> BoolMask:
    import numpy as np  # noqa: PLC0415

    empty: BoolMask = np.zeros(shape, np.bool_)
    return empty if entry is None or entry.mask is None else entry.mask.decode()


def _ious(case: _Case, masks: tuple[BoolMask, BoolMask]) -> tuple[float, float]:

    annotator = SimulatedAnnotator(lambda _frame, number: case.truth[number])
    return annotator.iou(0, 0, masks[0]), annotator.iou(0, 1, masks[1])


def _mean(pairs: list[tuple[float, float]]) -> float:
    return sum(first + second for first, second in pairs) / (2 * len(pairs))


def _sequences(root: Path, only: str | None) -> list[tuple[Path, Path]]:
    """Return the folders of frames and of masks."""
    frames, masks = root / "JPEGImages", root / "Annotations"
    if not frames.is_dir() or not masks.is_dir():
        raise UsageError(f"{root} has no JPEGImages and Annotations. Give a folder with both.")
    names = only.split(",") if only else sorted(path.name for path in frames.iterdir())
    for name in names:
        if not (frames / name).is_dir() or not (masks / name).is_dir():
            raise UsageError(f"{root} has no frames and masks of {name}. Check the name.")
    return [(frames / name, masks / name) for name in names]
