"""Dense VISOR files: the masks between annotated frames, run by run, as the release has them."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from app.core.densify import Run
from app.core.document import Document, Key
from app.core.mask import Mask
from app.storage.formats.visor.exporting import written_names
from app.storage.formats.visor.geometry import DENSE_SIZE, IntPolygon, sample, spread, trace
from app.storage.formats.visor.naming import NamedFrames, places, visor_stems
from app.storage.formats.visor.records import VisorFile, by_path
from app.storage.formats.visor.source_text import JsonObject

_INFO: JsonObject = {
    "Dataset Name": "VISOR",
    "Release Date": "Aug 2022",
    "URL": "https://epic-kitchens.github.io/VISOR",
    "details": "In each mask, type=0: automatically generated mask, type=1: filtered ground truth. "
    "All annotations generated in 854x480 resolution",
}
_DRAWN, _INTERPOLATED = 1, 0


def annotated_frames(file: VisorFile, frames: NamedFrames) -> dict[int, str]:
    """Return frame -> subsequence of the frames that a sparse file has a record of."""
    records = by_path(file.records)
    placed = zip(records, places(records, frames), strict=True)
    return {frame: record.subsequence for record, frame in placed if frame is not None}


def dense_file(
    document: Document,
    frames: NamedFrames,
    runs: Sequence[Run],
    sparse: VisorFile,
    attachment: bytes | None = None,
) -> VisorFile:
    """Return the dense file of a document whose `runs` are filled; conflicts are left out.

    Each run has its two annotated frames and those in between that have a mask; neighbouring runs
    share a frame, which both have. Runs of which nothing was accepted are not there. Ids are the
    same each time.
    """
    writer = _Writer(document, frames, sparse, attachment)
    written = (writer.records(index, run) for index, run in enumerate(runs, start=1))
    return VisorFile({"info": _INFO, "video_annotations": [raw for run in written for raw in run]})


class _Writer:
    """The work of one dense file."""

    def __init__(
        self,
        document: Document,
        frames: NamedFrames,
        sparse: VisorFile,
        attachment: bytes | None,
    ) -> None:
        self._document = document
        self._names = written_names(document, attachment)
        self._video = sparse.records[0].video if sparse.records else ""
        self._stems = visor_stems(frames, self._video)
        self._subsequences = annotated_frames(sparse, frames)

    def records(self, index: int, run: Run) -> list[JsonObject]:
        """Return a run's records, none where no mask between its ends was accepted."""
        between = {f: found for f in run.frames if (found := self._accepted(f, run.objects))}
        if not between:
            return []
        kept = {number for found in between.values() for number in found}
        ends = {f: self._accepted(f, sorted(kept)) for f in (run.start, run.end)}
        around = _Run(f"{self._video}_{index:05d}", run, self._subsequence(run))
        shown = sorted((between | ends).items())
        return [self._record(around, frame, masks) for frame, masks in shown]

    def _subsequence(self, run: Run) -> str | None:
        ends = {self._subsequences.get(run.start), self._subsequences.get(run.end)}
        return ends.pop() if len(ends) == 1 else None

    def _accepted(self, frame: int, objects: Sequence[int]) -> dict[int, Mask]:
        found: dict[int, Mask] = {}
        for number in objects:
            entry = self._document.get(Key(frame, number))
            if entry is not None and entry.mask is not None and not entry.conflict:
                found[number] = entry.mask
        return found

    def _record(self, around: "_Run", frame: int, masks: Mapping[int, Mask]) -> JsonObject:
        run = around.run
        name = f"{self._stems[frame]}.png"
        image: JsonObject = {"image_path": f"{self._video}/{name}", "name": name}
        if around.subsequence is not None:
            image["subsequence"] = around.subsequence
        image |= {
            "video": self._video,
            "interpolation": around.name,
            "interpolation_start_frame": f"{self._stems[run.start]}.png",
            "interpolation_end_frame": f"{self._stems[run.end]}.png",
        }
        kind = _DRAWN if frame in {run.start, run.end} else _INTERPOLATED
        return {"image": image, "annotations": list(self._annotations(around, name, masks, kind))}

    def _annotations(
        self, around: "_Run", image: str, masks: Mapping[int, Mask], kind: int
    ) -> Iterator[JsonObject]:
        for info in self._document.objects:
            if info.id not in masks or not (segments := _segments(masks[info.id])):
                continue
            name = self._names[info.id]
            content = f"{around.name}/{image}/{name}".encode(errors="surrogatepass")
            yield {
                "id": hashlib.sha256(content).hexdigest()[:32],
                "name": name,
                "class_id": info.class_id,
                "type": kind,
                "segments": segments,
            }


@dataclass(frozen=True, slots=True)
class _Run:
    """A run, the id that it has in the file, and its subsequence, where it has but one."""

    name: str
    run: Run
    subsequence: str | None


def _segments(mask: Mask) -> list[IntPolygon]:
    pixels = mask.decode()
    larger = all(own >= wanted for own, wanted in zip(mask.size, DENSE_SIZE, strict=True))
    return trace((sample if larger else spread)(pixels, DENSE_SIZE))
