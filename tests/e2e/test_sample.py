"""The bundled clip is what it says: frames, exact masks and VISOR JSON that agree."""

import numpy as np

from app import paths
from app.storage.formats.palette import read_labels
from app.storage.formats.visor.importing import import_visor
from app.storage.video.opening import open_video


def test_the_masks_and_the_visor_file_say_the_same() -> None:
    folder = paths.sample_folder()
    video = open_video(folder / "frames")
    document = import_visor(folder / "visor.json", video).document
    names = {info.id: info.name for info in document.objects}
    assert sorted(names.values()) == ["bottle", "left hand", "mug", "right hand"]
    drawn = {"mug": 1, "bottle": 2, "left hand": 3, "right hand": 4}
    for frame in range(0, len(video), 7):
        labels = read_labels(folder / "masks" / f"{video.stem(frame)}.png", video.size)
        for number, name in names.items():
            entry = document.on_frame(frame).get(number)
            mask = entry.mask.decode() if entry and entry.mask else np.zeros(video.size, np.bool_)
            assert np.array_equal(mask, labels == drawn[name])
    video.close()


def test_the_bottle_leaves_the_picture_and_comes_back() -> None:
    folder = paths.sample_folder() / "masks"
    there = [2 in np.unique(read_labels(file)) for file in sorted(folder.iterdir())]
    assert there[0]
    assert not all(there)
    assert there[-1]


def test_the_sample_is_small() -> None:
    files = [path for path in paths.sample_folder().rglob("*") if path.is_file()]
    assert sum(file.stat().st_size for file in files) < 3_000_000
