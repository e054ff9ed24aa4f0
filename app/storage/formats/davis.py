"""The DAVIS format: a folder of palette PNGs a video, lists of videos and, for VISOR, of names."""

import itertools
import json
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from app.errors import FormatError, StorageError
from app.storage.files.writing import atomic_write
from app.storage.formats.labelled import (
    LabelledFrame,
    LabelledVideo,
    area_counts,
    check_names,
    named_objects,
    split_labels,
    white_masks,
)
from app.storage.formats.palette import (
    VOID,
    Palette,
    encode_palette_png,
    is_white_on_black,
    note_of,
    read_labels,
)
from app.storage.video.folder import natural_order, same_frame

AddImages = Callable[[LabelledVideo, Path], None]  # writes a video's JPEGs into the folder
_LIST_YEARS = (
    "2017",
    "2022",
)  # DAVIS's evaluator reads the one, VISOR's converter writes the other


def write_davis(
    root: Path,
    videos: Iterable[LabelledVideo],
    split: str,
    *,
    dropped: Iterable[LabelledVideo] = (),
    lists: Mapping[str, Callable[[LabelledVideo], bool]] | None = None,
    palette: Palette | None = None,
    add_images: AddImages | None = None,
) -> tuple[str, ...]:
    """Write Annotations, ImageSets, `<split>_data_mapping.json` and, with `add_images`, JPEGImages.

    Everything is written beside `root` first; then each video's folder takes its place there,
    and other videos of `root` stay, in mappings and lists too. `dropped` videos stand in the
    mapping only. `lists` are further lists of videos, by name. Returns what a person should know.
    Raises FormatError, before anything is written, where a name cannot be a file's or a mapping of
    `root` cannot be read.
    """
    kept = sorted(videos, key=lambda video: video.name)
    check_names(kept)
    _check_twins(kept)
    chosen = {split: kept} | {
        name: [video for video in kept if belongs(video)] for name, belongs in (lists or {}).items()
    }
    tables = _tables(root, split, kept, [*dropped], chosen)
    notes = _replaced(root, kept)
    root.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{root.name}.", dir=root.parent) as scratch:
        fresh = Path(scratch)
        for video in kept:
            size = f"{video.size[0]}p"
            _write_masks(fresh / "Annotations" / size / video.name, video, palette)
            if add_images:
                add_images(video, fresh / "JPEGImages" / size / video.name)
        _publish(fresh, root)
    for path, content in tables.items():
        atomic_write(path, content)
    return (*notes, *size_notes(root, {video.name for video in kept}))


def read_davis(root: Path, name: str | None = None) -> Iterator[LabelledVideo]:
    """Yield every video (or the one called `name`) of a DAVIS folder, of a folder of mask folders,
    or of one mask folder.

    Names come from a `*_data_mapping.json` of the folder; void (255) is background, but in a video
    of white on black, as DAVIS-2016 has them, white is object 1. Raises FormatError.
    """
    names = _read_mapping(root)
    for folder in mask_folders(root):
        if name is not None and folder.name != name:
            continue
        yield _read_video(folder, names.get(folder.name, {}))


def mask_folders(root: Path) -> list[Path]:
    """Return the folders under `root` that hold PNGs, one a video; `root` itself where it does.

    Of a video in several sizes it is the first by `by_size`; `size_notes` says so. Raises
    FormatError where there is none.
    """
    if not root.is_dir():
        raise FormatError(f"{root} is not a folder. Give a folder of mask PNGs, or of such.")
    found = _found(root)
    if not found:
        raise FormatError(
            f"{root} holds no mask PNGs. Give a folder of them, or a folder with one for each "
            "video."
        )
    return [places[0] for _, places in sorted(found.items())]


