"""Measuring sequences frame by frame, and keeping the measures for the next time."""

import io
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, nullcontext
from pathlib import Path

import numpy as np

from app.batch.inspection.sequences import Case
from app.core.inspection.measures import Measures, measure, stack
from app.core.inspection.results import Result
from app.errors import FormatError
from app.storage.files.writing import atomic_write
from app.storage.video.opening import Video
from models.api import Image

_MOST_FILES = 2000  # measures of sequences that are kept


class MeasureCache:
    """The measures of sequences in a folder, found again by the fingerprint of their files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, fingerprint: str) -> Measures | None:
        """Return the measures kept under this fingerprint, or None; a damaged file is none."""
        try:
            # Opened here: what NumPy opens itself stays open where it is no archive.
            with (
                self._file(fingerprint).open("rb") as file,
                np.load(file, allow_pickle=False) as kept,
            ):
                return Measures(*(kept[name] for name in Measures._fields))
        except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile):
            return None

    def put(self, fingerprint: str, measures: Measures) -> None:
        """Keep measures; raises OSError."""
        stream = io.BytesIO()
        np.savez(stream, **measures._asdict())
        atomic_write(self._file(fingerprint), stream.getvalue())

    def prune(self) -> None:
        """Drop the oldest files where there are very many."""
        files = sorted(self._folder.glob("*.npz"), key=lambda path: path.stat().st_mtime)
        for path in files[:-_MOST_FILES]:
            path.unlink(missing_ok=True)

    def _file(self, fingerprint: str) -> Path:
        return self._folder / f"{fingerprint}.npz"


def score(
    case: Case, cache: MeasureCache, threads: int, progress: Callable[[], None] = lambda: None
) -> Result:
    """Measure one sequence, or take its measures from the cache; `progress` is told each frame.

    Raises FormatError, FrameReadError.
    """
    fingerprint = case.fingerprint()
    measures = cache.get(fingerprint)
    if measures is None or len(measures.j) != len(case.frames):
        measures = stack(_measured(case, threads, progress))
        cache.put(fingerprint, measures)
    else:
        for _ in case.frames:
            progress()
    return Result(case.name, case.frames, case.positions, case.objects, measures)


def images_of(case: Case, video: Video | None) -> Callable[[int], Image | None]:
    """Return what reads the image of a scored frame, by its place; None without a video.

    Raises FormatError where a frame has no image of its name.
    """
    if video is None:
        return lambda _: None
    index = {video.stem(number): number for number in range(len(video))}
    missing = [stem for stem in case.frames if stem not in index]
    if missing:
        raise FormatError(
            f"{case.images} has no image for frame {missing[0]} of {case.name}. Give the images "
            "that the masks were made on, or leave --frames out."
        )

    def read(frame: int) -> Image:
        return video[index[case.frames[frame]]]

    return read


def _measured(case: Case, threads: int, progress: Callable[[], None]) -> Iterator[Measures]:
    video = case.video()
    with closing(video) if video else nullcontext(), ThreadPoolExecutor(threads) as pool:
        image = images_of(case, video)

        def one(frame: int) -> Measures:
            truth, prediction = case.labels(frame)
            shown = image(frame)
            if shown is not None and shown.shape[:2] != truth.shape:
                raise FormatError(
                    f"{case.images}: the image of frame {case.frames[frame]} is of another size "
                    "than its masks. Give the images that the masks were made on."
                )
            return measure(truth, prediction, len(case.objects), shown)

        for measures in pool.map(one, range(len(case.frames))):
            progress()
            yield measures
