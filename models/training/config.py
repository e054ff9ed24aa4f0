"""Training runs as TOML files: what is trained, on what, for how long."""

import os
import tomllib
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import TypeVar, cast, get_args, get_origin, get_type_hints

_Record = TypeVar("_Record")


class TrainingConfigError(Exception):
    """A config file is not TOML, or has an unknown, missing or unusable field."""


@dataclass(frozen=True)
class PseudoMasks:
    """How masks are made where nobody drew any: a SAM 2 file, clicked on a grid of points.

    `size` is that file's Hiera; it sees a picture at the short side `side`. Of the masks that it is
    sure of, up to `most` are kept. In clips, the model `tracker` (with `tracker_weights`, or its
    own) carries them to the end and back; what comes back with an IoU below `agreement` goes.
    """

    segmenter: str
    size: str = "tiny"
    side: int = 512
    grid: int = 10  # clicks along the long side
    most: int = 6
    tracker: str = "lite"
    tracker_weights: str = ""
    agreement: float = 0.8


@dataclass(frozen=True)
class DataSet:
    """One source of sequences and its share of the batches.

    `kind`: davis; visor (a folder of JSONs, converted once); stills (images and masks); paste
    (objects of a davis folder over another of its sequences); crossing (pairs of such objects that
    meet); clips (videos or folders of frames with no masks). `size`: height and width at which it
    is rendered, multiples of 32. `window`: rows and columns of 16-pixel cells that a clip is cut
    to.
    """

    name: str
    kind: str
    root: str
    size: tuple[int, int]
    window: tuple[int, int]
    weight: float = 1.0
    objects: int = 1
    batch: int = 4
    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    mirrored: bool = False  # davis, paste: left and right changed
    every: int = 1  # davis: one frame in so many is used
    # paste, crossing: clips; stills: views of each, 0 = the picture as a whole, squeezed; clips:
    # parts of each video
    count: int = 100
    length: int = 16  # paste, crossing, clips: frames of each clip
    interval: int = 1  # frames of the original video from one image to the next: divides the skip
    shift: int = 2  # cells by which a clip's window may move from one frame to the next
    late: float = 0.0  # share of clips in which further objects may begin after the first frame
    leaving: float = 0.0  # paste: share of objects that leave the picture and come back, or come in
    images: str = ""  # visor: the folder of frames, where it is not `root`
    split: str = "train"  # visor: which part of the release the JSONs are
    hands: str = ""  # paste, stills: a stills folder whose `hand_*` are laid over as occluders
    alike: int = 6  # crossing: one clip in so many shows the same object twice
    stills: str = ""  # crossing: a stills folder whose objects cross, too
    pseudo: PseudoMasks | None = None  # clips; stills with no masks, or with few
    seed: int = 0


@dataclass(frozen=True)
class Phase:
    """What holds from a share of the iterations on: clip length and the longest frame skip."""

    start: float
    clip: int
    skip: int


@dataclass(frozen=True)
class Optimiser:
    """AdamW with warm-up and steps down at shares of the run."""

    learning_rate: float = 3e-4
    encoder_rate: float = 0.0  # times the learning rate; 0 keeps the encoder frozen
    weight_decay: float = 1e-3
    clip_norm: float = 3.0
    warm_up: int = 100
    drops: tuple[float, ...] = (0.7, 0.9)
    drop: float = 0.2
    accumulate: int = 1
    ema: float = 0.998


@dataclass(frozen=True)
class Losses:
    """Points of the uncertain-point loss and the weight of the auxiliary heads, for Cutie's memory;
    for SAM 2, the weights of its own losses (Ravi et al., 2024, appendix D.2.2)."""

    points: int = 4096
    oversample: float = 3.0
    important: float = 0.75
    auxiliary: float = 0.01
    focal: float = 20.0
    dice: float = 1.0
    iou: float = 1.0
    presence: float = 1.0


