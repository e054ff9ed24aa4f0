"""The names of VISOR's images: which frame of a video one means."""

import unicodedata
from pathlib import Path
from typing import Literal

import pytest

from app.storage.formats.visor.naming import FrameList, places
from app.storage.formats.visor.records import Record


def test_a_record_without_a_number_is_not_on_the_frame_of_number_nought() -> None:
    images = [{"name": "cover.jpg", "video": "P99_101"}, {"name": "P99_101_frame_0000000001.jpg"}]
    records = [Record({"image": image, "annotations": []}) for image in images]
    frames = FrameList(Path("P99_101"), ("frame_0000000000", "frame_0000000001"), (4, 4))
    assert places(records, frames) == [None, 1]


@pytest.mark.parametrize(("file", "disk"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_names_match_whichever_way_their_accents_are_written(
    file: Literal["NFC", "NFD"], disk: Literal["NFC", "NFD"]
) -> None:
    name = "k\u00fcche {}"
    names = [unicodedata.normalize(file, name.format(n)) for n in (1, 2)]
    records = [Record({"image": {"name": f"{each}.jpg"}, "annotations": []}) for each in names]
    stems = tuple(unicodedata.normalize(disk, name.format(n)) for n in (2, 1))
    assert places(records, FrameList(Path("a"), stems, (4, 4))) == [1, 0]
