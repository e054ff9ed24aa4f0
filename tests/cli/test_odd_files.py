"""Files that are wrong in odd ways: a sentence, a bound and an exit status, never a traceback."""

import copy
import json
import random
from pathlib import Path
from typing import Any

import pytest

from app.cli.main import run
from tests.storage.visor_vectors import SPARSE, load

ODD: list[object] = [
    None, True, 0, -1, 1.5, 10**30, "", "x", "\ud800", "a/b", "..", [], [1], [[1, 2]], {}, {"a": 1},
    ["left hand"], [[[1, 2], [3, 4], [5, 6]]], [[[-9e8, 5], [-8e8, 5], [-9e8, 9]]], [[[1]]], "0x0",
    "-5x7", "99999x99999", [0, 0], [-3, 4], [1 << 40, 1 << 40], [[[float("nan"), 1]]],
]  # fmt: skip


def places(value: Any) -> list[tuple[Any, Any]]:  # noqa: ANN401 - JSON
    """Return every container of a JSON value with each of its keys."""
    keys = (
        value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    )
    return [place for key in keys for place in ((value, key), *places(value[key]))]


def odd_file(path: Path, seed: int) -> Path:
    """Write the sparse file with one to three values replaced."""
    rng = random.Random(seed)
    raw = copy.deepcopy(load(SPARSE))
    for record in raw["video_annotations"]:
        for annotation in record["annotations"]:
            annotation["segments"] = [polygon[:6] for polygon in annotation["segments"]]
    raw["info"] |= {"Resolution": "1920x1080", "Frame Size": [1920, 1080]}
    for _ in range(rng.randint(1, 3)):
        container, key = rng.choice(places(raw))
        if rng.random() < 0.15 and isinstance(container, dict):
            del container[key]
        else:
            container[key] = rng.choice(ODD)
    path.write_text(json.dumps(raw))
    return path


@pytest.mark.parametrize("seed", range(40))
def test_an_odd_file_is_read_or_refused_in_a_sentence(
    tmp_path: Path, seed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    source = odd_file(tmp_path / "a.json", seed)
    project = tmp_path / "p.maskwright"
    commands: list[list[object]] = [["validate", source], ["import", source, project]]
    for form, target in (("davis", "d"), ("coco", "c.json"), ("submission", "s.json")):
        commands.append(["convert", source, tmp_path / target, "--from", "visor", "--to", form])
        commands.append(["export", project, "--format", form, "--out", tmp_path / f"e{target}"])
    commands.append(["export", project, "--format", "visor", "--out", tmp_path / "v.json"])
    for command in commands:
        status = run([str(word) for word in command])
        said = capsys.readouterr().err
        assert status in {0, 1, 2}, command
        assert "Traceback" not in said
        assert "unexpected" not in said.lower(), (command, said)


def write(path: Path, **info: object) -> Path:
    raw = load(SPARSE)
    raw["info"] |= info
    path.write_text(json.dumps(raw))
    return path


@pytest.mark.parametrize("size", ["0x0", "0x1080", "1920x0", "99999x99999", "65000x65000"])
def test_a_size_that_no_picture_has_is_refused(
    tmp_path: Path, size: str, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write(tmp_path / "a.json", Resolution=size)
    assert run(["import", str(source), str(tmp_path / "p.maskwright")]) == 2
    assert "size" in capsys.readouterr().err
    assert not (tmp_path / "p.maskwright").exists()


@pytest.mark.parametrize("size", [[0, 0], [-3, 4], [1920, -1], [1 << 40, 9], [70_000, 70_000]])
def test_a_frame_size_that_no_picture_has_is_refused(
    tmp_path: Path, size: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    source = write(tmp_path / "a.json", **{"Frame Size": size})
    assert run(["import", str(source), str(tmp_path / "p.maskwright")]) == 2
    assert "size" in capsys.readouterr().err
