"""Models are found by name, and what cannot be loaded is said in a sentence."""

import subprocess
import sys

import pytest

from models import registry
from models.api import LoadOptions, UnknownModelError, WeightsMissingError
from tests.models.contract import Clip

PROMISED = {
    *("lite", "cutie-small", "cutie-base", "hiera-depth", "css", "vmos", "mobile-sam"),
    *("sam2.1-tiny", "sam2.1-small", "sam2.1-base-plus", "sam2.1-large"),
    *("hq-sam-tiny", "hq-sam-base", "hq-sam-large", "hq-sam-huge"),
    *("hands", "grounding-dino-tiny", "edgetam", "sam3-tracker"),
}


def test_every_promised_name_is_known() -> None:
    assert {model.name for model in registry.models()} >= PROMISED
    assert {"lite", "sam2.1-large", "classic"} <= set(registry.trackers())
    assert {"lite", "mobile-sam", "hq-sam-tiny"} <= set(registry.segmenters())
    assert {"hands", "grounding-dino-tiny", "sam3"} == set(registry.detectors())


def test_an_unknown_name_lists_those_that_are_known() -> None:
    with pytest.raises(UnknownModelError, match=r"no model named 'cutie'.*cutie-base"):
        registry.load_tracker("cutie", Clip())


def test_hands_are_found_by_their_own_detector() -> None:
    assert registry.default_detector(["left hand", "Hands."]) == "hands"
    assert registry.default_detector(["hand", "cup"]) == "grounding-dino-tiny"
    assert registry.default_detector(["handle"]) == "grounding-dino-tiny"


def test_a_segmenter_is_no_tracker() -> None:
    with pytest.raises(UnknownModelError, match="mobile-sam is not a tracker"):
        registry.load_tracker("mobile-sam", Clip())
    with pytest.raises(UnknownModelError, match="lite is not a detector"):
        registry.load_detector("lite", Clip())


def test_a_known_model_that_is_not_built_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    unbuilt = registry.Model("vmos", "", "models.nowhere.loader", tracks=True)
    monkeypatch.setitem(registry._MODELS, "vmos", unbuilt)
    with pytest.raises(UnknownModelError, match=r"vmos is known but not built yet.*classic"):
        registry.load_tracker("vmos", Clip())
    assert "not built" in (registry.available("vmos") or "")


def test_missing_weights_name_the_command_that_gets_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.setenv("MASKWRIGHT_HOME", str(tmp_path))
    reason = registry.available("sam2.1-tiny")
    assert reason is not None
    assert "maskwright models get sam2.1-tiny" in reason
    with pytest.raises(WeightsMissingError):
        registry.load_tracker("sam2.1-tiny", Clip(), LoadOptions(device="cpu"))


def test_the_default_is_one_that_can_be_loaded() -> None:
    assert registry.available("classic") is None
    assert registry.available(registry.default_tracker()) is None
    assert registry.available(registry.default_segmenter()) is None


def test_classic_needs_no_torch() -> None:
    program = (
        "import sys\n"
        "from models.registry import available, default_tracker, load_segmenter, load_tracker\n"
        "from tests.models.contract import Clip\n"
        "load_tracker('classic', Clip()), load_segmenter('classic', Clip())\n"
        "default_tracker(), available('cutie-base')\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
