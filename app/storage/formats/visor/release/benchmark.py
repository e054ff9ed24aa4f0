"""The video object segmentation benchmark of VISOR: which objects and frames of a file it keeps."""

import enum
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import cv2

from app.core.mask import Mask
from app.errors import FormatError
from app.storage.formats.labelled import LabelledFrame, LabelledVideo, named_objects
from app.storage.formats.visor.geometry import DENSE_SIZE, Fill, Size, fill, filled
from app.storage.formats.visor.records import Record, VisorFile, by_subsequence

# Kitchens that no training video shows.
UNSEEN = frozenset(
    {
        "P07_101",
        "P07_103",
        "P07_110",
        "P09_02",
        "P09_07",
        "P09_103",
        "P09_104",
        "P09_106",
        "P21_01",
        "P29_04",
    }
)
_MOST_OBJECTS = 254


class Split(enum.Enum):
    """Val: objects of a subsequence's first frame, at least 2 frames. Train: all, at least 3."""

    TRAIN = "train"
    VAL = "val"

    def keeps(self, video: LabelledVideo) -> bool:
        """Whether the benchmark keeps a subsequence."""
        return len(video.frames) >= (2 if self is Split.VAL else 3)


def benchmark_videos(
    file: VisorFile, split: Split, size: Size = DENSE_SIZE, fill: Fill = fill
) -> list[LabelledVideo]:
    """Return a file's subsequences as the official conversion labels them, sorted by name.

    Too short ones are among them (`Split.keeps`): they stand in the mapping. Frames on which
    nothing is painted are not. Ids count the sorted names, per subsequence; annotations of one
    name share an id; polygons without points paint pixel (0, 0), as they do officially. `fill`
    is that of an OpenCV release, by default of the one that is installed.
    """
    return [
        _labelled(records, split, name, file.canvas, size, fill)
        for name, records in by_subsequence(file.records)
    ]


def image_adder(
    root: Path, split: Split, names: Mapping[str, Mapping[str, str]] | None = None
) -> Callable[[LabelledVideo, Path], None]:
    """Return what writes a subsequence's JPEGs: bilinear, quality 95.

    They are looked for in `root/<video>`, as in VISOR's release, and in `root` itself; where
    `names` says of a video what EPIC-KITCHENS calls its frames, by those names.
    """

    def add(video: LabelledVideo, folder: Path) -> None:
        folder.mkdir(parents=True)
        for frame in video.frames:
            known = (names or {}).get(video.video, {})
            stem = Path(known.get(f"{frame.stem}.jpg", frame.stem)).stem
            content = _resized(_image_of(root, video.video, stem, split), video.size)
            (folder / f"{frame.stem}.jpg").write_bytes(content)

    return add


def _resized(path: Path, size: Size) -> bytes:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise FormatError(f"{path} is not a readable image. Copy or extract it again.")
    small = cv2.resize(image, size[::-1], interpolation=cv2.INTER_LINEAR)
    _, content = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 95])
    return content.tobytes()


def _image_of(root: Path, video: str, stem: str, split: Split) -> Path:
    kitchen = video.partition("_")[0]
    folders = (
        root / video,
        root / split.value / kitchen / video,
        root / "rgb_frames" / split.value / kitchen / video,
        root / kitchen / video,
        root,
    )
    for folder in folders:
        if (path := folder / f"{stem}.jpg").is_file():
            return path
    raise FormatError(
        f"There is no image {stem}.jpg under {root} (looked in {video}, {split.value}/{kitchen}/"
        f"{video} and the folder itself). Give the folder of the frames, or leave out --images."
    )


def _labelled(
    records: Sequence[Record], split: Split, name: str, canvas: Size, size: Size, fill: Fill
) -> LabelledVideo:
    counted = records[:1] if split is Split.VAL else records
    names = {
        annotation.name
        for record in counted
        for annotation in record.annotations
        if annotation.polygons
    }
    if len(names) > _MOST_OBJECTS:
        raise FormatError(f"{name} names {len(names)} objects; label maps hold {_MOST_OBJECTS}.")
    ids = {entity: number for number, entity in enumerate(sorted(names), start=1)}
    mask_of = partial(filled, canvas=canvas, mark_empty=True, fill=fill)
    frames = (_frame(record, ids, mask_of, size) for record in records)
    objects = named_objects({number: entity for entity, number in ids.items()})
    kept = tuple(frame for frame in frames if frame is not None)
    return LabelledVideo(name, records[0].video, size, objects, kept)


def _frame(
    record: Record, ids: dict[str, int], mask_of: Callable[..., Mask | None], size: Size
) -> LabelledFrame | None:
    """Return the frame, or None where nothing is painted before the map is made small."""
    painted = False
    masks = []
    for annotation in record.annotations:
        if annotation.name not in ids:
            continue
        mask = mask_of(annotation.polygons, size=size)
        painted = painted or mask_of(annotation.polygons) is not None
        if mask is not None:
            masks.append((ids[annotation.name], mask))
    return LabelledFrame(record.stem, tuple(masks)) if painted else None
