"""The registry of models: every one by name, and what loads it."""

import enum
import importlib
import importlib.util
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
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
from models.runtime.blank import BlankFrames
from models.runtime.machine import machine
from models.weights import own
from models.weights import store as weights

EMBEDDED = "lite"
FALLBACK = "classic"
# What goes before the embedded one where a GPU carries it, best first.
_BEST_TRACKERS = ("sam2.1-large", "cutie-base", "sam2.1-base-plus", "cutie-small")
_BEST_SEGMENTERS = ("sam2.1-large", "sam2.1-base-plus")
_GIB = 1 << 30
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
    large: bool = False  # a frame takes seconds or more without a GPU
    fuses: bool = False  # whether a tracker averages over scales and the mirrored video
    working: int = _GIB  # bytes beside the weights, at its own size with one object
    family: str = ""  # of a person's own weights: the model that they fit
    file: Path | None = None  # ... and where they are


class Fit(enum.Enum):
    """Whether a machine carries a model."""

    GOOD = "good"
    SLOW = "slow"
    TOO_LARGE = "too large"


_MODELS = {
    model.name: model
    for model in (
        Model(
            "lite",
            "embedded: slim fused tracker on SAM 2 Hiera-Tiny, with SAM 2's prompt decoder",
            "models.cutie.loader",
            tracks=True,
            segments=True,
            fuses=True,
        ),
        *(
            Model(
                f"cutie-{size}",
                f"Cutie with a ResNet-{depth} encoder",
                "models.cutie.loader",
                tracks=True,
                fuses=True,
            )
            for size, depth in (("small", 18), ("base", 50))
        ),
        Model(
            "hiera-depth",
            "Cutie's memory on SAM 2 Hiera-L, fused with Depth Anything V2",
            "models.cutie.loader",
            tracks=True,
            large=True,
            fuses=True,
        ),
        Model(
            "css",
            "CSS-Segment's variant of the same",
            "models.cutie.loader",
            tracks=True,
            large=True,
            fuses=True,
        ),
        *(
            Model(
                f"sam2.1-{size}",
                f"SAM 2.1 Hiera-{size.title()}: masks from prompts, and through video",
                "models.sam.loader",
                tracks=True,
                segments=True,
                large=True,
            )
            for size in ("tiny", "small", "base-plus", "large")
        ),
        Model(
            "vmos",
            "HQTrack's VMOS: DeAOT with scale-wise gates",
            "models.vmos.loader",
            tracks=True,
            large=True,
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
            large=True,
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
                large=size != "tiny",
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
            large=True,
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
    """Yield every known model, built or not, and then a person's own."""
    return iter(_all().values())


def trackers() -> tuple[str, ...]:
    """Return the names of the video models."""
    return tuple(model.name for model in models() if model.tracks)


def segmenters() -> tuple[str, ...]:
    """Return the names of the image models."""
    return tuple(model.name for model in models() if model.segments)


def detectors() -> tuple[str, ...]:
    """Return the names of the models that find things."""
    return tuple(model.name for model in models() if model.detects)


def load_tracker(name: str, frames: Frames, options: LoadOptions | None = None) -> Tracker:
    """Return the video model `name`, bound to `frames`.

    Raises UnknownModelError, WeightsMissingError or WeightsInvalidError.
    """
    model = _known(name, trackers(), "a tracker")
    load = cast("Callable[[str, Frames, LoadOptions], Tracker]", _module(model).load_tracker)
    return load(model.family or name, frames, _with_file(model, options))


def load_segmenter(name: str, frames: Frames, options: LoadOptions | None = None) -> Segmenter:
    """Return the image model `name`, bound to `frames`.

    Raises UnknownModelError, WeightsMissingError or WeightsInvalidError.
    """
    model = _known(name, segmenters(), "a segmenter")
    load = cast("Callable[[str, Frames, LoadOptions], Segmenter]", _module(model).load_segmenter)
    return load(model.family or name, frames, _with_file(model, options))


def load_detector(name: str, frames: Frames, options: LoadOptions | None = None) -> Detector:
    """Return the detector `name`, bound to `frames`.

    Raises UnknownModelError, WeightsMissingError or WeightsInvalidError.
    """
    model = _known(name, detectors(), "a detector")
    load = cast("Callable[[str, Frames, LoadOptions], Detector]", _module(model).load_detector)
    return load(model.family or name, frames, _with_file(model, options))


def load_ahead(name: str, options: LoadOptions | None = None) -> None:
    """Import what a model is made of; the embedded one is loaded, too, for whoever asks first.

    Raises UnknownModelError, WeightsMissingError or WeightsInvalidError.
    """
    model = _known(name, tuple(_all()), "a model")
    module = _module(model)
    if name == EMBEDDED:
        module.load_ahead(name, _with_file(model, options))


def available(name: str) -> str | None:
    """Return why the model cannot be loaded on this machine, in one sentence, or None.

    Answers without importing the model.
    """
    try:
        model = _known(name, tuple(_all()), "a model")
        _check_built(model)
        return weights.missing(name) if model.weights and model.file is None else None
    except ModelError as error:
        return str(error)


def families() -> tuple[str, ...]:
    """Return the models that a person may have weights of their own for."""
    return tuple(
        model.name
        for model in _MODELS.values()
        if model.weights and (model.tracks or model.segments)
    )


def check(family: str, path: Path) -> None:
    """Load the weights at `path` as those of `family`, strictly, and let them go again.

    Raises UnknownModelError, WeightsMissingError or WeightsInvalidError.
    """
    model = _known(family, tuple(_MODELS), "a known model")
    options = LoadOptions(device="cpu", weights=path)
    if model.tracks:
        load_tracker(family, BlankFrames(), options)
    if model.segments:
        load_segmenter(family, BlankFrames(), options)
    if model.detects:
        load_detector(family, BlankFrames(), options)


def add_own(file: Path, family: str, name: str) -> None:
    """Keep a copy of a weights file as the model `name`, once it has been found to fit `family`.

    Raises ModelError, or OSError.
    """
    _known(family, families(), "a model that takes weights of one's own")
    if name in {*_MODELS, *weights.bundled(), *(each.name for each in weights.known())}:
        raise own.OwnWeightsError(
            f"{name} is the name of another model. Choose a name of your own."
        )
    own.keep(file, family, name, lambda copy: check(family, copy))


def put(file: Path, name: str) -> None:
    """Copy a file to where the weights of a known model are looked for.

    It has to be the published one, by its checksum; where none was published, to fit. Raises
    ModelError, or OSError.
    """

    def fits(copy: Path) -> None:
        if not weights.is_published(name, copy):
            check(name, copy)

    own.put(file, weights.place(name), fits)


def verify(name: str) -> str:
    """Check weights that are here, and return how; those without a checksum are loaded.

    Raises ModelError, or OSError.
    """
    model = _all().get(name)
    published = next((each for each in weights.known() if each.name == name), None)
    if model is not None and model.file is not None:
        check(model.family, model.file)
    elif published is not None and published.by_hand:
        check(name, weights.find(name))
    else:
        weights.verify(name)
        return "Its checksum is as published." if published else "It is whole."
    return "It was loaded, and fits. No checksum was published."


def remove(name: str) -> None:
    """Remove fetched weights, or a person's own. Raises ModelError, or OSError.

    What comes with the program stays: UnknownModelError says so.
    """
    if name in own.own_weights():
        own.remove_own(name)
    elif name in weights.bundled() or not weights.size(name):
        raise UnknownModelError(f"{name} has no weights that could be removed.")
    else:
        weights.remove(name)


def memory_of(name: str) -> int:
    """Return the bytes that a model takes, about: the file as it is read, its network, its work."""
    model = _all()[name]
    if not model.weights:
        return model.working // 4
    return 2 * size_of(name) + model.working


def size_of(name: str) -> int:
    """Return the bytes of a model's weights with what goes along with them; 0 = not known."""
    model = _all()[name]
    file = model.file or (weights.bundled().get(name) if model.weights else None)
    if file is not None:
        return file.stat().st_size if file.is_file() else 0
    return weights.size(name)


def fit(name: str, device: str = "auto") -> Fit:
    """Return whether this machine carries a model, on the device that was chosen."""
    here = machine()
    on_gpu = bool(here.gpu) and device != "cpu"
    room, needed = here.gpu_memory if on_gpu else here.memory, memory_of(name)
    if room and needed > room:
        return Fit.TOO_LARGE
    return Fit.SLOW if _all()[name].large and not on_gpu else Fit.GOOD


def embedded() -> str:
    """Return the best model that needs no download, on whatever machine."""
    return FALLBACK if available(EMBEDDED) else EMBEDDED


def default_tracker(options: LoadOptions | None = None) -> str:
    """Return the best video model that is here and that the machine carries.

    Weights that the options name are taken to be the embedded model's.
    """
    options = options or LoadOptions()
    fuses = bool(options.scales or options.flip)
    fitting = [name for name in _BEST_TRACKERS if _MODELS[name].fuses or not fuses]
    return _best(fitting, options)


def default_segmenter(options: LoadOptions | None = None) -> str:
    """Return the best image model that is here and that the machine carries."""
    return _best(_BEST_SEGMENTERS, options or LoadOptions())


def default_detector(phrases: Sequence[str]) -> str:
    """Return the detector that finds what the phrases say: hands have one of their own."""
    return "hands" if phrases and all(map(_HANDS.fullmatch, phrases)) else "grounding-dino-tiny"


def _best(names: Sequence[str], options: LoadOptions) -> str:
    if options.weights is None and machine().gpu and options.device != "cpu":
        for name in names:
            if available(name) is None and fit(name, options.device) is Fit.GOOD:
                return name
    return embedded()


def _all() -> Mapping[str, Model]:
    mine = {
        each.name: replace(
            _MODELS[each.family],
            name=each.name,
            summary=f"your own weights of {each.family}",
            family=each.family,
            file=each.path,
        )
        for each in own.own_weights().values()
        if each.family in _MODELS
    }
    return {**_MODELS, **{name: model for name, model in mine.items() if name not in _MODELS}}


def _with_file(model: Model, options: LoadOptions | None) -> LoadOptions:
    options = options or LoadOptions()
    if options.weights is None and model.file is not None:
        return replace(options, weights=model.file)
    return options


def _known(name: str, names: tuple[str, ...], kind: str) -> Model:
    known = _all()
    if name in names:
        return known[name]
    fact = f"{name} is not {kind}" if name in known else f"There is no model named {name!r}"
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
