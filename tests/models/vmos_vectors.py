"""The numbers of the official VMOS network, where the reference material is at hand."""

import importlib.util
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.vmos.network.network import Vmos

FOLDER = Path(__file__).parents[3] / "shared" / "vmos"
needs_vectors = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="the vectors of the official network are not here"
)


@cache
def rule() -> ModuleType:
    """Return the rule by which weights, clips and inputs were made."""
    spec = importlib.util.spec_from_file_location("weights_rule", FOLDER / "weights_rule.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def wanted() -> Any:  # noqa: ANN401
    """Return the official numbers, by name."""
    return np.load(FOLDER / "vectors.npz")


@cache
def network() -> Vmos:
    """Return the network with the weights of the rule."""
    weights = rule().state_dict()
    assert rule().digest(weights) == str(wanted()["digest"])
    made = Vmos().eval().requires_grad_(False)
    made.load_state_dict({name: torch.from_numpy(each) for name, each in weights.items()})
    return made


def array(name: str, *shape: int) -> Tensor:
    """Return an input of the rule."""
    return torch.from_numpy(rule().array(name, shape))


def assert_close(found: Tensor | NDArray[Any], name: str, tolerance: float) -> None:
    """Check numbers against the official ones of that name."""
    values = found.numpy() if isinstance(found, Tensor) else found
    np.testing.assert_allclose(values, wanted()[name], rtol=0, atol=tolerance)
