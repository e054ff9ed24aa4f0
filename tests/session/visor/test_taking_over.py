"""A VISOR file that is imported into a video: what it says beside its masks comes along."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.core.attributes import CONTACT, EXHAUSTIVE, WORN_ON
from app.core.document import Key
from app.session.session import Session
from tests.session.visor.files import VIDEO, Json, exported, kitchen, number_of, opened, write


@pytest.fixture
def frames(qtbot: QtBot, tmp_path: Path) -> Iterator[Session]:
    """A session on the frames alone, on which an object was deleted."""
    raw = kitchen()
    raw["video_annotations"][0]["annotations"][2]["exhaustive"] = "n"
    raw["video_annotations"][0]["annotations"][3] |= {
        WORN_ON: ["left hand"], CONTACT: "f" * 32,
    }  # fmt: skip
    write(tmp_path, raw)
    with opened(tmp_path / VIDEO) as session:
        session.objects.add()
        session.objects.delete(1)  # its number is not given again
        yield session


def test_flags_contacts_and_gloves_come_along_as_one_step(frames: Session, tmp_path: Path) -> None:
    steps = frames.history.stack.count()
    frames.files.exchange.import_masks(tmp_path / f"{VIDEO}.json")
    say = frames.files.exchange.visor.attributes.value
    hand, glove = number_of(frames, "right hand"), number_of(frames, "left glove")
    assert say(Key(0, hand), CONTACT) == number_of(frames, "plate")
    assert say(Key(0, hand), EXHAUSTIVE) == "n"
    assert say(Key(0, glove), WORN_ON) == ("left hand",)
    assert say(Key(0, glove), CONTACT) == "inconclusive"  # no mask has the id that it names
    assert frames.history.stack.count() == steps + 1
    frames.history.undo()
    assert not frames.masks.document.attributes


def test_an_export_says_of_each_mask_what_the_import_did(frames: Session, tmp_path: Path) -> None:
    frames.files.exchange.import_masks(tmp_path / f"{VIDEO}.json")
    here = exported(frames)["video_annotations"][0]["annotations"]
    wanted = kitchen()["video_annotations"][0]["annotations"]
    assert [each["name"] for each in here] == [each["name"] for each in wanted]
    named: dict[str, Json] = {each["name"]: each for each in here}
    assert named["right hand"][CONTACT] == named["plate"]["id"]
    assert [named[name][EXHAUSTIVE] for name in ("cup", "plate", "right hand")] == ["n", "y", "n"]


def test_the_drawing_order_of_a_frame_comes_along(frames: Session, tmp_path: Path) -> None:
    raw = kitchen()
    other = kitchen()["video_annotations"][0]["annotations"][:2]
    raw["video_annotations"][1]["annotations"] = [
        {**other[1], "id": "a" * 32}, {**other[0], "id": "b" * 32},
    ]  # fmt: skip
    target = tmp_path / "other"
    target.mkdir()
    frames.files.exchange.import_masks(write(target, raw))
    cup, plate = number_of(frames, "cup"), number_of(frames, "plate")
    orders = [[o.id for o in frames.video.ordered(f) if o.id in {cup, plate}] for f in (0, 1)]
    assert orders == [[cup, plate], [plate, cup]]
