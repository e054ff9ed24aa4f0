"""`maskwright bench heal`: what a correction is worth, and what it costs, clip by clip."""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from app.errors import UsageError

if TYPE_CHECKING:
    from app.cli.bench.healing.play import Clip, Play
    from app.cli.bench.healing.report import Plays
    from models.api import Segmenter, Tracker


def run(arguments: argparse.Namespace) -> int:
    """Play every clip and print what came of it."""
    from app.cli.bench.healing.report import Plays  # noqa: PLC0415
    from app.storage.files.writing import atomic_write  # noqa: PLC0415

    plays = Plays(arguments.rounds)
    for clip in clips(arguments.root, arguments.only, arguments.frames):
        _play(clip, arguments, plays)
    sys.stdout.write(plays.text())
    if arguments.json is not None:
        atomic_write(arguments.json, (json.dumps(plays.as_json(), indent=1) + "\n").encode())
    return 0


def _play(clip: "Clip", arguments: argparse.Namespace, plays: "Plays") -> None:
    """Play one clip with each drift by each strategy."""
    from app.cli.bench.healing.desk import SessionPlayer  # noqa: PLC0415
    from app.cli.bench.healing.drifts import inject  # noqa: PLC0415
    from app.cli.bench.healing.play import STRATEGIES, Player  # noqa: PLC0415
    from app.core.confidence import calibration_of  # noqa: PLC0415
    from models.registry import embedded  # noqa: PLC0415

    tracker, segmenter = _models(clip, arguments)
    calibration = calibration_of(arguments.model or embedded())
    first = clip.first_propagation(tracker)
    # A heal sees frames as the pass before it did: no other strategy comes between the two.
    for strategy in STRATEGIES[:1] if arguments.only_heal else STRATEGIES:
        for drift in arguments.drifts:
            masks = first | inject(drift, first, clip.truth, clip.numbers, clip.count)
            kind = SessionPlayer if arguments.annotator == "session" else Player
            player = kind(clip, tracker, segmenter, strategy, calibration)
            play = player.play(masks, arguments.rounds)
            plays.add(clip, drift, strategy, play)
            sys.stderr.write(f"{clip.name} {drift} {strategy}: {_told(play)}\n")


def _told(play: "Play") -> str:
    quality = " ".join(f"{jf:.3f}" for jf in play.jf)
    return f"J&F {quality}, recomputed {play.recomputed}, spoiled {play.spoiled}"


def _models(clip: "Clip", arguments: argparse.Namespace) -> tuple["Tracker", "Segmenter | None"]:
    from models.api import LoadOptions  # noqa: PLC0415
    from models.registry import embedded, load_segmenter, load_tracker  # noqa: PLC0415

    name = arguments.model or embedded()
    options = LoadOptions(arguments.device, arguments.threads, size=arguments.size)
    tracker = load_tracker(name, clip.video, options)
    if arguments.exact:
        return tracker, None
    return tracker, load_segmenter(
        name, clip.video, LoadOptions(arguments.device, arguments.threads)
    )


def clips(root: Path, only: Sequence[str] | None, frames: int | None) -> Iterator["Clip"]:
    """Yield the clips of a folder, at most `frames` of each long. Raises UsageError."""
    from app.cli.bench.healing.play import Clip  # noqa: PLC0415
    from app.storage.formats.palette import read_labels  # noqa: PLC0415
    from app.storage.video.opening import open_video  # noqa: PLC0415

    images, masks = root / "JPEGImages", root / "Annotations"
    if not images.is_dir() or not masks.is_dir():
        raise UsageError(f"{root} has no JPEGImages and Annotations. Give their folder.")
    names = only or sorted(each.name for each in images.iterdir() if each.is_dir())
    for name in names:
        if not (images / name).is_dir():
            raise UsageError(f"{images} has no sequence {name}. Check --only.")
        with closing(open_video(images / name)) as video:
            stems = [video.stem(frame) for frame in range(len(video))][:frames]
            labels = [read_labels(masks / name / f"{stem}.png", video.size) for stem in stems]
            # A binary mask has one object, which is 255 in DAVIS-2016.
            binary = all(set(_values(each)) <= {0, 255} for each in labels)
            yield Clip(name, video, [(each > 0).view("u1") if binary else each for each in labels])


def _values(labels: "object") -> list[int]:
    import numpy as np  # noqa: PLC0415

    return [int(value) for value in np.unique(np.asarray(labels))]
