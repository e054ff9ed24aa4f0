"""The placing of masks: which frame of a video the name of a mask means."""

import unicodedata
from collections.abc import Sequence

from app.errors import FormatError
from app.storage.video.opening import Video

_FEWEST_IN_A_ROW = 3  # masks numbered 1, 2, 3 could be counted from 0 or from 1


def placed_stems(
    stems: Sequence[str], video: Video, first_number: int | None = None
) -> tuple[list[int | None], tuple[str, ...]]:
    """Return each mask's frame, None where it has none, and what a person should know.

    Masks are named as their frames. Those of a video file are numbered; `first_number` is the
    number of its first frame where that is known. Raises FormatError where it is not and could be
    0 as well as 1.
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


def normal(name: str) -> str:
    """Return a name in one form, whichever way its accents are written."""
    return unicodedata.normalize("NFC", name)


def _first_number(numbers: Sequence[int], count: int) -> int:
    present = set(numbers)
    if 0 in present or not present:
        return 0
    if max(present) == count:
        return 1
    if len(present) >= _FEWEST_IN_A_ROW and present == set(range(1, len(present) + 1)):
        raise FormatError(
            f"The masks are numbered 1 to {len(present)}, the video has {count} frames: is 1 its "
            "first frame or its second? Say so with --first-number 1 or --first-number 0."
        )
    return 0


def _by_number(stems: Sequence[str], video: Video) -> list[int | None]:
    """Match frames and masks whose numbers are padded differently."""
    names = [video.stem(index) for index in range(len(video))]
    if not all(name.isdecimal() for name in names):
        return [None] * len(stems)
    frames = {int(name): index for index, name in enumerate(names)}
    return [frames.get(int(stem)) for stem in stems]
