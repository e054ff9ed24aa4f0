"""The reading of any exchange format into labelled videos and documents, and between formats."""

import enum
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from app.core.document import Document, Key
from app.errors import FirstNumberError, FormatError, UsageError
from app.storage.files.writing import atomic_write
from app.storage.formats.coco import read_coco
from app.storage.formats.davis import by_size, mask_folders, read_davis, size_notes
from app.storage.formats.labelled import LabelledVideo, check_names, labelled
from app.storage.formats.visor.exporting import build_export
from app.storage.formats.visor.importing import document_of, import_visor
from app.storage.formats.visor.naming import NamedFrames, normal, video_name
from app.storage.formats.visor.records import (
    VisorFile,
    parse_json,
    read_content,
    read_json,
)
from app.storage.formats.visor.release.benchmark import Split, benchmark_videos
from app.storage.formats.visor.release.tables import corrected
from app.storage.formats.visor.source_text import JsonObject
from app.storage.video.opening import Video, open_video

_FEWEST_IN_A_ROW = 3  # masks numbered 1, 2, 3 or 1, 3, 5 could be counted from 0 or from 1
_VIDEO_FILES = (".mp4", ".MP4", ".mkv", ".mov", ".avi", ".webm")


class Source(enum.Enum):
    """The formats that masks can be read from."""

    VISOR = "visor"
    DAVIS = "davis"
    COCO = "coco"
    SUBMISSION = "submission"


@dataclass(frozen=True, slots=True)
class Imported:
    """A document with its frames, and the attachment that a project keeps for the way back."""

    document: Document
    frames: NamedFrames
    attachment: bytes | None
    notes: tuple[str, ...]


class MaskSource:
    """The masks of a file or folder, read once: its videos' names, their frames, a document."""

    def __init__(self, path: Path) -> None:
        """Read `path`: a folder is DAVIS, a JSON tells by its keys. Raises FormatError."""
        self._path = path
        self._visor: VisorFile | None = None
        self._videos: list[LabelledVideo] = []
        self._notes: list[str] = []
        self.form = Source.DAVIS
        if path.is_dir():
            self.names = [folder.name for folder in mask_folders(path)]
            return
        content = read_content(path)
        if b"video_annotations" in content:
            with suppress(FormatError):  # a COCO file may speak of them
                self._take_visor(VisorFile.parse(content, str(path)))
                return
        raw = parse_json(content, str(path))
        keys = raw.keys() if isinstance(raw, dict) else set()
        if "video_annotations" in keys:  # not in plain bytes: another encoding, or an escape
            self._take_visor(VisorFile.parse(content, str(path)))
        elif {"images", "annotations"} <= keys:
            self.form = Source.COCO
            self._videos = coco_videos(raw, path, self._notes)
            self.names = [video.name for video in self._videos]
        else:
            raise FormatError(
                f"{path} is neither a VISOR nor a COCO JSON. Give one, or a DAVIS folder."
            )

    def _take_visor(self, file: VisorFile) -> None:
        self._visor, self.form = file, Source.VISOR
        self.names = sorted({record.video for record in file.records})

    def correct(self, corrections: Path) -> int:
        """Put the VISOR authors' corrections in the contacts; return how many there were.

        Raises FormatError where it is no VISOR JSON.
        """
        if self._visor is None:
            raise FormatError(f"{self._path} is no VISOR JSON, which --corrections are for.")
        self._visor, count = corrected(self._visor, corrections)
        return count

    def open_video(self, video: Path | None = None, name: str | None = None) -> Video | None:
        """Open the video given, or else the one that lies with the masks, or nothing.

        Raises VideoOpenError.
        """
        if video is not None:
            return open_video(video)
        chosen = name or (self.names[0] if len(self.names) == 1 else None)
        if chosen is None:
            return None
        told = [each.folder for each in self._videos if each.name == chosen and each.folder]
        found = find_frames(self._path, chosen, *told)
        if found is None and self._path.is_file():  # in a folder of masks they would be found
            found = find_video(self._path.parent, chosen)
        return open_video(found) if found else None

    def document(
        self, video: Video | None = None, name: str | None = None, first_number: int | None = None
    ) -> Imported:
        """Return the masks of one video as a document at the video's size.

        Without a `video` the frames that the masks name stand for one. `name` picks a video of a
        source with several, `first_number` is that of the first frame of masks that are numbered.
        Raises FormatError, UsageError.
        """
        if self._visor is not None:
            found = document_of(self._visor, self._path, video)
            return Imported(found.document, found.frames, found.attachment, found.notes)
        wanted = _chosen(self.names, name, self._path)
        if self._path.is_dir():
            notes = size_notes(self._path, {wanted})
            chosen = next(read_davis(self._path, wanted))
        else:
            notes = tuple(self._notes)
            chosen = next(each for each in self._videos if each.name == wanted)
        notes = (*notes, *chosen.notes)
        if video is None:
            home = self._path / "JPEGImages" if self._path.is_dir() else self._path.parent
            return Imported(chosen.document(), chosen.frame_list(home.absolute()), None, notes)
        placed = _placed(chosen, video, self._path, first_number)
        return replace(placed, notes=(*notes, *placed.notes))