def size_notes(root: Path, names: Container[str] | None = None) -> tuple[str, ...]:
    """Say which size is read of the videos (of these names) that lie under `root` in several."""
    taken = [
        places[0].relative_to(root).as_posix()
        for name, places in sorted(_found(root).items())
        if len(places) > 1 and (names is None or name in names)
    ]
    if not taken:
        return ()
    some = ", ".join(taken[:5]) + (", ..." if len(taken) > 5 else "")
    return (
        f"{len(taken)} video(s) of {root} lie there in several sizes; these are read: {some}. "
        "To read another size, give its folder.",
    )


def by_size(name: str) -> tuple[bool, bool, int]:
    """Return a sort key of size folders: 480p, which benchmarks use, then from the largest on."""
    digits = name.removesuffix("p")
    height = int(digits) if digits.isdecimal() else 0
    return name != "480p", name != "Full-Resolution", -height


def _found(root: Path) -> dict[str, list[Path]]:
    """Return video -> its folders of masks, the one to read first."""
    base = root / "Annotations" if (root / "Annotations").is_dir() else root
    sizes = [*base.glob("[0-9]*p"), base / "Full-Resolution"]
    found: dict[str, list[Path]] = {}
    for place in [*sorted(sizes, key=lambda folder: by_size(folder.name)), base]:
        for folder in _folders_in(place):
            places = found.setdefault(folder.name, [])
            if folder not in places:
                places.append(folder)
    return found


def _folders_in(place: Path) -> list[Path]:
    """Return the folders of masks in a folder; itself where it is one."""
    if not place.is_dir():
        return []
    if _holds_masks(place):
        return [place]
    shown = (folder for folder in place.iterdir() if not folder.name.startswith("."))
    return list(filter(_holds_masks, shown))


def mask_files(folder: Path) -> list[Path]:
    """Return a video's PNGs in the order of its frames.

    Raises FormatError where two are of the same frame (`1.png` and `1.PNG`).
    """
    files = sorted(filter(_is_mask, folder.iterdir()), key=lambda path: natural_order(path.name))
    if twins := same_frame(files):
        raise FormatError(
            f"{twins[0].name} and {twins[1].name} in {folder} are the same frame twice. Leave one."
        )
    return files


def _check_twins(videos: Sequence[LabelledVideo]) -> None:
    for one, other in itertools.pairwise(videos):
        if one.name == other.name:
            raise FormatError(
                f"Two videos are called {one.name}: one would take the other's place. Rename one, "
                "or write them to different folders. Nothing was written."
            )


def _tables(
    root: Path,
    split: str,
    kept: Sequence[LabelledVideo],
    dropped: Sequence[LabelledVideo],
    chosen: Mapping[str, Sequence[LabelledVideo]],
) -> dict[Path, bytes]:
    """Return the mappings and lists as they will be: what they say of other videos stays."""
    names = {
        video.name: {str(info.id): info.name for info in video.objects}
        for video in (*kept, *dropped)
    }
    own = root / f"{split}_data_mapping.json"
    before = _raw_mappings(root)
    mappings = {own: before.get(own, {}) | names}
    for path in before.keys() - {own}:
        # The masks are other ones now, so the other split's names for their ids would be wrong.
        if again := {video.name for video in kept} & before[path].keys():
            mappings[path] = before[path] | {name: names[name] for name in again}
    tables = {
        path: json.dumps(dict(sorted(mapping.items()))).encode()
        for path, mapping in mappings.items()
    }
    for year, (name, listed) in itertools.product(_LIST_YEARS, chosen.items()):
        path = root / "ImageSets" / year / f"{name}.txt"
        lines = path.read_bytes().splitlines() if path.is_file() else []
        stay = {line for line in lines if line.strip()} - {video.encode() for video in names}
        tables[path] = b"\n".join(sorted(stay | {video.name.encode() for video in listed}))
    return tables


def _replaced(root: Path, videos: Iterable[LabelledVideo]) -> tuple[str, ...]:
    """Say which videos have namesakes in `root`, whose place they take."""
    folders = [Path("Annotations", f"{video.size[0]}p", video.name) for video in videos]
    found = [folder.as_posix() for folder in folders if (root / folder).exists()]
    if not found:
        return ()
    some = ", ".join(found[:5]) + (", ..." if len(found) > 5 else "")
    return (f"{len(found)} video(s) of {root} were there before and are replaced: {some}.",)


