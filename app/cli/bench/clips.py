"""Clips and masks that the benchmarks make for themselves."""

import math
import os
from pathlib import Path

import cv2
import numpy as np

from app.core.document import Changes, Entry, Key, ObjectInfo, Origin
from app.core.mask import Mask
from app.session.files.opening import project_path
from app.storage.project.project import Project
from app.storage.video.opening import open_video
from models.api import BoolMask, Image

COLORS = ((0, 114, 178), (230, 159, 0), (204, 121, 167))


def scene(size: tuple[int, int], time: float, count: int = len(COLORS)) -> Image:
    """Return a textured ground with `count` discs on it, at a time in frames."""
    height, width = size
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    ground = 110 + 50 * np.sin(columns / 17 + 1.3) * np.cos(rows / 23) + 20 * np.sin(rows / 5)
    pixels = np.repeat(ground[:, :, None], 3, axis=2).astype(np.uint8)
    for index in range(count):
        x, y, radius = disc(size, time, index)
        cv2.circle(pixels, (x, y), radius, COLORS[index % len(COLORS)], -1)
    return pixels


def disc(size: tuple[int, int], time: float, index: int) -> tuple[int, int, int]:
    """Return centre x, y and radius of one disc of the scene."""
    height, width = size
    angle = time / 40 + index * 2.1
    x = width * (0.5 + 0.3 * math.cos(angle))
    y = height * (0.5 + 0.25 * math.sin(angle * 1.3))
    return round(x), round(y), round(height / (6 + index))


def disc_mask(size: tuple[int, int], time: float, index: int) -> BoolMask:
    """Return the pixels of one disc of the scene."""
    pixels = np.zeros(size, np.uint8)
    x, y, radius = disc(size, time, index)
    cv2.circle(pixels, (x, y), radius, 1, -1)
    return pixels.view(np.bool_)


def packed_disc(size: tuple[int, int], time: float, index: int) -> Mask:
    """Return the mask of one disc of the scene, which is never outside the frame."""
    mask = Mask.encode(disc_mask(size, time, index))
    if mask is None:
        raise ValueError(f"the disc {index} lies outside a frame of {size}")
    return mask


def write_clip(folder: Path, size: tuple[int, int], count: int, distinct: int) -> Path:
    """Write `count` JPEG frames into a new folder and return it.

    Only `distinct` of them are drawn; the others are further names of the same files.
    """
    folder.mkdir(parents=True)
    drawn = [folder / f"frame_{index:06d}.jpg" for index in range(min(distinct, count))]
    for index, path in enumerate(drawn):
        bgr = cv2.cvtColor(scene(size, index), cv2.COLOR_RGB2BGR)
        cv2.imwrite(str(path), bgr, [cv2.IMWRITE_JPEG_QUALITY, 92])
    for index in range(len(drawn), count):
        os.link(drawn[index % len(drawn)], folder / f"frame_{index:06d}.jpg")
    return folder


def annotate(clip: Path, size: tuple[int, int], frames: range) -> None:
    """Make the project of a clip, with a mask of every disc on `frames`."""
    video = open_video(clip)
    objects = tuple(
        ObjectInfo(index + 1, f"disc {index + 1}", color) for index, color in enumerate(COLORS)
    )
    period = 60
    masks = [
        [packed_disc(size, time, index) for index in range(len(objects))] for time in range(period)
    ]
    entries: Changes = {
        Key(frame, item.id): Entry(masks[frame % period][item.id - 1], Origin.PROPAGATED, score=0.9)
        for frame in frames
        for item in objects
    }
    project = Project.create(project_path(video.source), video.source, len(video), video.size)
    try:
        project.save_objects(objects)
        project.append(entries)
    finally:
        project.close()
        video.close()