def coco_videos(raw: object, path: Path, odd: list[str]) -> list[LabelledVideo]:
    """Return the videos of a parsed COCO file; one that nothing names is called as the file.

    What cannot be read is told to `odd`. Raises FormatError.
    """
    return [
        video if video.name else replace(video, name=path.stem, video=path.stem)
        for video in read_coco(raw, odd)
    ]


def read_videos(
    path: Path, form: Source, notes: list[str] | None = None
) -> Iterator[LabelledVideo]:
    """Yield all videos of a source; a submission's and DAVIS's may be VISOR subsequences.

    What a person should know is added to `notes`. Raises FormatError.
    """
    if form is Source.DAVIS:
        for video in read_davis(path):
            if notes is not None:
                notes += video.notes
            yield video
        return
    for file in json_files(path):
        if form is Source.COCO:
            yield from coco_videos(read_json(file), file, [] if notes is None else notes)
        elif form is Source.SUBMISSION:
            # All names count: what is not on the first frame has been predicted nevertheless.
            submitted = VisorFile.read(file)
            yield from benchmark_videos(submitted, Split.TRAIN)
        else:
            found = import_visor(file)
            yield labelled(found.document, found.frames, video_name(found.frames))


def json_files(path: Path) -> list[Path]:
    """Return the JSON files of a folder in the order of their names, or the one file."""
    if not path.is_dir():
        return [path]
    found = sorted(path.glob("[!.]*.json"))
    if not found:
        raise FormatError(f"{path} holds no JSON files. Give a JSON file or a folder of them.")
    return found


def visor_files(videos: Iterable[LabelledVideo]) -> dict[str, VisorFile]:
    """Return video -> its VISOR file, subsequences of one video together."""
    files: dict[str, VisorFile] = {}
    for video in videos:
        is_part = "_seq_" in video.name
        frames = video.frame_list(Path())
        fresh = build_export(
            video.document(), frames, subsequence=video.name if is_part else None
        ).file
        name = video_name(frames)
        if name not in files:
            files[name] = fresh
            continue
        records: list[JsonObject] = [r.raw for r in (*files[name].records, *fresh.records)]
        files[name] = VisorFile({**fresh.raw, "video_annotations": records})
    return files


def write_visor(target: Path, videos: Sequence[LabelledVideo]) -> None:
    """Write a VISOR JSON of one video, or, where `target` is not a JSON, a folder of one each.

    Raises FormatError where a name cannot be a file's, before anything is written.
    """
    check_names(videos)
    files = visor_files(videos)
    if target.suffix.lower() != ".json":
        for name, file in files.items():
            atomic_write(target / f"{name}.json", file.dumps())
    elif len(files) == 1:
        atomic_write(target, next(iter(files.values())).dumps())
    else:
        raise UsageError(
            f"There are {len(files)} videos, and a VISOR JSON holds one. "
            f"Give a folder: {target.with_suffix('')}."
        )


def find_frames(path: Path, video: str, *told: str) -> Path | None:
    """Return the folder of images of a video that lies with its masks, where there is one.

    `told` are places that the masks' file names.
    """
    kitchen = video.partition("_")[0]
    root = path if path.is_dir() else path.parent
    # VISOR's release has `annotations/train/P01_01.json` beside `rgb_frames/train/P01/P01_01`.
    release = [above for above in root.absolute().parents[:2] if (above / "rgb_frames").is_dir()]
    folders = [
        *(root / each for each in told),
        root / video,
        *(each for r in (root, *release) for each in r.glob(f"rgb_frames/*/{kitchen}/{video}")),
        *sorted(root.glob(f"JPEGImages/*/{video}"), key=lambda folder: by_size(folder.parent.name)),
        root / "JPEGImages" / video,
    ]
    images = {".jpg", ".jpeg"}
    return next(
        (f for f in folders if f.is_dir() and any(p.suffix.lower() in images for p in f.iterdir())),
        None,
    )


def find_video(folder: Path, name: str) -> Path | None:
    """Return the folder of images, or the video file, of this name in a folder, or None."""
    places = [folder / name, *(folder / f"{name}{suffix}" for suffix in _VIDEO_FILES)]
    return next((each for each in places if each.exists()), None)