@dataclass(frozen=True)
class Validation:
    """Sequences that are propagated from their first masks every so many iterations.

    `kind`: davis or visor, as a data set's. `protocol`: davis2016 (one object), davis2017 or visor.
    No `only` takes all sequences; of many, `most` are taken at even distances.
    """

    root: str
    only: tuple[str, ...] = ()
    kind: str = "davis"
    protocol: str = "davis2016"
    most: int = 0  # 0 = no limit
    images: str = ""
    split: str = "val"
    every: int = 1000
    stride: int = 1  # every n-th frame, to save time
    size: int = 320  # short side at inference


@dataclass(frozen=True)
class TrainConfig:
    """One run; `model` names a network, `start` the weights it starts from.

    `output` is the folder of checkpoints and metrics, `cache` that of rendered sequences and, where
    the encoder is frozen and `cache_features` holds, of their features: some 2 MB a frame at
    576x320 for `lite`.
    """

    model: str
    iterations: int
    output: str
    cache: str
    data: tuple[DataSet, ...]
    phases: tuple[Phase, ...]
    start: str = ""
    encoder: str = ""  # weights of the image encoder alone, in its official layout
    depth: str = ""  # weights of the depth branch alone, in its official layout
    memory: str = ""  # a Cutie file, of which all but the encoders is taken
    mask_encoder: str = ""  # a SAM or SAM 2 file, for a network with SAM's mask encoder
    seed: int = 0
    checkpoint_every: int = 200
    report_every: int = 20
    cache_features: bool = True
    half: bool = False  # bfloat16 on the CPU too; on a GPU it is always used
    reference_frames: int = 3  # memory frames kept in a clip beside the first
    # One frame in so many is remembered, and the newest are read, as at test time; 0: each frame
    # is, and any may be read, as Cutie was trained.
    memory_every: int = 0
    optimiser: Optimiser = field(default_factory=Optimiser)
    losses: Losses = field(default_factory=Losses)
    validation: Validation | None = None


def load_config(path: Path) -> TrainConfig:
    """Return the config in `path`; `${NAME}` in a text field is taken from the environment.

    Raises TrainingConfigError, which names the field.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise TrainingConfigError(
            f"{path} cannot be read ({error.strerror}). Give the TOML file of a training run."
        ) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise TrainingConfigError(f"{path} cannot be read as a training config: {error}") from error
    config = _record(TrainConfig, table, path.name)
    if not config.data or not config.phases:
        raise TrainingConfigError(f"{path.name} needs at least one [[data]] and one [[phases]].")
    return config


def _record(kind: type[_Record], table: dict[str, object], where: str) -> _Record:
    hints = get_type_hints(kind)
    known = {item.name: item for item in fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(set(table) - set(known))
    if unknown:
        raise TrainingConfigError(f"{where} has an unknown field `{unknown[0]}`.")
    missing = [
        name
        for name, item in known.items()
        if name not in table and item.default is MISSING and item.default_factory is MISSING
    ]
    if missing:
        raise TrainingConfigError(f"{where} lacks the field `{missing[0]}`.")
    return kind(**{name: _value(hints[name], table[name], f"{where}: {name}") for name in table})


def _value(hint: object, value: object, where: str) -> object:
    if isinstance(value, dict):
        kinds = [part for part in (hint, *get_args(hint)) if is_dataclass(part)]
        if not kinds:
            raise TrainingConfigError(f"{where} is a table, but one value is wanted.")
        return _record(cast("type[object]", kinds[0]), value, where)
    if get_origin(hint) is tuple:
        if not isinstance(value, list):
            raise TrainingConfigError(f"{where} must be a list.")
        inner = get_args(hint)[0]
        return tuple(_value(inner, item, where) for item in value)
    if hint is float and isinstance(value, int):
        return float(value)
    if isinstance(hint, type) and not isinstance(value, hint):
        raise TrainingConfigError(f"{where} must be of type {hint.__name__}, not {value!r}.")
    return _expanded(value, where) if isinstance(value, str) else value


def _expanded(text: str, where: str) -> str:
    expanded = os.path.expandvars(text)
    if "${" in expanded:
        raise TrainingConfigError(f"{where} is {text}, but that variable is not set.")
    return expanded
