"""Checkpoints: weights files, read safely and loaded strictly."""

import pickle
from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from models.api import WeightsInvalidError, WeightsMissingError
from models.weights.compact import widen

_WRAPPERS = ("model", "state_dict", "model_state_dict")
_SHOWN = 4
_UNREADABLE = (
    SafetensorError,
    pickle.UnpicklingError,
    RuntimeError,
    OSError,
    EOFError,
    ValueError,
    KeyError,
)


def read_state(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a .safetensors, .pt or .pth file on the CPU, small ones widened.

    Code inside a file is never run. Raises WeightsMissingError where the file is not there or may
    not be read, WeightsInvalidError where it is truncated, is no weights file, or holds anything
    but tensors.
    """
    try:
        path.open("rb").close()
    except OSError as error:
        raise WeightsMissingError(
            f"The weights file {path} cannot be read ({error.strerror}). Check the path."
        ) from error
    try:
        content = _read(path)
    except _UNREADABLE as error:
        raise WeightsInvalidError(
            f"{path} is not a usable weights file: it is truncated, of another kind, or holds "
            f"code, which is never run. Get it again, or give another with --weights FILE."
        ) from error
    return widen(_unwrapped(content, path))


def load_strict(module: nn.Module, state: Mapping[str, Tensor], path: Path) -> None:
    """Load `state`, read from `path`, into `module`; every name and shape must fit.

    Raises WeightsInvalidError, which names the differences.
    """
    own = module.state_dict()
    differences = [
        listed("missing", own.keys() - state.keys()),
        listed("not of this model", state.keys() - own.keys()),
        listed(
            "of another shape",
            (
                f"{name} {tuple(state[name].shape)} for {tuple(own[name].shape)}"
                for name in own.keys() & state.keys()
                if own[name].shape != state[name].shape
            ),
        ),
    ]
    if any(differences):
        raise WeightsInvalidError(
            f"{path} does not fit the model: {'; '.join(filter(None, differences))}. "
            f"It is probably the file of another model."
        )
    module.load_state_dict(dict(state))


def _read(path: Path) -> object:
    if path.suffix == ".safetensors":
        return load_file(path)
    return torch.load(path, map_location="cpu", weights_only=True)


def _unwrapped(content: object, path: Path) -> Mapping[str, Tensor]:
    for wrapper in _WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(wrapper), Mapping):
            content = content[wrapper]
    if not isinstance(content, Mapping) or not content:
        raise WeightsInvalidError(f"{path} holds no table of weights.")
    if not all(isinstance(tensor, Tensor) for tensor in content.values()):
        raise WeightsInvalidError(f"{path} holds more than weights. Give a plain state dict.")
    return content


def listed(what: str, names: Iterable[str]) -> str:
    """Return how many names there are and the first of them, for a message; none is empty."""
    found = sorted(names)
    if not found:
        return ""
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return f"{len(found)} {what} ({', '.join(found[:_SHOWN])}{more})"
