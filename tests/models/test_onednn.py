"""The way of computing that is chosen on a CPU, whatever this one has; each gives the same."""

import math
import os
import subprocess
import sys
from collections.abc import Callable
from copy import deepcopy
from types import SimpleNamespace
from unittest.mock import Mock

import pytest
import torch
from torch import Tensor, nn

from models.cutie.cpu.fold import fold_batch_norms
from models.cutie.cpu.fuse import FusedBlock, use_fused_blocks
from models.encoders import eight_bit
from models.encoders.arithmetic import arithmetic
from models.encoders.hiera import HieraEncoder, Levels
from models.encoders.hiera_cpu import CpuHiera
from models.encoders.resnet import ResNetEncoder
from models.runtime import device
from models.runtime.device import encoder_dtype
from tests.models.cutie_oracle import Untyped
from tests.waiting import PATIENCE

CPU = torch.device("cpu")


def _linear(tokens: Tensor, weight: Tensor, bias: Tensor, after: str, *_: object) -> Tensor:
    given = nn.functional.linear(tokens, weight, bias)
    return nn.functional.gelu(given) if after == "gelu" else given


def _convolution(
    x: Tensor, weight: Tensor, bias: Tensor, padding: Untyped, stride: Untyped, *more: Untyped
) -> Tensor:
    return nn.functional.conv2d(x, weight, bias, stride, padding, *more[:2]).relu()


def _added(total: Tensor, x: Tensor, *more: Untyped) -> Tensor:
    weight, bias, padding, stride, dilation, groups, _, _, after, *_ = more
    total = total + nn.functional.conv2d(x, weight, bias, stride, padding, dilation, groups)
    return total.relu() if after else total


def _refusing(*_: object) -> Tensor:
    raise RuntimeError("could not create a primitive descriptor")


def operators(**changed: Untyped) -> SimpleNamespace:
    """Return stand-ins for oneDNN's operators that are right, but for those named."""
    binary = changed.pop("added", _added)
    found = {
        "_linear_pointwise": _linear,
        "_convolution_pointwise": _convolution,
        "_convolution_pointwise_": SimpleNamespace(binary=binary),
        **changed,
    }
    return SimpleNamespace(**{name: made for name, made in found.items() if made is not None})


