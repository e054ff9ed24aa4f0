"""`maskwright train`, from VISOR's files to weights."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from app.cli.main import run
from app.cli.training.visor_data import convert
from app.storage.formats.davis import read_davis
from app.storage.formats.visor.release.benchmark import Split
from tests.storage.visor_vectors import SPARSE, load

CONFIG = """
model = "lite"
iterations = {iterations}
output = "{root}/{name}"
cache = "{root}/cache"
checkpoint_every = 1000
[[phases]]
start = 0
clip = 2
skip = 1
[[data]]
name = "visor"
kind = "visor"
root = "{root}/json"
images = "{root}/frames"
size = [64, 96]
window = [2, 2]
batch = 1
objects = 2
[losses]
points = 64
[validation]
kind = "visor"
protocol = "visor"
root = "{root}/json"
images = "{root}/frames"
split = "train"
every = 2
size = 64
"""


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """Write a folder of one VISOR JSON and one of its frames."""
    (tmp_path / "json").mkdir()
    (tmp_path / "json" / "P99_101.json").write_bytes(SPARSE.read_bytes())
    folder = tmp_path / "frames" / "P99_101"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(2)
    for record in load(SPARSE)["video_annotations"]:
        image = rng.integers(0, 255, (108, 192, 3)).astype(np.uint8)
        cv2.imwrite(str(folder / record["image"]["name"]), image)
    return tmp_path


def _convert(release: Path) -> list[str]:
    said: list[str] = []
    convert(
        release / "json", release / "frames", release / "davis",
        images_of=Split.TRAIN, rule=Split.TRAIN, say=said.append,
    )  # fmt: skip
    return said


def test_a_visor_release_becomes_sequences_of_all_objects_it_names(release: Path) -> None:
    _convert(release)
    (video,) = read_davis(release / "davis")
    assert video.name == "P99_101_seq_00001"  # the other subsequence has one frame
    assert {info.name for info in video.objects} >= {"plate", "cup", "knife", "glove"}
    images = release / "davis" / "JPEGImages" / "480p" / video.name
    assert [path.stem for path in sorted(images.iterdir())] == [f.stem for f in video.frames]


def test_what_is_converted_is_not_converted_again(release: Path) -> None:
    assert len(_convert(release)) == 1
    assert _convert(release) == []


def _write(release: Path, name: str, iterations: int) -> Path:
    path = release / f"{name}.toml"
    path.write_text(CONFIG.format(root=release, name=name, iterations=iterations))
    return path


def test_one_command_trains_from_a_visor_release(
    release: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = _write(release, "run", 2)
    words = ["train", str(config), "--device", "cpu", "--threads", "1"]
    assert run(words) == 0
    said = capsys.readouterr().out
    assert "min left" in said
    assert "validation J&F" in said
    assert (release / "run" / "weights.safetensors").stat().st_size > 1e6
    assert "validation J&amp;F" in (release / "run" / "metrics.svg").read_text()
    assert run(words) == 2
    assert "--resume" in capsys.readouterr().err
    assert run([*words, "--resume"]) == 0


@pytest.mark.parametrize(
    ("line", "other"),
    [
        ('output = "{root}/frames/run"', "lies in"),
        ('output = "{root}"', "holds"),
        ('cache = "{root}/json"', "is"),
        ('cache = "{root}/json/cache"', "lies in"),
        ('start = "{root}/run/weights.safetensors"', "is"),
        ('encoder = "{root}/linked/checkpoint.pt"', "is"),
    ],
)
def test_a_run_that_would_write_over_what_it_reads_is_refused(
    release: Path, capsys: pytest.CaptureFixture[str], line: str, other: str
) -> None:
    (release / "run").mkdir()
    (release / "linked").symlink_to(release / "run", target_is_directory=True)
    field = line.partition(" ")[0]
    text = _write(release, "run", 2).read_text()
    kept = [each for each in text.splitlines() if not each.startswith(f'{field} = "')]
    config = release / "other.toml"
    config.write_text("\n".join([line.format(root=release), *kept]))
    before = sorted(release.rglob("*"))
    assert run(["train", str(config), "--device", "cpu", "--threads", "1"]) == 2
    said = capsys.readouterr().err
    assert f" {other} " in said
    assert "which is read. Choose another place" in said
    assert sorted(release.rglob("*")) == before


@pytest.mark.parametrize("field", ["encoder", "start"])
def test_weights_that_are_not_there_are_wrong_use(
    release: Path, capsys: pytest.CaptureFixture[str], field: str
) -> None:
    config = _write(release, "run", 2)
    config.write_text(f'{field} = "{release}/none.pt"\n{config.read_text()}')
    assert run(["train", str(config), "--device", "cpu", "--threads", "1"]) == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert f"{release}/none.pt cannot be read (No such file or directory). Check the path" in said


def test_a_config_that_is_not_there_is_wrong_use(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["train", str(tmp_path / "none.toml")]) == 2
    assert "Give the TOML file" in capsys.readouterr().err
