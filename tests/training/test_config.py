from pathlib import Path

import pytest

from models.training.config import TrainingConfigError, load_config

MINIMAL = """
model = "lite"
iterations = 10
output = "out"
cache = "cache"
[[phases]]
start = 0
clip = 3
skip = 5
[[data]]
name = "d"
kind = "davis"
root = "${MASKWRIGHT_TEST_DATA}"
size = [64, 96]
window = [4, 4]
"""


def _write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "run.toml"
    path.write_text(text)
    return path


def test_variables_are_filled_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MASKWRIGHT_TEST_DATA", "/data")
    config = load_config(_write(tmp_path, MINIMAL))
    assert config.data[0].root == "/data"
    assert config.data[0].size == (64, 96)
    assert config.phases[0].start == 0.0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (MINIMAL, "MASKWRIGHT_TEST_DATA"),
        (MINIMAL.replace("iterations = 10", "iterations = 'ten'"), "iterations"),
        (MINIMAL.replace("clip = 3", "clips = 3"), "clips"),
        (MINIMAL.replace("iterations = 10\n", ""), "iterations"),
        ("model = ", "cannot be read"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(TrainingConfigError, match=says):
        load_config(_write(tmp_path, text))


@pytest.mark.parametrize("name", sorted(p.name for p in Path("resources/training").glob("*.toml")))
def test_shipped_configs_are_complete(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("DATA", "WEIGHTS", "RUNS"):
        monkeypatch.setenv(variable, f"/{variable.lower()}")
    root = Path(__file__).parents[2] / "resources" / "training"
    assert load_config(root / name).iterations > 0
