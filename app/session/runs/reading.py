"""Reading masks of any format as a run of the open video."""

import hashlib
from pathlib import Path

from app.batch.inspection.sequences import read_root
from app.core.runs import Run, RunInfo, RunKind, run_of
from app.storage.formats.importing import MaskSource, Source, placed_stems
from app.storage.video.opening import Video
from models.api import ModelError


def read_run(
    source: Path, video: Video, kind: RunKind, label: str = "", first_number: int | None = None
) -> tuple[Run, tuple[str, ...]]:
    """Return the masks of a folder or JSON as a run, and what a person should know of them.

    Of several sequences the one that bears the video's name is read. A frame whose file holds no
    mask is one on which every object is absent. Raises FormatError, FirstNumberError where
    `first_number`, that of the video's first frame, has to be known, UsageError.
    """
    masks = MaskSource(source)
    name = _sequence(masks, video)
    found = masks.document(video, name, first_number)
    info = RunInfo(label or _label(source, kind), kind, source=str(source))
    run = run_of(found.document, info, _frames(source, video, name, first_number) or None)
    return run, found.notes


def checksum(model: str) -> str:
    """Return the SHA-256 of a model's weights; empty where it has none, or none are found."""
    # It brings the network's modules along, for which the window need not wait.
    from models.weights import own, store  # noqa: PLC0415

    mine = own.own_weights().get(model)
    try:
        path = mine.path if mine else store.find(model)
    except ModelError:
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sequence(masks: MaskSource, video: Video) -> str | None:
    if masks.form is Source.VISOR:
        return None
    names = masks.names
    own = (video.source.name, video.source.stem)
    return next((name for name in own if len(names) > 1 and name in names), None)


def _frames(
    source: Path, video: Video, name: str | None, first_number: int | None
) -> tuple[int, ...]:
    """Return the frames that the masks speak of, with a mask or without."""
    sequences, _ = read_root(source)
    masks = sequences[name] if name in sequences else next(iter(sequences.values()))
    places, _ = placed_stems(masks.stems, video, first_number)
    return tuple(sorted({place for place in places if place is not None}))


def _label(source: Path, kind: RunKind) -> str:
    """Return what to call a run at first; a person can rename it."""
    if kind is RunKind.GROUND_TRUTH:
        return "ground truth"
    return source.stem if source.is_file() else source.name
