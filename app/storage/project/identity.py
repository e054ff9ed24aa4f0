"""The identity of a video: what its frames are, not only how many."""

import hashlib
import json
from pathlib import Path

import cv2
import numpy as np

from app.errors import FrameReadError
from app.storage.video.opening import Video

_END_BYTES = 1 << 16
_SIDE = 16  # of the small grey picture of the first frame
_UNLIKE = 12.0  # mean difference of grey values: far more than another encoding makes


def identity_of(video: Video) -> bytes:
    """Return what a project keeps to know its video again."""
    is_file = video.source.is_file()
    stems = None if is_file else [video.stem(index) for index in range(len(video))]
    return json.dumps(
        {"stems": stems, "file": _digest(video.source) if is_file else None, "first": _first(video)}
    ).encode()


def unlike(kept: bytes, video: Video) -> str | None:
    """Return how a video differs from the one that an identity was kept of; None where it is it.

    A file may have been encoded anew, or taken apart into images: then its first picture counts.
    """
    try:
        before = json.loads(kept)
        stems, file, first = before["stems"], before["file"], before["first"]
    except (ValueError, KeyError, TypeError):
        return None  # damaged: no reason to keep a person from their masks
    if isinstance(stems, list) and video.source.is_dir():
        for index, stem in enumerate(stems[: len(video)]):
            if video.stem(index) != stem:
                return f"its frame {index} is {video.stem(index)}, the project's is {stem}"
    if file is not None and video.source.is_file() and _digest(video.source) == file:
        return None
    now = _first(video)
    if now is None or not isinstance(first, list) or len(first) != len(now):
        return None
    difference = np.abs(np.subtract(first, now, dtype=np.float64)).mean()
    return "its first frame is another picture" if difference > _UNLIKE else None


def _digest(source: Path) -> str | None:
    try:
        with source.open("rb") as file:
            head = file.read(_END_BYTES)
            size = source.stat().st_size
            file.seek(max(0, size - _END_BYTES))
            return hashlib.sha256(b"%d" % size + head + file.read(_END_BYTES)).hexdigest()
    except OSError:
        return None


def _first(video: Video) -> list[int] | None:
    try:
        image = video[0]
    except FrameReadError:
        return None
    small = cv2.resize(image, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    return [int(value) for value in cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).ravel()]
