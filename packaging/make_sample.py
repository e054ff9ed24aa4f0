"""Draw the bundled sample clip: a kitchen counter, two hands, a mug and its look-alike.

    python packaging/make_sample.py [FOLDER]

Everything is drawn here, from one seed: frames as JPEG, the exact masks as palette PNGs and as
VISOR JSON. The same files come out byte for byte on one platform. What makes it a test: the left
hand pushes the mug past a pot of the same glaze, both hands pass in front of it, the camera pans,
and the bottle is carried out of the picture and back.
"""

import itertools
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.document import Document, Entry, Key, ObjectInfo, Origin
from app.core.mask import Mask
from app.storage.files.writing import atomic_folder
from app.storage.formats.palette import write_palette_png
from app.storage.formats.visor.exporting import build_export
from app.storage.video.opening import open_video

SEED = 20
LENGTH = 60
WIDTH, HEIGHT = 640, 360
SCALE = 2  # drawn at twice the size
QUALITY = 80
SHUTTER = (-0.2, 0.0, 0.2)  # moments within one frame: motion blur

Float = NDArray[np.floating[Any]]
Labels = NDArray[np.uint8]
OBJECTS = (
    ObjectInfo(1, "mug", (230, 70, 60), class_id=13),
    ObjectInfo(2, "bottle", (90, 190, 90), class_id=15),
    ObjectInfo(3, "left hand", (70, 130, 230), class_id=300),
    ObjectInfo(4, "right hand", (240, 190, 60), class_id=301),
)


class Place(NamedTuple):
    """Where a sprite's origin is in the room, in frame pixels at camera 0; angle in degrees."""

    x: float
    y: float
    angle: float = 0.0


@dataclass(frozen=True)
class Sprite:
    """A painted thing: `paint` (H, W, 4) with colours and cover 0 to 1, `origin` its (x, y)."""

    paint: Float
    origin: tuple[float, float]
    foot: tuple[float, float] = (0.0, 0.0)  # half axes of where it stands; (0, 0) = held above


