"""Which models a machine carries, which is the best of those that are here, and one's own."""

import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from models import registry
from models.api import LoadOptions, UnknownModelError, WeightsInvalidError, WeightsMissingError
from models.registry import Fit
from models.runtime import machine as machine_module
from models.runtime.machine import Machine, machine
from models.weights import own
from models.weights import store as weights
from models.weights.own import OwnWeightsError
from tests.models.contract import Clip

GIB = 1 << 30
LITE = weights.place("lite")


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "machine", lambda: Machine(64 * GIB, "cuda", 24 * GIB))


def put(name: str) -> None:
    """Let the weights of a known model be here."""
    path = weights.place(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"stands for the real file")


def test_the_machine_is_told_without_torch() -> None:
    assert machine().memory > 256 << 20


@pytest.mark.parametrize("hidden", ["", "-1"])
def test_a_gpu_that_is_hidden_from_the_program_is_none(
    hidden: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
    assert machine_module._nvidia_memory() == 0


@pytest.mark.usefixtures("gpu")
def test_the_default_is_the_best_that_is_here_and_suits_the_machine() -> None:
    assert registry.default_tracker() == "lite"
    put("cutie-base")
    assert registry.default_tracker() == "cutie-base"
    put("sam2.1-large")
    assert registry.default_tracker() == "sam2.1-large"
    assert registry.default_segmenter() == "sam2.1-large"


@pytest.mark.usefixtures("gpu")
def test_the_default_heeds_what_is_asked_of_it(tmp_path: Path) -> None:
    put("cutie-base")
    put("sam2.1-large")
    assert registry.default_tracker(LoadOptions(device="cpu")) == "lite"
    assert registry.default_tracker(LoadOptions(flip=True)) == "cutie-base"
    assert registry.default_tracker(LoadOptions(scales=(1.2,))) == "cutie-base"
    assert registry.default_tracker(LoadOptions(weights=tmp_path / "lite.pt")) == "lite"


def test_without_a_gpu_the_embedded_model_stays_the_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(registry, "machine", lambda: Machine(64 * GIB))
    put("sam2.1-large")
    assert registry.default_tracker() == registry.default_segmenter() == "lite"


def test_a_gpu_that_is_too_small_is_not_given_a_large_model(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(registry, "machine", lambda: Machine(64 * GIB, "cuda", 2 * GIB))
    put("sam2.1-large")
    put("cutie-base")
    assert registry.fit("sam2.1-large") is Fit.TOO_LARGE
    assert registry.default_tracker() == "cutie-base"


@pytest.mark.parametrize(
    ("name", "memory", "expected"),
    [
        ("lite", 8 * GIB, Fit.GOOD),
        ("classic", 1 * GIB, Fit.GOOD),
        ("hq-sam-huge", 16 * GIB, Fit.SLOW),
        ("hq-sam-huge", 4 * GIB, Fit.TOO_LARGE),
        ("sam3-tracker", 4 * GIB, Fit.TOO_LARGE),
    ],
)
def test_a_machine_without_a_gpu_is_judged_by_its_memory(
    name: str, memory: int, expected: Fit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "machine", lambda: Machine(memory))
    assert registry.fit(name) is expected


def test_weights_of_ones_own_become_a_model_with_a_name(tmp_path: Path) -> None:
    file = tmp_path / "tuned.safetensors"
    shutil.copy(LITE, file)
    registry.add_own(file, "lite", "kitchen")
    file.unlink()
    assert registry.available("kitchen") is None
    assert "kitchen" in registry.trackers()
    assert "kitchen" in registry.segmenters()
    assert registry.size_of("kitchen") == registry.size_of("lite")
    tracker = registry.load_tracker("kitchen", Clip(), LoadOptions(device="cpu"))
    assert type(tracker).__name__ == "CutieTracker"
    own.remove_own("kitchen")
    assert "kitchen" not in registry.trackers()
    with pytest.raises(OwnWeightsError, match="no weights of your own"):
        own.remove_own("kitchen")


def test_weights_that_do_not_fit_their_model_are_not_kept(tmp_path: Path, home: Path) -> None:
    state = load_file(LITE)
    state.pop(sorted(state)[-1])
    save_file(state, tmp_path / "less.safetensors")
    torch.save({"a": torch.ones(3)}, tmp_path / "other.pt")
    (tmp_path / "broken.pth").write_bytes(b"not weights")
    for name in ("less.safetensors", "other.pt", "broken.pth"):
        with pytest.raises(WeightsInvalidError):
            registry.add_own(tmp_path / name, "lite", "mine")
    assert own.own_weights() == {}
    assert [path for path in home.rglob("*") if path.is_file()] == []


def test_a_name_that_is_taken_or_is_none_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "w.safetensors"
    file.write_bytes(b"")
    for name in ("lite", "hq-sam-tiny", "depth-small", "../up", "", ".hidden"):
        with pytest.raises(OwnWeightsError, match="name"):
            registry.add_own(file, "lite", name)
    with pytest.raises(UnknownModelError, match="not a model that takes"):
        registry.add_own(file, "classic", "mine")
    with pytest.raises(OwnWeightsError, match="no weights file"):
        registry.add_own(Path(__file__), "lite", "mine")
    with pytest.raises(WeightsMissingError):
        registry.add_own(tmp_path / "gone.pt", "lite", "mine")


def test_removed_weights_are_not_here_any_more() -> None:
    put("hands")
    put("hand-landmarks")
    assert registry.available("hands") is None
    weights.remove("hands")
    assert not weights.place("hand-landmarks").exists()
    assert registry.available("hands") is not None
    weights.remove("lite")
    assert registry.available("lite") is None
