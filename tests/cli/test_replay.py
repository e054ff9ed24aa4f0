"""`maskwright replay`: what a person did with real models, once more with no window."""

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import shiboken6
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.cli.main import run
from app.core.plan import Direction
from app.session.session import Session
from app.session.state.status import SessionState
from app.storage.settings import Settings
from models.api import Click
from tests.fakes import square
from tests.waiting import PATIENCE

FRAMES = 8


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, qapp: QApplication) -> Iterator[Path]:
    """Return the log of a click, a propagation, and a correction that is healed."""
    folder = tmp_path_factory.mktemp("replay") / "clip"
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MASKWRIGHT_HOME", str(folder.with_name("home")))
        yield _made(folder)


def _made(folder: Path) -> Path:
    rng = np.random.default_rng(1)
    ground = rng.integers(0, 90, (48, 64, 3), np.uint8)
    for frame in range(FRAMES):
        there = square(5 + 4 * frame)
        cv2.imwrite(str(folder / f"{frame:05d}.png"), np.where(there[..., None], 240, ground))
    session = Session(Settings(tracker="classic", threads=1, interaction_log=True))
    session.files.open(folder)
    path = session.files.log.path
    assert path is not None

    def idle() -> None:
        until = time.monotonic() + PATIENCE
        while session.clicks.asked or session.status.state is not SessionState.IDLE:
            assert time.monotonic() < until
            QTest.qWait(5)

    session.clicks.click(Click(9, 24))
    idle()
    session.jobs.propagate(Direction.FORWARD)
    idle()
    session.view.go_to(4)
    session.clicks.click(Click(25, 24))
    session.correction.verify_and_heal()
    idle()
    assert len(session.masks.document) == FRAMES
    session.files.close()
    shiboken6.delete(session)
    return path


@pytest.fixture
def log(made: Path, tmp_path: Path) -> Path:
    """Return a copy of the log."""
    return Path(shutil.copy(made, tmp_path / "log.jsonl"))


def test_a_log_is_replayed_to_equal_masks_which_can_be_kept(
    log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project, out = tmp_path / "kept.maskwright", tmp_path / "masks"
    assert run(["replay", str(log), "--out", str(project)]) == 0
    printed = capsys.readouterr().out
    assert "2 clicks on 2 frames" in printed
    assert f"Masks: {FRAMES}, equal, bit for bit." in printed
    assert run(["export", str(project), "--format", "davis", "--out", str(out)]) == 0
    assert len(list(out.rglob("*.png"))) >= FRAMES


def test_masks_that_are_others_are_said_and_are_a_failure(
    log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = log.read_bytes().splitlines()
    clicked = json.loads(lines[1])
    clicked["given"]["click"]["click"] = [50, 5, True]
    log.write_bytes(b"\n".join([lines[0], json.dumps(clicked).encode(), *lines[2:]]) + b"\n")
    assert run(["replay", str(log)]) == 1
    assert "other than those of the log" in capsys.readouterr().out


def test_what_it_adds_up_to_is_said_without_the_video(
    log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = str(tmp_path / "moved")
    first, *lines = log.read_bytes().splitlines()
    head = {**json.loads(first), "video": clip}
    log.write_bytes(b"\n".join([json.dumps(head).encode(), *lines]) + b"\n")
    assert run(["replay", str(log), "--count"]) == 0
    assert "object 1: " in capsys.readouterr().out
    assert run(["replay", str(log)]) == 2
    assert clip in capsys.readouterr().err


def test_what_is_no_log_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = tmp_path / "wrong.jsonl"
    wrong.write_text("nothing")
    assert run(["replay", str(wrong)]) == 2
    assert "no log" in capsys.readouterr().err