def noise(rng: np.random.Generator, size: tuple[int, int], grain: tuple[int, int]) -> Float:
    """Return smooth noise, mean 0 and spread about 1, with blobs of `grain` (down, right)."""
    coarse = rng.standard_normal((size[0] // grain[0] + 3, size[1] // grain[1] + 3))
    wide = cv2.resize(coarse.astype(np.float32), None, fx=grain[1], fy=grain[0],
                      interpolation=cv2.INTER_CUBIC)  # fmt: skip
    return np.asarray(wide[: size[0], : size[1]], np.float32)


def grid(size: tuple[int, int]) -> tuple[Float, Float]:
    """Return the x and y of each pixel."""
    x, y = np.meshgrid(np.arange(size[1], dtype=np.float32), np.arange(size[0], dtype=np.float32))
    return x, y


def soft(distance: Float) -> Float:
    """Return cover 0 to 1 of a shape from its signed distance in pixels, negative inside."""
    return np.asarray(np.clip(0.5 - distance, 0, 1), np.float32)


def rounded(x: Float, y: Float, box: tuple[float, float, float, float], radius: float) -> Float:
    """Return the signed distance to a rectangle (x0, y0, x1, y1) with round corners."""
    x0, y0, x1, y1 = box
    across = np.abs(x - (x0 + x1) / 2) - (x1 - x0) / 2 + radius
    down = np.abs(y - (y0 + y1) / 2) - (y1 - y0) / 2 + radius
    outside = np.hypot(np.maximum(across, 0), np.maximum(down, 0))
    return np.asarray(outside + np.minimum(np.maximum(across, down), 0) - radius, np.float32)


def oval(x: Float, y: Float, centre: tuple[float, float], axes: tuple[float, float]) -> Float:
    """Return about the signed distance to an ellipse with these half axes."""
    reach = np.hypot((x - centre[0]) / axes[0], (y - centre[1]) / axes[1])
    return np.asarray((reach - 1) * min(axes), np.float32)


def limb(x: Float, y: Float, path: list[tuple[float, float, float]]) -> Float:
    """Return the signed distance to a tapered limb through (x, y, radius)."""
    best = np.full(x.shape, 1e6, np.float32)
    for (ax, ay, ar), (bx, by, br) in itertools.pairwise(path):
        dx, dy = bx - ax, by - ay
        along = np.clip(((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy), 0, 1)
        reach = np.hypot(x - ax - along * dx, y - ay - along * dy) - (ar + along * (br - ar))
        best = np.minimum(best, reach)
    return best


def lay(under: Float, cover: Float, color: Float | tuple[float, float, float]) -> None:
    """Lay a colour (0 to 1, per pixel or one) over `under` (H, W, 3 or 4), in place."""
    over = np.asarray(color, np.float32)
    share = cover[..., None]
    under[..., :3] = under[..., :3] * (1 - share) + over * share
    if under.shape[2] == 4:
        under[..., 3] = np.maximum(under[..., 3], cover)


def shaded(color: tuple[float, float, float], light: Float) -> Float:
    """Return a colour under light (H, W), 1 = as it is; bright light turns white."""
    lit = np.asarray(color, np.float32) * np.minimum(light, 1)[..., None]
    return np.asarray(lit + np.maximum(light - 1, 0)[..., None] * (1 - lit), np.float32)


def round_light(x: Float, left: float, right: float) -> Float:
    """Return the light on an upright cylinder lit from the left."""
    turn = np.clip((x - (left + right) / 2) / ((right - left) / 2), -1, 1)
    face = np.clip(np.cos(np.arcsin(turn) + 0.65), 0, 1)
    gleam = np.exp(-(((turn + 0.55) / 0.10) ** 2))
    return np.asarray(0.38 + 0.68 * face + 0.28 * gleam, np.float32)


def mug(rng: np.random.Generator, *, banded: bool) -> Sprite:
    """Return the mug with its handle, or the pot of the same glaze with neither handle nor band."""
    size = (112 * SCALE, 128 * SCALE)
    x, y = grid(size)
    x, y = x / SCALE, y / SCALE
    paint = np.zeros((*size, 4), np.float32)
    glaze = (0.74, 0.16, 0.11) if banded else (0.70, 0.15, 0.11)
    speck = 1 + 0.03 * noise(rng, size, (7, 7)) + 0.018 * noise(rng, size, (2, 2))
    if banded:
        ring = np.abs(oval(x, y, (92, 58), (22, 25))) - 5.5
        lay(paint, soft(ring * SCALE), shaded(glaze, (0.72 + 0.012 * (58 - y)) * speck))
    body = np.minimum(rounded(x, y, (14, 18, 92, 104), 13), oval(x, y, (53, 20), (39, 11)))
    light = round_light(x, 14, 92) * (1.04 - 0.0022 * (y - 20)) * speck
    lay(paint, soft(body * SCALE), shaded(glaze, light))
    if banded:
        _decorate(paint, x, y, body, light)
    lay(paint, soft(oval(x, y, (53, 20), (39, 11)) * SCALE), shaded(glaze, 1.12 * speck))
    inside = (0.20 + 0.011 * (x - 14)) * speck
    lay(
        paint, soft(oval(x, y, (53, 20.5), (34.5, 8.2)) * SCALE), shaded((0.86, 0.80, 0.72), inside)
    )
    if banded:
        tea = oval(x, y, (53, 23.5), (29, 5.2))
        lay(paint, soft(tea * SCALE), shaded((0.30, 0.15, 0.07), 0.8 + 0.004 * x))
    return Sprite(paint, (53 * SCALE, 99 * SCALE), (46, 13))


def _decorate(paint: Float, x: Float, y: Float, body: Float, light: Float) -> None:
    sag = 0.006 * (x - 53) ** 2  # a level ring on a round wall hangs a little
    band = np.maximum(np.abs(y + sag - 70) - 15, body + 1)
    lay(paint, soft(band * SCALE), shaded((0.93, 0.90, 0.82), light))
    for step in range(-3, 4):
        turn = step * 0.42
        spot = oval(x, y + sag, (53 + 39 * np.sin(turn), 70), (6.2 * np.cos(turn) + 0.4, 6.2))
        inner = oval(x, y + sag, (53 + 39 * np.sin(turn), 70), (2.6 * np.cos(turn) + 0.2, 2.6))
        lay(paint, soft(spot * SCALE), shaded((0.12, 0.26, 0.48), light))
        lay(paint, soft(inner * SCALE), shaded((0.95, 0.72, 0.20), light))


def bottle(rng: np.random.Generator) -> Sprite:
    """Return a bottle of oil with a label."""
    size = (176 * SCALE, 72 * SCALE)
    x, y = grid(size)
    x, y = x / SCALE, y / SCALE
    paint = np.zeros((*size, 4), np.float32)
    wall = limb(x, y, [(36, 24, 9), (36, 52, 9), (36, 78, 27)])
    body = np.minimum(wall, rounded(x, y, (9, 76, 63, 168), 9))
    light = round_light(x, 9, 63) * (1 + 0.03 * noise(rng, size, (9, 3)))
    lay(paint, soft(body * SCALE), shaded((0.34, 0.44, 0.13), light))
    oil = np.maximum(body + 3.5, 70 - y)
    lay(paint, soft(oil * SCALE) * 0.75, shaded((0.62, 0.56, 0.14), light * 1.1))
    label = np.maximum(rounded(x, y + 0.004 * (x - 36) ** 2, (6, 96, 66, 148), 2), body + 0.5)
    lay(paint, soft(label * SCALE), shaded((0.95, 0.91, 0.78), light))
    for top, bottom, left, right in ((102, 108, 16, 56), (114, 117, 22, 50), (136, 142, 14, 58)):
        stripe = np.maximum(rounded(x, y + 0.004 * (x - 36) ** 2, (left, top, right, bottom), 1),
                            label)  # fmt: skip
        lay(paint, soft(stripe * SCALE), shaded((0.28, 0.37, 0.15), light))
    olive = oval(x, y, (36, 127), (9, 6))
    lay(paint, soft(olive * SCALE), shaded((0.45, 0.52, 0.20), light))
    cap = rounded(x, y, (26, 8, 46, 30), 3)
    ribs = 1 + 0.10 * np.sin(x * 2.4)
    lay(paint, soft(cap * SCALE), shaded((0.16, 0.15, 0.14), light * ribs * 1.4))
    return Sprite(paint, (36 * SCALE, 163 * SCALE), (33, 10))


def hand(rng: np.random.Generator, *, mirrored: bool) -> Sprite:
    """Return a hand that reaches up from its forearm, the thumb on the right unless mirrored."""
    size = (330 * SCALE, 170 * SCALE)
    x, y = grid(size)
    x, y = x / SCALE, y / SCALE
    x = 169.5 - x if mirrored else x
    fingers = [
        limb(x, y, [(74, 92, 14), (44, 58, 11.5), (43, 30, 9.5)]),
        limb(x, y, [(84, 88, 14), (66, 42, 12), (66, 14, 9.8)]),
        limb(x, y, [(94, 88, 14), (90, 42, 12), (90, 16, 9.8)]),
        limb(x, y, [(106, 94, 14), (113, 56, 11.5), (112, 34, 9.2)]),
        limb(x, y, [(112, 128, 17), (138, 100, 13), (141, 74, 10.5)]),
    ]
    palm = limb(x, y, [(86, 100, 33), (88, 138, 35), (84, 178, 27), (80, 340, 36)])
    paint = np.zeros((*size, 4), np.float32)
    mottle = 1 + 0.03 * noise(rng, size, (14, 14)) + 0.022 * noise(rng, size, (3, 3))
    _skin(paint, palm, 1.0, mottle)
    for number in (4, 0, 3, 1, 2):
        gap = soft((fingers[number] - 2.2) * SCALE) * soft((palm + 1) * SCALE)
        lay(paint, 0.28 * gap * soft((y - 96) * SCALE / 14), (0.38, 0.20, 0.14))
        _skin(paint, fingers[number], 1.03, mottle)
    _details(paint, x, y, palm, mottle)
    return Sprite(paint, ((169.5 - 86 if mirrored else 86) * SCALE, 70 * SCALE))


def _skin(paint: Float, shape: Float, bright: float, mottle: Float) -> None:
    """Paint a limb that is lit from the upper left, by the slope of its distance."""
    down, right = np.gradient(shape / SCALE * SCALE * SCALE)
    bulge = np.clip(1 + shape / 14, 0, 1) ** 2  # 0 well inside, 1 at the rim
    light = bright * (0.93 - bulge * (0.30 * right / SCALE + 0.16 * down / SCALE) - 0.16 * bulge)
    lay(paint, soft(shape * SCALE), shaded((0.86, 0.62, 0.49), light * mottle))


def _details(paint: Float, x: Float, y: Float, palm: Float, mottle: Float) -> None:
    """Nails, knuckles and a wrist strap."""
    for tip in ((43, 27), (66, 11), (90, 13), (112, 31)):
        nail = rounded(x, y, (tip[0] - 5, tip[1] - 5, tip[0] + 5, tip[1] + 6), 4.5)
        lay(paint, 0.85 * soft(nail * SCALE), shaded((0.93, 0.72, 0.64), 1.02 * mottle))
    for middle in ((46, 60), (66, 46), (90, 46), (113, 60)):
        for lift in (-4, 0, 4):
            crease = np.abs(y - middle[1] - lift - 0.02 * (x - middle[0]) ** 2) - 0.35
            near = soft((np.abs(x - middle[0]) - 6) * SCALE / 2)
            lay(paint, 0.22 * soft(crease * SCALE) * near, (0.45, 0.24, 0.17))
    strap = np.maximum(np.abs(y - 196 - 0.006 * (x - 84) ** 2) - 8, palm - 0.5)
    lay(paint, soft(strap * SCALE), shaded((0.20, 0.22, 0.26), 1.0 - 0.012 * (x - 84)))


ROOM = (420, 760)  # larger than the frame: the camera pans over it
EDGE_Y = 148  # where the wall meets the counter


def room(rng: np.random.Generator) -> Float:
    """Return the background (H, W, 3): tiles, counter, board, pot and small things."""
    size = (ROOM[0] * SCALE, ROOM[1] * SCALE)
    x, y = grid(size)
    x, y = x / SCALE, y / SCALE
    scene = np.zeros((*size, 3), np.float32)
    _tiles(scene, x, y, rng)
    _counter(scene, x, y, rng)
    _board(scene, x, y, rng)
    _towel(scene, x, y, rng)
    put(scene, mug(rng, banded=False), Place(352, 222), (0, 0))
    for centre, radius in (((118, 196), 17), ((150, 206), 15), ((84, 208), 14)):
        _tomato(scene, x, y, centre, radius)
    return scene


def _tiles(scene: Float, x: Float, y: Float, rng: np.random.Generator) -> None:
    side_x, side_y = 62, 46
    row, column = np.floor(y / side_y), np.floor((x + 31 * (np.floor(y / side_y) % 2)) / side_x)
    tint = np.sin(row * 12.99 + column * 78.23) * 43758.55
    tint = 0.05 * (tint - np.floor(tint))
    light = 0.86 + tint + 0.012 * noise(rng, x.shape, (26, 26)) - 0.0005 * np.abs(x - 260)
    scene[:] = shaded((0.80, 0.87, 0.86), np.asarray(light, np.float32))
    across = np.minimum((x + 31 * (row % 2)) % side_x, side_x - (x + 31 * (row % 2)) % side_x)
    down = np.minimum(y % side_y, side_y - y % side_y)
    joint = np.asarray(np.minimum(across, down) - 1.1, np.float32)
    lay(scene, 0.8 * soft((joint - 1.2) * SCALE), (0.90, 0.94, 0.93))
    lay(scene, soft(joint * SCALE), (0.60, 0.62, 0.60))


def _counter(scene: Float, x: Float, y: Float, rng: np.random.Generator) -> None:
    size = (x.shape[0], x.shape[1])
    depth = np.clip((y - EDGE_Y) / (ROOM[0] - EDGE_Y), 0, 1)
    wave = 5 * noise(rng, size, (60, 150)) + y * (1.0 - 0.45 * depth)
    grain = 0.04 * np.sin(wave * 0.9) + 0.035 * noise(rng, size, (2, 60))
    grain += 0.03 * noise(rng, size, (6, 40)) + 0.02 * noise(rng, size, (2, 5))
    light = 0.98 + 0.20 * depth + grain - 0.0005 * np.abs(x - 260)
    plank = np.abs((y - EDGE_Y) % 68 - 34) - 33.4
    top = soft((EDGE_Y - y) * SCALE)
    lay(scene, top, shaded((0.66, 0.47, 0.29), np.asarray(light, np.float32)))
    lay(scene, 0.35 * top * soft(-plank * SCALE), (0.25, 0.15, 0.08))
    shadow = np.exp(-np.abs(y - EDGE_Y) / 9)
    lay(scene, np.asarray(0.5 * shadow, np.float32), (0.16, 0.11, 0.08))


def _board(scene: Float, x: Float, y: Float, rng: np.random.Generator) -> None:
    shape = rounded(x - 0.10 * (y - 200), y, (30, 176, 196, 246), 9)
    shadow = rounded(x - 6 - 0.10 * (y - 200), y - 7, (30, 176, 196, 246), 9)
    lay(scene, np.asarray(0.4 * np.clip(0.5 - shadow / 9, 0, 1), np.float32), (0.10, 0.06, 0.03))
    grain = 1 + 0.06 * noise(rng, (x.shape[0], x.shape[1]), (3, 90))
    lay(
        scene, soft((shape - 5) * SCALE) * soft((170 - y) * SCALE), shaded((0.6, 0.42, 0.24), grain)
    )
    lay(scene, soft(shape * SCALE), shaded((0.85, 0.68, 0.45), grain))
    groove = np.abs(shape + 9) - 1.1
    lay(scene, 0.4 * soft(groove * SCALE), (0.42, 0.28, 0.15))


def _towel(scene: Float, x: Float, y: Float, rng: np.random.Generator) -> None:
    fold = 1.6 * np.sin(y / 17) + 1.0 * noise(rng, (x.shape[0], x.shape[1]), (30, 30))
    cloth = rounded(x - fold, y, (612, 60, 690, 214), 8)
    weave = 0.94 + 0.05 * np.sin(x * 2.1) * np.sin(y * 2.1) + 0.10 * np.sin((x - fold) / 9)
    lay(scene, np.asarray(0.35 * np.clip(0.5 - (cloth - 4) / 8, 0, 1), np.float32), (0.1, 0.1, 0.1))
    lay(scene, soft(cloth * SCALE), shaded((0.88, 0.88, 0.84), np.asarray(weave, np.float32)))
    for top in (84, 96, 176, 188):
        band = np.maximum(np.abs(y - top) - 3.2, cloth)
        lay(scene, soft(band * SCALE), shaded((0.20, 0.36, 0.55), np.asarray(weave, np.float32)))


def _tomato(scene: Float, x: Float, y: Float, centre: tuple[float, float], radius: float) -> None:
    cx, cy = centre
    shadow = np.asarray(np.hypot((x - cx - 6) / 1.25, (y - cy - radius * 0.75) / 0.45), np.float32)
    lay(scene, 0.45 * np.clip((radius + 4 - shadow) / 8, 0, 1), (0.12, 0.06, 0.03))
    shape = oval(x, y, centre, (radius * 1.08, radius * 0.95))
    ball = np.clip(1 - ((x - cx) ** 2 + (y - cy) ** 2) / (1.2 * radius**2), 0, 1) ** 0.5
    gleam = np.exp(-((x - cx + 0.4 * radius) ** 2 + (y - cy + 0.45 * radius) ** 2) / radius)
    light = np.asarray(0.42 + 0.62 * ball + 0.5 * gleam, np.float32)
    lay(scene, soft(shape * SCALE), shaded((0.86, 0.27, 0.10), light))
    leaf = oval(x, y, (cx, cy - 0.7 * radius), (6, 2.2))
    stalk = limb(x, y, [(cx, cy - 0.7 * radius, 1.4), (cx + 2, cy - radius - 3, 1.2)])
    lay(scene, soft(np.minimum(leaf, stalk) * SCALE), (0.24, 0.42, 0.14))


def along(*keys: tuple[float, float, float, float]) -> Callable[[float], Place]:
    """Return a smooth path through (time, x, y, angle), at rest before and after."""
    times = [key[0] for key in keys]

    def at(time: float) -> Place:
        index = min(max(int(np.searchsorted(times, time)) - 1, 0), len(keys) - 2)
        begin, end = keys[index], keys[index + 1]
        share = min(max((time - begin[0]) / (end[0] - begin[0]), 0.0), 1.0)
        share = share * share * (3 - 2 * share)
        x, y, angle = (a + share * (b - a) for a, b in zip(begin[1:], end[1:], strict=True))
        return Place(x, y, angle)

    return at


MUG = along((0, 236, 250, 0), (9, 236, 250, 0), (21, 330, 258, 2), (34, 452, 262, 0))
BOTTLE = along(
    (0, 540, 232, 0), (12, 540, 232, 0), (16, 548, 214, 4), (26, 840, 190, 14), (40, 840, 190, 14),
    (50, 590, 226, 3), (53, 584, 236, 0),
)  # fmt: skip
LEFT_HAND = along(
    (0, 150, 420, 16), (8, 204, 268, 20), (21, 300, 276, 22), (34, 421, 280, 20),
    (38, 416, 284, 16), (46, 330, 380, 6), (52, 300, 520, 0),
)  # fmt: skip
RIGHT_HAND = along(
    (0, 660, 520, -10), (3, 660, 500, -10), (12, 566, 200, -22), (16, 574, 182, -20),
    (26, 866, 158, -8), (40, 866, 158, -8), (50, 616, 194, -20), (53, 610, 204, -20),
    (59, 500, 268, -34),
)  # fmt: skip
CAMERA = along((0, 8, 14, 0), (18, 10, 12, 0), (34, 62, 26, 0), (46, 66, 24, 0), (59, 58, 20, 0))


def camera(time: float) -> tuple[float, float]:
    """Return the room's point at the frame's top left corner, with the tremble of a head."""
    pan = CAMERA(time)
    return (
        pan.x + 1.3 * float(np.sin(time * 0.9)) + 0.7 * float(np.sin(time * 2.3 + 1)),
        pan.y + 1.0 * float(np.sin(time * 1.1 + 2)),
    )


def put(scene: Float, sprite: Sprite, place: Place, corner: tuple[float, float]) -> Float:
    """Lay a sprite and its shadow on a scene; return its cover (H, W), 0 to 1."""
    height, width = scene.shape[:2]
    turn = cv2.getRotationMatrix2D(sprite.origin, -place.angle, 1.0)
    foot = ((place.x - corner[0]) * SCALE, (place.y - corner[1]) * SCALE)
    turn[:, 2] += np.subtract(foot, sprite.origin)
    drawn = cv2.warpAffine(sprite.paint, turn, (width, height), flags=cv2.INTER_LINEAR)
    cover = np.asarray(drawn[..., 3], np.float32)
    _cast_shadow(scene, sprite, foot, cover)
    # The colours fade with the cover at the rim: bring them back before they are laid.
    color = drawn[..., :3] / np.maximum(cover, 1e-3)[..., None]
    lay(scene, cover, np.asarray(np.clip(color, 0, 1), np.float32))
    return cover


def _cast_shadow(scene: Float, sprite: Sprite, foot: tuple[float, float], cover: Float) -> None:
    """Darken what lies under a thing: round its foot, or at an offset where it is held above."""
    if not any(sprite.foot):
        away = np.array([[1, 0, 9 * SCALE], [0, 1, 12 * SCALE]], np.float32)
        moved = cv2.warpAffine(cover, away, (cover.shape[1], cover.shape[0]))
        side = 2 * 8 * SCALE + 1
        fade = np.asarray(cv2.blur(cv2.blur(moved, (side, side)), (side, side)), np.float32)
        lay(scene, 0.42 * fade, (0.08, 0.05, 0.03))
        return
    across, down = sprite.foot[0] * SCALE, sprite.foot[1] * SCALE
    x, y = grid((scene.shape[0], scene.shape[1]))
    for offset, width, strength in ((0.0, 0.9, 0.75), (0.55, 1.25, 0.5)):
        reach = np.hypot((x - foot[0] - offset * across) / (across * width), (y - foot[1]) / down)
        fade = np.clip(1.3 - reach, 0, 1) ** 1.5
        lay(scene, np.asarray(strength * fade, np.float32), (0.08, 0.05, 0.03))


@dataclass(frozen=True)
class Stage:
    """All that is drawn once."""

    room: Float
    things: tuple[tuple[int, Sprite, Callable[[float], Place]], ...]  # id, from back to front

    def shot(self, time: float) -> tuple[Float, Labels]:
        """Return the picture (H, W, 3) and the visible objects at one moment, at drawing size."""
        corner = camera(time)
        move = np.array([[1, 0, -corner[0] * SCALE], [0, 1, -corner[1] * SCALE]], np.float32)
        size = (WIDTH * SCALE, HEIGHT * SCALE)
        scene = np.asarray(cv2.warpAffine(self.room, move, size), np.float32)
        labels = np.zeros((HEIGHT * SCALE, WIDTH * SCALE), np.uint8)
        for number, sprite, path in self.things:
            labels[put(scene, sprite, path(time), corner) > 0.5] = number
        return scene, labels


def stage() -> Stage:
    """Paint everything."""
    rng = np.random.default_rng(SEED)
    return Stage(
        room(rng),
        (
            (2, bottle(rng), BOTTLE),
            (1, mug(rng, banded=True), MUG),
            (4, hand(rng, mirrored=True), RIGHT_HAND),
            (3, hand(rng, mirrored=False), LEFT_HAND),
        ),
    )


def frames() -> Iterator[tuple[NDArray[np.uint8], Labels]]:
    """Yield each frame (RGB) and its object ids."""
    rng = np.random.default_rng(SEED + 1)
    show = stage()
    x, y = grid((HEIGHT, WIDTH))
    vignette = 1.04 - 0.20 * (np.hypot((x - WIDTH * 0.45) / WIDTH, (y - HEIGHT / 2) / HEIGHT) ** 2)
    for index in range(LENGTH):
        moments = [show.shot(index + offset)[0] for offset in SHUTTER]
        small = cv2.resize(np.mean(moments, axis=0), (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
        lit = np.asarray(small, np.float32) * vignette[..., None] * np.array([1.03, 1.0, 0.95])
        lit += 0.007 * rng.standard_normal(lit.shape)
        yield np.clip(lit * 255, 0, 255).astype(np.uint8), majority(show.shot(index)[1])


def majority(labels: Labels) -> Labels:
    """Return for each frame pixel the object that covers most of it."""
    shares = [
        np.asarray(cv2.resize((labels == number).astype(np.float32), (WIDTH, HEIGHT),
                              interpolation=cv2.INTER_AREA))
        for number in range(len(OBJECTS) + 1)
    ]  # fmt: skip
    return np.asarray(np.argmax(shares, axis=0), np.uint8)


def write(folder: Path) -> None:
    """Write `frames/`, `masks/` and `visor.json` into `folder`."""
    (folder / "frames").mkdir()
    (folder / "masks").mkdir()
    entries = {}
    for index, (image, labels) in enumerate(frames()):
        options = [cv2.IMWRITE_JPEG_QUALITY, QUALITY]
        _, jpeg = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)
        (folder / "frames" / f"{index:06}.jpg").write_bytes(jpeg.tobytes())
        write_palette_png(folder / "masks" / f"{index:06}.png", labels)
        for info in OBJECTS:
            mask = Mask.encode(labels == info.id)
            if mask:
                entries[Key(index, info.id)] = Entry(mask, Origin.IMPORTED)
    numbers = itertools.count(1)
    video = open_video(folder / "frames")
    export = build_export(Document(OBJECTS, entries), video, new_id=lambda: f"{next(numbers):032x}")
    video.close()
    text = json.dumps(export.file.raw, separators=(",", ":"))
    (folder / "visor.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    root = Path(__file__).resolve().parent.parent
    target = Path(sys.argv[1]) if sys.argv[1:] else root / "resources" / "sample"
    with atomic_folder(target) as fresh:
        write(fresh)
