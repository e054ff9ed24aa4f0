"""VISOR files of small frames, and sessions that are open on them."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import shiboken6

from app.session.session import Session
from app.storage.formats.visor.exporting import export_visor
from tests.fakes import SIZE, FakeModels
from tests.session.mirrors import check, follow

Json = Any
VIDEO = "P01_01"


def box(x: int, y: int, side: int = 10) -> list[list[float]]:
    """Return a square polygon."""
    return [[x, y], [x + side, y], [x + side, y + side], [x, y + side]]


def annotation(number: int, name: str, class_id: int, segments: Json, **more: Json) -> Json:
    """Return an annotation with this id."""
    return {
        "id": f"{number:032x}", "name": name, "class_id": class_id, "exhaustive": "y",
        "segments": segments, **more,
    }  # fmt: skip


def record(number: int, annotations: list[Json], sequence: int = 1) -> Json:
    """Return the record of one frame."""
    name = f"{VIDEO}_frame_{number:010d}.jpg"
    image = {
        "image_path": f"{VIDEO}/{name}", "name": name,
        "subsequence": f"{VIDEO}_seq_{sequence:05d}", "video": VIDEO,
    }  # fmt: skip
    return {"image": image, "annotations": annotations}


def document(records: list[Json]) -> Json:
    """Return a whole file, of coordinates as large as the frames of the tests."""
    info = {"Dataset Name": "VISOR", "Resolution": f"{SIZE[1]}x{SIZE[0]}"}
    return {"info": info, "video_annotations": records}


def kitchen() -> Json:
    """Return two subsequences: a hand that holds a plate, over which a cup stands, then a tap."""
    hand = {"in_contact_object": f"{2:032x}"}
    glove = {"on_which_hand": None, "in_contact_object": None}
    return document(
        [
            record(
                101,
                [
                    annotation(1, "cup", 13, [box(22, 12, 6)], exhaustive="n"),
                    annotation(2, "plate", 2, [box(20, 10, 12)]),
                    annotation(3, "right hand", 301, [box(33, 12)], **hand),
                    annotation(4, "left glove", 303, [box(2, 30)], **glove),
                ],
            ),
            record(102, [annotation(5, "plate", 2, [box(22, 10, 12)])]),
            record(161, [annotation(6, "tap", 0, [box(5, 5)])], 2),
            record(162, [annotation(7, "tap", 0, [box(6, 5)])], 2),
        ]
    )


def write(folder: Path, raw: Json, name: str = VIDEO, *, numbers: Iterable[int] = ()) -> Path:
    """Write a file beside black frames of the names that it has, and of these `numbers`."""
    frames = folder / name
    frames.mkdir(parents=True)
    names = {each["image"]["name"] for each in raw["video_annotations"]}
    for each in names | {f"{name}_frame_{number:010d}.jpg" for number in numbers}:
        cv2.imwrite(str(frames / each), np.zeros((*SIZE, 3), np.uint8))
    (folder / f"{name}.json").write_text(json.dumps(raw))
    return folder / f"{name}.json"


@contextmanager
def opened(source: Path) -> Iterator[Session]:
    """Give a session that is open on a file or folder, with models that are none."""
    session = Session(loader=lambda frames, settings: FakeModels(frames))
    mirrors = follow(session)
    try:
        session.files.open(source)
        yield session
        check(mirrors)
    finally:
        session.files.close()
        shiboken6.delete(session)


def exported(session: Session) -> Json:
    """Return what an export of what is open holds."""
    opened = session.video.now
    assert opened is not None
    return json.loads(export_visor(session.masks.snapshot(), opened.video, opened.attachment))


def number_of(session: Session, name: str) -> int:
    """Return the object of this name."""
    return next(info.id for info in session.masks.objects if info.name == name)
