"""The commands on Cutie: equal to the published implementation, and measured."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from app.cli.main import run
from tests.models.cutie_oracle import index_mask, moving_clip, oracle_config, oracle_network

SIZE = (76, 108)
LENGTH = 15


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_the_command_writes_the_published_probabilities(tmp_path: Path) -> None:
    inference_core = pytest.importorskip("cutie.inference.inference_core")
    oracle = oracle_network("base", seed=5)
    torch.save(oracle.state_dict(), tmp_path / "random.pth")
    images = [
        (image.permute(1, 2, 0) * 255).round().to(torch.uint8)
        for image in moving_clip(LENGTH, SIZE)
    ]
    for folder in ("frames", "anchors"):
        (tmp_path / folder).mkdir()
    for number, image in enumerate(images):
        cv2.imwrite(str(tmp_path / "frames" / f"{number:05d}.png"), image.numpy()[..., ::-1])
    mask = index_mask(SIZE, (2, 5))
    cv2.imwrite(str(tmp_path / "anchors" / "00000.png"), mask.numpy().astype(np.uint8))

    folders = [str(tmp_path / "frames"), "--anchors", str(tmp_path / "anchors")]
    asked = ["--model", "cutie-base", "--weights", str(tmp_path / "random.pth"), "--scores"]
    out = ["--out", str(tmp_path / "out"), "--device", "cpu"]
    assert run(["propagate", *folders, *asked, *out]) == 0

    core = inference_core.InferenceCore(oracle, oracle_config("base"))
    for number, image in enumerate(images):
        with torch.inference_mode():
            given = (mask, [2, 5]) if number == 0 else ()
            expected = core.step(image.permute(2, 0, 1).float() / 255, *given).numpy()
        written = np.load(tmp_path / "out" / "scores" / f"{number:05d}.npz")
        assert written["ids"].tolist() == [2, 5]
        assert np.abs(written["prob"].astype(np.float32) - expected).max() < 1e-3


@pytest.mark.parametrize(("model", "weights"), [("cutie-small", "random"), ("classic", "no")])
def test_the_bench_prints_a_row_for_each_case(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], model: str, weights: str
) -> None:
    small = ["--model", model, "--size", "64", "--lengths", "6", "--objects", "2"]
    asked = ["--json", str(tmp_path / "figures.json"), "--device", "cpu", "--threads", "1"]
    assert run(["bench", "propagate", *small, *asked, "--against", "nothing"]) == 0
    said = capsys.readouterr().out
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert f"{weights} weights" in said
    assert "| 6 | 2 | maskwright |" in said
    assert figures[0]["frames_per_second"] > 0
    assert figures[0]["host_peak"] > 0
