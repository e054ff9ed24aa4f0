"""What the embedded model computes in on a device, and why."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def arithmetic(device: "torch.device") -> str:
    """Return the numbers that lite's image encoder computes in, and the reason."""
    import torch  # noqa: PLC0415

    from models.encoders import eight_bit  # noqa: PLC0415
    from models.runtime.device import cpu_has, encoder_dtype  # noqa: PLC0415

    if device.type == "cuda":
        return "float16, as GPUs multiply that faster"
    if device.type != "cpu":
        return "float32"
    if eight_bit.is_faster(device):
        if eight_bit.largest_weight() == eight_bit.LARGEST:
            return "8 bits, as the CPU has VNNI and no AMX"
        return "8 bits, 7 of a weight, as the CPU has AVX2 and no VNNI that may be used"
    if encoder_dtype(device) is torch.bfloat16:
        has = "AMX" if cpu_has("amx_tile") else "AVX-512 BF16"
        return f"bfloat16, as the CPU has {has}"
    return "float32, as the CPU has no AMX, AVX-512 or AVX2 that may be used"
