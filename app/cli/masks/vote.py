"""`maskwright vote`: make coarse masks consistent by the masks of a tracker."""

import argparse
import hashlib
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from app.batch.masks.anchors import read_anchors
from app.batch.masks.voting import voted
from app.cli.progress import Progress
from app.core.vote import VoteRules
from app.errors import UsageError
from app.storage.files.apart import check_apart
from app.storage.formats.davis import mask_files
from app.storage.formats.label_frames import LabelFrames, check_target
from app.storage.formats.palette import (
    VOID,
    Labels,
    counts_of,
    is_white_on_black,
    read_labels,
)
from app.storage.video.opening import open_video


@dataclass(frozen=True, slots=True)
class _Part:
    """One video's folders, or those of one expression about it."""

    frames: Path
    coarse: Path
    masklets: Path
    out: Path


def run(arguments: argparse.Namespace) -> int:
    """Vote and write, folder by folder."""
    rules = VoteRules(arguments.window, arguments.overlap)
    check_apart(arguments.out, (arguments.frames, arguments.coarse, arguments.masklets))
    parts = list(_parts(arguments))
    with Progress("Voting", len(parts)) as progress:
        for part in parts:
            _vote(part, rules)
            progress.step()
    return 0


def _parts(arguments: argparse.Namespace) -> Iterator[_Part]:
    """Yield the folders that belong together. Raises UsageError where one has no partner."""
    frames, coarse, masklets = arguments.frames, arguments.coarse, arguments.masklets
    for folder in (coarse, masklets):
        if not folder.is_dir():
            raise UsageError(f"{folder} is not a folder. Give a folder of mask PNGs.")
    if mask_files(coarse):
        yield _Part(frames, coarse, masklets, arguments.out)
        return
    nested = sorted({file.parent.relative_to(coarse) for file in coarse.rglob("*.png")})
    if not nested:
        raise UsageError(f"{coarse} holds no PNG. Put the masks there that are to be mended.")
    for name in nested:
        video = name.parts[0]
        own = masklets / name if (masklets / name).is_dir() else masklets / video
        for folder in (frames / video, own):
            if not folder.is_dir():
                raise UsageError(
                    f"{folder} does not exist, which {coarse / name} needs. Give the frames and "
                    f"the masklets of each video in a folder of its name."
                )
        yield _Part(frames / video, coarse / name, own, arguments.out / name)


def _vote(part: _Part, rules: VoteRules) -> None:
    with closing(open_video(part.frames)) as video:
        coarse, is_binary = read_anchors(part.coarse, video), _is_binary(part.coarse)
        check_target(part.out, (video.stem(frame) for frame in coarse))
        masklets = read_anchors(part.masklets, video)
        question = [rules.window, rules.overlap, _digest(coarse), _digest(masklets)]
        kept = LabelFrames(part.out, video.size, question)
        for frame, labels in voted(coarse, masklets, rules).items():
            kept.set(video.stem(frame), labels * VOID if is_binary else labels)
        kept.finish()


def _is_binary(folder: Path) -> bool:
    """Whether the masks are white on black, as MeViS has them, which are read as object 1."""
    return is_white_on_black(counts_of(map(read_labels, mask_files(folder))))


def _digest(maps: Mapping[int, Labels]) -> str:
    digest = hashlib.sha256()
    for frame, labels in sorted(maps.items()):
        digest.update(f"{frame} ".encode() + labels.tobytes())
    return digest.hexdigest()
