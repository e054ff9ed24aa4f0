"""The label maps and scores of a video, kept frame by frame while they are made."""

import errno
import hashlib
import io
import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from app.errors import StorageError, UsageError
from app.storage.files.writing import check_folder
from app.storage.formats.palette import Labels, encode_palette_png, read_labels
from models.api import BoolMask, FloatMap


class LabelFrames:
    """Makes `<stem>.png` for each frame, and `scores/<stem>.npz`, beside the folder they go to.

    Each frame is whole or not there. `finish` puts all of them into the folder; until then what
    was in it is untouched, and a later LabelFrames with the same `question` finds what is done.
    """

    def __init__(self, target: Path, size: tuple[int, int], question: object) -> None:
        self._target, self._size = target.resolve(), size  # a link's own place may be elsewhere
        self._question = hashlib.sha256(json.dumps(question).encode()).hexdigest()
        self.folder = self._target.with_name(f".{self._target.name}.unfinished")
        self._state = self.folder / "done.json"
        self._done = self._resumed()
        (self.folder / "scores").mkdir(parents=True, exist_ok=True)

    def done(self, part: int) -> int:
        """Return how many frames of part `part` of the work are finished."""
        return self._done.get(part, 0)

    def finished(self, part: int) -> None:
        """Remember that one more frame of this part is finished."""
        self._done[part] = self.done(part) + 1
        state = {"question": self._question, "done": self._done}
        self._put("done.json", json.dumps(state).encode())

    def labels(self, stem: str) -> Labels:
        """Return what is kept of a frame; background where there is nothing."""
        file = self.folder / f"{stem}.png"
        return read_labels(file, self._size) if file.exists() else np.zeros(self._size, np.uint8)

    def set(self, stem: str, labels: Labels) -> None:
        """Keep the whole label map of a frame, as it is."""
        self._put(f"{stem}.png", encode_palette_png(labels))

    def add(self, stem: str, masks: Mapping[int, BoolMask]) -> None:
        """Lay objects where the frame is background so far; earlier ones win."""
        labels = self.labels(stem)
        for number, mask in masks.items():
            labels[mask & (labels == 0)] = number
        self.set(stem, labels)

    def add_scores(self, stem: str, found: Mapping[int, FloatMap], ids: Sequence[int]) -> None:
        """Keep the probabilities of objects, with those that are kept already; 0 for the rest."""
        file = self.folder / "scores" / f"{stem}.npz"
        maps: dict[int, FloatMap] = {}
        if file.exists():
            with np.load(file) as kept:
                maps = dict(zip(ids, kept["prob"][1:].astype(np.float32), strict=True))
        maps |= found
        none = np.zeros(self._size, np.float32)
        prob = with_background([maps.get(number, none) for number in ids])
        stream = io.BytesIO()
        np.savez_compressed(stream, prob=prob.astype(np.float16), ids=np.array(ids, np.uint8))
        self._put(f"scores/{stem}.npz", stream.getvalue())

    def finish(self) -> None:
        """Put everything in its place and remove what was kept of the work.

        Scores of an earlier answer go where its masks go. Raises StorageError, with the work kept.
        """
        made = [path.relative_to(self.folder) for path in sorted(self.folder.rglob("*.*"))]
        files = [path for path in made if path.suffix in {".png", ".npz"}]
        try:
            self._place(files)
            self._drop_old_scores(files)
        except OSError as error:
            raise StorageError(
                f"The masks cannot be put in {self._target}: {error.strerror}, "
                f"{error.filename2 or error.filename}. They are kept in {self.folder}: mend that, "
                "and the same command again puts them in place."
            ) from error
        self._state.unlink(missing_ok=True)
        shutil.rmtree(self.folder)

    def _place(self, files: Sequence[Path]) -> None:
        """Bring all files beside their places, then rename them: only the former takes room."""
        places: dict[Path, Path] = {}
        try:
            for file in files:
                place = self._target / file
                part = place.with_name(f".{place.name}.part")
                part.parent.mkdir(parents=True, exist_ok=True)
                places[part] = place
                if place.is_dir():  # before any is renamed
                    raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(place))
                _bring(self.folder / file, part)
            for part, place in places.items():
                part.replace(place)
        finally:
            for part in places:
                part.unlink(missing_ok=True)  # also where it was a second name of its place

    def _drop_old_scores(self, files: Sequence[Path]) -> None:
        scores = self._target / "scores"
        if not scores.is_dir():
            return
        fresh = {file.stem for file in files if file.suffix == ".npz"}
        for stem in {file.stem for file in files} - fresh:
            (scores / f"{stem}.npz").unlink(missing_ok=True)
        if not any(scores.iterdir()):
            scores.rmdir()

    def _resumed(self) -> dict[int, int]:
        if self._state.is_file():
            try:
                state = json.loads(self._state.read_bytes())
                if state["question"] == self._question:
                    return {int(part): int(count) for part, count in state["done"].items()}
            except (ValueError, KeyError, TypeError, AttributeError):
                pass  # damaged by a power cut, say: then nothing is known to be done
        shutil.rmtree(self.folder, ignore_errors=True)
        return {}

    def _put(self, name: str, content: bytes) -> None:
        # Whole or not there, but not flushed to the disk: after a power cut the work is done again.
        beside = self.folder / "scores" / ".part"
        beside.write_bytes(content)
        beside.replace(self.folder / name)


def check_target(target: Path, stems: Iterable[str], *, scores: bool = False) -> None:
    """Raise UsageError where something stands in the way of what frames are to be written as."""
    check_folder(target / "scores" if scores else target)
    for stem in stems:
        if (place := target / f"{stem}.png").is_dir():
            raise UsageError(
                f"{place} is a folder and stands in the way. Move it, or give another folder with "
                "--out."
            )


def _bring(file: Path, part: Path) -> None:
    """Give a file a second name, or copy it where that cannot be, as to another filesystem."""
    part.unlink(missing_ok=True)
    try:
        os.link(file, part)
    except OSError:
        shutil.copyfile(file, part)


def with_background(maps: Sequence[FloatMap]) -> FloatMap:
    """Return (K + 1, H, W) of sum 1 for each pixel: what no object claims is background."""
    claimed = np.stack([np.zeros_like(maps[0]), *maps])
    claimed[0] = np.maximum(0, 1 - claimed.sum(axis=0))
    return np.asarray(claimed / claimed.sum(axis=0), np.float32)
