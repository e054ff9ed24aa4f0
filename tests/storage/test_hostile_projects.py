"""Project files from anywhere: whatever they say, a sentence, never a crash.

`MASKWRIGHT_MUTATIONS` is how many are tried, a few hundred where it is not set.
"""

import json
import math
import os
import random
import sqlite3
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from app.cli.main import run
from app.core.document import MOST_ID, Document, Entry, Key, ObjectInfo, Origin
from app.errors import MaskwrightError, UnusableProjectError
from app.storage.formats.visor.importing import ATTACHMENT
from app.storage.project.exchange import project_frames
from app.storage.project.project import Project
from models.api import Click
from tests.fakes import write_frames
from tests.storage.projects import square

MUTATIONS = int(os.environ.get("MASKWRIGHT_MUTATIONS", "300"))
SIZE = (48, 160)
FRAMES = 6
SPECIAL: tuple[object, ...] = (
    None, 0, 1, -1, 2, 254, 255, 256, 1 << 31, (1 << 63) - 1, -(1 << 63), 0.5, -0.0, 1e308,
    math.inf, -math.inf, "", "abc", "1", "ü" * 9, "\0", "/dev/zero", "../" * 50, "x" * 70_000, b"",
    b"\x00\xff", b"abc" * 99, zlib.compress(b""), zlib.compress(bytes(10**6)), "[" * 100_000,
    "[[1, 2]]", "[[1, 2, true, 3]]", '[["a", 2, true]]', "[[NaN, 2, true]]", "[[1e999, 2, 1]]",
    "[[[1], 2, true]]", "[[1, 2, [true]]]", "[[1, 2, {}]]", "{}", "null", "7",
    "[" + "9" * 5000 + "]",
)  # fmt: skip


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return a project with a bit of everything."""
    folder = tmp_path_factory.mktemp("template")
    clip = write_frames(folder / "clip", FRAMES, SIZE)
    path = folder / "a.maskwright"
    project = Project.create(path, clip, FRAMES, SIZE)
    project.save_objects(
        (ObjectInfo(1, "cup", (1, 2, 3), 13), ObjectInfo(7, "knife ü", (0, 0, 255), locked=True))
    )
    clicks = (Click(3.5, 4), Click(9, 9, positive=False))
    project.append(
        {
            Key(0, 1): Entry(square(1), Origin.CLICKED, clicks=clicks, score=0.5),
            Key(1, 1): Entry(square(2), Origin.PROPAGATED, score=1.0, stale=True),
            Key(2, 1): Entry(None, Origin.DRAWN, occluded=True),
            Key(5, 7): Entry(square(3), Origin.REFINED, verified=True, conflict=True),
        }
    )
    project.set_attachment(
        ATTACHMENT, zlib.compress(json.dumps({"file": {}, "links": []}).encode())
    )
    project.set_attachment("frames", json.dumps(["clip", ["0"] * FRAMES, SIZE]).encode())
    project.close()
    return path.read_bytes()


@pytest.fixture
def path(tmp_path: Path, template: bytes) -> Path:
    write_frames(tmp_path / "clip", FRAMES, SIZE)
    path = tmp_path / "a.maskwright"
    path.write_bytes(template)
    return path


def changed(path: Path, *statements: tuple[str, tuple[object, ...]]) -> None:
    database = sqlite3.connect(path)
    database.execute("PRAGMA ignore_check_constraints = ON")
    try:
        for statement, values in statements:
            database.execute(statement, values)
        database.commit()
    finally:
        database.close()


def read(path: Path) -> Document:
    """Read all that a project holds."""
    project = Project.open(path)
    try:
        document = project.load()
        for name in (ATTACHMENT, "frames", "none"):
            project.get_attachment(name)
        with project_frames(project):
            pass
        project.append({Key(0, 1): Entry(square(5), Origin.DRAWN)})
        return document
    finally:
        project.close()


def check(document: Document) -> None:
    """Every value is what the rest of the program may count on."""
    assert all(1 <= info.id <= MOST_ID for info in document.objects)
    assert all(0 <= part <= 255 for info in document.objects for part in info.color)
    assert len({info.id for info in document.objects}) == len(document.objects)
    assert document.next_id > max((info.id for info in document.objects), default=0)
    for key, entry in document.items():
        assert 0 <= key.frame < FRAMES
        assert 1 <= key.object < document.next_id
        assert isinstance(entry.state.value, int)
        assert entry.score is None or -1 <= entry.score <= 2
        assert all(math.isfinite(x) and math.isfinite(y) for x, y, _ in entry.clicks)
        if entry.mask is not None:
            assert entry.mask.decode().shape == SIZE
            assert entry.mask.area > 0


def tried(path: Path) -> str:
    """Read a project that may be anything; return what was said of it."""
    try:
        document = read(path)
    except MaskwrightError as error:
        said = str(error)
        assert len(said) < 1500
        assert said.endswith((".", "it"))
        return said
    check(document)
    return ""


def columns(path: Path) -> list[tuple[str, str]]:
    database = sqlite3.connect(path)
    tables = ("video", "object", "entry", "attachment")
    found = [
        (table, row[1])
        for table in tables
        for row in database.execute(f"PRAGMA table_info({table})")
    ]
    database.close()
    return found


def _with_value(path: Path, chance: random.Random) -> None:
    table, column = chance.choice(columns(path))
    value = chance.choice(SPECIAL)
    where = f"rowid = (SELECT rowid FROM {table} ORDER BY rowid LIMIT 1 OFFSET ?)"
    try:
        changed(path, (f"UPDATE OR IGNORE {table} SET {column} = ? WHERE {where}",
                       (value, chance.randrange(3))))  # fmt: skip
    except (sqlite3.Error, OverflowError):
        return


def _with_mask(path: Path, chance: random.Random) -> None:
    """Change packed pixels and their checksum with them."""
    bits = bytearray(square(chance.randrange(99)).bits)
    for _ in range(chance.randrange(1, 4)):
        bits[chance.randrange(len(bits))] = chance.randrange(256)
    given = bytes(bits)
    changed(path, ("UPDATE entry SET bits = ?, checksum = ? WHERE bits IS NOT NULL",
                   (given, zlib.crc32(given))))  # fmt: skip


def _with_bytes(path: Path, chance: random.Random) -> None:
    content = bytearray(path.read_bytes())
    for _ in range(chance.choice((1, 1, 1, 3, 30))):
        content[chance.randrange(len(content))] = chance.randrange(256)
    path.write_bytes(content)


def _cut(path: Path, chance: random.Random) -> None:
    content = path.read_bytes()
    at = chance.randrange(len(content))
    length = chance.choice((1, 100, 4096, len(content)))
    path.write_bytes(content[:at] + content[at + length :])


def _with_schema(path: Path, chance: random.Random) -> None:
    table, column = chance.choice(columns(path))
    statement = chance.choice(
        (
            f"DROP TABLE {table}",
            f"DELETE FROM {table}",
            f"ALTER TABLE {table} RENAME COLUMN {column} TO other",
            f"ALTER TABLE {table} DROP COLUMN {column}",
            f"ALTER TABLE {table} ADD COLUMN other",
            f"CREATE TRIGGER t AFTER INSERT ON {table} BEGIN DELETE FROM entry; END",
            f"CREATE VIEW other AS SELECT * FROM {table}",
            f"INSERT INTO {table} SELECT * FROM {table}",
            f"PRAGMA user_version = {chance.choice((0, 1, 2, -1, 99))}",
            f"PRAGMA application_id = {chance.choice((0, 1))}",
        )
    )
    try:
        changed(path, (statement, ()))
    except sqlite3.Error:
        return


KINDS: tuple[Callable[[Path, random.Random], None], ...] = (
    _with_value, _with_value, _with_value, _with_mask, _with_bytes, _with_bytes, _cut, _with_schema,
)  # fmt: skip


# In parts, so that a failure names few.
PARTS = [range(start, min(start + 100, MUTATIONS)) for start in range(0, MUTATIONS, 100)]


@pytest.mark.parametrize("seeds", PARTS, ids=lambda seeds: f"{seeds.start}-")
def test_a_mutated_project_is_sound_or_told_in_a_sentence(
    path: Path, template: bytes, seeds: range
) -> None:
    told = 0
    for seed in seeds:
        for beside in path.parent.glob(f"{path.name}-*"):
            beside.unlink()
        path.write_bytes(template)
        chance = random.Random(seed)
        chance.choice(KINDS)(path, chance)
        told += bool(tried(path))
    assert told > len(seeds) / 5  # or nothing was tried


WRONG: dict[str, tuple[str, object]] = {
    "text for a frame": ("UPDATE entry SET frame = ? WHERE frame = 1", "one"),
    "a frame behind the end": ("UPDATE entry SET frame = ? WHERE frame = 5", FRAMES),
    "a frame before the start": ("UPDATE entry SET frame = ? WHERE frame = 5", -1),
    "a huge frame": ("UPDATE entry SET frame = ? WHERE frame = 5", 1 << 40),
    "object 0": ("UPDATE entry SET object = ? WHERE frame = 5", 0),
    "a huge object": ("UPDATE object SET id = ? WHERE id = 7", 1 << 31),
    "text for an object": ("UPDATE object SET id = ? WHERE id = 7", b"seven"),
    "a colour of 256": ("UPDATE object SET red = ? WHERE id = 7", 256),
    "a name of bytes": ("UPDATE object SET name = ? WHERE id = 7", b"\xff"),
    "a class of text": ("UPDATE object SET class_id = ? WHERE id = 7", "cup"),
    "nested clicks": ("UPDATE entry SET clicks = ? WHERE frame = 0", "[" * 100_000),
    "clicks of text": ("UPDATE entry SET clicks = ? WHERE frame = 0", '[["x", 2, true]]'),
    "clicks of lists": ("UPDATE entry SET clicks = ? WHERE frame = 0", "[[1, 2, [true]]]"),
    "clicks far off": ("UPDATE entry SET clicks = ? WHERE frame = 0", "[[1e30, 2, true]]"),
    "clicks nowhere": ("UPDATE entry SET clicks = ? WHERE frame = 0", "[[NaN, 2, true]]"),
    "a score of text": ("UPDATE entry SET score = ? WHERE frame = 0", "high"),
    "an endless score": ("UPDATE entry SET score = ? WHERE frame = 0", math.inf),
    "an origin unknown": ("UPDATE entry SET origin = ? WHERE frame = 0", "dreamt"),
    "flags of text": ("UPDATE entry SET flags = ? WHERE frame = 0", "all"),
    "a box outside": ("UPDATE entry SET x1 = ? WHERE frame = 0", 161),
    "a box of text": ("UPDATE entry SET y0 = ? WHERE frame = 0", "top"),
    "a height of text": ("UPDATE video SET height = ?", "high"),
    "no width": ("UPDATE video SET width = ?", 0),
    "frames of text": ("UPDATE video SET frame_count = ?", "many"),
    "a place of bytes": ("UPDATE video SET absolute = ?", b"/"),
    "an id of text": ("UPDATE video SET next_object = ?", "next"),
    "an attachment of a number": ("UPDATE attachment SET content = ?", 1 << 40),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
def test_a_value_that_is_none_is_damage_and_wrong_use(
    path: Path, tmp_path: Path, wrong: str, capsys: pytest.CaptureFixture[str]
) -> None:
    statement, value = WRONG[wrong]
    changed(path, (statement, (value,)))
    with pytest.raises(UnusableProjectError, match="damaged: "):
        read(path)
    for form in ("davis", "coco"):
        arguments = [str(path), "--format", form, "--out", str(tmp_path / form)]
        assert run(["export", *arguments]) == 2
        assert "damaged: " in capsys.readouterr().err
        assert not (tmp_path / form).exists()


@pytest.mark.parametrize(
    "raw", [bytes(20), b"\xff" * 20, bytes(10**7), bytes(5) + b"\1" + bytes(13), b""]
)
def test_pixels_that_do_not_fill_their_box_are_damage(path: Path, raw: bytes) -> None:
    bits = zlib.compress(raw)
    changed(path, ("UPDATE entry SET bits = ?, checksum = ?", (bits, zlib.crc32(bits))))
    with pytest.raises(UnusableProjectError, match="pixels cannot be read"):
        read(path)


def test_a_video_that_is_a_device_is_asked_for(path: Path) -> None:
    changed(path, ("UPDATE video SET relative = NULL, absolute = '/dev/zero'", ()),
            ("DELETE FROM attachment", ()))  # fmt: skip
    with pytest.raises(MaskwrightError, match="/dev/zero"):
        read(path)
