"""The registry of models: every one by name, and what loads it."""

import importlib
import importlib.util
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import cast

from models.api import (
    Detector,
    Frames,
    LoadOptions,
    ModelError,
    Segmenter,
    Tracker,
    UnknownModelError,
)
from models.runtime import torch_library
from models.weights import store as weights

EMBEDDED = "lite"
FALLBACK = "classic"
_HANDS = re.compile(r"\s*(the )?(left |right )?hands?\.?\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Model:
    """A name that the command line knows.

    `module` offers `load_tracker(name, frames, options)` where `tracks`, and `load_segmenter` and
    `load_detector` of the same form where `segments` and `detects`.
    """

    name: str
    summary: str
    module: str
    tracks: bool = False
    segments: bool = False
    detects: bool = False
    weights: bool = True  # whether it needs torch, and a weights file of the model's name


_MODELS = {
    model.name: model
    for model in (
        Model(
            "lite",
            "embedded: slim fused tracker on SAM 2 Hiera-Tiny, with SAM 2's prompt decoder",
            "models.cutie.loader",
            tracks=True,
            segments=True,
        ),
        Model("cutie-small", "Cutie with a ResNet-18 encoder", "models.cutie.loader", tracks=True),
        Model("cutie-base", "Cutie with a ResNet-50 encoder", "models.cutie.loader", tracks=True),
        Model(
            "hiera-depth",
            "Cutie's memory on SAM 2 Hiera-L, fused with Depth Anything V2",
            "models.cutie.loader",
            tracks=True,
        ),
        Model("css", "CSS-Segment's variant of the same", "models.cutie.loader", tracks=True),
        *(
            Model(
                f"sam2.1-{size}",
                f"SAM 2.1 Hiera-{size.title()}: masks from prompts, and through video",
                "models.sam.loader",
                tracks=True,
                segments=True,
            )
            for size in ("tiny", "small", "base-plus", "large")
        ),
        Model(
            "vmos", "HQTrack's VMOS: DeAOT with scale-wise gates", "models.vmos.loader", tracks=True
        ),
        Model(
            "edgetam",
            "EdgeTAM: SAM 2's tracking with a small encoder and a compressed memory",
            "models.hub.loader",
            tracks=True,
        ),
        Model(
            "sam3-tracker",
            "SAM 3's tracker (its weights are given out on request, by Meta's own licence)",
            "models.hub.loader",
            tracks=True,
        ),
        Model(
            "mobile-sam",
            "MobileSAM: quick masks on a CPU, with the edges of plain SAM (it has no HQ token)",
            "models.sam.loader",
            segments=True,
        ),
        *(
            Model(
                f"hq-sam-{size}",
                f"HQ-SAM {size}: the finest edges, for refinement",
                "models.sam.loader",
                segments=True,
            )
            for size in ("tiny", "base", "large", "huge")
        ),
        Model(
            "grounding-dino-tiny",
            "Grounding DINO with a Swin-Tiny encoder: boxes of what words say",
            "models.text.loader",
            detects=True,
        ),
        Model(
            "sam3",
            "SAM 3: boxes of all that a phrase names (given out on request, as sam3-tracker)",
            "models.text.loader",
            detects=True,
        ),
        Model(
            "hands",
            "MediaPipe's hands: the left and the right ones, without words",
            "models.text.hands.loader",
            detects=True,
        ),
        Model(
            "classic",
            "optical flow and colour, no weights: the floor, always there",
            "models.classic.loader",
            tracks=True,
            segments=True,
            weights=False,
        ),
    )
}


def models() -> Iterator[Model]:
    """Yield every known model, built or not."""
    return iter(_MODELS.values())


def trackers() -> tuple[str, ...]:
    """Return the names of the video models."""
    return tuple(model.name for model in _MODELS.values() if model.tracks)


def segmenters() -> tuple[str, ...]:
    """Return the names of the image models."""
    return tuple(model.name for model in _MODELS.values() if model.segments)


def detectors() -> tuple[str, ...]:
    """Return the names of the models that find things."""
    return tuple(model.name for model in _MODELS.values() if model.detects)


def load_tracker(name: str, frames: Frames, options: LoadOptions | None = None) -> Tracker:
    """Return the video model `name`, bound to `frames`.

    Raises UnknownModelError, WeightsMissingError or WeightsInvalidError.
    """
    model = _known(name, trackers(), "a tracker")
    load = cast("Callable[[str, Frames, LoadOptions], Tracker]", _module(model).load_tracker)
    return load(name, frames, options or LoadOptions())


def load_segmenter(name: str, frames: Frames, options: LoadOptions | None = None) -> Segmenter:
    """Return the image model `name`, bound to `frames`.

    Raises UnknownModelError, WeightsMissingError or WeightsInvalidError.
    """
    model = _known(name, segmenters(), "a segmenter")
    load = cast("Callable[[str, Frames, LoadOptions], Segmenter]", _module(model).load_segmenter)
    return load(name, frames, options or LoadOptions())


def load_detector(name: str, frames: Frames, options: LoadOptions | None = None) -> Detector:
    """Return the detector `name`, bound to `frames`.

    Raises UnknownModelError, WeightsMissingError or WeightsInvalidError.
    """
    model = _known(name, detectors(), "a detector")
    load = cast("Callable[[str, Frames, LoadOptions], Detector]", _module(model).load_detector)
    return load(name, frames, options or LoadOptions())


def available(name: str) -> str | None:
    """Return why the model cannot be loaded on this machine, in one sentence, or None.

    Answers without importing the model.
    """
    try:
        model = _known(name, tuple(_MODELS), "a model")
        _check_built(model)
        return weights.missing(name) if model.weights else None
    except ModelError as error:
        return str(error)


def default_tracker() -> str:
    """Return the best video model that needs no download."""
    return FALLBACK if available(EMBEDDED) else EMBEDDED


def default_segmenter() -> str:
    """Return the best image model that needs no download."""
    return FALLBACK if available(EMBEDDED) else EMBEDDED


def default_detector(phrases: Sequence[str]) -> str:
    """Return the detector that finds what the phrases say: hands have one of their own."""
    return "hands" if phrases and all(map(_HANDS.fullmatch, phrases)) else "grounding-dino-tiny"


def _known(name: str, names: tuple[str, ...], kind: str) -> Model:
    if name in names:
        return _MODELS[name]
    fact = f"{name} is not {kind}" if name in _MODELS else f"There is no model named {name!r}"
    raise UnknownModelError(f"{fact}. Use one of: {', '.join(names)}.")


def _module(model: Model) -> ModuleType:
    _check_built(model)
    if model.weights:
        torch_library.load_ahead()
    return importlib.import_module(model.module)


def _check_built(model: Model) -> None:
    if not _is_there(model.module):
        built = ", ".join(name for name, other in _MODELS.items() if _is_there(other.module))
        raise UnknownModelError(
            f"{model.name} is known but not built yet in this version. Use another: {built}."
        )


def _is_there(module: str) -> bool:
    package = module.rpartition(".")[0]
    return bool(importlib.util.find_spec(package) and importlib.util.find_spec(module))
