"""The masks of a data set's sequences, in any layout that is read, paired with a prediction."""

import hashlib
import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from app.core.evaluate import VOID, Labels, Protocol
from app.errors import FormatError
from app.storage.formats.davis import mask_files, mask_folders, size_notes
from app.storage.formats.importing import (
    MaskSource,
    Source,
    find_frames,
    json_files,
    read_videos,
)
from app.storage.formats.labelled import LabelledVideo
from app.storage.formats.palette import read_labels
from app.storage.video.folder import natural_order
from app.storage.video.opening import Video, open_video

_LEVELS = 3  # of ROOT/Annotations/480p/SEQUENCE, above which no images are looked for
_CACHE_VERSION = 1  # rises when what is measured changes


@dataclass(frozen=True)
class Masks:
    """The masks of one sequence, read when they are asked for. Safe to use from several threads.

    `files` are what they are read from; `names` are those of the objects, where the format has
    names, by id.
    """

    name: str
    stems: tuple[str, ...]  # in the order of the frames
    read: Callable[[str], Labels]  # stem -> label map (H, W), 255 = void
    files: tuple[Path, ...]
    names: Mapping[int, str]
    form: Source


def read_root(root: Path) -> tuple[dict[str, Masks], tuple[str, ...]]:
    """Return the sequences under `root` by name, and what a person should know of the choice.

    `root` is a folder of mask PNGs or of such folders, in DAVIS's layout or plain, or a VISOR or
    COCO JSON or a folder of them. Raises FormatError.
    """
    if not root.exists():
        raise FormatError(f"{root} does not exist. Give a folder of masks, or a JSON.")
    if root.is_dir() and not _holds_json_alone(root):
        found = [_of_folder(folder) for folder in mask_folders(root)]
        return {masks.name: masks for masks in found}, size_notes(root)
    files = json_files(root)
    forms = {file: MaskSource(file).form for file in files}
    found = [
        _of_video(video, file, form)
        for file, form in forms.items()
        for video in read_videos(file, form)
    ]
    return {masks.name: masks for masks in found}, ()


@dataclass(frozen=True)
class Case:
    """One sequence to inspect: its scored frames, its truth, and one prediction of them."""

    name: str
    frames: tuple[str, ...]  # the stems of the scored frames
    positions: tuple[int, ...]
    objects: tuple[str, ...]
    protocol: Protocol
    truth: Masks
    prediction: Masks
    images: Path | None

    def labels(self, frame: int) -> tuple[Labels, Labels]:
        """Return truth and prediction, (H, W), of the frame at this place of `frames`.

        Raises FormatError where the prediction is of another size or holds an unknown object.
        """
        stem = self.frames[frame]
        truth, prediction = self.truth.read(stem), self.prediction.read(stem)
        if truth.shape != prediction.shape:
            raise FormatError(
                f"{self.name}, frame {stem}: the prediction is {_text(prediction)}, the ground "
                f"truth {_text(truth)}. Masks must have one size; predict at the frames' size."
            )
        truth, prediction = (self._foreground(labels) for labels in (truth, prediction))
        if self._renumbering is not None:
            prediction = self._renumbering[prediction]
        if (highest := int(prediction.max(initial=0))) > len(self.objects):
            raise FormatError(
                f"{self.name}, frame {stem}: the prediction holds object {highest}, but the ground "
                f"truth has {len(self.objects)} object(s). Check the folders and --protocol."
            )
        return truth, prediction

    def video(self) -> Video | None:
        """Open the frames, where there are any. Raises VideoOpenError."""
        return open_video(self.images) if self.images else None

    def fingerprint(self) -> str:
        """Return a name for what is measured: it changes when a file or the rules do."""
        names = (self.truth.name, self.prediction.name)  # one file may hold several sequences
        rules = (_CACHE_VERSION, self.protocol.value, names, self.objects, self.frames)
        digest = hashlib.sha256(repr(rules).encode())
        for path in (*self.truth.files, *self.prediction.files, *_files(self.images)):
            facts = path.stat()
            digest.update(f"{path.absolute()} {facts.st_size} {facts.st_mtime_ns}\n".encode())
        return digest.hexdigest()

    @cached_property
    def _renumbering(self) -> Labels | None:
        """The truth's id for each of the prediction's: objects with names are matched by them."""
        if not self.truth.names or not self.prediction.names:
            return None
        ids = {name: number for number, name in self.truth.names.items()}
        unknown = [name for name in self.prediction.names.values() if name not in ids]
        if unknown:
            return None
        table = np.arange(256, dtype=np.uint8)
        for number, name in self.prediction.names.items():
            table[number] = ids[name]
        return table

    def _foreground(self, labels: Labels) -> Labels:
        if self.protocol is Protocol.DAVIS2016:
            return (labels > 0).view(np.uint8)
        return np.where(labels == VOID, np.uint8(0), labels)


def pair(
    truths: Mapping[str, Masks],
    predictions: Mapping[str, Masks],
    protocol: Protocol | None,
    images: "Images",
) -> list[Case]:
    """Return a case for each sequence of the truth; without a protocol it is told from the masks.

    Raises FormatError where masks are missing that are to be scored.
    """
    if len(truths) == len(predictions) == 1:
        names = [*zip(truths, predictions, strict=True)]
    else:
        _check_complete(truths, predictions)
        names = [(name, name) for name in truths]
    protocol = protocol or told_protocol(next(iter(truths.values())))
    alone = len(truths) == 1
    return [
        _case(truths[name], predictions[other], protocol, images.of(truths[name], alone=alone))
        for name, other in names
    ]


