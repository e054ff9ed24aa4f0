"""Every model of the memory network, by its name: the contract, on random weights from a file."""

from pathlib import Path

import pytest
import torch

from models import registry
from models.api import LoadOptions, Tracker
from models.cutie.config import (
    CSS,
    CUTIE_BASE,
    CUTIE_SMALL,
    HIERA_DEPTH,
    EncoderConfig,
    EncoderKind,
    NetworkConfig,
)
from models.cutie.infer_config import infer_sizes
from models.cutie.network.network import Network
from models.encoders.hiera import SIZES
from tests.models.contract import Clip, NarrowFramesContract, TrackerContract

_TINY = EncoderConfig(EncoderKind.HIERA, size="tiny")
_TINY_DEPTH = EncoderConfig(EncoderKind.HIERA, size="tiny", depth="small", widths=(128, 64, 32))
# The published sizes, or the smallest there is: the size is read off the weights.
CONFIGS = {
    "cutie-base": CUTIE_BASE,
    "hiera-depth": NetworkConfig(_TINY_DEPTH, mask_encoder=HIERA_DEPTH.mask_encoder),
    "css": NetworkConfig(_TINY, mask_encoder=CSS.mask_encoder),
}


@pytest.fixture(scope="module", params=CONFIGS)
def tracker_by_name(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Tracker:
    """Load a model once: that takes longer than following, and every test has the same clip."""
    name: str = request.param
    path = random_weights(name, tmp_path_factory.mktemp(name))
    return registry.load_tracker(name, Clip(), LoadOptions(device="cpu", weights=path))


def random_weights(name: str, folder: Path) -> Path:
    torch.manual_seed(0)
    network = Network(CONFIGS[name])
    for key, tensor in network.state_dict().items():
        if key.endswith(".bn3.weight"):
            tensor.fill_(0.25)  # else a deep encoder's random features grow until all is infinite
    path = folder / "random.pth"
    torch.save(network.state_dict(), path)
    return path


class TestModels(TrackerContract):
    """Random weights follow nothing: all but the quality of the masks is asked for."""

    floor = 0.0

    @pytest.fixture(autouse=True)
    def _loaded(self, tracker_by_name: Tracker) -> None:
        self.load = lambda _: tracker_by_name


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("size", [(1, 9), (11, 8), (8, 200)])
def test_a_small_or_narrow_frame_gets_an_answer(
    size: tuple[int, int], name: str, tmp_path: Path
) -> None:
    path = random_weights(name, tmp_path)
    contract = NarrowFramesContract()
    contract.load = lambda frames: registry.load_tracker(
        name, frames, LoadOptions(device="cpu", weights=path)
    )
    contract.test_a_small_or_narrow_frame_gets_an_answer(size)


@pytest.mark.parametrize("size", SIZES)
def test_the_size_of_the_encoder_is_read_off_the_weights(size: str) -> None:
    made = SIZES[size]
    prefix = "pixel_encoder.trunk."
    state = {
        f"{prefix}blocks.{block}.norm1.bias": torch.empty(1) for block in range(sum(made.blocks))
    }
    state[f"{prefix}patch_embed.proj.weight"] = torch.empty(made.width, 3, 7, 7)
    found = infer_sizes(HIERA_DEPTH.encoder, state)
    assert (found.size, found.depth) == (size, None)


def test_weights_of_another_kind_leave_the_sizes_as_they_are() -> None:
    found = infer_sizes(HIERA_DEPTH.encoder, Network(CUTIE_SMALL).state_dict())
    assert (found.size, found.widths) == (HIERA_DEPTH.encoder.size, HIERA_DEPTH.encoder.widths)
