"""Why an object was probably lost: what can be measured about the onset of an episode."""

import enum
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from app.core.inspection.episodes import Episode
from app.core.inspection.failures import Failure
from app.core.inspection.measures import Floats, Measures, alike


class Cause(enum.Enum):
    """What probably made a tracker fail. The order is that in which they explain each other."""

    CUT = "cut"
    RETURN = "left and came back"
    OCCLUSION = "occlusion"
    LOOK_ALIKE = "look-alike near"
    FAST = "fast"
    BLUR = "blur"
    LIGHTING = "lighting"
    SMALL = "small"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class CauseLimits:
    """From where on a circumstance counts as a cause.

    `visible` is the share of its usual area that an object still shows, `contact` the share of its
    outline at another object; `like` the likeness of colours; `move` the sides that it moves from
    frame to frame; `sharp` the share of the usual sharpness; `light` the grey levels by which it
    brightens or darkens; `same` the likeness of two frames of one shot; `small` the share of the
    frame's area.
    """

    visible: float = 0.7
    contact: float = 0.12
    like: float = 0.75
    move: float = 0.3
    sharp: float = 0.65
    light: float = 35.0
    same: float = 0.55
    small: float = 0.003  # 32 x 32 pixels of 640 x 480, as COCO's small


@dataclass(frozen=True, slots=True)
class Circumstances:
    """The course of what surrounds each object, from its measures and where its frames lie.

    All are (T, K), NaN where unknown: `visible` is the share of the usual area of the frames
    before; `move` sides a frame; `likeness` that of the most alike surrounding or near object.
    """

    share: Floats
    visible: Floats
    move: Floats
    contact: Floats
    likeness: Floats
    sharpness: Floats
    light: Floats
    same: Floats  # (T,), the likeness of each frame to the one before


_BEFORE = 3  # frames before an onset in which its cause may lie
_USUAL = 10  # frames that say what is usual
_NEARBY = 1.5  # sides of the objects between the centres of those that lie near each other


def circumstances(measures: Measures, positions: tuple[int, ...]) -> Circumstances:
    """Return the circumstances of a sequence whose measured frames are the video's `positions`.

    Changes are told between neighbouring frames of the video only: across a gap nothing is known.
    """
    area = measures.truth_area.astype(np.float64)
    area[area == 0] = np.nan
    side = np.sqrt(area)
    near = np.diff(np.array(positions, np.int64)) == 1
    moved = np.linalg.norm(np.diff(measures.centre, axis=0), axis=-1) / side[:-1]
    frames = measures.overlap[0].sum()
    bright, sharp = measures.brightness, measures.sharpness
    with np.errstate(invalid="ignore"):  # a flat image has no sharpness to compare
        sharpness = sharp / _usual(sharp)
    same = [alike(*pair) for pair in zip(measures.tones, measures.tones[1:], strict=False)]
    return Circumstances(
        area / frames,
        area / _usual(area),
        _after_first(np.where(near[:, None], moved, np.nan)),
        measures.contact,
        _likeness(measures, area),
        sharpness,
        np.abs(bright - _usual(bright)),
        _after_first(np.where(near, np.array(same, np.float64), np.nan)),
    )


def causes(
    episode: Episode, measures: Measures, course: Circumstances, limits: CauseLimits | None = None
) -> tuple[Cause, ...]:
    """Return what may have caused an episode, the likeliest first; UNKNOWN where nothing shows."""
    found = set(_seen(episode, measures, course, limits or CauseLimits()))
    return tuple(cause for cause in Cause if cause in found) or (Cause.UNKNOWN,)


def _seen(
    episode: Episode, measures: Measures, course: Circumstances, limits: CauseLimits
) -> Iterator[Cause]:
    first, number = episode.first, episode.object
    about = slice(max(0, first - _BEFORE), first + 2)
    at = (about, number)
    there = measures.truth_area[max(0, first - _USUAL) : first + 1, number] > 0
    if _least(course.same[max(0, first - 1) : first + 1]) < limits.same:
        yield Cause.CUT
    if episode.failure is Failure.LATE_REENTRY or (there[-1] and not there.all()):
        yield Cause.RETURN
    hidden = not there[-1] or _least(course.visible[at]) < limits.visible
    if hidden or _most(course.contact[at]) > limits.contact:
        yield Cause.OCCLUSION
    if _most(course.likeness[at]) > limits.like:
        yield Cause.LOOK_ALIKE
    if _most(course.move[at]) > limits.move:
        yield Cause.FAST
    if _least(course.sharpness[at]) < limits.sharp:
        yield Cause.BLUR
    if _most(course.light[at]) > limits.light:
        yield Cause.LIGHTING
    if _least(course.share[at]) < limits.small:
        yield Cause.SMALL


def _likeness(measures: Measures, area: Floats) -> Floats:
    """Return the likeness of each object to what could be taken for it, (T, K).

    Without images, an object nearby of half to twice the area counts as alike.
    """
    side = np.sqrt(area)
    gaps = np.linalg.norm(measures.centre[:, :, None] - measures.centre[:, None], axis=-1)
    near = gaps < _NEARBY * (side[:, :, None] + side[:, None]) / 2
    near &= ~np.eye(side.shape[1], dtype=np.bool_)
    ratio = area[:, :, None] / area[:, None]
    by_shape = np.where((ratio > 0.5) & (ratio < 2), 1.0, 0.0)
    seen = np.where(np.isnan(measures.likeness[..., 1:]), by_shape, measures.likeness[..., 1:])
    others = np.where(near, seen, 0).max(axis=-1, initial=0)
    return np.asarray(np.fmax(others, measures.likeness[..., 0]), np.float64)


def _usual(values: Floats) -> Floats:
    """Return the median of the frames before each, (T, K); NaN on the first."""
    unknown = np.full((_USUAL, values.shape[1]), np.nan)
    before = np.lib.stride_tricks.sliding_window_view(
        np.concatenate([unknown, values[:-1]]), _USUAL, axis=0
    )
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", RuntimeWarning
        )  # all NaN: the object is absent, or no image
        return np.asarray(np.nanmedian(before, axis=-1), np.float64)


def _after_first(changes: Floats) -> Floats:
    """Put the unknown change of the first frame before the others."""
    return np.concatenate([np.full((1, *changes.shape[1:]), np.nan), changes])


def _least(values: Floats) -> float:
    return float(np.fmin.reduce(values, axis=None, initial=np.inf))


def _most(values: Floats) -> float:
    return float(np.fmax.reduce(values, axis=None, initial=-np.inf))
