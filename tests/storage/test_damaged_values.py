"""Projects whose values are not what they should be: a sentence, never a crash."""

import random
import shutil
import sqlite3
import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from app.core.document import Key
from app.errors import UnusableProjectError
from app.storage.formats.labelled import named_objects
from app.storage.project.project import Project
from models.api import Click
from tests.storage.projects import created, drawn

ODD = ["text", "", None, -1, 0, 300, 1 << 40, 1.5, float("inf"), b"bytes", b"", "[]", "[[[1]]]",
       "[[1, 2, 1], [3]]", '[["a", 2, 1]]', "[" * 5000, '{"x": 1}', "[[1e999, 0, 1]]",
       zlib.compress(bytes(9)), zlib.compress(bytes(1 << 22))]  # fmt: skip
COLUMNS = {
    "video": ["relative", "absolute", "frame_count", "height", "width"],
    "object": ["id", "name", "red", "green", "blue", "class_id", "visible", "locked"],
    "entry": ["frame", "object", "origin", "flags", "score", "clicks", "y0", "y1", "x0", "x1",
              "bits", "checksum"],
}  # fmt: skip


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sound") / "a.maskwright"
    project = created(path)
    project.save_objects(named_objects({1: "cup", 2: "plate"}))
    clicked = replace(drawn(3), clicks=(Click(3, 4, positive=True),), score=0.5)
    project.append({Key(frame, 1 + frame % 2): clicked for frame in range(6)})
    project.close()
    return path


def opened(path: Path) -> str:
    """Return what is said of a project, empty where it is taken; its masks can all be used."""
    try:
        project = Project.open(path)
    except UnusableProjectError as error:
        return str(error)
    try:
        document = project.load()
        for key, entry in document.items():
            assert key.object
            if entry.mask is not None:
                entry.mask.decode()
    except UnusableProjectError as error:
        return str(error)
    else:
        return ""
    finally:
        project.close()


@pytest.mark.parametrize(
    ("table", "column"), [(table, each) for table, found in COLUMNS.items() for each in found]
)
def test_a_value_that_cannot_be_is_said_to_be_damaged(
    sound: Path, tmp_path: Path, table: str, column: str
) -> None:
    said = []
    for number, value in enumerate(ODD):
        path = tmp_path / f"{number}.maskwright"
        shutil.copyfile(sound, path)
        database = sqlite3.connect(path)
        try:
            with database:
                where = "" if table == "video" else "WHERE rowid = 1"
                database.execute(f"UPDATE {table} SET {column} = ? {where}", (value,))
        except sqlite3.IntegrityError:
            continue
        finally:
            database.close()
        said.append(opened(path))
    assert any(said) or column in {"relative", "absolute", "name", "flags", "visible", "locked"}
    assert all("damaged" in text for text in said if text)


def test_random_changes_of_the_file_never_crash(sound: Path, tmp_path: Path) -> None:
    content, path = sound.read_bytes(), tmp_path / "a.maskwright"
    for seed in range(150):
        rng = random.Random(seed)
        changed = bytearray(content)
        for _ in range(rng.randint(1, 6)):
            changed[rng.randrange(len(changed))] = rng.randrange(256)
        if rng.random() < 0.2:
            del changed[rng.randrange(len(changed)) :]
        path.write_bytes(changed)
        assert "Error" not in opened(path)