def _chosen(names: list[str], name: str | None, path: Path) -> str:
    if name is None and len(names) == 1:
        return names[0]
    if name is not None and name in names:
        return name
    some = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
    raise UsageError(f"{path} holds {len(names)} videos ({some}). Pick one: --name NAME.")


def _placed(found: LabelledVideo, video: Video, path: Path, first_number: int | None) -> Imported:
    """Put the masks on the frames of a video whose names they bear."""
    if found.size != video.size:
        raise FormatError(
            f"The masks of {path} are {_text(found.size)}, the frames of {video.source} "
            f"{_text(video.size)}. Give the video that the masks were made on."
        )
    stems = [frame.stem for frame in found.frames]
    places, told = placed_stems(stems, video, first_number)
    _check_one_each(stems, places)
    if not any(place is not None for place in places):
        raise FormatError(
            f"No mask of {path} bears the name of a frame of {video.source} (the first are "
            f"{found.frames[0].stem} and {video.stem(0)}). Rename them, or give the right video."
        )
    document = found.document()
    entries = {
        Key(place, key.object): entry
        for key, entry in document.items()
        if (place := places[key.frame]) is not None
    }
    lost = places.count(None)
    notes = (*told, *((f"{lost} mask files bear the name of no frame.",) if lost else ()))
    return Imported(Document(document.objects, dict(entries)), video, None, notes)


def _check_one_each(stems: Sequence[str], places: Sequence[int | None]) -> None:
    """Raise FormatError where two masks are of one frame, which can show one of them only."""
    taken: dict[int, str] = {}
    for stem, place in zip(stems, places, strict=True):
        if place is not None and taken.setdefault(place, stem) != stem:
            raise FormatError(
                f"The masks {taken[place]} and {stem} are of one frame, {place}. Leave one of them."
            )


def _text(size: tuple[int, int]) -> str:
    return f"{size[1]}x{size[0]}"


def placed_stems(
    stems: Sequence[str], video: Video, first_number: int | None = None
) -> tuple[list[int | None], tuple[str, ...]]:
    """Return each mask's frame, None where it has none, and what a person should know.

    Masks are named as their frames. Those of a video file are numbered; `first_number` is the
    number of its first frame where that is known. Raises FirstNumberError where it is not and
    could be 0 as well as 1.
    """
    names = {normal(video.stem(index)): index for index in range(len(video))}
    by_name = [names.get(normal(stem)) for stem in stems]
    is_numbered = all(stem.isdecimal() for stem in stems) and bool(stems)
    if not is_numbered or not video.source.is_file():
        if any(place is not None for place in by_name) or not is_numbered:
            return by_name, ()
        return _by_number(stems, video), ()
    numbers = [int(stem) for stem in stems]
    first = _first_number(numbers, len(video)) if first_number is None else first_number
    places = [n - first if 0 <= n - first < len(video) else None for n in numbers]
    if first == 0:
        return places, ()
    return places, (f"The masks are counted from {first}: {stems[0]} is frame {places[0]}.",)


def _first_number(numbers: Sequence[int], count: int) -> int:
    """Return the number of a video's first frame. Raises FirstNumberError where it is not clear."""
    present = sorted(set(numbers))
    if 0 in present or not present:
        return 0
    if present[-1] == count:
        return 1
    if len(present) >= _FEWEST_IN_A_ROW and _is_counted(present):
        first, second, *_ = present
        named = f"1 to {present[-1]}" if second == 2 else f"{first}, {second} to {present[-1]}"
        raise FirstNumberError(
            f"The masks are numbered {named}, the video has {count} frames: is 1 its first frame "
            "or its second?"
        )
    return 0


def _is_counted(numbers: list[int]) -> bool:
    """Whether rising numbers are those of frames taken at even distances, the first of which is 1.

    Counted from 0, they would begin with the second frame.
    """
    return numbers == list(range(1, numbers[-1] + 1, numbers[1] - numbers[0]))


def _by_number(stems: Sequence[str], video: Video) -> list[int | None]:
    """Match frames and masks whose numbers are padded differently."""
    names = [video.stem(index) for index in range(len(video))]
    if not all(name.isdecimal() for name in names):
        return [None] * len(stems)
    frames: dict[int, list[int]] = {}
    for index, name in enumerate(names):
        frames.setdefault(int(name), []).append(index)
    # A number that several frames have, as 1 and 01, says of none that it is meant.
    return [places[0] if len(places := frames.get(int(stem), [])) == 1 else None for stem in stems]
