"""No command's output destroys what it reads."""

import os
import shutil
from pathlib import Path

import pytest

from app.cli.main import run
from app.core.document import Document
from app.storage.interactions import Head, head_line
from app.storage.project.project import Project
from app.storage.settings import Settings
from tests.cli.frames import labels, write_masks, write_video
from tests.storage.visor_vectors import SPARSE

PLAN = """
out = "."
[videos]
frames = "vid*o"
anchors = "masks"
[[step]]
do = "propagate"
"""


def content(folder: Path) -> dict[Path, bytes]:
    """Return every file under a folder with its bytes, of a project file its masks."""
    return {
        path: masks(path) if path.suffix == ".maskwright" else path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def masks(path: Path) -> bytes:
    """Return what identifies the masks of a project."""
    project = Project.open(path)
    found = repr(sorted(project.load().items(), key=lambda item: item[0]))
    project.close()
    return found.encode()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a folder with a video, its masks, a project and a link to the video."""
    video = write_video(tmp_path / "video", 3)
    stems = {f"frame_{n + 1:010}": labels(n, 1, 2) for n in range(2)}
    write_masks(tmp_path / "masks", stems)
    words = ["import", tmp_path / "masks", tmp_path / "p.maskwright", "--video", video]
    assert run([str(word) for word in words]) == 0
    os.link(tmp_path / "p.maskwright", tmp_path / "same.maskwright")
    (tmp_path / "visor").mkdir()
    (tmp_path / "visor" / "a.json").write_bytes(SPARSE.read_bytes())
    (tmp_path / "list.txt").write_text("masks\n")
    report = tmp_path / "report"
    shutil.copytree(tmp_path / "masks", report / "masks")
    (report / "summary.json").write_text("{}")
    (report / "index.html").write_text("an older report")
    (tmp_path / "link").symlink_to(video, target_is_directory=True)
    head = Head(video, 3, (8, 8), Settings(), Document())
    (tmp_path / "log.jsonl").write_bytes(head_line(head) + b"\n")
    return tmp_path


@pytest.mark.parametrize(
    "command",
    [
        "propagate video --anchors masks --out video --model classic",
        "propagate video --anchors masks --out link --model classic",
        "propagate link --anchors masks --out video/masks --model classic",
        "propagate video --anchors masks --out . --model classic",
        "propagate video --anchors masks --out masks --model classic",
        "refine video --masks masks --out masks",
        "refine video --masks masks --out video",
        "refine video --masks masks --out link/new",
        "segment video/frame_0000000001.png --point 9,9,+ --out video/frame_0000000001.png",
        "segment video/frame_0000000001.png --point 9,9,+ --out link/frame_0000000001.png",
        "segment video/frame_0000000001.png --point 9,9,+ --mask masks/m.png --out masks/m.png",
        "export p.maskwright --format video --out video",
        "export p.maskwright --format video --out video/o.mp4",
        "export p.maskwright --format video --out link/o.mp4",
        "export p.maskwright --format coco --out p.maskwright",
        "export p.maskwright --format coco --out same.maskwright",
        "export p.maskwright --format visor --out p.maskwright",
        "export p.maskwright --format davis --out video",
        "export p.maskwright --format davis --out .",
        "convert masks masks --from davis --to coco",
        "convert masks masks/a.json --from davis --to coco",
        "convert masks . --from davis --to visor",
        "evaluate --pred masks --gt masks --json masks/scores.json",
        "evaluate --pred masks --gt video --json video/frame_0000000001.png",
        "evaluate --pred masks --gt link --json video/frame_0000000001.png",
        "evaluate --pred masks --gt masks --list list.txt --json list.txt",
        "vote video --coarse masks --masklets masks --out masks",
        "vote video --coarse masks --masklets masks --out video",
        "vote video --coarse masks --masklets masks --out link/new",
        "densify visor/a.json visor/a.json --frames video",
        "densify visor visor --frames video",
        "densify visor/a.json video/a.json --frames video",
        "densify visor/a.json a.json --frames video --weights a.maskwright",
        "inspect --gt masks --pred masks --report masks",
        "inspect --gt masks --pred report/masks --report report",
        "inspect --gt masks --pred masks --frames . --report report",
        "inspect --gt masks --pred masks --video masks",
        "inspect --gt masks --pred masks --frames video --video video/new",
        "inspect --gt masks --pred masks --frames link --video .",
        "import masks masks/new.maskwright",
        "import visor/a.json link/new.maskwright --video video",
        "replay log.jsonl --out log.jsonl",
        "replay log.jsonl --out video/new.maskwright",
        "replay log.jsonl --out link/new.maskwright --video video",
        "batch plan.toml",
        "bench clicks video masks --json masks/scores.json",
        "bench neighbours . --json p.maskwright",
        "bench heal video --json link/frame_0000000001.png",
        "bench clicks video masks --weights p.maskwright --json same.maskwright",
    ],
)
def test_an_output_that_would_destroy_an_input_is_refused(
    place: Path, command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(place)
    if "masks/m.png" in command:
        mask = next((place / "masks").glob("*.png"))
        (place / "masks" / "m.png").write_bytes(mask.read_bytes())
    if command == "batch plan.toml":
        (place / "plan.toml").write_text(PLAN)
    before = content(place)
    assert run(command.split()) == 2
    assert content(place) == before
    said = capsys.readouterr().err
    assert "which is read. Choose another place" in said or "is a folder. Give the name" in said
