from pathlib import Path

import torch

from models.weights.checkpoint import read_state
from models.weights.compact import save, shrink


def _state() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    scale = torch.logspace(-3, 1, 64)[:, None, None, None]
    return {
        "encoder.conv.weight": torch.randn(64, 32, 3, 3, generator=generator) * scale,
        "encoder.conv.bias": torch.randn(64, generator=generator),
        "head.weight": torch.randn(128, 64, generator=generator),
        "steps": torch.tensor(7),
    }


def test_each_output_channel_keeps_its_own_precision(tmp_path: Path) -> None:
    state = _state()
    small = shrink(state, lambda name: name.startswith("encoder."))
    save(tmp_path / "small.safetensors", small, notice={"licence": "none"})
    back = read_state(tmp_path / "small.safetensors")
    assert back.keys() == state.keys()
    original, restored = state["encoder.conv.weight"], back["encoder.conv.weight"]
    error = (original - restored).abs().flatten(1).amax(1)
    assert bool((error <= original.abs().flatten(1).amax(1) / 253).all())
    assert torch.allclose(back["head.weight"], state["head.weight"], rtol=1e-3)
    assert int(back["steps"]) == 7


def test_only_what_is_named_takes_eight_bits() -> None:
    small = shrink(_state(), lambda name: name.startswith("encoder."))
    assert small["encoder.conv.weight"].dtype == torch.int8
    assert small["encoder.conv.bias"].dtype == torch.float16
    assert small["head.weight"].dtype == torch.float16
