"""The device that a model runs on."""

from typing import TYPE_CHECKING

from models.api import OptionError

if TYPE_CHECKING:
    import torch


def pick_device(name: str, *, threads: int = 0) -> "torch.device":
    """Return the torch device for `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.

    `auto` takes CUDA, then MPS, then the CPU. `threads` above 0 bounds torch's CPU threads for the
    whole process. Raises OptionError where the device is not there.
    """
    import torch  # noqa: PLC0415

    if threads > 0:
        torch.set_num_threads(threads)
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise OptionError(
            f"{name!r} is not a device. Use auto, cpu, cuda, cuda:N or mps."
        ) from error
    _check_present(device, name)
    return device


def accelerator_memory(name: str = "auto") -> dict[str, int]:
    """Return the GPUs that a device's name leaves to work on, each with its memory in bytes."""
    import torch  # noqa: PLC0415

    found = {
        f"cuda:{index}": int(torch.cuda.get_device_properties(index).total_memory)
        for index in range(torch.cuda.device_count())
    }
    if name in {"auto", "cuda"}:
        return found
    return {each: size for each, size in found.items() if each == name}


def encoder_dtype(device: "torch.device") -> "torch.dtype":
    """Return what an image encoder had best compute in: bfloat16 on CPUs that multiply it faster.

    Those are the ones with AVX-512 BF16 or AMX, unless oneDNN is told not to use it
    (ONEDNN_MAX_CPU_ISA); on others bfloat16 is emulated, and slower.
    """
    import torch  # noqa: PLC0415

    from models.runtime import onednn  # noqa: PLC0415

    quick = cpu_has("avx512_bf16") or cpu_has("amx_tile")
    if device.type == "cpu" and quick and onednn.linear_agrees(torch.bfloat16):
        return torch.bfloat16
    return torch.float32


def cpu_has(instructions: str) -> bool:
    """Return whether this machine's CPU has the instructions that torch calls by that name."""
    import torch  # noqa: PLC0415

    # Not every release of torch that this program runs with tells.
    return bool(getattr(torch.cpu, f"_is_{instructions}_supported", bool)())


def _check_present(device: "torch.device", name: str) -> None:
    import torch  # noqa: PLC0415

    if device.type == "cpu":
        return
    if device.type == "mps" and torch.backends.mps.is_available():
        return
    if device.type == "cuda" and torch.cuda.is_available():
        if (device.index or 0) < torch.cuda.device_count():
            return
        raise OptionError(
            f"There is no {name}: this machine has {torch.cuda.device_count()} CUDA devices. "
            f"Use cuda:0 to cuda:{torch.cuda.device_count() - 1}, or auto."
        )
    raise OptionError(f"{name} is not there on this machine. Use --device auto or cpu.")
