"""Mutated VISOR files: refused in words or carried out, never a crash, and nothing is destroyed.

`MASKWRIGHT_FUZZ=100000` tries so many, from the seed `MASKWRIGHT_FUZZ_FROM` on; the suite tries
some hundred. Put pytest's `--basetemp` in memory then: most of the time goes into small files.
"""

import copy
import json
import os
import random
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from app.cli.main import run
from app.errors import MaskwrightError
from app.session.state.imported import ImportedFile
from app.session.visor.validation import findings_of
from app.storage.formats.visor.importing import ATTACHMENT
from app.storage.project.exchange import project_frames
from app.storage.project.project import Project
from tests.storage.visor_vectors import DENSE, SPARSE, SUBMISSION, load

Json = Any
COUNT = int(os.environ.get("MASKWRIGHT_FUZZ", "240"))
FIRST = int(os.environ.get("MASKWRIGHT_FUZZ_FROM", "0"))
LONGEST_S = 60.0  # of one command, on a machine that does other things, too
LONGEST_CPU_S = 5.0
ODD: list[Json] = [
    None, True, 0, -1, 1 << 70, 1e308, -1e-9, "", "x" * 3000, "../../etc", "a/b", "\x00", "é",
    "\ud800", [], {}, [[]], [[[]]], {"id": 1}, [1, "2", None], "left hand", "0" * 32, "854x480",
    "99999x99999", float("nan"), float("inf"),
]  # fmt: skip


def mutated(raw: Json, chance: random.Random) -> Json:
    """Return a copy with one to three values replaced, gone, doubled, or moved."""
    made = copy.deepcopy(raw)
    for _ in range(chance.randint(1, 3)):
        parent, key = _spot(made, chance)
        change: Callable[[Json, Json, random.Random], None] = chance.choice(
            [_replace, _replace, _remove, _double]
        )
        change(parent, key, chance)
    return made


def small(raw: Json) -> Json:
    """Return a file of pictures a tenth as wide, whose masks are made much quicker."""
    raw["info"]["Resolution"] = "192x108"
    for record in raw["video_annotations"]:
        for annotation in record["annotations"]:
            annotation["segments"] = [
                [[x / 10, y / 10] for x, y in polygon] for polygon in annotation["segments"]
            ]
    return raw


def _spot(value: Json, chance: random.Random) -> tuple[Json, Json]:
    while True:
        keys = list(value) if isinstance(value, dict) else list(range(len(value)))
        key = chance.choice(keys)
        inside = value[key]
        if not isinstance(inside, (dict, list)) or not inside or chance.random() < 0.15:
            return value, key
        value = inside


def _replace(parent: Json, key: Json, chance: random.Random) -> None:
    parent[key] = copy.deepcopy(chance.choice(ODD))


def _remove(parent: Json, key: Json, _chance: random.Random) -> None:
    if len(parent) > 1:
        del parent[key]


def _double(parent: Json, key: Json, _chance: random.Random) -> None:
    if isinstance(parent, list):
        parent.insert(key, copy.deepcopy(parent[key]))
    else:
        parent[f"{key}2"] = copy.deepcopy(parent[key])


def _text(raw: Json, chance: random.Random) -> bytes:
    text = json.dumps(raw).encode()
    if chance.random() < 0.1:  # cut short, or a byte that is another
        place = chance.randrange(len(text))
        cut = chance.random() < 0.5
        text = (
            text[:place]
            if cut
            else text[:place] + bytes([chance.randrange(256)]) + text[place + 1 :]
        )
    return text


@pytest.mark.parametrize("seed", range(FIRST, FIRST + COUNT, 20))
def test_no_mutation_crashes_hangs_or_destroys(
    seed: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, project = tmp_path / "out.json", tmp_path / "p.maskwright"
    for number in range(seed, min(seed + 20, FIRST + COUNT)):
        chance = random.Random(number)
        source = tmp_path / "source.json"
        origin = chance.choice([SPARSE, DENSE, SUBMISSION])
        raw = load(origin) if chance.random() < 0.1 else small(load(origin))
        source.write_bytes(_text(mutated(raw, chance), chance))
        before = source.read_bytes()
        project.unlink(missing_ok=True)
        for words in _commands(chance, source, project, out, tmp_path / "davis"):
            out.write_bytes(b"before")
            began, began_cpu = time.monotonic(), time.process_time()
            status = run([str(word) for word in words])
            said = capsys.readouterr()
            assert time.monotonic() - began < LONGEST_S, (number, words)
            assert time.process_time() - began_cpu < LONGEST_CPU_S, (number, words)
            assert status in {0, 1, 2}, (number, words)
            assert status == 0 or said.err.strip(), (number, words)
            assert status == 0 or out.read_bytes() == b"before", (number, words)
            assert source.read_bytes() == before
            if words[0] == "import" and status != 0:
                break
            if words[0] == "import":
                look(project)


def look(path: Path) -> None:
    """Read of a project what the window shows of it."""
    project = Project.open(path)
    try:
        document, attachment = project.load(), project.get_attachment(ATTACHMENT)
        with suppress(MaskwrightError), project_frames(project) as frames:
            imported = ImportedFile(attachment, frames)
            for key in imported.annotations:
                imported.touched(key)
            original = imported.original
            assert original is not None
            assert imported.subsequences or not imported.records or original.file.is_dense
            findings_of(document, frames, attachment)
    finally:
        project.close()


def _commands(
    chance: random.Random, source: Path, project: Path, out: Path, davis: Path
) -> list[tuple[object, ...]]:
    form = chance.choice(["visor", "coco", "submission"])
    target = chance.choice(["coco", "submission"])
    split = chance.choice(["val", "train"])
    return [
        ("validate", source),
        ("convert", source, out, "--from", "visor", "--to", target, "--split", split),
        ("convert", source, davis, "--from", "visor", "--to", "davis", "--split", split),
        ("import", source, project),
        ("export", project, "--format", form, "--out", out),
    ]