def _off(operator: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Return the operator with one number of each row wrong."""

    def wrong(*given: Untyped) -> Tensor:
        right = operator(*given)
        right[..., 0] += 1
        return right

    return wrong


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let torch have these operators of oneDNN."""
    return lambda **changed: monkeypatch.setattr(torch.ops, "mkldnn", operators(**changed))


@pytest.fixture
def cpu_with(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let the CPU have these instructions and no others."""

    def let(*present: str) -> None:
        for module in (device, eight_bit):
            monkeypatch.setattr(module, "cpu_has", lambda name: name in present)

    return let


LINEAR_FAULTS = {
    "missing": None,
    "refusing": _refusing,
    "wrong": _off(_linear),
    "without GELU": lambda x, weight, bias, *_: nn.functional.linear(x, weight, bias),
    "of another shape": lambda x, weight, bias, *_: nn.functional.linear(x, weight, bias)[:1],
    "called otherwise": lambda tokens, layer: layer(tokens),
}


@pytest.mark.parametrize("instructions", ["avx512_bf16", "amx_tile"])
def test_an_encoder_computes_in_bfloat16_where_the_cpu_multiplies_it(
    use: Callable[..., None], cpu_with: Callable[..., None], instructions: str
) -> None:
    use()
    cpu_with(instructions)
    assert encoder_dtype(CPU) is torch.bfloat16
    cpu_with("avx2", "avx512", "vnni")
    assert encoder_dtype(CPU) is torch.float32


@pytest.mark.parametrize("fault", LINEAR_FAULTS)
def test_an_encoder_computes_in_float32_where_bfloat16_is_refused(
    use: Callable[..., None], cpu_with: Callable[..., None], fault: str
) -> None:
    cpu_with("avx512_bf16", "amx_tile")
    use(_linear_pointwise=LINEAR_FAULTS[fault])
    assert encoder_dtype(CPU) is torch.float32


def test_another_device_than_a_cpu_is_not_asked(cpu_with: Callable[..., None]) -> None:
    cpu_with("avx512_bf16")
    assert encoder_dtype(torch.device("cuda")) is torch.float32


@pytest.mark.parametrize("fault", LINEAR_FAULTS)
@torch.inference_mode()
def test_a_bfloat16_encoder_takes_plain_layers_where_the_operator_fails(
    use: Callable[..., None], fault: str
) -> None:
    torch.manual_seed(0)
    encoder = HieraEncoder("tiny", Levels.TRUNK).eval()
    picture = torch.randn(1, 3, 64, 64)
    expected = encoder(picture)
    use(_linear_pointwise=LINEAR_FAULTS[fault])
    quick = CpuHiera(encoder, torch.bfloat16)
    for ours, theirs in zip(quick(picture), expected, strict=True):
        assert float((ours - theirs).norm() / theirs.norm()) < 0.03


@torch.inference_mode()
def test_a_bfloat16_encoder_takes_the_operator_where_it_is_right(use: Callable[..., None]) -> None:
    operator = Mock(side_effect=_linear)
    use(_linear_pointwise=operator)
    quick = CpuHiera(HieraEncoder("tiny", Levels.TRUNK).eval(), torch.bfloat16)
    operator.reset_mock()
    quick(torch.randn(1, 3, 64, 64))
    operator.assert_called()


CONVOLUTION_FAULTS: dict[str, dict[str, Untyped]] = {
    "missing": {"_convolution_pointwise": None},
    "refusing": {"_convolution_pointwise": _refusing},
    "wrong": {"_convolution_pointwise": _off(_convolution)},
    "sums missing": {"_convolution_pointwise_": None},
    "sums refusing": {"added": _refusing},
    "sums wrong": {"added": _off(_added)},
    "sums always rectified": {"added": lambda *given: _added(*given).relu()},
    "called otherwise": {"added": lambda total, x, layer: total},
}


def _residual() -> nn.Module:
    torch.manual_seed(0)
    network = nn.Sequential(ResNetEncoder(layers=18)).eval().to(memory_format=torch.channels_last)
    fold_batch_norms(network)
    return network


@pytest.mark.parametrize("fault", CONVOLUTION_FAULTS)
def test_residual_blocks_stay_plain_where_an_operator_fails(
    use: Callable[..., None], fault: str
) -> None:
    use(**CONVOLUTION_FAULTS[fault])
    network = _residual()
    use_fused_blocks(network)
    assert not any(isinstance(module, FusedBlock) for module in network.modules())


@torch.inference_mode()
def test_residual_blocks_are_fused_where_the_operators_are_right(use: Callable[..., None]) -> None:
    use()
    plain = _residual()
    fused = deepcopy(plain)
    use_fused_blocks(fused)
    assert any(isinstance(module, FusedBlock) for module in fused.modules())
    image = torch.rand(1, 3, 64, 64)
    for ours, theirs in zip(fused(image), plain(image), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


# Products of bytes


def _multiplying(*, bound: float) -> Callable[..., Tensor]:
    """Return an operator on bytes whose sums of two products clip at `bound`, as AVX2's do."""

    def multiply(
        coded: Tensor, step: float, zero: int, weight: Tensor, steps: Tensor, *more: Untyped
    ) -> Tensor:
        _, bias, _, _, dtype, *_ = more
        rows, weight = coded.float(), weight.float()
        pairs = rows.view(len(rows), 1, -1, 2) * weight.view(len(weight), -1, 2)
        sums = pairs.sum(-1).clamp(-bound, bound).sum(-1) - zero * weight.sum(-1)
        given: Tensor = (sums * step * steps + bias).to(dtype)
        return given

    return multiply


def bytes_operators(multiply: Callable[..., Tensor]) -> SimpleNamespace:
    """Return stand-ins for oneDNN's operators on bytes."""
    return SimpleNamespace(qlinear_prepack=lambda weight, _: weight, qlinear_pointwise=multiply)


@pytest.mark.parametrize(
    ("instructions", "supported", "pays"),
    [
        (("vnni",), True, True),
        (("avx2",), True, True),
        (("amx_tile",), True, False),
        (("avx2", "amx_tile"), True, False),
        (("avx512",), False, False),
    ],
)
def test_bytes_are_multiplied_where_the_cpu_does_it_and_nothing_else_is_as_fast(
    monkeypatch: pytest.MonkeyPatch,
    cpu_with: Callable[..., None],
    instructions: tuple[str, ...],
    supported: bool,
    pays: bool,
) -> None:
    monkeypatch.setattr(torch.ops, "onednn", bytes_operators(_multiplying(bound=math.inf)))
    cpu_with(*instructions)
    assert eight_bit.supported(CPU) is supported
    assert eight_bit.is_faster(CPU) is pays
    assert not eight_bit.supported(torch.device("cuda"))


@pytest.mark.parametrize(
    "made",
    [SimpleNamespace(), bytes_operators(_refusing), bytes_operators(_multiplying(bound=2**14))],
    ids=["missing", "refusing", "clipped"],
)
def test_bytes_are_not_multiplied_where_the_operator_fails(
    monkeypatch: pytest.MonkeyPatch, cpu_with: Callable[..., None], made: SimpleNamespace
) -> None:
    monkeypatch.setattr(torch.ops, "onednn", made)
    cpu_with("vnni")
    assert not eight_bit.supported(CPU)


@pytest.mark.parametrize(("bound", "largest"), [(math.inf, 127), (2**15 - 1, 64), (2**14, 0)])
def test_weights_take_as_many_bits_as_sums_of_two_products_have_room_for(
    monkeypatch: pytest.MonkeyPatch, bound: float, largest: int
) -> None:
    monkeypatch.setattr(torch.ops, "onednn", bytes_operators(_multiplying(bound=bound)))
    assert eight_bit.largest_weight() == largest


@pytest.mark.parametrize(
    ("bound", "path"), [(math.inf, "8 bits, as"), (2**15 - 1, "7 of a weight"), (0, "float32")]
)
def test_what_is_computed_in_is_said_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, cpu_with: Callable[..., None], bound: float, path: str
) -> None:
    monkeypatch.setattr(torch.ops, "onednn", bytes_operators(_multiplying(bound=bound)))
    cpu_with("avx2")
    assert path in arithmetic(CPU)


@torch.inference_mode()
def test_no_sum_is_clipped_where_all_products_are_as_large_as_they_get(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.ops, "onednn", bytes_operators(_multiplying(bound=2**15 - 1)))
    layer, tokens = nn.Linear(64, 8), torch.ones(3, 64)
    layer.weight.fill_(0.1)
    largest = eight_bit.largest_weight()
    found = eight_bit.EightBitLinear(layer, torch.float32, largest=largest)(tokens)
    torch.testing.assert_close(found, layer(tokens), rtol=1e-3, atol=1e-3)


# On a CPU that is held to AVX2

_LITE = """
import sys
import numpy as np
import torch
from models.api import LoadOptions
from models.cutie.loader import load_tracker
from models.encoders import eight_bit
from models.encoders.arithmetic import arithmetic
from models.runtime.device import encoder_dtype
from tests.models.contract import Clip

cpu, clip = torch.device("cpu"), Clip(2)
options = LoadOptions(device="cpu", size=96, threads=1)
found = dict(load_tracker("lite", clip, options).track({0: {1: clip.mask(1, 0)}}, range(2)))
there, mask = clip.mask(1, 1), found[1][1].mask
overlap = (there & mask).sum() / (there | mask).sum()
eight = eight_bit.is_faster(cpu) and eight_bit.largest_weight()
sys.stdout.write(f"{encoder_dtype(cpu)} {eight} {overlap > 0.75}")
"""


def test_lite_follows_on_a_cpu_with_avx2_alone() -> None:
    held = {"ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2"}
    done = subprocess.run(
        [sys.executable, "-c", _LITE],
        env=os.environ | held,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    eight = 64 if device.cpu_has("avx2") else False
    assert (done.returncode, done.stdout) == (0, f"torch.float32 {eight} True"), done.stderr