def _holds_masks(folder: Path) -> bool:
    return folder.is_dir() and any(map(_is_mask, folder.iterdir()))


def _is_mask(path: Path) -> bool:
    # macOS lays a `._1.png` beside each `1.png` on drives that are not its own.
    return path.suffix.lower() == ".png" and not path.name.startswith(".") and path.is_file()


def _write_masks(folder: Path, video: LabelledVideo, palette: Palette | None) -> None:
    folder.mkdir(parents=True)
    for frame in video.frames:
        labels, path = frame.labels(video.size), folder / f"{frame.stem}.png"
        path.write_bytes(encode_palette_png(labels, palette))
        if not np.array_equal(read_labels(path), labels):
            raise StorageError(
                f"The masks of {video.name} on {frame.stem} would not come back from {path.name} "
                "as they are. Nothing was written; please report this with the project."
            )


def _publish(fresh: Path, root: Path) -> None:
    """Move the folders of videos from `fresh` to `root`, each in place of its namesake."""
    for folder in sorted(fresh.glob("*/*/*")):
        target = root / folder.relative_to(fresh)
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            old = fresh / f"old-{folder.parts[-3]}-{folder.name}"
            target.replace(old)
        folder.replace(target)


def _read_video(folder: Path, names: Mapping[int, str]) -> LabelledVideo:
    files = mask_files(folder)
    first = read_labels(files[0])
    size = (first.shape[0], first.shape[1])
    frames = [(path.stem, split_labels(read_labels(path, size))) for path in files]
    counts = area_counts((masks for _, masks in frames), size[0] * size[1])
    notes: tuple[str, ...] = ()
    if is_white_on_black(counts):
        notes = note_of(counts)
        frames = [(stem, white_masks(masks)) for stem, masks in frames]
    found = {number for _, masks in frames for number, _ in masks} - {VOID}
    if counts[VOID] and not found:
        notes = (f"The masks in {folder} hold no object: only 255, which is void.",)
    known = dict(names) or {number: f"object {number}" for number in found}
    known |= {number: f"object {number}" for number in found if number not in known}
    return LabelledVideo(
        folder.name,
        folder.name.partition("_seq_")[0],
        size,
        named_objects(known),
        tuple(
            LabelledFrame(stem, tuple((number, mask) for number, mask in masks if number != VOID))
            for stem, masks in frames
        ),
        notes=notes,
    )


def _read_mapping(root: Path) -> dict[str, dict[int, str]]:
    """Return video -> id -> name, of all mappings of the folder; either way round."""
    names: dict[str, dict[int, str]] = {}
    for path, mapping in _raw_mappings(root).items():
        try:
            for video, pairs in mapping.items():
                found = dict(_pair(a, b) for a, b in pairs.items())
                names[video] = {number: name for number, name in found.items() if number}
        except (ValueError, AttributeError, TypeError) as error:
            raise _no_mapping(path, error) from error
    return names


def _raw_mappings(root: Path) -> dict[Path, dict[str, Mapping[str, object]]]:
    """Return the mappings of the folder as they are, by their files."""
    mappings = {}
    for path in sorted(root.glob("[!.]*_data_mapping.json")):
        try:
            mappings[path] = dict(json.loads(path.read_bytes()).items())
        except (OSError, ValueError, AttributeError) as error:
            raise _no_mapping(path, error) from error
    return mappings


def _no_mapping(path: Path, error: Exception) -> FormatError:
    return FormatError(
        f"{path} is not a mapping of video, id and name ({error}). Write it again or move it away; "
        "without it objects are called by their number."
    )


def _pair(first: str, second: object) -> tuple[int, str]:
    number, name = (second, first) if isinstance(second, int) else (int(first), second)
    if not isinstance(name, str) or not 0 <= number < VOID:
        raise ValueError(f"no id and name: {first!r}, {second!r}")
    return number, name