def told_protocol(truth: Masks) -> Protocol:
    """Return the protocol that a ground truth is made for, as its masks tell."""
    if truth.form is not Source.DAVIS:
        return Protocol.VISOR if truth.form is Source.VISOR else Protocol.DAVIS2017
    values = set(np.unique(truth.read(truth.stems[0])).tolist())
    return Protocol.DAVIS2016 if values <= {0, VOID} else Protocol.DAVIS2017


@dataclass(frozen=True)
class Images:
    """Where the images of sequences lie: in `root`, or with the ground truth, or nowhere."""

    root: Path | None
    truth: Path

    def of(self, masks: Masks, *, alone: bool) -> Path | None:
        """Return the images of a sequence. Raises FormatError where `root` has none.

        `root` itself may be those of a sequence that is alone. Images that lie with the ground
        truth are taken where there is one for each mask.
        """
        name = masks.name
        if self.root is None:
            homes = (self.truth, *self.truth.absolute().parents[:_LEVELS])
            near = filter(None, (find_frames(home, name) for home in homes))
            return next((each for each in near if _has_all(each, masks.stems)), None)
        found = self.root if self.root.is_file() else find_frames(self.root, name)
        if found is None and alone and self.root.is_dir():
            found = self.root
        if found is None:
            raise FormatError(
                f"{self.root} has no images of {name}. Give the folder that holds a folder of "
                "images for each sequence, or leave --frames out."
            )
        return found


def _case(truth: Masks, prediction: Masks, protocol: Protocol, images: Path | None) -> Case:
    scored = protocol.scored(len(truth.stems))
    if not scored:
        raise FormatError(
            f"{truth.name} has {len(truth.stems)} frame(s), and {protocol.value} leaves none of "
            "them to score. Give more frames, or another --protocol."
        )
    frames = tuple(truth.stems[index] for index in scored)
    there = set(prediction.stems)
    missing = [stem for stem in frames if stem not in there]
    if missing:
        raise FormatError(
            f"{truth.name}: {len(missing)} of {len(frames)} frames have no prediction, the first "
            f"is {missing[0]}. Predict each frame of the ground truth."
        )
    return Case(
        truth.name,
        frames,
        _positions(frames, [path.stem for path in _files(images)], there),
        _objects(truth, protocol),
        protocol,
        truth,
        prediction,
        images,
    )


def _positions(
    frames: tuple[str, ...], images: Sequence[str], others: Iterable[str]
) -> tuple[int, ...]:
    """Return where frames lie in their video: among its images, else by the numbers they bear.

    Where their names do not end in numbers, they lie among all that have masks.
    """
    if set(images).issuperset(frames):
        places = {stem: place for place, stem in enumerate(images)}
        return tuple(places[stem] for stem in frames)
    digits = [re.search(r"\d+$", stem) for stem in frames]
    numbers = [int(found[0]) for found in digits if found]
    if len(numbers) == len(frames) and all(map(operator.lt, numbers, numbers[1:])):
        return tuple(numbers)
    every = sorted({*others, *frames}, key=natural_order)
    return tuple(every.index(stem) for stem in frames)


def _objects(truth: Masks, protocol: Protocol) -> tuple[str, ...]:
    """Return what the objects are called; there are as many as the first frame has, by protocol."""
    if protocol is Protocol.DAVIS2016:
        return ("1",)
    if truth.names:
        return tuple(truth.names.get(i, str(i)) for i in range(1, max(truth.names) + 1))
    first = truth.read(truth.stems[0])
    count = int(np.where(first == VOID, 0, first).max(initial=0))
    if not count:
        raise FormatError(
            f"{truth.name}: the first ground truth frame holds no object. Check the folder, and "
            "give --protocol davis2016 for masks of 0 and 255."
        )
    return tuple(str(number) for number in range(1, count + 1))


def _check_complete(truths: Mapping[str, Masks], predictions: Mapping[str, Masks]) -> None:
    missing = [name for name in truths if name not in predictions]
    if missing:
        raise FormatError(
            f"The prediction has no masks for {missing[0]}"
            + (f" and {len(missing) - 1} more sequences" if len(missing) > 1 else "")
            + ". Predict them too, or give the ground truth of fewer sequences."
        )


def _holds_json_alone(root: Path) -> bool:
    """Tell a folder of JSONs from one of masks that has a JSON beside them."""
    if not any(root.glob("[!.]*.json")):
        return False
    try:
        mask_folders(root)
    except FormatError:
        return True
    return False


def _of_folder(folder: Path) -> Masks:
    files = {path.stem: path for path in mask_files(folder)}
    return Masks(
        folder.name,
        tuple(files),
        lambda stem: read_labels(files[stem]),
        tuple(files.values()),
        {},
        Source.DAVIS,
    )


def _of_video(video: LabelledVideo, file: Path, form: Source) -> Masks:
    frames = {frame.stem: frame for frame in video.frames}
    return Masks(
        video.name,
        tuple(frames),
        lambda stem: frames[stem].labels(video.size),
        (file,),
        {info.id: info.name for info in video.objects},
        form,
    )


def _has_all(folder: Path, stems: Iterable[str]) -> bool:
    return {path.stem for path in _files(folder)}.issuperset(stems)


def _files(folder: Path | None) -> Sequence[Path]:
    if folder is None:
        return ()
    if folder.is_file():
        return (folder,)
    shown: Iterable[Path] = folder.glob("[!.]*")
    found = (path for path in shown if path.is_file())
    return sorted(found, key=lambda path: natural_order(path.name))


def _text(labels: Labels) -> str:
    return f"{labels.shape[1]}x{labels.shape[0]}"
