"""Weights of a person's own: each file has a name, and lies in the folder of its model."""

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from models.api import ModelError, WeightsMissingError
from models.weights import store

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")
_SUFFIXES = (".safetensors", ".pt", ".pth")


class OwnWeightsError(ModelError):
    """A file cannot be kept under the name that it was given."""


class OwnWeights(NamedTuple):
    """A person's weights: their name, the model that they fit, and the file."""

    name: str
    family: str
    path: Path


def own_weights() -> dict[str, OwnWeights]:
    """Return a person's own weights by name, in the order of the names."""
    found = [
        OwnWeights(path.stem, path.parent.name, path)
        for path in _folder().glob("*/*")
        if path.suffix in _SUFFIXES and _NAME.fullmatch(path.stem)
    ]
    return {each.name: each for each in sorted(found)}


def keep(file: Path, family: str, name: str, check: Callable[[Path], None]) -> OwnWeights:
    """Copy a file among the own weights, as `name` of the model `family`, and return it.

    `check` is asked whether the copy fits before it can be used; what it raises goes through. The
    name must be free. Raises WeightsMissingError, OwnWeightsError or OSError.
    """
    if not file.is_file():
        raise WeightsMissingError(f"There is no weights file {file}.")
    if file.suffix not in _SUFFIXES:
        raise OwnWeightsError(
            f"{file.name} is no weights file. Give one of {', '.join(_SUFFIXES)}."
        )
    if not _NAME.fullmatch(name):
        raise OwnWeightsError(
            f"{name!r} cannot be a name. Use letters, digits, dots and dashes, 60 at most."
        )
    if name in own_weights():
        raise OwnWeightsError(f"There are weights named {name} already. Remove them first.")
    target = _folder() / family / f"{name}{file.suffix}"
    put(file, target, check)
    return OwnWeights(name, family, target)


def put(file: Path, target: Path, check: Callable[[Path], None]) -> None:
    """Copy `file` to `target`, which appears only once `check` has not raised."""
    target.parent.mkdir(parents=True, exist_ok=True)
    copy = target.with_name(f".{target.stem}.part{target.suffix}")
    try:
        shutil.copyfile(file, copy)
        check(copy)
        with copy.open("rb") as stream:
            os.fsync(stream.fileno())
        copy.replace(target)
    finally:
        copy.unlink(missing_ok=True)


def remove_own(name: str) -> None:
    """Remove a person's own weights. Raises OwnWeightsError where there are none, or OSError."""
    found = own_weights().get(name)
    if found is None:
        raise OwnWeightsError(f"There are no weights of your own named {name}.")
    found.path.unlink()


def _folder() -> Path:
    return store.folder() / "own"
