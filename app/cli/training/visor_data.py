"""VISOR for `maskwright train`: JSONs and frames, converted once into a DAVIS folder."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from app.storage.formats.davis import write_davis
from app.storage.formats.importing import json_files
from app.storage.formats.palette import visor_palette
from app.storage.formats.visor.records import VisorFile
from app.storage.formats.visor.release.benchmark import Split, benchmark_videos, image_adder
from models.training.config import TrainConfig

Report = Callable[[str], None]


def with_visor(config: TrainConfig, report: Report) -> TrainConfig:
    """Return the config with each `visor` root replaced by a converted one, in the run's cache.

    A training set follows all objects that a subsequence names, a validation set those of its
    first frame, as the benchmark has it. Raises FormatError.
    """
    cache = Path(config.cache)
    data = tuple(
        replace(item, root=str(_folder(cache, item.root, item.images, item.split, report)))
        if item.kind == "visor"
        else item
        for item in config.data
    )
    held_out = config.validation
    if held_out is not None and held_out.kind == "visor":
        root = _folder(cache, held_out.root, held_out.images, held_out.split, report, Split.VAL)
        held_out = replace(held_out, root=str(root))
    return replace(config, data=data, validation=held_out)


def _folder(
    cache: Path,
    root: str,
    images: str,
    split: str,
    report: Report,
    rule: Split = Split.TRAIN,
) -> Path:
    mark = hashlib.sha256(repr((root, images, split, rule.value)).encode()).hexdigest()[:12]
    target = cache / f"visor-{mark}"
    convert(Path(root), Path(images or root), target, images_of=Split(split), rule=rule, say=report)
    return target


def convert(
    root: Path, images: Path, target: Path, *, images_of: Split, rule: Split, say: Report
) -> None:
    """Write each JSON's subsequences below `target`, as labels and frames at 854x480.

    A JSON whose subsequences are there already is left alone, so an interrupted conversion goes on
    where it stopped.
    """
    add_images = image_adder(images, images_of)
    files = json_files(root)
    for number, path in enumerate(files, start=1):
        videos = benchmark_videos(VisorFile.read(path), rule)
        kept = [video for video in videos if rule.keeps(video)]
        frames = [target / "JPEGImages" / f"{video.size[0]}p" / video.name for video in kept]
        if all(folder.is_dir() for folder in frames):
            continue
        write_davis(target, kept, rule.value, palette=visor_palette(), add_images=add_images)
        say(f"{target.name}: {number}/{len(files)} VISOR files")
