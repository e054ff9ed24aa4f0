"""Polygons filled as OpenCV 4.5.5 fills them: masks that this release has made, to the pixel."""

import base64
import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.cli.main import run
from app.storage.formats.davis import read_davis
from app.storage.formats.visor.release import opencv455
from tests.storage.visor_vectors import FOLDER, SPARSE, expected

VECTORS = json.loads((FOLDER / "opencv-4.5.5.json").read_text())


@pytest.mark.parametrize("vector", VECTORS, ids=range(len(VECTORS)))
def test_a_mask_is_that_of_the_release(vector: Any) -> None:  # noqa: ANN401 - JSON
    height, width = vector["size"]
    bits = np.frombuffer(zlib.decompress(base64.b64decode(vector["bits"])), np.uint8)
    wanted = np.unpackbits(bits)[: height * width].reshape(height, width).astype(np.bool_)
    points = [np.array(polygon, np.int32).reshape(-1, 2) for polygon in vector["polygons"]]
    assert np.array_equal(opencv455.fill(points, (height, width)), wanted)


@pytest.mark.parametrize("split", ["val", "train"])
def test_a_conversion_has_the_pixel_counts_of_the_release(split: str, tmp_path: Path) -> None:
    words = ["convert", SPARSE, tmp_path / "out", "--from", "visor", "--to", "davis"]
    words += ["--split", split, "--raster", "opencv-4.5.5"]
    assert run([str(word) for word in words]) == 0
    wanted = expected()[split]["frames"]
    for video in read_davis(tmp_path / "out"):
        for frame in video.frames:
            labels = frame.labels(video.size)
            values, counts = np.unique(labels, return_counts=True)
            found = {str(v): int(n) for v, n in zip(values, counts, strict=True)}
            assert found == wanted[video.name][f"{frame.stem}.png"]["480p"]


def test_no_polygon_and_lines_outside_paint_nothing() -> None:
    outside = np.array([[-5, -5], [-9, -2]], np.int32)
    assert not opencv455.fill([], (8, 8)).any()
    assert not opencv455.fill([np.zeros((0, 2), np.int32), outside], (8, 8)).any()
