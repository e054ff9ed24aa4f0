"""One frame that cannot be read costs no other, whatever is made of the video."""

from pathlib import Path

import numpy as np
import pytest

from app.cli.main import run
from app.core.document import Key
from app.storage.formats.palette import read_labels
from app.storage.project.project import Project
from tests.cli.frames import SIZE, labels, write_masks, write_video


def maskwright(*words: object) -> int:
    return run([str(word) for word in words])


@pytest.fixture(params=["empty", "cut", "gone"])
def video(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return eight frames, of which frame 3 cannot be read."""
    folder = write_video(tmp_path / "video")
    broken = folder / "frame_0000000004.png"
    content = broken.read_bytes()
    if request.param == "gone":
        broken.unlink()
        broken.symlink_to(folder / "nowhere.png")
    else:
        broken.write_bytes(b"" if request.param == "empty" else content[: len(content) // 2])
    return folder


def test_propagation_skips_the_frame_and_names_it(
    video: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    masks = write_masks(tmp_path / "masks", {"frame_0000000001": labels(0, 1, 2)})
    out, project = tmp_path / "out", tmp_path / "p.maskwright"
    words = ("--out", out, "--model", "classic", "--project", project)
    assert maskwright("propagate", video, "--anchors", masks, *words) == 0
    written = sorted(path.stem[-2:] for path in out.glob("*.png"))
    assert written == ["01", "02", "03", "05", "06", "07", "08"]
    assert sum("Frame 3 cannot be read" in text for text in caplog.messages) == 1
    last = read_labels(out / "frame_0000000008.png", SIZE) == 1
    true = labels(7, 1) == 1
    assert np.count_nonzero(last & true) / np.count_nonzero(last | true) > 0.5
    opened = Project.open(project)
    document = opened.load()
    opened.close()
    assert document.get(Key(3, 1)) is None
    assert document.get(Key(4, 1)) is not None


def test_refining_keeps_the_masks_of_the_frame(
    video: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    given = {f"frame_{n + 1:010}": labels(n, 1) for n in (2, 3, 4)}
    masks = write_masks(tmp_path / "masks", given)
    assert maskwright("refine", video, "--masks", masks, "--out", tmp_path / "out") == 0
    kept = read_labels(tmp_path / "out" / "frame_0000000004.png", SIZE)
    assert np.array_equal(kept, labels(3, 1))
    assert any("Frame 3 cannot be read" in text for text in caplog.messages)


@pytest.mark.parametrize("form", ["video", "davis", "coco", "visor"])
def test_an_export_has_all_other_frames(
    video: Path, tmp_path: Path, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    given = {f"frame_{n + 1:010}": labels(n, 1) for n in range(8)}
    write_masks(tmp_path / "masks", given)
    project = tmp_path / "p.maskwright"
    assert maskwright("import", tmp_path / "masks", project, "--video", video) == 0
    out = tmp_path / f"out.{'mp4' if form == 'video' else 'json'}"
    assert maskwright("export", project, "--format", form, "--out", out) == 0
    assert out.exists()
    if form == "video":
        assert "Frame 3 cannot be read" in capsys.readouterr().out
